//! The screen that mutants end with.

use super::grouped;
use crate::mutants::{Mutant, MutantsReport, MutationKind, Outcome, Reason, Score};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The mutants of several workloads, in the order in which they ran.
#[derive(Clone, Debug, Default)]
pub struct MutantsSummary {
    reports: Vec<MutantsReport>,
}

impl MutantsSummary {
    /// Adds those of a workload.
    pub fn push(&mut self, report: MutantsReport) {
        self.reports.push(report);
    }

    /// The reports.
    pub fn reports(&self) -> &[MutantsReport] {
        &self.reports
    }

    /// Whether a workload is not clean without any mutation, or a mutant was not killed though nothing says why.
    pub fn has_survivors(&self) -> bool {
        let is_broken = |report: &MutantsReport| report.broken.is_some();
        self.reports.iter().any(is_broken) || self.mutants().any(|(_, mutant)| has_survived(mutant))
    }

    /// The summary as text: a table with a line for each workload, and one for each kind of mutation; then why mutants are
    /// equivalent, and those that nothing shows; where `each`, all of them. How long it took and on how many threads is said
    /// where it is given; without it the text is the same at every run.
    pub fn text(&self, each: bool, timing: Option<(Duration, usize)>) -> String {
        Screen {
            summary: self,
            each,
            timing,
        }
        .to_string()
    }

    /// The mutants that nothing shows, and the last line of [`text`](Self::text): what is left for a screen that is to be
    /// short.
    pub fn quiet_text(&self) -> String {
        Short(self).to_string()
    }

    /// All mutants, with the names of their workloads.
    fn mutants(&self) -> impl Iterator<Item = (&str, &Mutant)> {
        self.reports.iter().flat_map(|report| {
            let mutants = report.mutants.iter();
            mutants.map(|mutant| (report.workload.as_str(), mutant))
        })
    }
}

fn has_survived(mutant: &Mutant) -> bool {
    matches!(mutant.outcome, Outcome::Survived | Outcome::BoundReached)
}

fn table(
    heading: &str,
    rows: impl IntoIterator<Item = (String, Score)>,
    all: Option<Score>,
) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    let columns = [
        "mutants",
        "killed",
        "equivalent",
        "survived",
        "median",
        "most",
    ];
    table.set_header([heading].into_iter().chain(columns));
    for column in 1..=columns.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let all = all.map(|score| ("all".to_owned(), score));
    for (name, score) in rows.into_iter().chain(all) {
        let needed = |count: Option<u64>| count.map_or("-".to_owned(), grouped);
        table.add_row([
            name,
            grouped(score.made),
            grouped(score.killed),
            grouped(score.equivalent),
            grouped(score.survived),
            needed(score.median()),
            needed(score.most()),
        ]);
    }
    table
}

/// A summary as it is printed.
struct Screen<'a> {
    summary: &'a MutantsSummary,
    each: bool,
    timing: Option<(Duration, usize)>,
}

impl fmt::Display for Screen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = self.summary;
        let of_all = Score::of(summary.mutants().map(|(_, mutant)| mutant));
        let workloads = summary.reports.iter();
        let workloads = workloads.map(|report| (report.workload.clone(), report.score()));
        let all = (summary.reports.len() > 1).then_some(of_all);
        write_table(f, &table("workload", workloads, all))?;
        let kinds = MutationKind::ALL.into_iter().map(|kind| {
            let of_kind = summary
                .reports
                .iter()
                .flat_map(|report| report.of_kind(kind));
            (kind.to_string(), Score::of(of_kind))
        });
        write_table(f, &table("mutation", kinds, None))?;
        self.write_counts(f)?;
        summary.write_mutants(f, self.each)?;
        self.write_work(f)?;
        summary.write_verdict(f)
    }
}

/// What is left of a summary for a screen that is to be short.
struct Short<'a>(&'a MutantsSummary);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_mutants(f, false)?;
        self.0.write_verdict(f)
    }
}

impl MutantsSummary {
    /// The mutants that nothing shows, or all; and the workloads that have none, being broken themselves.
    fn write_mutants(&self, f: &mut fmt::Formatter<'_>, each: bool) -> fmt::Result {
        for (workload, mutant) in self.mutants() {
            if each || has_survived(mutant) {
                write_mutant(f, workload, mutant)?;
            }
        }
        for report in &self.reports {
            if let Some(found) = &report.broken {
                let workload = &report.workload;
                writeln!(f, "{workload} is not clean without any mutation: {found}")?;
            }
        }
        Ok(())
    }

    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.reports.iter().all(MutantsReport::is_finished) {
            return writeln!(f, "Cut short: not all mutants were tried.");
        }
        if self.reports.iter().any(|report| report.broken.is_some()) {
            return writeln!(f, "Not all workloads are clean without any mutation.");
        }
        match Score::of(self.mutants().map(|(_, mutant)| mutant)).survived {
            0 => writeln!(f, "Every mutant is killed, or it is known why none can be."),
            1 => writeln!(f, "1 mutant survived."),
            count => writeln!(f, "{} mutants survived.", grouped(count)),
        }
    }
}

fn write_table(f: &mut fmt::Formatter<'_>, table: &Table) -> fmt::Result {
    for line in table.lines() {
        // The table pads its lines to the full width.
        writeln!(f, "{}", line.trim_end())?;
    }
    writeln!(f)
}

fn write_mutant(f: &mut fmt::Formatter<'_>, workload: &str, mutant: &Mutant) -> fmt::Result {
    let step = mutant.step.as_deref().unwrap_or("between operations");
    write!(f, "{workload}: {} ({step}): ", mutant.mutation)?;
    let recoveries = grouped(mutant.recoveries);
    match &mutant.outcome {
        Outcome::Killed { contract, found } => {
            writeln!(f, "killed under {contract}, recovery {recoveries}: {found}")
        }
        Outcome::Equivalent(reason) => {
            writeln!(f, "equivalent, {recoveries} recoveries: {reason}")
        }
        Outcome::Survived => writeln!(f, "survived {recoveries} recoveries"),
        Outcome::BoundReached => writeln!(f, "not killed up to the bound (--max-states)"),
        Outcome::Unfinished => writeln!(f, "cut short"),
    }
}

impl Screen<'_> {
    /// What killed how many, and why others are equivalent.
    fn write_counts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds = BTreeMap::new();
        let mut reasons: BTreeMap<Reason, u64> = BTreeMap::new();
        for (_, mutant) in self.summary.mutants() {
            match &mutant.outcome {
                Outcome::Killed { found, .. } => {
                    *kinds.entry(found.violation.kind).or_insert(0_u64) += 1;
                }
                Outcome::Equivalent(reason) => *reasons.entry(*reason).or_default() += 1,
                Outcome::Survived | Outcome::BoundReached | Outcome::Unfinished => {}
            }
        }
        for (heading, counts) in [("killed by", list(&kinds)), ("equivalent", list(&reasons))] {
            for (name, count) in counts {
                writeln!(f, " {heading:<11} {name:<22} {count:>6}")?;
            }
        }
        writeln!(f)
    }

    /// How much work it was.
    fn write_work(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recoveries = self.summary.mutants().map(|(_, mutant)| mutant.recoveries);
        write!(f, "{} recoveries of mutants", grouped(recoveries.sum()))?;
        if let Some((elapsed, threads)) = self.timing {
            let seconds = elapsed.as_secs_f64();
            let plural = if threads == 1 { "" } else { "s" };
            write!(f, " in {seconds:.1} s on {threads} thread{plural}")?;
        }
        writeln!(
            f,
            "; median and most: of the killed, up to the first violation."
        )
    }
}

/// Names and counts as text.
fn list<K: fmt::Display>(counts: &BTreeMap<K, u64>) -> Vec<(String, String)> {
    let counts = counts.iter();
    counts
        .map(|(name, &count)| (name.to_string(), grouped(count)))
        .collect()
}
