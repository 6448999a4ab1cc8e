use super::select::select;
use super::subject::SubjectArgument;
use super::sweep::{print_json, save};
use super::workers::{WorkerArguments, Workers, watched};
use super::{CliError, Outcome, supervise};
use crate::explore::Progress;
use crate::mutants::{Mutants, MutantsReport};
use crate::report::mutants::MutantsSummary;
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Make faults of a workload's recording, one at a time, and see whether a crash state shows each
///
/// Each sync is dropped, each two writes that follow each other change places, each operation returns before its last sync
/// and before its last write. The crash states that there would be are recovered from until one shows the fault.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint mutants                     the workload rename-512
  cutpoint mutants all                 all built-in workloads
  cutpoint mutants removal-512 --each  a line for each mutant

Exit codes: 0 each mutant is killed, or it is known why none can be; 1 a mutant survived, or a workload is not
clean without any; 2 bad usage or input; 3 cut short.")]
pub(super) struct Arguments {
    /// Workloads or groups of them, as 'cutpoint list' shows them
    #[arg(value_name = "WORKLOAD", default_value = "rename-512")]
    workloads: Vec<String>,
    /// The most recoveries for one mutant under one contract
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    max_states: u64,
    #[command(flatten)]
    subject: SubjectArgument,
    #[command(flatten)]
    workers: WorkerArguments,
    /// A line for each mutant
    #[arg(long)]
    each: bool,
    /// Print one JSON object for each workload
    #[arg(long)]
    json: bool,
    /// Keep the results in this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The corpus folder, where it is not ./corpus
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    if let Some(inflight) = supervise::working_in() {
        return work(arguments, &inflight, out);
    }
    // What the user got wrong is said without a second process.
    let workloads = select(&arguments.workloads, arguments.corpus.as_deref())?.workloads;
    if let [first, ..] = workloads.as_slice() {
        arguments.subject.parties(first)?;
    }
    supervise::report(arguments.out.as_deref(), arguments.subject, out)
}

fn work(arguments: &Arguments, folder: &Path, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let workloads = select(&arguments.workloads, arguments.corpus.as_deref())?.workloads;
    let workers = Workers::gather(
        arguments.workers,
        arguments.subject,
        folder,
        "parts",
        arguments.json,
    )?;
    let Workers {
        stop, pool, bar, ..
    } = &workers;
    let progress = Progress::default();
    let mut summary = MutantsSummary::default();
    let begun = Instant::now();
    for (index, workload) in workloads.iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        bar.set_prefix(format!("{}/{}", index + 1, workloads.len()));
        bar.set_message(workload.name().to_owned());
        let parties = arguments.subject.parties(workload)?;
        let sweep = parties
            .sweep()
            .with_bound(arguments.max_states, 0)
            .with_progress(&progress)
            .with_cancel(stop)
            .with_inflight(&workers.inflight);
        let position = || (progress.done(), progress.parts());
        let mutants = Mutants::of(sweep);
        summary.push(watched(bar, position, || pool.install(|| mutants.run())));
    }
    workers.finish()?;
    let timing = (begun.elapsed(), pool.current_num_threads());
    let text = summary.text(arguments.each, Some(timing));
    if let Some(folder) = &arguments.out {
        save(folder, summary.reports(), &text)?;
    }
    if arguments.json {
        print_json(summary.reports(), out)?;
    } else if arguments.workers.quiet {
        out.write_all(summary.quiet_text().as_bytes())?;
    } else {
        out.write_all(text.as_bytes())?;
    }
    let done = summary.reports().iter();
    let done = done
        .filter(|report| MutantsReport::is_finished(report))
        .count();
    Ok(match (summary.has_survivors(), done < workloads.len()) {
        (true, _) => Outcome::Found,
        (false, true) => Outcome::CutShort,
        (false, false) => Outcome::Clean,
    })
}
