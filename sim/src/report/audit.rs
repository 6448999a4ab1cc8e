//! The screen that an audit ends with.

use super::{contract_option, grouped, replay_command, subject_option};
use crate::audit::{AuditReport, Bound, Effect, Need, Needs, Remedy, SyncVerdict};
use crate::explore::{Found, SweepReport};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use std::fmt;
use std::time::Duration;

/// The columns of a screen.
const WIDTH: usize = 80;

/// The results of several audits, in the order in which they ran.
#[derive(Clone, Debug, Default)]
pub struct AuditSummary {
    audits: Vec<AuditReport>,
}

impl AuditSummary {
    /// Adds an audit.
    pub fn push(&mut self, report: AuditReport) {
        self.audits.push(report);
    }

    /// The audits.
    pub fn audits(&self) -> &[AuditReport] {
        &self.audits
    }

    /// Whether a promise was broken with all syncs.
    pub fn has_violations(&self) -> bool {
        self.audits.iter().any(AuditReport::has_violations)
    }

    /// The summary as text: a table with a line for each workload; where `each`, then each sync with its witness and the
    /// command that replays it; then what was found with all syncs, and where one more helps. Lines that are no commands
    /// are of at most 80 columns. How long it took and on how many threads is said where it is given; without it the text
    /// is the same at every run.
    pub fn text(&self, each: bool, timing: Option<(Duration, usize)>) -> String {
        Screen {
            summary: self,
            each,
            timing,
        }
        .to_string()
    }

    /// What was found with all syncs and where one more helps, and the last line of [`text`](Self::text): what is left for a
    /// screen that is to be short.
    pub fn quiet_text(&self) -> String {
        Short(self).to_string()
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header([
            "workload",
            "syncs",
            "ordering",
            "durability",
            "not observable",
            "recoveries",
        ]);
        for column in 1..6 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for audit in &self.audits {
            let (needs, recoveries) = (audit.needs(), grouped(audit.recoveries()));
            let name = audit.sweep.workload.clone();
            if audit.sweep.violation_count() > 0 {
                let syncs = grouped(audit.sweep.events.syncs.into());
                let none = || "-".to_owned();
                table.add_row([name, syncs, none(), none(), none(), recoveries]);
            } else {
                table.add_row(cells(name, needs, recoveries));
            }
        }
        if self.audits.len() > 1 {
            let recoveries = self.audits.iter().map(AuditReport::recoveries).sum();
            table.add_row(cells("all".into(), self.needs(), grouped(recoveries)));
        }
        table
    }

    fn needs(&self) -> Needs {
        let mut sum = Needs::default();
        for needs in self.audits.iter().map(AuditReport::needs) {
            sum.ordering += needs.ordering;
            sum.durability += needs.durability;
            sum.not_observable += needs.not_observable;
            sum.bounded += needs.bounded;
            sum.unknown += needs.unknown;
        }
        sum
    }
}

fn cells(name: String, needs: Needs, recoveries: String) -> [String; 6] {
    let Needs {
        ordering,
        durability,
        not_observable,
        bounded,
        unknown,
    } = needs;
    let syncs = ordering + durability + not_observable + bounded + unknown;
    let unseen = not_observable + bounded;
    [
        name,
        grouped(syncs),
        grouped(ordering),
        grouped(durability),
        grouped(unseen),
        recoveries,
    ]
}

/// A summary as it is printed.
struct Screen<'a> {
    summary: &'a AuditSummary,
    each: bool,
    timing: Option<(Duration, usize)>,
}

impl fmt::Display for Screen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.summary.table().lines() {
            // The table pads its lines to the full width.
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f)?;
        for audit in &self.summary.audits {
            if self.each && !audit.syncs.is_empty() {
                write_syncs(f, audit)?;
            }
            write_violations(f, audit)?;
        }
        self.write_verdict(f)
    }
}

/// A summary as it is printed where little is to be.
struct Short<'a>(&'a AuditSummary);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for audit in &self.0.audits {
            write_violations(f, audit)?;
        }
        self.0.write_last_line(f)
    }
}

/// Each sync of a workload.
fn write_syncs(f: &mut fmt::Formatter<'_>, audit: &AuditReport) -> fmt::Result {
    let sweep = &audit.sweep;
    writeln!(f, "{} under {}", sweep.workload, sweep.contract)?;
    for SyncVerdict {
        sync, step, need, ..
    } in &audit.syncs
    {
        let place = match sync.writes.checked_sub(1) {
            Some(write) => format!("behind write {write}"),
            None => "before any write".to_owned(),
        };
        let step = step.as_deref().unwrap_or("between operations");
        let (verdict, witness) = match need {
            Need::Ordering(found) => ("ordering", Some(found)),
            Need::Durability(found) => ("durability", Some(found)),
            Need::NotObservable(Bound::NothingPending) => ("nothing pending", None),
            Need::NotObservable(Bound::Covered) => ("not observable", None),
            Need::NotObservable(Bound::Reached) => ("bound reached", None),
            Need::NotDeterministic(found) => ("not deterministic", Some(found)),
            Need::Unfinished => ("cut short", None),
        };
        let number = sync.number;
        let line = format!("  sync {number:<4} {verdict:<15} {place:<17} {step}");
        writeln!(f, "{}", fitted(&line))?;
        if let Some(Found {
            place, violation, ..
        }) = witness
        {
            writeln!(f, "{}", fitted(&format!("    {violation}")))?;
            let again = replay_command(
                &sweep.subject,
                peer_of(sweep),
                &sweep.workload,
                &sweep.contract,
                place,
            );
            writeln!(f, "    {again} --without-sync {number}")?;
        }
    }
    writeln!(f)
}

fn peer_of(sweep: &SweepReport) -> Option<&str> {
    sweep.peer.as_ref().map(|peer| peer.name.as_str())
}

/// What was found with all syncs, and where one more helps.
fn write_violations(f: &mut fmt::Formatter<'_>, audit: &AuditReport) -> fmt::Result {
    let sweep = &audit.sweep;
    for group in &sweep.violations {
        let count = grouped(group.count);
        let kind = group.kind;
        writeln!(
            f,
            "{} under {}, all syncs in place: {count} x {kind}",
            sweep.workload, sweep.contract
        )?;
        if let Some(first) = group.witnesses.first() {
            writeln!(f, "{}", fitted(&format!("  first: {first}")))?;
            let again = replay_command(
                &sweep.subject,
                peer_of(sweep),
                &sweep.workload,
                &sweep.contract,
                &first.place,
            );
            writeln!(f, "  replay: {again}")?;
        }
        writeln!(f)?;
    }
    for remedy in &audit.remedies {
        let text = RemedyText::new(remedy, &sweep.subject, &sweep.workload, &sweep.contract);
        writeln!(f, "{text}")?;
    }
    Ok(())
}

impl AuditSummary {
    fn write_last_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dirty = self.audits.iter().filter(|audit| audit.has_violations());
        match dirty.count() {
            0 if self.audits.iter().all(AuditReport::is_finished) => {
                writeln!(f, "No violation found with all syncs in place.")
            }
            0 => writeln!(f, "No violation found so far; the audit was cut short."),
            1 => writeln!(f, "1 workload is not clean with all its syncs."),
            count => writeln!(f, "{count} workloads are not clean with all their syncs."),
        }
    }
}

impl Screen<'_> {
    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = self.summary;
        let mut contracts: Vec<_> = summary
            .audits
            .iter()
            .map(|audit| audit.sweep.contract.as_str())
            .collect();
        contracts.dedup();
        let by_class = summary.audits.iter().any(|audit| audit.sweep.by_class);
        if let [contract] = contracts.as_slice() {
            let by_class = if by_class {
                ", torn writes by class"
            } else {
                ""
            };
            writeln!(
                f,
                "Under {contract}{by_class}; each sync left out alone, up to its first witness."
            )?;
        }
        let recoveries = summary.audits.iter().map(AuditReport::recoveries).sum();
        write!(f, "{} recoveries executed", grouped(recoveries))?;
        if let Some((elapsed, threads)) = self.timing {
            let seconds = elapsed.as_secs_f64();
            let plural = if threads == 1 { "" } else { "s" };
            write!(f, " in {seconds:.1} s on {threads} thread{plural}")?;
        }
        writeln!(f, ".")?;
        let needs = summary.needs();
        if needs.bounded > 0 {
            let bounded = grouped(needs.bounded);
            writeln!(
                f,
                "Of those not observable {bounded} came to the bound (--max-states)."
            )?;
        }
        if needs.unknown > 0 {
            writeln!(f, "Of {} syncs nothing is known.", grouped(needs.unknown))?;
        }
        summary.write_last_line(f)
    }
}

/// What helps against a crash state, as [`fmt::Display`].
#[derive(Clone, Copy, Debug)]
pub struct RemedyText<'a> {
    remedy: &'a Remedy,
    subject: &'a str,
    workload: &'a str,
    contract: &'a str,
}

impl<'a> RemedyText<'a> {
    /// The text on this remedy, found with the subject and the contract of these names on the workload of this name.
    pub fn new(remedy: &'a Remedy, subject: &'a str, workload: &'a str, contract: &'a str) -> Self {
        Self {
            remedy,
            subject,
            workload,
            contract,
        }
    }

    fn write_place(&self, f: &mut fmt::Formatter<'_>, which: &str, write: u32) -> fmt::Result {
        let step = self
            .remedy
            .behind(write)
            .and_then(|trial| trial.step.as_deref());
        let step = step.unwrap_or("between operations");
        writeln!(
            f,
            "{}",
            fitted(&format!("  {which} behind write {write} ({step})"))
        )
    }
}

impl fmt::Display for RemedyText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            remedy,
            subject,
            workload,
            contract,
        } = self;
        let (state, tried) = (&remedy.state, remedy.trials.len());
        writeln!(f, "{workload} under {contract}, crash state {state}:")?;
        let places = |effect| {
            let trials = remedy.trials.iter();
            trials.filter(|trial| trial.effect == effect).count()
        };
        let ends = if let Some(cure) = remedy.cure() {
            let cures = places(Effect::Cures);
            writeln!(
                f,
                "  one more sync at {cures} of {tried} places leaves its epoch clean:"
            )?;
            Some(cure)
        } else if let Some(relief) = remedy.relief() {
            let some = places(Effect::OthersRemain) + places(Effect::BoundReached);
            writeln!(
                f,
                "  one more sync at {some} of {tried} places makes this state vanish, but others\n  \
                 of its epoch remain or were not covered:"
            )?;
            Some(relief)
        } else {
            writeln!(
                f,
                "  no sync behind one of the {tried} writes of its epoch helps"
            )?;
            None
        };
        if let Some(ends) = ends {
            if ends.start() == ends.end() {
                self.write_place(f, "the only one is", *ends.start())?;
            } else {
                self.write_place(f, "the earliest is", *ends.start())?;
                self.write_place(f, "the latest is", *ends.end())?;
            }
            let (subject, contract) = (subject_option(subject), contract_option(contract));
            writeln!(
                f,
                "  what is left then: cutpoint replay {workload}{subject}{contract} --with-sync-after {}",
                ends.end()
            )?;
        }
        if remedy.is_finished() {
            Ok(())
        } else {
            writeln!(f, "  cut short: not all places were tried")
        }
    }
}

/// The line, cut to the screen.
fn fitted(line: &str) -> String {
    if line.chars().count() <= WIDTH {
        return line.to_owned();
    }
    let start: String = line.chars().take(WIDTH - 3).collect();
    format!("{start}...")
}
