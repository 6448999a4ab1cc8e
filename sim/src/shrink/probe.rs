use super::Nature;
use crate::contract::Contract;
use crate::explore::{Found, Place, Sweep};
use crate::subject::Subject;
use crate::verdict::Promise;
use crate::workload::Workload;

/// The most recoveries for one epoch of a workload that is tried.
const BOUND: u64 = 100;

/// Tries workloads: does the violation show on them?
pub(super) struct Probe<'a> {
    pub(super) subject: &'a dyn Subject,
    pub(super) peer: Option<&'a dyn Subject>,
    pub(super) contract: &'static Contract,
    pub(super) depth: u32,
    pub(super) nature: Nature,
    /// The promises that are broken where the violation showed first. A smaller workload on which others are broken, too, is
    /// about something else: a device, say, that the subject cannot cope with.
    pub(super) broken: Option<Vec<Promise>>,
    /// How many recoveries and recordings there may still be.
    pub(super) left: u64,
}

impl Probe<'_> {
    /// The workload without the operations behind the power cut, and where the violation shows there; none where it does
    /// not show, even on all of them.
    pub(super) fn cut_to(
        &mut self,
        workload: &Workload,
        found: &Found,
    ) -> Option<(Workload, Found)> {
        let all = workload.operations().len();
        let first = self.step_of(workload, found).unwrap_or(all);
        // What is owed by an operation that wrote nothing shows at the cut behind the one before it.
        let lengths = (first..all).take(3).chain([all]);
        for length in lengths {
            let shorter = workload.operations()[..length].to_vec();
            let shorter = workload.clone().with_operations(shorter);
            if let Some(found) = self.shows(&shorter) {
                return Some((shorter, found));
            }
        }
        // Not where it should be: then anywhere.
        let found = self.shows_from(workload, 0)?;
        Some((workload.clone(), found))
    }

    fn step_of(&self, workload: &Workload, found: &Found) -> Option<usize> {
        match &found.place {
            Place::Recording { step } => step.map(|step| step as usize),
            Place::Epoch { .. } => None,
            Place::State(state) => {
                let sweep = Sweep::new(self.subject, workload).under(self.contract);
                let replay = sweep.replay(&state.first_cut()).ok()?;
                Some(replay.candidate.outlook.step as usize)
            }
        }
    }

    /// Where the violation shows in the last operation of the workload or behind it; none where it does not, or there
    /// have been enough recoveries.
    pub(super) fn shows(&mut self, workload: &Workload) -> Option<Found> {
        self.shows_from(workload, workload.operations().len() as u32)
    }

    fn shows_from(&mut self, workload: &Workload, step: u32) -> Option<Found> {
        if self.left == 0 || workload.check().is_err() {
            return None;
        }
        let sweep = Sweep::new(self.subject, workload)
            .under(self.contract)
            .with_depth(self.depth)
            .with_bound(BOUND, 0)
            .from_step(step);
        let report = match self.peer {
            Some(peer) => sweep.with_peer(peer).run(),
            None => sweep.run(),
        };
        let spent = 1 + report.recoveries + report.sampled;
        self.left = self.left.saturating_sub(spent);
        let all = report.violations.into_iter();
        let all: Vec<Found> = all.flat_map(|group| group.witnesses).collect();
        let place = all
            .iter()
            .position(|found| Nature::of(found) == self.nature)?;
        let mut promises = all.iter().map(|found| found.violation.promise);
        let is_another = if let Some(broken) = &self.broken {
            promises.any(|promise| !broken.contains(&promise))
        } else {
            self.broken = Some(promises.collect());
            false
        };
        (!is_another).then(|| all[place].clone())
    }

    /// Takes `smaller` where the violation shows on it; says whether it does.
    pub(super) fn takes(&mut self, workload: &mut Workload, smaller: Workload) -> bool {
        let shows = self.shows(&smaller).is_some();
        if shows {
            *workload = smaller;
        }
        shows
    }

    /// As [`takes`](Self::takes), of the workload with other operations.
    pub(super) fn takes_operations(
        &mut self,
        workload: &mut Workload,
        operations: Vec<crate::op::Operation>,
    ) -> bool {
        let smaller = workload.clone().with_operations(operations);
        self.takes(workload, smaller)
    }
}
