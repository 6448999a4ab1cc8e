use super::results::ResultArguments;
use super::select::{contract_of, select, select_one};
use super::subject::SubjectArgument;
use super::sweep::{print_json, save};
use super::workers::{WorkerArguments, Workers, watched};
use super::{CliError, Outcome, supervise};
use crate::audit::{Audit, RemedyError};
use crate::contract::Contract;
use crate::crash::CrashState;
use crate::explore::{Progress, ReplayError};
use crate::report::audit::{AuditSummary, RemedyText};
use crate::workload::Workload;
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Say what each sync of a workload is needed for, and where one is missing
///
/// Each sync is left out in turn, and the crash states that there would be are recovered from until one shows what the sync
/// is needed for. Of a workload that is not clean with all its syncs it is said where one more would help.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint audit rename-512                 one workload
  cutpoint audit sizes --each               one group, and a line for each sync
  cutpoint audit all --contract sector-512  everything, on another kind of device
  cutpoint audit rename-512 --state '9-{7}' where one more sync helps against this state

Exit codes: 0 all clean, whatever the syncs are needed for; 1 a workload is not clean with all its syncs;
2 bad usage or input; 3 cut short.")]
pub(super) struct Arguments {
    /// Workloads or groups of them, as 'cutpoint list' shows them, or paths of cases
    #[arg(value_name = "WORKLOAD", required = true)]
    workloads: Vec<String>,
    /// The kind of device, as 'cutpoint list' shows them; one that reorders writes
    #[arg(long, value_name = "NAME", default_value = "reorder")]
    contract: String,
    /// A crash state that is not clean: only look for the place where one more sync helps
    #[arg(long, value_name = "ID", conflicts_with_all = ["each", "out", "report", "junit", "annotations"])]
    state: Option<String>,
    /// The most recoveries for one sync
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    max_states: u64,
    #[command(flatten)]
    subject: SubjectArgument,
    #[command(flatten)]
    workers: WorkerArguments,
    /// A line for each sync, with the command that shows its witness
    #[arg(long)]
    each: bool,
    /// Print one JSON object for each workload
    #[arg(long)]
    json: bool,
    /// Keep the results in this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    results: ResultArguments,
    /// The corpus folder, where it is not ./corpus
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
}

/// What the command line asks for.
enum Task {
    /// The syncs of these workloads.
    Syncs(Vec<Workload>),
    /// What helps against this state.
    Remedy(Box<Workload>, CrashState),
}

impl Arguments {
    /// What is asked for, and under which contract.
    fn task(&self) -> Result<(Task, &'static Contract), CliError> {
        let contract = contract_of(&self.contract)?;
        let corpus = self.corpus.as_deref();
        let task = match (&self.state, self.workloads.as_slice()) {
            (None, names) => {
                let workloads = select(names, corpus)?.workloads.into_iter();
                Task::Syncs(workloads.map(|workload| workload.on(contract)).collect())
            }
            (Some(state), [name]) => {
                let state = state
                    .parse()
                    .map_err(|error| CliError::argument("--state", error))?;
                Task::Remedy(Box::new(select_one(name, corpus)?.on(contract)), state)
            }
            (Some(_), _) => {
                let what = "a crash state belongs to one workload; give one";
                return Err(CliError::argument("--state", what));
            }
        };
        let workloads = match &task {
            Task::Syncs(workloads) => workloads.as_slice(),
            Task::Remedy(workload, _) => std::slice::from_ref(&**workload),
        };
        if let [first, ..] = workloads {
            let parties = self.subject.parties(first)?;
            let sweep = parties.sweep().under(contract);
            Audit::of(sweep).map_err(|error| CliError::argument("--contract", error))?;
        }
        Ok((task, contract))
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    if let Some(inflight) = supervise::working_in() {
        return work(arguments, &inflight, out);
    }
    // What the user got wrong is said without a second process.
    arguments.task()?;
    supervise::report(arguments.out.as_deref(), arguments.subject, out)
}

fn work(arguments: &Arguments, folder: &Path, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let (task, contract) = arguments.task()?;
    let subject = arguments.subject;
    let workers = Workers::gather(arguments.workers, subject, folder, "parts", arguments.json)?;
    match task {
        Task::Syncs(workloads) => syncs(arguments, &workloads, contract, &workers, out),
        Task::Remedy(workload, state) => {
            remedy(arguments, &workload, &state, contract, &workers, out)
        }
    }
}

fn syncs(
    arguments: &Arguments,
    workloads: &[Workload],
    contract: &'static Contract,
    workers: &Workers,
    out: &mut dyn Write,
) -> Result<Outcome, CliError> {
    let Workers {
        stop, pool, bar, ..
    } = workers;
    let progress = Progress::default();
    let mut summary = AuditSummary::default();
    let mut page = arguments.results.page("Barrier audit");
    let begun = Instant::now();
    for (index, workload) in workloads.iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        bar.set_prefix(format!("{}/{}", index + 1, workloads.len()));
        bar.set_message(format!("{}, {}", workload.name(), contract.name));
        let parties = arguments.subject.parties(workload)?;
        let sweep = parties
            .sweep()
            .under(contract)
            .with_bound(arguments.max_states, 0)
            .with_progress(&progress)
            .with_cancel(stop)
            .with_inflight(&workers.inflight);
        let audit = Audit::of(sweep).map_err(|error| CliError::argument("--contract", error))?;
        let position = || (progress.done(), progress.parts());
        let report = watched(bar, position, || pool.install(|| audit.run()));
        if let Some(page) = &mut page {
            page.add_audit(&sweep, &report);
        }
        summary.push(report);
    }
    workers.finish()?;
    let sweeps = summary.audits().iter().map(|audit| (&audit.sweep, None));
    arguments.results.write(page.as_ref(), sweeps, out)?;
    let text = summary.text(
        arguments.each,
        Some((begun.elapsed(), pool.current_num_threads())),
    );
    if let Some(folder) = &arguments.out {
        save(folder, summary.audits(), &text)?;
    }
    if arguments.json {
        print_json(summary.audits(), out)?;
    } else if arguments.workers.quiet {
        out.write_all(summary.quiet_text().as_bytes())?;
    } else {
        out.write_all(text.as_bytes())?;
    }
    let done = summary.audits().iter().filter(|audit| audit.is_finished());
    let cut_short = done.count() < workloads.len();
    Ok(match (summary.has_violations(), cut_short) {
        (true, _) => Outcome::Found,
        (false, true) => Outcome::CutShort,
        (false, false) => Outcome::Clean,
    })
}

fn remedy(
    arguments: &Arguments,
    workload: &Workload,
    state: &CrashState,
    contract: &'static Contract,
    workers: &Workers,
    out: &mut dyn Write,
) -> Result<Outcome, CliError> {
    let parties = arguments.subject.parties(workload)?;
    let progress = Progress::default();
    let sweep = parties
        .sweep()
        .under(contract)
        .with_bound(arguments.max_states, 0)
        .with_progress(&progress)
        .with_cancel(&workers.stop)
        .with_inflight(&workers.inflight);
    let audit = Audit::of(sweep).map_err(|error| CliError::argument("--contract", error))?;
    let position = || (progress.done(), progress.parts());
    let remedy = watched(&workers.bar, position, || {
        workers.pool.install(|| audit.remedy(state))
    });
    workers.finish()?;
    match remedy {
        Ok(remedy) => {
            if arguments.json {
                print_json(std::slice::from_ref(&remedy), out)?;
            } else {
                let text = RemedyText::new(
                    &remedy,
                    parties.subject.name(),
                    workload.name(),
                    contract.name,
                );
                write!(out, "{text}")?;
            }
            // The state is a violation, whatever helps against it.
            Ok(Outcome::Found)
        }
        Err(RemedyError::Replay(ReplayError::Live(live))) => {
            writeln!(out, "verdict   without a power cut: {}", live.violation)?;
            Ok(Outcome::Found)
        }
        Err(error) => Err(CliError::argument("--state", error)),
    }
}
