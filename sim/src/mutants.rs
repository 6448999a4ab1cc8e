//! The harness measured: faults made of a recording, one at a time, and whether a crash state shows each.
//!
//! A [`Mutation`] changes what a run has done on its way to the device: a sync is dropped, two writes that follow each other
//! change places, a step returns before its last sync or its last write. Everything else is as it was. The crash states
//! that the changed run allows are recovered from until one of them violates a promise: then the mutant is *killed*. Of one
//! that no crash state shows, all of them being covered, there has to be a [`Reason`] why that is so: then it is
//! *equivalent*. What is left has *survived*, and either the harness or the workload has a gap.
//!
//! Crash states are looked at in the epochs that the mutation touches. Some of them the run itself has as well; that those
//! are clean is made sure of first.

mod mutation;
mod reason;
mod report;

pub use mutation::{Last, Mutation, MutationKind};
pub use reason::Reason;
pub use report::{Mutant, MutantsReport, Outcome, Score};

use crate::audit::{Ended, Search};
use crate::contract;
use crate::crash::{Leaves, Open};
use crate::disk::RecordingDisk;
use crate::explore::{Found, Place, Run, Sweep};
use crate::guard::Guarded;
use crate::record::Recording;
use crate::trace::{Event, Syncs, Trace};
use crate::verdict::{Promise, Stage, Violation, ViolationKind};
use cutpoint_engine::device::{BlockDevice, DeviceError};
use rayon::prelude::*;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The mutants of a workload on a subject.
///
/// The work is shared out over the threads of the rayon pool it is run in. The report is the same for any number of
/// threads.
///
/// ```
/// use cutpoint::explore::Sweep;
/// use cutpoint::mutants::Mutants;
/// use cutpoint::op::{Operation, Value};
/// use cutpoint::subjects::EngineSubject;
/// use cutpoint::workload::Workload;
/// use cutpoint_engine::device::Geometry;
///
/// let workload = Workload::new("one", Geometry::new(512, 16)?)
///     .then(Operation::set("/large", Value::generated(1200, 1)));
/// let subject = EngineSubject::default();
/// let report = Mutants::of(Sweep::new(&subject, &workload)).run();
/// let score = report.score();
/// assert_eq!(score.killed + score.equivalent, score.made);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Mutants<'a> {
    sweep: Sweep<'a>,
}

impl<'a> Mutants<'a> {
    /// The mutants of what `sweep` is about. They are swept as it is, each under the contracts that can show it
    /// ([`MutationKind::contracts`]), with one power cut; its bound is one for each mutant and contract.
    pub fn of(sweep: Sweep<'a>) -> Self {
        Self {
            sweep: sweep.with_syncs(Syncs::AsIssued).with_depth(1),
        }
    }

    /// Makes them all and tries to kill each. First the run itself is swept under the contracts that are used; where that
    /// finds something, there are no mutants.
    pub fn run(&self) -> MutantsReport {
        let recording = match self.sweep.record() {
            Ok(recording) => recording,
            Err(violation) => return MutantsReport::of(&self.sweep.live(*violation)),
        };
        let sweep = self.sweep.under(&contract::REORDER).run_on(&recording);
        let mut report = MutantsReport::of(&sweep);
        if !sweep.is_finished() || sweep.violation_count() > 0 {
            return report;
        }
        let mutations = Mutation::all(recording.trace());
        self.sweep.announce(mutations.len());
        let mutants = mutations.par_iter();
        report.mutants = mutants
            .map(|&mutation| self.mutant(&recording, mutation))
            .collect();
        report
    }

    /// The first violation that the subject itself shows, where it has a fault of its own, under the contract of the sweep;
    /// none where all its crash states are clean, or the bound is reached. With it the recoveries that this took; 0 where the
    /// violation is there without a power cut.
    pub fn first_of_subject(&self) -> (Option<Found>, u64) {
        let recording = match self.sweep.record() {
            Ok(recording) => recording,
            Err(violation) => {
                let report = self.sweep.live(*violation);
                return (report.first_violation().cloned(), 0);
            }
        };
        let mut search = Search::new(&self.sweep, &recording);
        let events = recording.trace().events();
        let space = Arc::new(recording.space_of(self.sweep.contract(), events));
        for epoch in space.epochs() {
            let mut leaves = Leaves::new(recording.trace(), &space, epoch);
            match search.first(&space, &mut leaves, |_| true) {
                Ended::Covered => {}
                Ended::BoundReached | Ended::CutShort => break,
                Ended::Found(_, found) | Ended::NotDeterministic(found) => {
                    return (Some(found), search.recoveries());
                }
            }
        }
        (None, search.recoveries())
    }

    fn mutant(&self, recording: &Recording<'_>, mutation: Mutation) -> Mutant {
        let (outcome, recoveries) = self.outcome(recording, mutation);
        if outcome != Outcome::Unfinished {
            self.sweep.part_is_done();
        }
        let step = mutation.step(recording.trace());
        let step = step.and_then(|step| recording.step(step));
        Mutant {
            mutation,
            step: step.map(|step| step.to_string()),
            outcome,
            recoveries,
        }
    }

    /// What becomes of a mutant, and the recoveries that it takes.
    fn outcome(&self, recording: &Recording<'_>, mutation: Mutation) -> (Outcome, u64) {
        let proof = Reason::proof(recording, mutation);
        let original = recording.trace();
        let Some(affected) = mutation.affected(recording) else {
            return (proof.map_or(Outcome::Survived, Outcome::Equivalent), 0);
        };
        let events = mutation.events(original);
        if let Err(error) = replayed(original, &events) {
            let found = Box::new(refused(recording, mutation, error));
            // Devices of all kinds refuse it.
            let contract = contract::PREFIX.name;
            return (Outcome::Killed { contract, found }, 0);
        }
        let (geometry, erase_value) = (original.geometry(), original.erase_value());
        let image = original.image().clone();
        let trace = Arc::new(Trace::new(geometry, erase_value, image, events));
        let run = Run {
            trace: &trace,
            ..Run::of(recording)
        };
        let mut recoveries = 0;
        for contract in mutation.kind().contracts() {
            if proof.is_some_and(|proof| proof.holds_under(contract)) {
                continue;
            }
            let sweep = self.sweep.under(contract);
            let mut search = Search::in_run(&sweep, recording, run);
            let ended = first_violation(&mut search, recording, &trace, contract, &affected);
            recoveries += search.recoveries();
            match ended {
                Ended::Covered => {}
                Ended::BoundReached => return (Outcome::BoundReached, recoveries),
                Ended::CutShort => return (Outcome::Unfinished, recoveries),
                Ended::Found(_, found) | Ended::NotDeterministic(found) => {
                    let (contract, found) = (contract.name, Box::new(found));
                    return (Outcome::Killed { contract, found }, recoveries);
                }
            }
        }
        let reason = proof.or_else(|| Reason::seen(&self.sweep, recording, mutation));
        (
            reason.map_or(Outcome::Survived, Outcome::Equivalent),
            recoveries,
        )
    }
}

/// Looks for a violation in the epochs of the affected writes: first in those of their states in which nothing is there of
/// what follows the first of these writes.
fn first_violation(
    search: &mut Search<'_, '_>,
    recording: &Recording<'_>,
    trace: &Arc<Trace>,
    contract: &'static contract::Contract,
    affected: &RangeInclusive<u32>,
) -> Ended {
    let space = Arc::new(recording.space_of(contract, trace.events()));
    for epoch in space.epochs() {
        let writes = epoch.before()..epoch.before() + epoch.len() as u32;
        if writes.is_empty() || writes.end <= *affected.start() || writes.start > *affected.end() {
            continue;
        }
        let before = Open::all(epoch).before(affected.start() + 1);
        for states in [before, Open::all(epoch)] {
            let mut leaves = Leaves::within(trace, &space, states);
            match search.first(&space, &mut leaves, |_| true) {
                Ended::Covered => {}
                ended => return ended,
            }
        }
    }
    Ended::Covered
}

/// Whether a device takes the writes of `events`, on the image that `trace` began on.
fn replayed(trace: &Trace, events: &[Event]) -> Result<(), DeviceError> {
    let mut disk = RecordingDisk::on(trace.image().clone(), trace.geometry(), trace.erase_value());
    disk.guard().set_budget(u64::MAX);
    for event in events {
        match event {
            Event::Erase { block } => disk.erase(*block)?,
            Event::Prog {
                block,
                offset,
                data,
            } => disk.prog(*block, *offset, data)?,
            Event::Sync | Event::OperationStart(_) | Event::OperationEnd(_) => {}
        }
    }
    Ok(())
}

/// The violation that it is to break the rules of the device without any cut.
fn refused(recording: &Recording<'_>, mutation: Mutation, error: DeviceError) -> Found {
    let step = mutation.step(recording.trace());
    let text = step.and_then(|step| recording.step(step));
    Found {
        place: Place::Recording { step },
        step: text.map(|step| step.to_string()),
        violation: Violation {
            kind: ViolationKind::DeviceMisuse,
            promise: Promise::DeviceRules,
            stage: Stage::Recording,
            detail: error.to_string(),
        },
    }
}
