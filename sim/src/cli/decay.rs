//! `cutpoint sweep --models decay`, and the replay of what it finds.

use super::subject::SubjectArgument;
use super::sweep::{print_json, save};
use super::workers::{Workers, watched};
use super::{CliError, Outcome};
use crate::decay::{DecayReplayError, DecaySweep};
use crate::explore::Progress;
use crate::report::decay::{DecayReplayText, DecaySummary};
use crate::subject::Subject;
use crate::workload::Workload;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::Ordering;

/// The crash model of damage on top of a crash state. It is swept alone.
pub(super) const DECAY: &str = "decay";

/// What is swept, and how far.
pub(super) struct Task<'a> {
    pub(super) workloads: &'a [Workload],
    pub(super) subject: SubjectArgument,
    /// The most recoveries for a workload.
    pub(super) bound: u64,
    pub(super) seed: u64,
}

/// Sweeps damage over the crash states of each workload; keeps the results in `kept` where there is such a folder.
pub(super) fn run(
    task: &Task<'_>,
    workers: &Workers,
    json: bool,
    kept: Option<&Path>,
    out: &mut dyn Write,
) -> Result<Outcome, CliError> {
    let Workers {
        stop, pool, bar, ..
    } = workers;
    let progress = Progress::default();
    let mut summary = DecaySummary::default();
    for (index, workload) in task.workloads.iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        bar.set_prefix(format!("{}/{}", index + 1, task.workloads.len()));
        bar.set_message(format!("{}, {DECAY}", workload.name()));
        let parties = task.subject.parties(workload)?;
        let sweep = DecaySweep::new(&*parties.subject, workload)
            .with_bound(task.bound, task.seed)
            .with_progress(&progress)
            .with_cancel(stop)
            .with_inflight(&workers.inflight);
        let position = || (progress.done(), progress.parts());
        summary.push(watched(bar, position, || pool.install(|| sweep.run())));
    }
    workers.finish()?;
    let text = summary.to_string();
    if let Some(folder) = kept {
        save(folder, summary.reports(), &text)?;
    }
    if json {
        print_json(summary.reports(), out)?;
    } else {
        out.write_all(text.as_bytes())?;
    }
    let reports = summary.reports().iter();
    let finished = reports.filter(|report| report.is_finished()).count();
    let cut_short = finished < task.workloads.len();
    Ok(match (summary.has_violations(), cut_short) {
        (true, _) => Outcome::Found,
        (false, true) => Outcome::CutShort,
        (false, false) => Outcome::Clean,
    })
}

/// Shows the crash state with damage that `state` names.
pub(super) fn replay(
    state: &str,
    workload: &Workload,
    subject: &dyn Subject,
    out: &mut dyn Write,
) -> Result<Outcome, CliError> {
    let state = state
        .parse()
        .map_err(|error| CliError::argument("--state", error))?;
    match DecaySweep::new(subject, workload).replay(&state) {
        Ok(replay) => {
            let text = DecayReplayText::new(&replay, workload, subject.name());
            write!(out, "{text}")?;
            Ok(match replay.violation() {
                Some(_) => Outcome::Found,
                None => Outcome::Clean,
            })
        }
        Err(DecayReplayError::Live(violation)) => {
            writeln!(out, "verdict   without a power cut: {violation}")?;
            Ok(Outcome::Found)
        }
        Err(error) => Err(CliError::argument("--state", error)),
    }
}
