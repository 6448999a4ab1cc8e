//! Power cuts in the recovery from a power cut.

use super::{Part, Place, Sweep};
use crate::contract::{Contract, Order};
use crate::crash::{
    Candidate, CrashState, CrashView, Cuts, LazyView, Leaf, Leaves, Outlook, Space, prefix_states,
};
use crate::disk::RecordingDisk;
use crate::judge::{Boot, Recovery, Story, hear, hear_and_record};
use crate::session::Session;
use crate::subject::Contents;
use crate::trace::Trace;
use crate::verdict::Verdict;
use num_bigint::BigUint;
use std::sync::Arc;

/// Where a leaf stands for at most so many crash states, all of them are cut again in their recovery.
const STATES_PER_LEAF: usize = 8;

/// A crash state that is recovered from, and against what.
pub(super) struct Origin<'s> {
    pub(super) story: &'s dyn Story,
    pub(super) trace: &'s Arc<Trace>,
    /// The state of this trace.
    pub(super) state: CrashState,
    pub(super) outlook: Outlook,
    /// The state with all cuts before.
    pub(super) id: CrashState,
}

impl Origin<'_> {
    /// A disk that holds the state and records what recovery does to it.
    pub(super) fn disk(&self) -> RecordingDisk {
        let view = match CrashView::new(Arc::clone(self.trace), self.state.clone()) {
            Ok(view) => view,
            Err(error) => unreachable!("{error}, but it was made from it"),
        };
        let (geometry, erase_value) = (self.trace.geometry(), self.trace.erase_value());
        RecordingDisk::on(view.image(), geometry, erase_value)
    }
}

/// Whether the contract's states are the prefixes of what was written.
fn is_prefix(contract: &Contract) -> bool {
    contract.order == Order::Issued && contract.is_exhaustive()
}

/// The crash states of a recovery.
fn space_of(boot: &Boot, contract: &Contract) -> Space {
    let trace = boot.trace();
    let cuts = Cuts::of(trace.events(), boot.history());
    let (geometry, erase_value) = (trace.geometry(), trace.erase_value());
    Space::of(trace.events(), 0, geometry, erase_value, contract, cuts)
}

impl Sweep<'_> {
    /// Recovers from a state, and from all that cuts in that recovery leave, `further` cuts deep.
    pub(super) fn dive(&self, origin: &Origin<'_>, further: u32, part: &mut Part) {
        if self.is_cancelled() {
            part.cut_short = true;
            return;
        }
        let (recovery, boot) = self.recover_and_record(origin);
        part.states += &1.into();
        part.covered += &1.into();
        part.recoveries += 1;
        self.recovery_is_done();
        if let Verdict::Violation(violation) = recovery.verdict {
            let (state, outlook) = (origin.id.clone(), origin.outlook.clone());
            part.found.push((Candidate { state, outlook }, violation));
        }
        if let Some(boot) = boot.filter(|_| further > 0) {
            self.cut_again(origin, &boot, further - 1, part);
        }
    }

    /// Cuts the recovery from a state that has been recovered from already.
    pub(super) fn cut_recovery_from(&self, origin: &Origin<'_>, further: u32, part: &mut Part) {
        if let (_, Some(boot)) = self.recover_and_record(origin) {
            part.recoveries += 1;
            self.recovery_is_done();
            self.cut_again(origin, &boot, further - 1, part);
        }
    }

    /// As [`cut_recovery_from`](Self::cut_recovery_from), for the states of a leaf: all where they are few, else two.
    pub(super) fn cut_recoveries_of(
        &self,
        (story, trace): (&dyn Story, &Arc<Trace>),
        space: &Space,
        leaf: &Leaf,
        further: u32,
        part: &mut Part,
    ) {
        let states = leaf.open.each(STATES_PER_LEAF);
        let all = states.is_some();
        let mut sampled = Part::default();
        for state in states.unwrap_or_else(|| vec![leaf.open.least(), leaf.open.most()]) {
            let Some(outlook) = space.outlook_of(&state) else {
                continue;
            };
            let id = state.clone();
            let origin = Origin {
                story,
                trace,
                state,
                outlook,
                id,
            };
            self.cut_recovery_from(
                &origin,
                further,
                if all { &mut *part } else { &mut sampled },
            );
        }
        part.absorb_sample(sampled);
    }

    fn recover_and_record(&self, origin: &Origin<'_>) -> (Recovery, Option<Boot>) {
        let _noted = self.note(&Place::State(origin.id.clone()));
        let (story, outlook) = (origin.story, &origin.outlook);
        hear_and_record(self.subject, origin.disk(), story, outlook, self.budget)
    }

    /// Recovers from all that a cut in a recovery leaves.
    fn cut_again(&self, origin: &Origin<'_>, boot: &Boot, further: u32, part: &mut Part) {
        // What a cut leaves before the state was seen is not bound by it.
        let unseen = boot.writes_unseen();
        if !is_prefix(self.contract) && unseen == 0 {
            self.cut_again_lazily(origin, boot, further, part);
            return;
        }
        let cuts = prefix_states(boot.trace(), boot.history());
        // Before its first write the recovery has left what it found.
        for Candidate { state, outlook } in cuts.into_iter().skip(1) {
            let (story, outlook): (&dyn Story, _) = if state.issued() <= unseen {
                (origin.story, origin.outlook.clone())
            } else {
                (boot, outlook)
            };
            let id = origin.id.clone().and_then(state.clone());
            let trace = boot.trace();
            let origin = Origin {
                story,
                trace,
                state,
                outlook,
                id,
            };
            self.dive(&origin, further, part);
        }
    }

    fn cut_again_lazily(&self, origin: &Origin<'_>, boot: &Boot, further: u32, part: &mut Part) {
        let space = Arc::new(space_of(boot, self.contract));
        let trace = boot.trace();
        for epoch in space.epochs() {
            let mut leaves = Leaves::new(trace, &space, epoch);
            let mut recoveries = 0;
            // What the epoch holds, whether it is covered or not.
            part.states += &epoch.states().into();
            while let Some(view) = leaves.next_view() {
                if self.is_cancelled() || recoveries >= self.bound {
                    part.cut_short = true;
                    return;
                }
                recoveries += 1;
                let _noted = self.note(&Place::State(origin.id.clone()));
                let session = Session::new(self.subject, view, self.budget);
                let disk = session.disk().clone();
                let recovery = hear(session, None, boot, LazyView::outlook);
                let view = disk
                    .into_inner()
                    .unwrap_or_else(|kept| kept.with(|view| view.clone()));
                let leaf = leaves.finish(view);
                part.recoveries += 1;
                self.recovery_is_done();
                part.covered += &leaf.open.states().into();
                if let Verdict::Violation(violation) = recovery.verdict {
                    let least = leaf.open.least();
                    let outlook = space.outlook(&leaf.open);
                    let state = origin.id.clone().and_then(least);
                    part.found.push((Candidate { state, outlook }, violation));
                } else if further > 0 {
                    self.cut_recoveries_of((boot, trace), &space, &leaf, further, part);
                }
            }
        }
    }

    /// Recovers from a state that `rest` follows on: from each cut in turn, and judges the last recovery. The recoveries
    /// that were cut are put behind `boots`, the last of them first, each with the cut that it began from.
    ///
    /// None where a recovery that is cut finds a violation before, or the contract does not allow the cut.
    pub(super) fn follow(
        &self,
        origin: &Origin<'_>,
        rest: Option<&CrashState>,
        boots: &mut Vec<(Candidate, Boot)>,
    ) -> Option<Followed> {
        let (recovery, boot) = self.recover_and_record(origin);
        let (state, outlook) = (origin.state.clone(), origin.outlook.clone());
        let candidate = Candidate { state, outlook };
        let Some(cut) = rest else {
            return Some(Followed {
                contents: self.shown_on(origin.disk()),
                candidate,
                recovery,
            });
        };
        let boot = boot?;
        let state = cut.first_cut();
        let unseen = state.issued() > 0 && state.issued() <= boot.writes_unseen();
        let (story, outlook): (&dyn Story, _) = if unseen {
            (origin.story, origin.outlook.clone())
        } else {
            (&boot, space_of(&boot, self.contract).outlook_of(&state)?)
        };
        let id = origin.id.clone().and_then(state.clone());
        let trace = boot.trace();
        let next = Origin {
            story,
            trace,
            state,
            outlook,
            id,
        };
        let followed = self.follow(&next, cut.then(), boots);
        boots.push((candidate, boot));
        followed
    }
}

/// The last recovery of several.
pub(super) struct Followed {
    /// The state that it began from, and what that may show.
    pub(super) candidate: Candidate,
    pub(super) recovery: Recovery,
    pub(super) contents: Result<Contents, String>,
}

impl Part {
    /// Adds what came of crash states that do not stand for all.
    fn absorb_sample(&mut self, sample: Self) {
        self.recoveries += sample.recoveries;
        let sampled: BigUint = sample.covered.exact().clone();
        self.sampled += u64::try_from(sampled).unwrap_or(u64::MAX);
        self.cut_short |= sample.cut_short;
        self.found.extend(sample.found);
    }
}
