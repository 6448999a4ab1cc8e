//! The screen that a sweep without a bound to the number of cuts ends with.

use super::{grouped, replay_command};
use crate::contract;
use crate::explore::{Place, SettleReport};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use std::fmt;
use std::time::Duration;

/// How many workloads with violations a summary spells out; the others are counted.
const WORKLOADS_SHOWN: usize = 12;

/// What power cuts in recoveries lead to, over several workloads, in the order in which they were explored. It prints as the
/// screen, in at most 80 columns.
#[derive(Clone, Debug, Default)]
pub struct SettleSummary {
    reports: Vec<SettleReport>,
    elapsed: Duration,
    threads: Option<usize>,
}

impl SettleSummary {
    /// Adds a workload, and how long it took.
    pub fn push(&mut self, report: SettleReport, elapsed: Duration) {
        self.reports.push(report);
        self.elapsed += elapsed;
    }

    /// The same, with the time that it took on so many threads. Without it the text is the same at every run.
    #[must_use]
    pub fn timed(self, threads: usize) -> Self {
        Self {
            threads: Some(threads),
            ..self
        }
    }

    /// What came of each workload.
    pub fn reports(&self) -> &[SettleReport] {
        &self.reports
    }

    /// Whether anything was found.
    pub fn has_violations(&self) -> bool {
        self.reports.iter().any(|report| report.violations > 0)
    }

    /// Whether every workload was explored to its end.
    pub fn is_complete(&self) -> bool {
        !self.reports.iter().any(|report| report.cut_short)
    }

    fn sum(&self, of: impl Fn(&SettleReport) -> u64) -> u64 {
        self.reports.iter().map(of).sum()
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(NOTHING);
        let header = [
            "workload", "states", "images", "at rest", "edges", "cuts", "boots", "verdict",
        ];
        table.set_header(header);
        for column in 1..header.len() - 1 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for report in &self.reports {
            table.add_row([
                report.workload.clone(),
                grouped(report.states),
                grouped(report.images),
                grouped(report.resting),
                grouped(report.edges),
                report.cuts.to_string(),
                report.boots.to_string(),
                match (report.violations, report.cut_short) {
                    (0, false) => "rests".to_owned(),
                    (0, true) => "cut short".to_owned(),
                    (count, _) => format!("{} found", grouped(count)),
                },
            ]);
        }
        table
    }

    fn write_violations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrong = self.reports.iter().filter(|report| report.violations > 0);
        for report in wrong.clone().take(WORKLOADS_SHOWN) {
            let SettleReport {
                subject, workload, ..
            } = report;
            writeln!(f, "{workload}: {}", counted(report.violations, "violation"))?;
            if let Some(first) = report.witnesses.first() {
                let step = first.step.as_deref().unwrap_or("after the last operation");
                writeln!(f, "  first: {first} ({step})")?;
                writeln!(f, "  broken promise: {}", first.violation.promise)?;
                let prefix = contract::PREFIX.name;
                let again = replay_command(subject, None, workload, prefix, &first.place);
                let depth = match first.place {
                    Place::State(_) => " --depth all",
                    Place::Recording { .. } | Place::Epoch { .. } => "",
                };
                writeln!(f, "  replay: {again}{depth}")?;
            }
            writeln!(f)?;
        }
        match wrong.count().saturating_sub(WORKLOADS_SHOWN) {
            0 => Ok(()),
            more => writeln!(
                f,
                "{more} more workloads are not shown; --json has them all.\n"
            ),
        }
    }
}

impl fmt::Display for SettleSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.table().lines() {
            // The table pads its lines to the full width.
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f)?;
        self.write_violations(f)?;
        let (states, images) = (
            self.sum(|report| report.states),
            self.sum(|report| report.images),
        );
        let (resting, edges) = (
            self.sum(|report| report.resting),
            self.sum(|report| report.edges),
        );
        writeln!(
            f,
            "Prefix model, cuts in recoveries without end: {} crash states lead to\n{} images, {} of them at rest, by {} edges.",
            grouped(states),
            grouped(images),
            grouped(resting),
            grouped(edges)
        )?;
        let most = |of: fn(&SettleReport) -> u32| self.reports.iter().map(of).max().unwrap_or(0);
        let (cuts, boots) = (most(|report| report.cuts), most(|report| report.boots));
        if self.is_complete() {
            writeln!(
                f,
                "Beyond {} in recoveries, no further cut leads to a new image.",
                counted(cuts, "cut")
            )?;
        } else {
            writeln!(
                f,
                "There are more images: {} in recoveries were followed.",
                counted(cuts, "cut")
            )?;
        }
        if self.reports.iter().any(|report| report.cycles) {
            writeln!(
                f,
                "Cuts can lead back to an image, for as long as they go on."
            )?;
        } else if self.is_complete() {
            writeln!(
                f,
                "No cut leads back to an image: no series of cuts in recoveries goes on for ever."
            )?;
        }
        write!(
            f,
            "{} recoveries executed",
            grouped(self.sum(|report| report.recoveries))
        )?;
        if let Some(threads) = self.threads {
            let plural = if threads == 1 { "" } else { "s" };
            write!(
                f,
                " in {:.1} s on {threads} thread{plural}",
                self.elapsed.as_secs_f64()
            )?;
        }
        writeln!(f, ".")?;
        match (self.sum(|report| report.violations), self.is_complete()) {
            (0, true) => writeln!(
                f,
                "Every path comes to rest in an allowed state, at most {} after the last cut.",
                counted(boots, "boot")
            ),
            (0, false) => writeln!(
                f,
                "No violation found so far; not all images were looked at."
            ),
            (1, _) => writeln!(f, "1 violation found."),
            (count, _) => writeln!(f, "{} violations found.", grouped(count)),
        }
    }
}

fn counted(count: impl Into<u64>, what: &str) -> String {
    match count.into() {
        1 => format!("1 {what}"),
        count => format!("{} {what}s", grouped(count)),
    }
}
