//! The barrier audit: what each sync of a workload is needed for, and where one is missing.
//!
//! A sync that is left out joins two epochs. The crash states of the joined one are those that the two had, and others: in
//! these, something written behind the sync has reached the medium though something written before it has not. So there
//! are two ways in which a sync can be missed:
//!
//! - *for ordering*: one of those other states violates a promise;
//! - *for durability*: nothing written behind the sync has reached the medium. That state existed before, but not as late:
//!   without the sync it is still possible where an operation has returned whose change it does not show.
//!
//! States in which nothing behind the sync is on the medium are tried first, so that of a sync which is needed for both, as
//! the last one of an operation often is, it is said that it is needed for durability. Where neither is found, the sync
//! is *not observable*: no crash state of this workload under this contract shows that it is missing. That is no proof
//! for other workloads and devices, nor that several such syncs can be left out together.
//!
//! A workload that is not clean with all its syncs is not audited. Instead, for the first violation of each kind, one more
//! sync is tried behind each write of its epoch ([`Remedy`]).

mod remedy;
mod report;
mod search;

pub use remedy::{Effect, Remedy, RemedyError, Trial};
pub use report::{AuditReport, Needs, SyncVerdict};
pub(crate) use search::{Ended, Search};

use crate::crash::{Leaves, Open, Space};
use crate::explore::{Found, Place, Sweep};
use crate::record::Recording;
use crate::trace::{SyncPoint, Syncs};
use rayon::prelude::*;
use serde::Serialize;
use std::sync::Arc;
use thiserror::Error;

/// An audit of the syncs of a workload under a contract that heeds them.
///
/// The work is shared out over the threads of the rayon pool it is run in. The report is the same for any number of
/// threads.
///
/// ```
/// use cutpoint::audit::Audit;
/// use cutpoint::contract;
/// use cutpoint::explore::Sweep;
/// use cutpoint::op::{Operation, Value};
/// use cutpoint::subjects::EngineSubject;
/// use cutpoint::workload::Workload;
/// use cutpoint_engine::device::Geometry;
///
/// let workload = Workload::new("one", Geometry::new(512, 16)?)
///     .then(Operation::set("/large", Value::generated(1200, 1)));
/// let subject = EngineSubject::default();
/// let sweep = Sweep::new(&subject, &workload).under(&contract::REORDER);
/// let report = Audit::of(sweep)?.run();
/// let needs = report.needs();
/// // The value's blocks before the commit that leads to them, and the commit before the call returns.
/// assert_eq!((needs.ordering, needs.durability), (1, 1));
/// // Of the two syncs of the format either would do.
/// assert_eq!(needs.not_observable, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a> {
    sweep: Sweep<'a>,
}

/// What a sync is needed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Without it this violation is there: something behind it reached the medium, and not all before it.
    Ordering(Found),
    /// Without it this violation is there: what an operation has changed is lost after it has returned.
    Durability(Found),
    /// No violation is there without it.
    NotObservable(Bound),
    /// The subject does not do the same on the same bytes, so that nothing can be said.
    NotDeterministic(Found),
    /// The audit was cut short.
    Unfinished,
}

/// How far a search went that found nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// Nothing was written since the sync before, so that there is nothing to lose.
    NothingPending,
    /// All crash states of the joined epoch were covered.
    Covered,
    /// It came to the most recoveries that it may make.
    Reached,
}

/// Under the contract no sync makes a difference, so that there is nothing to audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "under the contract {0} it makes no difference where syncs are; take one that reorders writes and trusts syncs, such as \
     reorder"
)]
pub struct SyncsDoNotMatter(pub &'static str);

impl<'a> Audit<'a> {
    /// An audit of what `sweep` is about, under its contract: it notes, counts and stops as the sweep does, and its bound
    /// is one for each sync.
    ///
    /// # Errors
    ///
    /// [`SyncsDoNotMatter`] where the contract keeps all writes in the order in which they were issued, or ignores syncs.
    pub fn of(sweep: Sweep<'a>) -> Result<Self, SyncsDoNotMatter> {
        let sweep = sweep.with_syncs(Syncs::AsIssued);
        if sweep.contract().heeds_syncs() {
            Ok(Self { sweep })
        } else {
            Err(SyncsDoNotMatter(sweep.contract().name))
        }
    }

    /// Runs it: first the sweep; then, where that finds nothing, each sync is left out; else one more is tried.
    pub fn run(&self) -> AuditReport {
        let recording = match self.sweep.record() {
            Ok(recording) => recording,
            Err(violation) => return AuditReport::of(self.sweep.live(*violation)),
        };
        let sweep = self.sweep.run_on(&recording);
        let mut report = AuditReport::of(sweep);
        if report.sweep.violation_count() > 0 {
            let groups = report.sweep.violations.iter();
            let firsts = groups.filter_map(|group| match &group.witnesses.first()?.place {
                Place::State(state) => Some(state),
                Place::Recording { .. } | Place::Epoch { .. } => None,
            });
            let remedies = firsts.filter_map(|state| self.remedy_in(&recording, state).ok());
            report.remedies = remedies.collect();
            return report;
        }
        let syncs = recording.trace().syncs();
        self.sweep.announce(syncs.len());
        let space = recording.space(self.sweep.contract());
        let verdicts = syncs.par_iter();
        report.syncs = verdicts
            .map(|&sync| self.verdict(&recording, &space, sync))
            .collect();
        report
    }

    fn verdict(&self, recording: &Recording<'_>, space: &Space, sync: SyncPoint) -> SyncVerdict {
        let without = self.sweep.with_syncs(Syncs::Without(sync.number));
        let mut search = Search::new(&without, recording);
        let need = self.need(&mut search, recording, space, sync);
        if need != Need::Unfinished {
            self.sweep.part_is_done();
        }
        let step = sync.step.and_then(|step| recording.step(step));
        SyncVerdict {
            sync,
            step: step.map(|step| step.to_string()),
            need,
            recoveries: search.recoveries(),
        }
    }

    /// What the sync is needed for. `space` has the crash states with all syncs.
    fn need(
        &self,
        search: &mut Search<'_, 'a>,
        recording: &Recording<'_>,
        space: &Space,
        sync: SyncPoint,
    ) -> Need {
        if sync.pending == 0 {
            return Need::NotObservable(Bound::NothingPending);
        }
        let without = Syncs::Without(sync.number);
        let joined = Arc::new(recording.space_with(self.sweep.contract(), without));
        let last_before = sync.writes - 1;
        let Some(epoch) = joined.epoch_with(last_before) else {
            unreachable!("a write is in an epoch");
        };
        // With all before the sync whole, or nothing behind it, the states with the sync are no others.
        let is_new = |state: &crate::crash::CrashState| {
            state.issued() <= sync.writes || space.outlook_of(state).is_none()
        };
        let before = Open::all(epoch).before(sync.writes);
        for states in [before, Open::all(epoch)] {
            let mut leaves = Leaves::within(recording.trace(), &joined, states);
            match search.first(&joined, &mut leaves, is_new) {
                Ended::Covered => {}
                Ended::BoundReached => return Need::NotObservable(Bound::Reached),
                Ended::CutShort => return Need::Unfinished,
                Ended::NotDeterministic(found) => return Need::NotDeterministic(found),
                Ended::Found(state, found) if state.issued() > sync.writes => {
                    return Need::Ordering(found);
                }
                Ended::Found(_, found) => return Need::Durability(found),
            }
        }
        Need::NotObservable(Bound::Covered)
    }
}
