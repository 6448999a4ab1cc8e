//! The screen that a sweep over faults ends with, and one fault in full.

use super::{grouped, state_option, subject_option};
use crate::faults::{FaultFound, FaultPlace, FaultReplay, FaultReport, Struck};
use crate::faulty::FaultClass;
use crate::verdict::Verdict;
use crate::workload::{Step, Workload};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use std::collections::BTreeMap;
use std::fmt;

/// How many violations a summary spells out; the others are counted.
const VIOLATIONS_SHOWN: usize = 12;

/// The results of several sweeps over faults, in the order in which they ran.
#[derive(Clone, Debug, Default)]
pub struct FaultSummary {
    reports: Vec<FaultReport>,
}

/// A line of the table: the faults of one class.
#[derive(Clone, Copy, Default)]
struct Row {
    faults: u64,
    tried: u64,
    worked_around: u64,
    told: u64,
    states: u64,
    cut_short: bool,
    violations: u64,
}

impl FaultSummary {
    /// Adds the faults of one class on one workload.
    pub fn push(&mut self, report: FaultReport) {
        self.reports.push(report);
    }

    /// What was added.
    pub fn reports(&self) -> &[FaultReport] {
        &self.reports
    }

    /// Whether anything was found.
    pub fn has_violations(&self) -> bool {
        self.reports.iter().any(|report| report.violations > 0)
    }

    /// The summary as text of at most 80 columns: a table with a line for each class of faults, for each workload where
    /// `each` is set and else for all together; then violations with the commands that show them again, and the
    /// verdict.
    pub fn text(&self, each: bool) -> String {
        Screen {
            summary: self,
            each,
        }
        .to_string()
    }
}

impl Row {
    fn of(report: &FaultReport) -> Self {
        Self {
            faults: report.faults,
            tried: report.tried,
            worked_around: report.worked_around,
            told: report.told,
            states: report.states,
            cut_short: report.cut_short,
            violations: report.violations,
        }
    }

    fn plus(self, other: &Self) -> Self {
        Self {
            faults: self.faults + other.faults,
            tried: self.tried + other.tried,
            worked_around: self.worked_around + other.worked_around,
            told: self.told + other.told,
            states: self.states + other.states,
            cut_short: self.cut_short || other.cut_short,
            violations: self.violations + other.violations,
        }
    }

    fn sum<'r>(reports: impl IntoIterator<Item = &'r FaultReport>) -> Self {
        let rows = reports.into_iter().map(Self::of);
        rows.fold(Self::default(), |sum, row| sum.plus(&row))
    }

    fn cells(&self, name: &str, with_states: bool) -> Vec<String> {
        let mut counts = vec![self.faults, self.tried, self.worked_around, self.told];
        if with_states {
            counts.push(self.states);
        }
        let verdict = match (self.violations, self.cut_short) {
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
}

/// A summary as it is printed.
struct Screen<'a> {
    summary: &'a FaultSummary,
    each: bool,
}

impl fmt::Display for Screen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reports = &self.summary.reports;
        if self.each {
            for of_one in reports.chunk_by(|one, next| one.workload == next.workload) {
                writeln!(f, "{}", of_one[0].workload)?;
                self.write_table(f, of_one)?;
            }
        } else {
            self.write_table(f, reports)?;
        }
        self.write_violations(f)?;
        self.write_verdict(f)
    }
}

impl Screen<'_> {
    fn write_table(&self, f: &mut fmt::Formatter<'_>, reports: &[FaultReport]) -> fmt::Result {
        let with_states = Row::sum(&self.summary.reports).states > 0;
        let mut table = Table::new();
        table.load_style(NOTHING);
        let mut header = vec!["fault", "faults", "tried", "coped", "told"];
        if with_states {
            header.push("states");
        }
        header.push("verdict");
        table.set_header(&header);
        for column in 1..header.len() - 1 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let mut classes: Vec<FaultClass> = Vec::new();
        for report in reports {
            if !classes.contains(&report.class) {
                classes.push(report.class);
            }
        }
        for class in classes {
            let of_class = reports.iter().filter(|report| report.class == class);
            table.add_row(Row::sum(of_class).cells(class.name(), with_states));
        }
        table.add_row(Row::sum(reports).cells("all", with_states));
        for line in table.lines() {
            // The table pads its lines to the full width.
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f)
    }

    fn write_violations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reports = self.summary.reports.iter();
        let all = reports.flat_map(|report| report.found.iter().map(move |found| (report, found)));
        // One of each kind for each workload and class, as others are mostly the same once more.
        let mut kinds = BTreeMap::new();
        for (report, found) in all {
            let key = (&report.workload, report.class, found.violation.kind);
            kinds.entry(key).or_insert((report, found));
        }
        for (report, found) in kinds.values().take(VIOLATIONS_SHOWN) {
            writeln!(f, "{}: {found}", report.workload)?;
            writeln!(f, "  broken promise: {}", found.violation.promise)?;
            writeln!(f, "  replay: {}\n", command(report, found))?;
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

    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = Row::sum(&self.summary.reports);
        writeln!(
            f,
            "{} of {} faults tried. After {} of them every call did what it is for,",
            grouped(all.tried),
            grouped(all.faults),
            grouped(all.worked_around)
        )?;
        writeln!(
            f,
            "after {} the subject told of it and showed the state before or after.",
            grouped(all.told)
        )?;
        if all.states > 0 {
            let states = grouped(all.states);
            writeln!(
                f,
                "{states} crash states from a fault on were recovered from."
            )?;
        }
        if all.cut_short {
            writeln!(f, "Cut short: not all faults were tried.")?;
        }
        match all.violations {
            0 => writeln!(f, "No violation found."),
            1 => writeln!(f, "1 violation found."),
            count => writeln!(f, "{} violations found.", grouped(count)),
        }
    }
}

/// The command that shows what was found again.
fn command(report: &FaultReport, found: &FaultFound) -> String {
    let fault = found.fault.map(|fault| format!(" --fault {fault}"));
    let state = match &found.place {
        FaultPlace::State(state) => state_option(state),
        FaultPlace::Run { .. } => String::new(),
    };
    format!(
        "cutpoint replay {}{}{state}{}",
        report.workload,
        fault.unwrap_or_default(),
        subject_option(&report.subject)
    )
}

/// The text of one fault, tried again, as [`fmt::Display`].
#[derive(Clone, Copy, Debug)]
pub struct FaultReplayText<'a> {
    replay: &'a FaultReplay,
    workload: &'a Workload,
    subject: &'a str,
}

impl<'a> FaultReplayText<'a> {
    /// The text of this replay, which is of this workload on the subject of that name.
    pub fn new(replay: &'a FaultReplay, workload: &'a Workload, subject: &'a str) -> Self {
        Self {
            replay,
            workload,
            subject,
        }
    }

    fn step(&self, index: u32) -> String {
        let step = self.workload.steps().nth(index as usize);
        match step {
            Some(Step::Operation(operation)) => format!("operation {index}, {operation}"),
            Some(step) => format!("step {index}, {step}"),
            None => "the end".to_owned(),
        }
    }
}

impl fmt::Display for FaultReplayText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            replay, workload, ..
        } = self;
        writeln!(f, "workload  {}: {}", workload.name(), workload.geometry())?;
        writeln!(f, "subject   {}", self.subject)?;
        let fault = replay.fault;
        writeln!(f, "fault     {fault}: {}\n", fault.in_words())?;
        if replay.struck.is_empty() {
            writeln!(f, "no call was struck")?;
        }
        for of_step in replay.struck.chunk_by(|one, next| one.step == next.step) {
            writeln!(f, "at {}", self.step(of_step[0].step))?;
            for Struck { call, returned, .. } in of_step {
                writeln!(f, "  struck  {call}: {returned}")?;
            }
        }
        writeln!(f)?;
        if let Some(found) = &replay.found {
            write!(f, "run       {}", found.place)?;
            if let Some(step) = &found.step {
                write!(f, " ({step})")?;
            }
            writeln!(f, ": {}", found.violation)?;
        }
        if let Some((state, recovery)) = &replay.cut {
            let verdict = match &recovery.verdict {
                Verdict::Clean => "clean".to_owned(),
                Verdict::Violation(violation) => violation.to_string(),
            };
            writeln!(f, "state     {state}: {verdict}")?;
        }
        match replay.violation() {
            None => writeln!(f, "verdict   clean"),
            Some(violation) => {
                writeln!(f, "verdict   {violation}")?;
                writeln!(f, "          broken promise: {}", violation.promise)
            }
        }
    }
}
