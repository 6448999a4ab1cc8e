//! The screen that a sweep over damaged media ends with, and one damaged crash state in full.

use super::{grouped, subject_option};
use crate::decay::{DamageKind, DecayReplay, DecayReport, KindCounts, Outcome, Silence};
use crate::workload::Workload;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use std::collections::BTreeMap;
use std::fmt;

/// How many violations a summary spells out; the others are counted.
const VIOLATIONS_SHOWN: usize = 12;

/// The results of several sweeps over damage, in the order in which they ran.
#[derive(Clone, Debug, Default)]
pub struct DecaySummary {
    reports: Vec<DecayReport>,
}

impl DecaySummary {
    /// Adds a workload.
    pub fn push(&mut self, report: DecayReport) {
        self.reports.push(report);
    }

    /// What was added.
    pub fn reports(&self) -> &[DecayReport] {
        &self.reports
    }

    /// Whether anything was found.
    pub fn has_violations(&self) -> bool {
        self.reports.iter().any(|report| report.violations > 0)
    }

    fn sum(&self, of: impl Fn(&DecayReport) -> u64) -> u64 {
        self.reports.iter().map(of).sum()
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(NOTHING);
        let header = ["workload", "damage", "tried", "told", "not told", "verdict"];
        table.set_header(header);
        for column in 1..header.len() - 1 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for report in &self.reports {
            let counts = [
                report.damage().all,
                report.damage().tried,
                report.told,
                report.not_told.values().sum(),
            ];
            table.add_row(cells(
                &report.workload,
                counts,
                report.violations,
                report.cut_short,
            ));
        }
        let counts = [
            self.sum(|report| report.damage().all),
            self.sum(|report| report.damage().tried),
            self.sum(|report| report.told),
            self.sum(|report| report.not_told.values().sum()),
        ];
        let cut_short = self.reports.iter().any(|report| report.cut_short);
        table.add_row(cells(
            "all",
            counts,
            self.sum(|report| report.violations),
            cut_short,
        ));
        table
    }

    fn write_violations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The first of each kind for each workload, as others are mostly the same once more.
        let mut kinds = BTreeMap::new();
        for (place, report) in self.reports.iter().enumerate() {
            for found in &report.found {
                let key = (place, found.violation.kind);
                kinds.entry(key).or_insert((report, found));
            }
        }
        for (report, found) in kinds.values().take(VIOLATIONS_SHOWN) {
            write!(f, "{}: {found}", report.workload)?;
            match &found.step {
                Some(step) => writeln!(f, " ({step})")?,
                None => writeln!(f)?,
            }
            writeln!(f, "  broken promise: {}", found.violation.promise)?;
            let state = found.state.as_ref();
            let state = state.map_or(String::new(), |state| format!(" --state '{state}'"));
            let subject = subject_option(&report.subject);
            writeln!(
                f,
                "  replay: cutpoint replay {}{state}{subject}\n",
                report.workload
            )?;
        }
        let more = kinds.len().saturating_sub(VIOLATIONS_SHOWN);
        if more > 0 {
            writeln!(
                f,
                "{more} more kinds of violation are not shown; --json has them.\n"
            )?;
        }
        Ok(())
    }

    fn write_counts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} crash states of the prefix model, each with one damage at a time:",
            grouped(self.sum(|report| report.states))
        )?;
        for kind in DamageKind::ALL {
            let mut counts = KindCounts::default();
            for report in &self.reports {
                counts += report.kinds.get(&kind).copied().unwrap_or_default();
            }
            let how = if counts.is_complete() {
                "covered exactly"
            } else {
                "sampled"
            };
            writeln!(
                f,
                "  {kind:<17}  {}: {} never read, {} tried; {how}",
                grouped(counts.all),
                grouped(counts.unread),
                grouped(counts.tried)
            )?;
        }
        let left_out = self.sum(|report| report.left_out);
        if left_out > 0 {
            writeln!(
                f,
                "{} crash states were left out, of which nothing can be read without damage.",
                grouped(left_out)
            )?;
        }
        writeln!(
            f,
            "{} showed the same, {} were told by an error.",
            grouped(self.sum(|report| report.same)),
            grouped(self.sum(|report| report.told))
        )?;
        let silent = Silence::ALL.map(|silence| {
            let count = |report: &DecayReport| report.not_told.get(&silence).copied();
            let count = self.sum(|report| count(report).unwrap_or(0));
            format!("{silence} {}", grouped(count))
        });
        writeln!(f, "Not told by the format: {}.", silent.join(", "))?;
        if self.reports.iter().any(|report| report.cut_short) {
            writeln!(f, "Cut short: not all that was chosen was tried.")?;
        }
        match self.sum(|report| report.violations) {
            0 => writeln!(f, "No violation found."),
            1 => writeln!(f, "1 violation found."),
            count => writeln!(f, "{} violations found.", grouped(count)),
        }
    }
}

fn cells(name: &str, counts: [u64; 4], violations: u64, cut_short: bool) -> Vec<String> {
    let verdict = match (violations, cut_short) {
        (0, false) => "clean".to_owned(),
        (0, true) => "cut short".to_owned(),
        (count, _) => format!("{} found", grouped(count)),
    };
    let counts = counts.into_iter().map(grouped);
    [name.to_owned()]
        .into_iter()
        .chain(counts)
        .chain([verdict])
        .collect()
}

/// Text of at most 80 columns, the names of workloads on images apart: a table with a line for each workload, then
/// violations with the commands that show them again, what was tried, what the format does not tell, and the verdict.
impl fmt::Display for DecaySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.table().lines() {
            // The table pads its lines to the full width.
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f)?;
        self.write_violations(f)?;
        self.write_counts(f)
    }
}

/// The text of one damaged crash state, as [`fmt::Display`].
#[derive(Clone, Copy, Debug)]
pub struct DecayReplayText<'a> {
    replay: &'a DecayReplay,
    workload: &'a Workload,
    subject: &'a str,
}

impl<'a> DecayReplayText<'a> {
    /// The text of this replay, which is of this workload on the subject of that name.
    pub fn new(replay: &'a DecayReplay, workload: &'a Workload, subject: &'a str) -> Self {
        Self {
            replay,
            workload,
            subject,
        }
    }
}

impl fmt::Display for DecayReplayText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            replay, workload, ..
        } = self;
        let state = &replay.state;
        writeln!(f, "workload  {}: {}", workload.name(), workload.geometry())?;
        writeln!(f, "subject   {}", self.subject)?;
        writeln!(
            f,
            "state     {state}: the first {} of {} writes reached the medium, the others did not",
            state.state.issued(),
            replay.writes
        )?;
        if let Some(step) = &replay.step {
            writeln!(f, "cut       in or behind {step}")?;
        }
        writeln!(f, "damage    {}\n", state.damage.in_words())?;
        match &replay.outcome {
            Outcome::Same => {
                writeln!(f, "shown     what shows without the damage")?;
                writeln!(f, "verdict   clean")
            }
            Outcome::Told(error) => {
                writeln!(f, "shown     {error}")?;
                writeln!(f, "verdict   clean: told by an error")
            }
            Outcome::NotTold(silence) => {
                writeln!(f, "shown     {silence}")?;
                writeln!(
                    f,
                    "verdict   not told: the format has nothing to tell it by"
                )
            }
            Outcome::Violation(violation) => {
                writeln!(f, "verdict   {violation}")?;
                writeln!(f, "          broken promise: {}", violation.promise)
            }
        }
    }
}
