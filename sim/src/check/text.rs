use super::{Outcome, REPLAY_VARIABLE};
use crate::explore::{Found, Place, SweepReport};
use std::fmt;
use std::thread;

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = &self.subject;
        if self.is_clean() {
            writeln!(f, "{subject} keeps its promises when the power goes.\n")?;
        } else {
            writeln!(
                f,
                "{subject} does not keep its promises when the power goes.\n"
            )?;
        }
        for sweep in &self.sweeps {
            write_sweep(f, sweep)?;
        }
        if let Some(text) = &self.first_in_full {
            writeln!(f, "\nThe first of these in full:\n\n{text}")?;
        }
        Ok(())
    }
}

fn write_sweep(f: &mut fmt::Formatter<'_>, sweep: &SweepReport) -> fmt::Result {
    let (workload, contract) = (&sweep.workload, &sweep.contract);
    let (states, covered, recoveries) = (&sweep.states, &sweep.covered, sweep.recoveries);
    write!(f, "{workload} under {contract}: ")?;
    if sweep.fingerprint.is_none() {
        writeln!(f, "fails without any power cut")?;
    } else {
        write!(f, "{covered} of {states} crash states covered")?;
        if sweep.by_class {
            f.write_str(", torn writes by class")?;
        }
        if sweep.sampled > 0 {
            write!(f, ", {} more sampled", sweep.sampled)?;
        }
        let verdict = match sweep.violation_count() {
            0 => "clean".to_owned(),
            1 => "1 violation".to_owned(),
            count => format!("{count} violations"),
        };
        writeln!(f, ", {recoveries} recoveries: {verdict}")?;
    }
    for group in &sweep.violations {
        let Some(first) = group.witnesses.first() else {
            continue;
        };
        writeln!(f, "  {} x {}", group.count, group.kind)?;
        let step = first.step.as_deref().unwrap_or("after the last operation");
        writeln!(f, "    first: {first} ({step})")?;
        writeln!(f, "    broken promise: {}", first.violation.promise)?;
        if let Some(command) = replay_command(sweep, first) {
            writeln!(f, "    replay: {command}")?;
        }
    }
    Ok(())
}

/// The command that shows a crash state again; none for what needs no power cut.
fn replay_command(sweep: &SweepReport, found: &Found) -> Option<String> {
    let Place::State(state) = &found.place else {
        return None;
    };
    let named = format!("{} {} {state}", sweep.workload, sweep.contract);
    // The test runner names its threads after the tests.
    let test = match thread::current().name() {
        Some("main") | None => String::new(),
        Some(test) => format!(" {test}"),
    };
    Some(format!(
        "{REPLAY_VARIABLE}='{named}' cargo test{test} -- --nocapture"
    ))
}
