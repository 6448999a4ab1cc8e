//! The screen that a sweep ends with.

use super::coverage::{write_lines, write_table};
use super::{grouped, replay_command};
use crate::contract;
use crate::coverage::Coverage;
use crate::explore::{Count, SweepReport};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// How many violations a summary spells out; the others are counted.
const VIOLATIONS_SHOWN: usize = 12;

/// The results of several sweeps, in the order in which they ran.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    sweeps: Vec<TimedSweep>,
}

/// A sweep and how long it took.
#[derive(Clone, Debug, Serialize)]
pub struct TimedSweep {
    /// What it found.
    #[serde(flatten)]
    pub report: SweepReport,
    /// How long it took, the recording run included. Not part of the result: it changes from run to run.
    #[serde(skip)]
    pub elapsed: Duration,
}

/// A line of the table: one sweep, or several that belong together.
struct Row {
    name: String,
    operations: u64,
    writes: u64,
    states: Count,
    covered: Count,
    recoveries: u64,
    remembered: u64,
    memory: u64,
    sampled: u64,
    cut_short: bool,
    violations: u64,
    elapsed: Duration,
}

impl Summary {
    /// Adds a sweep.
    pub fn push(&mut self, report: SweepReport, elapsed: Duration) {
        self.sweeps.push(TimedSweep { report, elapsed });
    }

    /// The sweeps.
    pub fn sweeps(&self) -> &[TimedSweep] {
        &self.sweeps
    }

    /// Whether anything was found.
    pub fn has_violations(&self) -> bool {
        self.sweeps
            .iter()
            .any(|sweep| sweep.report.violation_count() > 0)
    }

    /// The summary as text of at most 80 columns: a table with a line for each workload (sweeps on images of the corpus
    /// share one unless `each` or something was found in them), then every violation with the command that replays it,
    /// then what was covered and the verdict. Rates are shown where `threads`, the number of workers, is given; without them the text is the
    /// same at every run.
    pub fn text(&self, each: bool, threads: Option<usize>) -> String {
        Screen {
            summary: self,
            each,
            threads,
        }
        .to_string()
    }

    /// The violations, and the last line of [`text`](Self::text): what is left for a screen that is to be short.
    pub fn quiet_text(&self) -> String {
        Short(self).to_string()
    }

    /// What has been seen of each kind of work and phase, and of writes and syncs, as text, with a column for each
    /// contract.
    pub fn coverage_text(&self) -> String {
        let contracts = self.contracts().into_iter();
        let columns: Vec<_> = contracts
            .map(|explored| {
                let mut sum = Coverage::default();
                for sweep in &self.sweeps {
                    if Explored::by(sweep) == explored {
                        sum += &sweep.report.coverage;
                    }
                }
                (explored.to_string(), sum)
            })
            .collect();
        let mut text = String::new();
        // A string takes everything.
        let _ = write_table(&mut text, &columns);
        text
    }

    fn table(&self, each: bool, timed: bool) -> Table {
        let mut table = Table::new();
        table.load_style(NOTHING);
        let first = if self.by_contract(each) {
            "contract"
        } else {
            "workload"
        };
        let mut header = vec![first, "ops", "writes", "states", "recoveries"];
        if timed {
            header.push("states/s");
        }
        header.push("verdict");
        table.set_header(&header);
        for column in 1..header.len() - 1 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let rows = self.rows(each);
        for row in &rows {
            table.add_row(row.cells(timed));
        }
        if rows.len() > 1 {
            table.add_row(Row::sum("all", rows.iter()).cells(timed));
        }
        table
    }

    /// The contracts of the sweeps and how deep their cuts go, in the order in which they came.
    fn contracts(&self) -> Vec<Explored<'_>> {
        let mut contracts = Vec::new();
        for sweep in &self.sweeps {
            let explored = Explored::by(sweep);
            if !contracts.contains(&explored) {
                contracts.push(explored);
            }
        }
        contracts
    }

    /// Whether there is a line for each contract, not for each workload.
    fn by_contract(&self, each: bool) -> bool {
        !each && self.contracts().len() > 1
    }

    fn rows(&self, each: bool) -> Vec<Row> {
        if self.by_contract(each) {
            let contracts = self.contracts().into_iter();
            return contracts.map(|contract| self.row_of(contract)).collect();
        }
        let several = self.contracts().len() > 1;
        let mut rows = Vec::new();
        let mut images = Vec::new();
        for sweep in &self.sweeps {
            let mut row = Row::of(sweep);
            if several {
                row.name = format!("{} {}", row.name, Explored::by(sweep));
            }
            let on_image = sweep.report.workload.starts_with("split-on-");
            if on_image && !each && row.violations == 0 && row.is_complete() {
                images.push(row);
            } else {
                rows.push(row);
            }
        }
        match images.as_slice() {
            [] => {}
            [_] => rows.append(&mut images),
            _ => {
                let name = format!("split on {} images", images.len());
                rows.push(Row::sum(&name, images.iter()));
            }
        }
        rows
    }

    /// All sweeps under one contract.
    fn row_of(&self, explored: Explored<'_>) -> Row {
        let sweeps = self
            .sweeps
            .iter()
            .filter(|sweep| Explored::by(sweep) == explored);
        let rows: Vec<Row> = sweeps.map(Row::of).collect();
        Row::sum(&explored.to_string(), rows.iter())
    }
}

/// Which crash states a sweep explored.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Explored<'a> {
    contract: &'a str,
    depth: u32,
}

impl<'a> Explored<'a> {
    fn by(sweep: &'a TimedSweep) -> Self {
        Self {
            contract: &sweep.report.contract,
            depth: sweep.report.depth,
        }
    }

    /// At the beginning of a sentence.
    fn title(self) -> String {
        let name = match self.contract {
            "prefix" => "Prefix model".to_owned(),
            "torn" => "Torn model".to_owned(),
            "reorder" => "Reorder model".to_owned(),
            other => format!("Contract {other}"),
        };
        match self.depth {
            1 => name,
            depth => format!("{name}, {depth} cuts deep"),
        }
    }
}

impl fmt::Display for Explored<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.contract)?;
        match self.depth {
            1 => Ok(()),
            depth => write!(f, " x{depth}"),
        }
    }
}

/// A summary as it is printed.
struct Screen<'a> {
    summary: &'a Summary,
    each: bool,
    threads: Option<usize>,
}

impl fmt::Display for Screen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.summary.table(self.each, self.threads.is_some());
        for line in table.lines() {
            // The table pads its lines to the full width.
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f)?;
        self.summary.write_violations(f)?;
        self.write_verdict(f)
    }
}

/// A summary as it is printed where little is to be.
struct Short<'a>(&'a Summary);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_violations(f)?;
        self.0.write_last_line(f)
    }
}

impl Summary {
    fn write_violations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = self.sweeps.iter().flat_map(|sweep| {
            let report = &sweep.report;
            let groups = report.violations.iter();
            groups.map(move |group| (report, group))
        });
        for (report, group) in groups.clone().take(VIOLATIONS_SHOWN) {
            let (workload, contract) = (report.workload.as_str(), report.contract.as_str());
            let under = if contract == contract::PREFIX.name {
                String::new()
            } else {
                format!(" under {contract}")
            };
            let count = grouped(group.count);
            writeln!(f, "{workload}{under}: {count} x {}", group.kind)?;
            if let Some(first) = group.witnesses.first() {
                let step = first.step.as_deref().unwrap_or("after the last operation");
                writeln!(f, "  first: {first} ({step})")?;
                writeln!(f, "  broken promise: {}", first.violation.promise)?;
                let peer = report.peer.as_ref().map(|peer| peer.name.as_str());
                let again = replay_command(&report.subject, peer, workload, contract, &first.place);
                writeln!(f, "  replay: {again}")?;
            }
            writeln!(f)?;
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

    fn write_last_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<Row> = self.sweeps.iter().map(Row::of).collect();
        let all = Row::sum("all", rows.iter());
        match (all.violations, all.is_complete()) {
            (0, true) => writeln!(f, "No violation found."),
            (0, false) => writeln!(
                f,
                "No violation found so far; not all crash states were covered."
            ),
            (1, _) => writeln!(f, "1 violation found."),
            (count, _) => writeln!(f, "{} violations found.", grouped(count)),
        }
    }
}

impl Screen<'_> {
    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sweeps = &self.summary.sweeps;
        for explored in self.summary.contracts() {
            let row = self.summary.row_of(explored);
            let name = explored.title();
            let by_class = sweeps
                .iter()
                .any(|sweep| Explored::by(sweep) == explored && sweep.report.by_class);
            let exactly = if by_class {
                "covered, torn writes by class"
            } else {
                "covered exactly"
            };
            let sampled = match row.sampled {
                0 => "none".to_owned(),
                count => grouped(count),
            };
            let (covered, states) = (&row.covered, &row.states);
            writeln!(
                f,
                "{name}: {covered} of {states} crash states {exactly}, {sampled} sampled;"
            )?;
        }
        if sweeps
            .iter()
            .any(|sweep| sweep.report.fingerprint.is_some())
        {
            let mut coverage = Coverage::default();
            for sweep in sweeps {
                coverage += &sweep.report.coverage;
            }
            write_lines(f, &coverage)?;
        }
        let rows: Vec<Row> = sweeps.iter().map(Row::of).collect();
        let all = Row::sum("all", rows.iter());
        write!(f, "{} recoveries executed", grouped(all.recoveries))?;
        if all.remembered > 0 {
            let (remembered, size) = (grouped(all.remembered), all.memory.div_ceil(1 << 20));
            write!(f, ", {remembered} remembered (in at most {size} MiB),")?;
        }
        if let Some(threads) = self.threads {
            let seconds = all.elapsed.as_secs_f64();
            let plural = if threads == 1 { "" } else { "s" };
            write!(f, " in {seconds:.1} s on {threads} thread{plural}")?;
        }
        writeln!(f, ".")?;
        if let Some(peer) = sweeps.iter().find_map(|sweep| sweep.report.peer.as_ref()) {
            writeln!(
                f,
                "Each crash state was held against {} too.",
                peer.full_name
            )?;
        }
        self.summary.write_last_line(f)
    }
}

impl Row {
    fn of(sweep: &TimedSweep) -> Self {
        let report = &sweep.report;
        Self {
            name: report.workload.clone(),
            operations: report.operations.into(),
            writes: report.events.writes().into(),
            states: report.states.clone(),
            covered: report.covered.clone(),
            recoveries: report.recoveries,
            remembered: report.remembered,
            memory: report.memory,
            sampled: report.sampled,
            cut_short: report.cut_short,
            violations: report.violation_count(),
            elapsed: sweep.elapsed,
        }
    }

    fn sum<'r>(name: &str, rows: impl Iterator<Item = &'r Self>) -> Self {
        let mut sum = Self {
            name: name.to_owned(),
            operations: 0,
            writes: 0,
            states: Count::default(),
            covered: Count::default(),
            recoveries: 0,
            remembered: 0,
            memory: 0,
            sampled: 0,
            cut_short: false,
            violations: 0,
            elapsed: Duration::ZERO,
        };
        for row in rows {
            sum.operations += row.operations;
            sum.writes += row.writes;
            sum.states += &row.states;
            sum.covered += &row.covered;
            sum.sampled += row.sampled;
            sum.cut_short |= row.cut_short;
            sum.recoveries += row.recoveries;
            sum.remembered += row.remembered;
            // One sweep after the other: the memory is made anew for each.
            sum.memory = sum.memory.max(row.memory);
            sum.violations += row.violations;
            sum.elapsed += row.elapsed;
        }
        sum
    }

    fn is_complete(&self) -> bool {
        self.covered == self.states && !self.cut_short
    }

    fn cells(&self, timed: bool) -> Vec<String> {
        let mut cells = vec![
            self.name.clone(),
            grouped(self.operations),
            grouped(self.writes),
            self.states.to_string(),
            grouped(self.recoveries),
        ];
        if timed {
            let micros = self.elapsed.as_micros().max(1);
            let rate = u128::from(self.recoveries) * 1_000_000 / micros;
            cells.push(grouped(rate as u64));
        }
        cells.push(match (self.violations, self.is_complete()) {
            (0, true) => "clean".to_owned(),
            (0, false) if self.sampled > 0 && !self.cut_short => "sampled".to_owned(),
            (0, false) => "cut short".to_owned(),
            (count, _) => format!("{} found", grouped(count)),
        });
        cells
    }
}
