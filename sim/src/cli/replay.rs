use super::case;
use super::select::{contract_of, is_case, read_case, select_one};
use super::subject::{Parties, SubjectArgument};
use super::sweep::print_json;
use super::{CliError, Outcome, decay};
use crate::contract;
use crate::crash::CrashState;
use crate::decay::DecayState;
use crate::explore::ReplayError;
use crate::faults::{FaultReplayError, FaultSweep};
use crate::faulty::Fault;
use crate::record::LiveViolation;
use crate::report::faults::FaultReplayText;
use crate::report::replay::{ReplayJson, ReplayText};
use crate::report::summary::Summary;
use crate::subject::Subject;
use crate::trace::{NoSuchSync, Syncs};
use crate::verdict::Violation;
use crate::workload::Workload;
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Show one crash state in full, or sweep one workload again
///
/// For a state: which writes reached the medium, what the model allows, what recovery showed, and the verdict. Without
/// one, all states of the workload are judged, as 'cutpoint sweep' does; of a case, those of the crash models that it names.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint replay split-ascending-512 --state 117
  cutpoint replay split-on-basic_512_v21 --state 12
  cutpoint replay split-ascending-512 --state '120-{117,118}' --contract reorder
  cutpoint replay rename-512 --state '9-{7}' --contract reorder --without-sync 2
  cutpoint replay rename-512 --state '40+flip:3.120.5'
  cutpoint replay rename-512 --fault prog-bad-block:17
  cutpoint replay rename-128
  cutpoint replay found/torn-value.kdl
  cutpoint replay bounded:12678 --state 18

Exit codes: 0 nothing found, 1 a violation was found, 2 bad usage or input.")]
pub(super) struct Arguments {
    /// The workload, as 'cutpoint list' shows it, or the path of a case
    #[arg(value_name = "WORKLOAD")]
    workload: String,
    /// The crash state's id, as a report prints it
    #[arg(long, value_name = "ID")]
    state: Option<String>,
    /// The contract that has the state; by default the first of prefix, torn and reorder that does
    #[arg(long, value_name = "NAME")]
    contract: Option<String>,
    /// Let this fault happen in the run, as 'cutpoint faults' prints it; a crash state is then one of that run
    #[arg(long, value_name = "CLASS:N", conflicts_with_all = ["contract", "without_sync", "with_sync_after", "peer"])]
    fault: Option<Fault>,
    /// The state is one of 'sweep --depth all': its recoveries make their repairs first, and only these are cut
    #[arg(long, value_name = "all", value_parser = ["all"], requires = "state")]
    depth: Option<String>,
    /// Leave out the sync with this number: the states that there would be without it
    #[arg(long, value_name = "N", requires_all = ["state", "contract"])]
    without_sync: Option<u32>,
    /// Add a sync behind the write with this number: the states that there would be with it
    #[arg(
        long,
        value_name = "N",
        requires = "contract",
        conflicts_with = "without_sync"
    )]
    with_sync_after: Option<u32>,
    /// Print one JSON object
    #[arg(long, conflicts_with = "fault")]
    json: bool,
    #[command(flatten)]
    subject: SubjectArgument,
    /// The corpus folder, where it is not ./corpus
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
}

impl Arguments {
    /// A crash state with damage, which is one of the prefix model.
    fn replay_decay(
        &self,
        state: &str,
        workload: &Workload,
        subject: &dyn Subject,
        out: &mut dyn Write,
    ) -> Result<Outcome, CliError> {
        if self.contract.is_some() || self.subject.peer.is_some() {
            let what = "damage is on top of the prefix model, without a peer; leave out --contract and --peer";
            return Err(CliError::argument("--state", what));
        }
        decay::replay(state, workload, subject, out)
    }

    /// Whether a case is to be replayed with the states, models and subjects that it names.
    fn is_case_as_it_stands(&self) -> bool {
        is_case(&self.workload)
            && self.state.is_none()
            && self.contract.is_none()
            && self.fault.is_none()
            && self.subject.options().is_empty()
            && !self.json
    }

    fn syncs(&self) -> Syncs {
        match (self.without_sync, self.with_sync_after) {
            (Some(sync), _) => Syncs::Without(sync),
            (None, Some(write)) => Syncs::AlsoAfter(write),
            (None, None) => Syncs::AsIssued,
        }
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let contract = arguments.contract.as_deref().map(contract_of).transpose()?;
    if arguments.is_case_as_it_stands() {
        let case = read_case(&arguments.workload, arguments.corpus.as_deref())?;
        return case::replay(&case, &arguments.workload, out);
    }
    let workload = select_one(&arguments.workload, arguments.corpus.as_deref())?;
    let workload = workload.on(contract.unwrap_or(&contract::PREFIX));
    let parties = arguments.subject.parties(&workload)?;
    if let Some(fault) = arguments.fault {
        return replay_fault(arguments, fault, &workload, &*parties.subject, out);
    }
    if let Some(state) = arguments.state.as_deref()
        && DecayState::is_meant_by(state)
    {
        return arguments.replay_decay(state, &workload, &*parties.subject, out);
    }
    let sweep = parties.sweep().with_syncs(arguments.syncs());
    let sweep = match arguments.depth {
        Some(_) => sweep.to_rest(),
        None => sweep,
    };
    let Some(state) = &arguments.state else {
        let mut summary = Summary::default();
        let sweep = contract.map_or(sweep, |contract| sweep.under(contract));
        let report = sweep.run();
        let writes = report.events.writes();
        if let (Some(write), Some(_)) = (arguments.with_sync_after, report.fingerprint)
            && write >= writes
        {
            let error = NoSuchSync::Write { write, writes };
            return Err(CliError::argument("--with-sync-after", error));
        }
        summary.push(report, Duration::ZERO);
        if arguments.json {
            print_json(summary.sweeps(), out)?;
        } else {
            out.write_all(summary.text(true, None).as_bytes())?;
        }
        return Ok(if summary.has_violations() {
            Outcome::Found
        } else {
            Outcome::Clean
        });
    };
    let state = parse_state(state)?;
    // Without a contract, under the first of the models that has such a state.
    let contracts = contract.map_or(contract::MODELS.to_vec(), |contract| vec![contract]);
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
            let subject = parties.subject.name();
            if arguments.json {
                print_json(&[ReplayJson::new(&replay, subject)], out)?;
            } else {
                write!(out, "{}", ReplayText::new(&replay, subject))?;
            }
            Ok(match replay.recovery.verdict.violation() {
                Some(_) => Outcome::Found,
                None => Outcome::Clean,
            })
        }
        Err(ReplayError::Live(live)) => {
            if arguments.json {
                print_json(&[LiveJson::of(&parties, &workload, &live)], out)?;
            } else {
                writeln!(out, "verdict   without a power cut: {}", live.violation)?;
            }
            Ok(Outcome::Found)
        }
        Err(error @ ReplayError::NoSuchSync(NoSuchSync::Sync { .. })) => {
            Err(CliError::argument("--without-sync", error))
        }
        Err(error @ ReplayError::NoSuchSync(NoSuchSync::Write { .. })) => {
            Err(CliError::argument("--with-sync-after", error))
        }
        Err(error) => Err(CliError::argument("--state", error)),
    }
}

/// A violation that shows without a power cut, as `--json` prints it.
#[derive(Serialize)]
struct LiveJson<'a> {
    subject: &'a str,
    workload: &'a str,
    step: Option<String>,
    violation: &'a Violation,
}

impl<'a> LiveJson<'a> {
    fn of(parties: &'a Parties<'_>, workload: &'a Workload, live: &'a LiveViolation) -> Self {
        let step = live
            .step
            .and_then(|step| workload.steps().nth(step as usize));
        Self {
            subject: parties.subject.name(),
            workload: workload.name(),
            step: step.map(|step| step.to_string()),
            violation: &live.violation,
        }
    }
}

fn parse_state(text: &str) -> Result<CrashState, CliError> {
    text.parse()
        .map_err(|error| CliError::argument("--state", error))
}

/// One fault, and a crash state of the run with it, where one is given.
fn replay_fault(
    arguments: &Arguments,
    fault: Fault,
    workload: &Workload,
    subject: &dyn Subject,
    out: &mut dyn Write,
) -> Result<Outcome, CliError> {
    let state = arguments.state.as_deref().map(parse_state).transpose()?;
    let sweep = FaultSweep::new(subject, workload, fault.class);
    let replay = match sweep.replay(fault, state.as_ref()) {
        Ok(replay) => replay,
        Err(FaultReplayError::Live(violation)) => {
            writeln!(out, "verdict   without any fault: {violation}")?;
            return Ok(Outcome::Found);
        }
        Err(error @ FaultReplayError::NoSuchFault { .. }) => {
            return Err(CliError::argument("--fault", error));
        }
        Err(error) => return Err(CliError::argument("--state", error)),
    };
    let text = FaultReplayText::new(&replay, workload, subject.name());
    write!(out, "{text}")?;
    Ok(match replay.violation() {
        Some(_) => Outcome::Found,
        None => Outcome::Clean,
    })
}
