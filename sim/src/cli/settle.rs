//! `cutpoint sweep --depth all`.

use super::subject::SubjectArgument;
use super::sweep::print_json;
use super::workers::{Workers, watched};
use super::{CliError, Outcome};
use crate::explore::Progress;
use crate::report::settle::SettleSummary;
use crate::workload::Workload;
use std::io::Write;
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// How many power cuts follow on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// So many.
    Cuts(u32),
    /// As many as lead to anything new.
    All,
}

impl Depth {
    /// How many, where there is a number.
    pub(super) fn cuts(self) -> Option<u32> {
        match self {
            Self::Cuts(cuts) => Some(cuts),
            Self::All => None,
        }
    }
}

impl FromStr for Depth {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(cuts @ 1..=8) => Ok(Self::Cuts(cuts)),
            _ if text == "all" => Ok(Self::All),
            _ => Err("a number from 1 to 8 is needed, or all"),
        }
    }
}

/// Explores what cuts in recoveries lead to, in each workload; `most` is the number of images past which one is left.
pub(super) fn run(
    workloads: &[Workload],
    subject: SubjectArgument,
    most: u64,
    workers: &Workers,
    json: bool,
    out: &mut dyn Write,
) -> Result<Outcome, CliError> {
    let progress = Progress::default();
    let mut summary = SettleSummary::default();
    for (done, workload) in workloads.iter().enumerate() {
        if workers.stop.load(Ordering::Relaxed) {
            break;
        }
        let bar = &workers.bar;
        bar.set_prefix(format!("{}/{}", done + 1, workloads.len()));
        bar.set_message(workload.name().to_owned());
        let parties = subject.parties(workload)?;
        let sweep = parties
            .sweep()
            .with_bound(most, 0)
            .with_progress(&progress)
            .with_cancel(&workers.stop)
            .with_inflight(&workers.inflight);
        let begun = Instant::now();
        let position = || (progress.done(), progress.parts());
        let report = watched(bar, position, || workers.pool.install(|| sweep.settle()));
        summary.push(report, begun.elapsed());
    }
    workers.finish()?;
    if json {
        print_json(summary.reports(), out)?;
    } else {
        let summary = summary.clone().timed(workers.pool.current_num_threads());
        write!(out, "{summary}")?;
    }
    let is_complete = summary.is_complete() && summary.reports().len() == workloads.len();
    Ok(match (summary.has_violations(), is_complete) {
        (true, _) => Outcome::Found,
        (false, false) => Outcome::CutShort,
        (false, true) => Outcome::Clean,
    })
}
