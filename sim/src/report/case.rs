//! Cases as text: what came of one, for those who review it; and what one is about, in words.

use super::coverage::write_lines;
use super::grouped;
use crate::case::{Case, CaseRun, CaseStart, CrashModel, NamedCase, Outcome, Verdict, Witness};
use crate::coverage::Coverage;
use crate::op::OperationKind;
use crate::subjects::EngineSubject;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// What came of a case, as [`fmt::Display`]: one line for each subject and crash model, then what the engine wrote and
/// what was cut. It is the same at every run.
#[derive(Clone, Copy, Debug)]
pub struct CaseReview<'a> {
    named: &'a NamedCase,
    run: &'a CaseRun,
}

impl<'a> CaseReview<'a> {
    /// The text of this run of this case.
    pub fn new(named: &'a NamedCase, run: &'a CaseRun) -> Self {
        Self { named, run }
    }
}

impl fmt::Display for CaseReview<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let case = &self.named.case;
        writeln!(f, "{}: {}", self.named.name, case.title)?;
        writeln!(f, "{}", runs_on(case))?;
        writeln!(f, "{}", kinds(case))?;
        writeln!(f)?;
        write_outcomes(f, &self.run.outcomes)?;
        let engine = |outcome: &&Outcome| {
            outcome.report.subject == EngineSubject::NAME && !outcome.is_live()
        };
        let of_engine: Vec<&Outcome> = self.run.outcomes.iter().filter(engine).collect();
        let Some(first) = of_engine.first() else {
            return Ok(());
        };
        let events = first.report.events;
        writeln!(
            f,
            "\nThe engine: {} erases, {} programs of {} bytes, {} syncs.",
            events.erases,
            events.progs,
            grouped(events.bytes),
            events.syncs
        )?;
        let mut coverage = Coverage::default();
        for outcome in of_engine {
            coverage += &outcome.report.coverage;
        }
        write_lines(f, &coverage)?;
        write_phases(f, &coverage)
    }
}

/// How many writes of each kind of work and phase cuts fell inside of.
fn write_phases(f: &mut fmt::Formatter<'_>, coverage: &Coverage) -> fmt::Result {
    let mut works: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for (work, phase, tally) in coverage.phases() {
        let cut = format!("{phase} {}/{}", tally.seen, tally.possible);
        works.entry(work).or_default().push(cut);
    }
    for (work, phases) in works {
        writeln!(f, "  {work}: {}", phases.join(", "))?;
    }
    Ok(())
}

/// A table with a line for each outcome, as text of about 80 columns.
pub(crate) fn write_outcomes(out: &mut dyn Write, outcomes: &[Outcome]) -> fmt::Result {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["subject", "model", "states", "recoveries", "outcome"]);
    for column in [2, 3] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    for outcome in outcomes {
        let report = &outcome.report;
        let (states, recoveries) = if outcome.is_live() {
            ("-".to_owned(), "-".to_owned())
        } else {
            (report.states.to_string(), grouped(report.recoveries))
        };
        let model = outcome.model.to_string();
        let subject = report.subject.clone();
        table.add_row([subject, model, states, recoveries, verdict(outcome)]);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    for outcome in outcomes {
        if let Some(found) = surprise(outcome) {
            writeln!(out, "{found}")?;
        }
    }
    Ok(())
}

fn verdict(outcome: &Outcome) -> String {
    let kinds: Vec<String> = outcome
        .report
        .violations
        .iter()
        .map(|group| group.kind.to_string())
        .collect();
    if outcome.is_refused() && outcome.is_as_expected() {
        return "refused".into();
    }
    let mut text = if kinds.is_empty() {
        "clean".to_owned()
    } else {
        kinds.join(", ")
    };
    if outcome.is_live() {
        text += ", without a power cut";
    }
    if outcome.report.sampled > 0 {
        text += ", sampled";
    }
    if !outcome.is_as_expected() {
        write!(text, "; expected {}", outcome.expected).unwrap_or_default();
    }
    text
}

/// What was found that was not expected.
fn surprise(outcome: &Outcome) -> Option<String> {
    if outcome.is_as_expected() {
        return None;
    }
    let (subject, model) = (&outcome.report.subject, outcome.model);
    let found = outcome.report.first_violation()?;
    Some(format!("{subject}, {model}: {found}"))
}

/// What the case runs on, in a line.
fn runs_on(case: &Case) -> String {
    let (start, device) = match &case.start {
        CaseStart::Blank(device) => ("On a blank device".to_owned(), *device),
        CaseStart::Image(image) => (format!("On the image {}", image.name()), image.device()),
    };
    let mut parts = vec![start, device.geometry.to_string()];
    if device.erase_value != 0xff {
        parts.push(format!("erased to {:#04x}", device.erase_value));
    }
    if let Some(version) = case.disk_version {
        let (major, minor) = version.numbers();
        parts.push(format!("disk version {major}.{minor}"));
    }
    if let Some(compactions) = case.block_cycles {
        parts.push(format!("pairs move after {compactions} compactions"));
    }
    parts.join(", ") + "."
}

/// How many operations of each kind there are, in a line.
fn kinds(case: &Case) -> String {
    let mut counts: BTreeMap<OperationKind, usize> = BTreeMap::new();
    for operation in &case.operations {
        *counts.entry(operation.kind()).or_default() += 1;
    }
    if counts.is_empty() {
        return "No operations: only the start is cut.".into();
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    format!(
        "{} operations: {}.",
        case.operations.len(),
        counts.join(", ")
    )
}

/// A case in words, as [`fmt::Display`]: what it does, why it is there, what each crash model explores, and what is
/// expected.
#[derive(Clone, Copy, Debug)]
pub struct CaseInWords<'a>(pub &'a NamedCase);

/// Columns of prose.
const WIDTH: usize = 80;

impl fmt::Display for CaseInWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NamedCase { name, case } = self.0;
        writeln!(f, "{name}: {}\n", case.title)?;
        write_prose(f, &case.origin)?;
        for link in &case.links {
            writeln!(f, "See {link}")?;
        }
        if !case.tags.is_empty() {
            writeln!(f, "Tags: {}", case.tags.join(", "))?;
        }
        writeln!(f, "\nWhat it does\n  {}", runs_on(case))?;
        match case.start {
            CaseStart::Blank(_) => writeln!(f, "   0  format")?,
            CaseStart::Image(_) => writeln!(f, "   0  mount")?,
        }
        for (number, operation) in (1..).zip(&case.operations) {
            writeln!(f, "{number:>4}  {operation}")?;
        }
        writeln!(
            f,
            "\nWhat is explored: the power is cut at every one of these writes, and"
        )?;
        for exploration in &case.explorations {
            let model = exploration.model;
            write!(f, "  {model}: {}", meaning(model))?;
            match exploration.max_states {
                Some(most) => {
                    writeln!(f, "; sampled past {} recoveries of an epoch", grouped(most))?;
                }
                None => writeln!(f)?,
            }
        }
        writeln!(f, "\nWhat is expected")?;
        for expectation in &case.expectations {
            let what = match expectation.verdict {
                Verdict::Clean => "no violation".to_owned(),
                Verdict::Refused => "to refuse the image".to_owned(),
                Verdict::Violation(kind) => format!("to be caught, {kind} among what is found"),
            };
            match expectation.under {
                Some(model) => writeln!(f, "  of {} under {model}: {what}", expectation.subject)?,
                None => writeln!(f, "  of {}: {what}", expectation.subject)?,
            }
        }
        for Witness {
            state,
            under,
            subject,
            ..
        } in &case.witnesses
        {
            writeln!(
                f,
                "\nIt was found on {subject}, on the crash state {state} under {under}."
            )?;
        }
        Ok(())
    }
}

fn meaning(model: CrashModel) -> String {
    match model.depth {
        1 => model.contract.about.to_owned(),
        cuts => format!(
            "{}; {cuts} cuts, each in the recovery from the one before",
            model.contract.about
        ),
    }
}

fn write_prose(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            f.write_str("\n")?;
            column = 0;
        }
        if column > 0 {
            f.write_str(" ")?;
            column += 1;
        }
        f.write_str(word)?;
        column += length;
    }
    writeln!(f)
}
