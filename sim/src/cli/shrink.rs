use super::select::{contract_of, select_one};
use super::subject::SubjectArgument;
use super::{CliError, Outcome};
use crate::contract::{self, Contract};
use crate::crash::CrashState;
use crate::explore::{Found, Place, ReplayError, Sweep};
use crate::report::shrink::ShrunkText;
use crate::run::Minimal;
use crate::shrink::{Shrink, Witness};
use clap::Args;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

/// Make a witness small: few operations, short values, a small device, one power cut
///
/// Of a crash state, or, without one, of the first violation that a sweep of the workload finds. What is left shows the
/// same kind of violation of the same promise. One line says which single write decides.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint shrink split-shuffled-512 --contract emmc-untold
  cutpoint shrink split-shuffled-512 --contract emmc-untold --state '131-{128}' -o small.kdl

Exit codes: 0 nothing found, 1 a violation was found and made small, 2 bad usage or input.")]
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
    /// How many power cuts follow on each other, where no state is given
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=8))]
    depth: u32,
    /// Write what is left as a case into this file
    #[arg(long, short, value_name = "CASE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    subject: SubjectArgument,
    /// The corpus folder, where it is not ./corpus
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let contract = arguments.contract.as_deref().map(contract_of).transpose()?;
    let workload = select_one(&arguments.workload, arguments.corpus.as_deref())?;
    let workload = workload.on(contract.unwrap_or(&contract::PREFIX));
    let parties = arguments.subject.parties(&workload)?;
    let found = if let Some(state) = &arguments.state {
        let state = state
            .parse()
            .map_err(|error| CliError::argument("--state", error))?;
        let contracts = contract.map_or(contract::MODELS.to_vec(), |contract| vec![contract]);
        shown_on(parties.sweep(), &contracts, &state)?
    } else {
        let contract = contract.unwrap_or(&contract::PREFIX);
        let sweep = parties.sweep().under(contract).with_depth(arguments.depth);
        let report = sweep.run();
        report
            .first_violation()
            .map(|found| (contract, found.clone()))
    };
    let Some((contract, found)) = found else {
        writeln!(out, "No violation found; there is nothing to make small.")?;
        return Ok(Outcome::Clean);
    };
    let subject = &*parties.subject;
    let witness = Witness {
        workload: workload.clone(),
        contract,
        found,
    };
    let shrunk = Shrink::new(subject, witness)
        .with_peer(parties.peer())
        .run()
        .map_err(|error| CliError::argument(&arguments.workload, error))?;
    write!(out, "{}", ShrunkText::new(&shrunk, &workload))?;
    if let Some(path) = &arguments.output {
        let origin = format!("Found in the workload {}, and made small.", workload.name());
        let minimal = Minimal::of(&shrunk, subject, &origin).ok_or_else(|| {
            CliError::at(
                path,
                "no case can hold the image that the workload starts from",
            )
        })?;
        fs::write(path, minimal.text).map_err(|error| CliError::at(path, error))?;
        writeln!(out, "Written as a case to {}.", path.display())?;
    }
    Ok(Outcome::Found)
}

/// What shows on a crash state, under the first of these contracts that has it.
///
/// # Errors
///
/// None of them has.
fn shown_on(
    sweep: Sweep<'_>,
    contracts: &[&'static Contract],
    state: &CrashState,
) -> Result<Option<(&'static Contract, Found)>, CliError> {
    let mut refused = None;
    for &contract in contracts {
        match sweep.under(contract).replay(state) {
            Ok(replay) => {
                let found = replay.found();
                return Ok(found.map(|found| (contract, found)));
            }
            Err(ReplayError::Live(live)) => {
                let found = Found {
                    place: Place::Recording { step: live.step },
                    step: None,
                    violation: live.violation,
                };
                return Ok(Some((contract, found)));
            }
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) => Err(CliError::argument("--state", error)),
        None => Ok(None),
    }
}
