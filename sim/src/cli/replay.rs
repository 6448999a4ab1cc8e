use super::select::select_one;
use super::subject::SubjectArgument;
use super::{CliError, Outcome};
use crate::crash::CrashState;
use crate::explore::{ReplayError, Sweep};
use crate::report::replay::ReplayText;
use crate::report::summary::Summary;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Show one crash state in full, or sweep one workload again
///
/// For a state: which writes reached the medium, what the model allows, what recovery showed, and the verdict. Without
/// one, all states of the workload are judged, as 'cutpoint sweep' does.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint replay split-ascending-512 --state 117
  cutpoint replay split-on-basic_512_v21 --state 12
  cutpoint replay rename-128

Exit codes: 0 nothing found, 1 a violation was found, 2 bad usage or input.")]
pub(super) struct Arguments {
    /// The workload, as 'cutpoint list' shows it
    #[arg(value_name = "WORKLOAD")]
    workload: String,
    /// The crash state's id, as a report prints it
    #[arg(long, value_name = "ID")]
    state: Option<String>,
    #[command(flatten)]
    subject: SubjectArgument,
    /// The corpus folder, where it is not ./corpus
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let workload = select_one(&arguments.workload, arguments.corpus.as_deref())?;
    let subject = arguments
        .subject
        .name
        .subject(std::slice::from_ref(&workload))?;
    let sweep = Sweep::new(&*subject, &workload);
    let Some(state) = &arguments.state else {
        let mut summary = Summary::default();
        summary.push(sweep.run(), Duration::ZERO);
        out.write_all(summary.text(true, None).as_bytes())?;
        return Ok(if summary.has_violations() {
            Outcome::Found
        } else {
            Outcome::Clean
        });
    };
    let state: CrashState = state
        .parse()
        .map_err(|error| CliError::argument("--state", error))?;
    match sweep.replay(state) {
        Ok(replay) => {
            write!(out, "{}", ReplayText::new(&replay, subject.name()))?;
            Ok(match replay.recovery.verdict.violation() {
                Some(_) => Outcome::Found,
                None => Outcome::Clean,
            })
        }
        Err(ReplayError::Live(live)) => {
            writeln!(out, "verdict   without a power cut: {}", live.violation)?;
            Ok(Outcome::Found)
        }
        Err(error) => Err(CliError::argument("--state", error)),
    }
}
