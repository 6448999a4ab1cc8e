//! The replay of a case as it stands in its file.

use super::corpus::subject;
use super::{CliError, Outcome};
use crate::case::{Case, CrashModel, Witness};
use crate::explore::{ReplayError, Sweep};
use crate::report::case::write_outcomes;
use crate::report::replay::ReplayText;
use std::io::Write;

/// Replays the crash states that the case names, where they are still those of the subject's trace, and then explores what
/// it says.
pub(super) fn replay(case: &Case, path: &str, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let mut found = false;
    for witness in &case.witnesses {
        found |= replay_witness(case, path, witness, out)?;
    }
    let run = case.run(path, &subject);
    let mut text = String::new();
    // A string takes everything.
    let _ = write_outcomes(&mut text, &run.outcomes);
    out.write_all(text.as_bytes())?;
    for name in &run.left_out {
        writeln!(out, "left out: {name}, which this command does not have")?;
    }
    Ok(if found || !run.is_as_expected() {
        Outcome::Found
    } else {
        Outcome::Clean
    })
}

/// Shows one crash state; says whether it shows a violation.
fn replay_witness(
    case: &Case,
    path: &str,
    witness: &Witness,
    out: &mut dyn Write,
) -> Result<bool, CliError> {
    let Witness {
        state,
        under: CrashModel { contract, .. },
        subject: name,
        fingerprint,
    } = witness;
    let workload = case.workload(path).on(contract);
    let Some(subject) = subject(name, &workload) else {
        writeln!(
            out,
            "state {state} is of {name}, which this command does not have\n"
        )?;
        return Ok(false);
    };
    let replay = Sweep::new(&*subject, &workload)
        .under(contract)
        .replay(state);
    match replay {
        Ok(replay) if replay.recording.trace().fingerprint() == *fingerprint => {
            writeln!(out, "{}", ReplayText::new(&replay, name))?;
            Ok(replay.recovery.verdict.violation().is_some())
        }
        Err(ReplayError::Live(live)) => {
            writeln!(out, "without a power cut: {}\n", live.violation)?;
            Ok(true)
        }
        Ok(_) | Err(_) => {
            writeln!(
                out,
                "state {state} was written down for other writes than {name} makes now; what follows says whether its \
                 violation is back\n"
            )?;
            Ok(false)
        }
    }
}
