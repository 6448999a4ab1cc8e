//! The screen that a sweep over sequences ends with.

use super::{grouped, replay_command};
use crate::bounded::{LengthReport, SequenceGroup};
use crate::contract;
use crate::subjects::EngineSubject;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// How many violations a summary spells out; the others are counted.
const VIOLATIONS_SHOWN: usize = 12;

/// The results of sweeps over all sequences of several lengths, in the order in which they ran.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BoundedSummary {
    lengths: Vec<TimedLength>,
}

/// A sweep over all sequences of one length, and how long it took.
#[derive(Clone, Debug, Serialize)]
pub struct TimedLength {
    /// What it found.
    #[serde(flatten)]
    pub report: LengthReport,
    /// How long it took. Not part of the result: it changes from run to run.
    #[serde(skip)]
    pub elapsed: Duration,
}

/// A line of the table: one length, or all.
#[derive(Default)]
struct Row {
    sequences: u64,
    left_out: u64,
    covered: u64,
    recoveries: u64,
    violations: u64,
    is_cut_short: bool,
    elapsed: Duration,
}

impl BoundedSummary {
    /// Adds a length.
    pub fn push(&mut self, report: LengthReport, elapsed: Duration) {
        self.lengths.push(TimedLength { report, elapsed });
    }

    /// The lengths.
    pub fn lengths(&self) -> &[TimedLength] {
        &self.lengths
    }

    /// Whether anything was found.
    pub fn has_violations(&self) -> bool {
        self.all().violations > 0
    }

    /// The summary as text of at most 80 columns, apart from the spelled-out sequences of violations: a table with a line
    /// for each length, then every kind of violation with its first sequence and the command that replays it, then the
    /// verdict. Rates are shown where `threads`, the number of workers, is given; without them the text is the same at
    /// every run.
    pub fn text(&self, threads: Option<usize>) -> String {
        Screen {
            summary: self,
            threads,
        }
        .to_string()
    }

    fn all(&self) -> Row {
        let rows = self.lengths.iter().map(Row::of);
        rows.fold(Row::default(), |sum, row| sum.plus(&row))
    }

    fn table(&self, timed: bool) -> Table {
        let mut table = Table::new();
        table.load_style(NOTHING);
        let mut header = vec!["length", "sequences", "left out", "states", "recoveries"];
        if timed {
            header.push("states/s");
        }
        header.push("verdict");
        table.set_header(&header);
        for column in 0..header.len() - 1 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for length in &self.lengths {
            let name = length.report.length.to_string();
            table.add_row(Row::of(length).cells(name, timed));
        }
        table.add_row(self.all().cells("all".to_owned(), timed));
        table
    }
}

/// A summary as it is printed.
struct Screen<'a> {
    summary: &'a BoundedSummary,
    threads: Option<usize>,
}

impl fmt::Display for Screen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.summary.table(self.threads.is_some()).lines() {
            // The table pads its lines to the full width.
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f)?;
        self.write_violations(f)?;
        self.write_verdict(f)
    }
}

impl Screen<'_> {
    fn write_violations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = self.summary.lengths.iter();
        let groups = lengths.flat_map(|length| {
            let groups = length.report.violations.iter();
            groups.map(|group| (length.report.length, group))
        });
        for (length, group) in groups.clone().take(VIOLATIONS_SHOWN) {
            write_group(f, length, group)?;
        }
        let more = groups.count().saturating_sub(VIOLATIONS_SHOWN);
        if more > 0 {
            writeln!(
                f,
                "{more} more kinds of violation are not shown; --json has them all.\n"
            )?;
        }
        Ok(())
    }

    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = &self.summary.lengths;
        let all = self.summary.all();
        if let Some(first) = lengths.first() {
            writeln!(f, "Device: {}.", first.report.geometry)?;
        }
        let barred: u64 = lengths.iter().map(|length| length.report.barred).sum();
        if barred > 0 {
            writeln!(
                f,
                "{} sequences cannot be run: a beginning of theirs fails without a power cut.",
                grouped(barred)
            )?;
        }
        let covered = grouped(all.covered);
        writeln!(
            f,
            "Prefix model: {covered} crash states covered exactly, each once, none sampled;"
        )?;
        write!(f, "{} recoveries executed", grouped(all.recoveries))?;
        if let Some(threads) = self.threads {
            let seconds = all.elapsed.as_secs_f64();
            let plural = if threads == 1 { "" } else { "s" };
            write!(f, " in {seconds:.1} s on {threads} thread{plural}")?;
        }
        writeln!(f, ".")?;
        match (all.violations, all.is_cut_short) {
            (0, false) => writeln!(f, "No violation found."),
            (0, true) => writeln!(f, "No violation found so far; the sweep was cut short."),
            (1, _) => writeln!(f, "1 violation found."),
            (count, _) => writeln!(f, "{} violations found.", grouped(count)),
        }
    }
}

fn write_group(f: &mut fmt::Formatter<'_>, length: u8, group: &SequenceGroup) -> fmt::Result {
    let (count, kind) = (grouped(group.count), group.kind);
    writeln!(f, "length {length}: {count} x {kind}")?;
    if let Some(first) = group.witnesses.first() {
        let (found, workload) = (&first.found, &first.workload);
        let step = found.step.as_deref().unwrap_or("after the last operation");
        writeln!(f, "  first: {workload}, {found} ({step})")?;
        writeln!(f, "  sequence: {}", first.operations.join(", "))?;
        writeln!(f, "  broken promise: {}", found.violation.promise)?;
        writeln!(
            f,
            "  replay: {}",
            replay_command(
                EngineSubject::NAME,
                None,
                workload,
                contract::PREFIX.name,
                &found.place
            )
        )?;
    }
    writeln!(f)
}

impl Row {
    fn of(length: &TimedLength) -> Self {
        let report = &length.report;
        Self {
            sequences: report.sequences,
            left_out: report.left_out,
            covered: report.covered,
            recoveries: report.recoveries,
            violations: report.violation_count(),
            is_cut_short: !report.is_complete(),
            elapsed: length.elapsed,
        }
    }

    fn plus(self, other: &Self) -> Self {
        Self {
            sequences: self.sequences + other.sequences,
            left_out: self.left_out + other.left_out,
            covered: self.covered + other.covered,
            recoveries: self.recoveries + other.recoveries,
            violations: self.violations + other.violations,
            is_cut_short: self.is_cut_short || other.is_cut_short,
            elapsed: self.elapsed + other.elapsed,
        }
    }

    fn cells(&self, name: String, timed: bool) -> Vec<String> {
        let counts = [self.sequences, self.left_out, self.covered, self.recoveries];
        let mut cells = vec![name];
        cells.extend(counts.map(grouped));
        if timed {
            let micros = self.elapsed.as_micros().max(1);
            let rate = u128::from(self.recoveries) * 1_000_000 / micros;
            cells.push(grouped(rate as u64));
        }
        cells.push(match (self.violations, self.is_cut_short) {
            (0, false) => "clean".to_owned(),
            (0, true) => "cut short".to_owned(),
            (count, _) => format!("{} found", grouped(count)),
        });
        cells
    }
}
