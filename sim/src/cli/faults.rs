use super::select::select;
use super::subject::SubjectArgument;
use super::sweep::{print_json, save};
use super::workers::{WorkerArguments, Workers, watched};
use super::{CliError, Outcome, supervise};
use crate::explore::Progress;
use crate::faults::FaultSweep;
use crate::faulty::FaultClass;
use crate::report::faults::FaultSummary;
use crate::workload::Workload;
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Let the device fail at every call of a workload, and judge what the store says and keeps
///
/// For every class of faults, the workload runs once for each call that can go wrong. Each call of the store must then
/// return what the model says, or a typed error; and from the fault on, the medium must hold the state before or after
/// the call that it struck. Power is not cut unless --crashes is given.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint faults rename-512                          every fault of every class
  cutpoint faults all --stride 7                      every seventh, of everything built in
  cutpoint faults sizes --class no-space,wears-out    two classes
  cutpoint faults removal-128 --class prog-bad-block --crashes
  cutpoint replay rename-512 --fault prog-bad-block:17

Exit codes: 0 nothing found, 1 a violation was found, 2 bad usage or input, 3 cut short.")]
pub(super) struct Arguments {
    /// Workloads or groups of them, as 'cutpoint list' shows them
    #[arg(value_name = "WORKLOAD", required = true)]
    workloads: Vec<String>,
    /// The classes of faults, as 'cutpoint list' shows them; by default all
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    class: Vec<FaultClass>,
    /// Try every Nth fault of each class alone, from the first on
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    stride: u64,
    /// Cut the power on top, at each write from a fault on that the store has coped with
    #[arg(long)]
    crashes: bool,
    #[command(flatten)]
    subject: SubjectArgument,
    #[command(flatten)]
    workers: WorkerArguments,
    /// A table for each workload, not one for all
    #[arg(long)]
    each: bool,
    /// Print one JSON object for each workload and class
    #[arg(long)]
    json: bool,
    /// Keep the results in this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The corpus folder, where it is not ./corpus
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
}

impl Arguments {
    fn workloads(&self) -> Result<Vec<Workload>, CliError> {
        if self.subject.peer.is_some() {
            let what = "a peer has its say on crash states, not on faults";
            return Err(CliError::argument("--peer", what));
        }
        let workloads = select(&self.workloads, self.corpus.as_deref())?.workloads;
        for workload in &workloads {
            self.subject.parties(workload)?;
        }
        Ok(workloads)
    }

    fn classes(&self) -> &[FaultClass] {
        if self.class.is_empty() {
            &FaultClass::ALL
        } else {
            &self.class
        }
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    if let Some(inflight) = supervise::working_in() {
        return work(arguments, &inflight, out);
    }
    // What the user got wrong is said without a second process.
    arguments.workloads()?;
    supervise::report(arguments.out.as_deref(), arguments.subject, out)
}

fn work(arguments: &Arguments, folder: &Path, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let workloads = arguments.workloads()?;
    let classes = arguments.classes();
    let subject = arguments.subject;
    let workers = Workers::gather(arguments.workers, subject, folder, "faults", arguments.json)?;
    let Workers {
        stop, pool, bar, ..
    } = &workers;
    let progress = Progress::default();
    let mut summary = FaultSummary::default();
    for (index, workload) in workloads.iter().enumerate() {
        let parties = subject.parties(workload)?;
        for &class in classes {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            bar.set_prefix(format!("{}/{}", index + 1, workloads.len()));
            bar.set_message(format!("{}, {class}", workload.name()));
            let sweep = FaultSweep::new(&*parties.subject, workload, class)
                .with_stride(arguments.stride)
                .with_progress(&progress)
                .with_cancel(stop)
                .with_inflight(&workers.inflight);
            let sweep = if arguments.crashes {
                sweep.with_crashes()
            } else {
                sweep
            };
            let position = || (progress.done(), progress.parts());
            summary.push(watched(bar, position, || pool.install(|| sweep.run())));
        }
    }
    workers.finish()?;
    let text = summary.text(arguments.each);
    if let Some(folder) = &arguments.out {
        save(folder, summary.reports(), &text)?;
    }
    if arguments.json {
        print_json(summary.reports(), out)?;
    } else {
        out.write_all(text.as_bytes())?;
    }
    let reports = summary.reports().iter();
    let finished = reports.filter(|report| report.is_finished()).count();
    let cut_short = finished < workloads.len() * classes.len();
    Ok(match (summary.has_violations(), cut_short) {
        (true, _) => Outcome::Found,
        (false, true) => Outcome::CutShort,
        (false, false) => Outcome::Clean,
    })
}
