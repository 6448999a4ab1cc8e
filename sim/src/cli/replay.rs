use super::select::{contract_of, select_one};
use super::subject::SubjectArgument;
use super::{CliError, Outcome};
use crate::contract;
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
  cutpoint replay split-ascending-512 --state '120-{117,118}' --contract reorder
  cutpoint replay rename-128
  cutpoint replay bounded:12678 --state 18

Exit codes: 0 nothing found, 1 a violation was found, 2 bad usage or input.")]
pub(super) struct Arguments {
    /// The workload, as 'cutpoint list' shows it
    #[arg(value_name = "WORKLOAD")]
    workload: String,
    /// The crash state's id, as a report prints it
    #[arg(long, value_name = "ID")]
    state: Option<String>,
    /// The contract that has the state; by default the first of prefix, torn and reorder that does
    #[arg(long, value_name = "NAME")]
    contract: Option<String>,
    #[command(flatten)]
    subject: SubjectArgument,
    /// The corpus folder, where it is not ./corpus
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let workload = select_one(&arguments.workload, arguments.corpus.as_deref())?;
    let subject = arguments.subject.name.subject(&workload)?;
    let sweep = Sweep::new(&*subject, &workload);
    let Some(state) = &arguments.state else {
        let mut summary = Summary::default();
        let contract = arguments.contract.as_deref().map(contract_of).transpose()?;
        let sweep = contract.map_or(sweep, |contract| sweep.under(contract));
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
    // Without a contract, under the first of the models that has such a state.
    let contracts = match &arguments.contract {
        Some(name) => vec![contract_of(name)?],
        None => contract::MODELS.to_vec(),
    };
    let replays = contracts
        .iter()
        .map(|contract| sweep.under(contract).replay(&state));
    let is_allowed =
        |replay: &Result<_, ReplayError>| !matches!(replay, Err(ReplayError::NotAllowed { .. }));
    let Some(replay) = replays.into_iter().find(is_allowed) else {
        let names: Vec<&str> = contracts.iter().map(|contract| contract.name).collect();
        let text = format!(
            "{} has no crash state {state} under {}; a report names the contract of its states (--contract)",
            workload.name(),
            names.join(", ")
        );
        return Err(CliError::argument("--state", text));
    };
    match replay {
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
