//! Power cuts in the recovery from a power cut.

use super::{Part, Place, Run, Sweep};
use crate::contract::{Contract, Order};
use crate::crash::{Candidate, CrashState, CrashView, Cuts, Leaf, Outlook, Space, prefix_states};
use crate::disk::RecordingDisk;
use crate::judge::{Boot, Recovery, Story, hear_and_record};
use crate::model::Model;
use crate::subject::Contents;
use crate::verdict::Verdict;
use num_bigint::BigUint;
use std::sync::Arc;

/// Where a leaf stands for at most so many crash states, all of them are cut again in their recovery.
const STATES_PER_LEAF: usize = 8;

/// A crash state that is recovered from, and against what.
pub(super) struct Origin<'s> {
    pub(super) run: Run<'s>,
    /// The state, as one of the run's.
    pub(super) state: CrashState,
    pub(super) outlook: Outlook,
}

impl Origin<'_> {
    /// A disk that holds the state and records what recovery does to it.
    pub(super) fn disk(&self) -> RecordingDisk {
        let view = match CrashView::new(Arc::clone(self.run.trace), self.state.clone()) {
            Ok(view) => view,
            Err(error) => unreachable!("{error}, but it was made from it"),
        };
        let (geometry, erase_value) = (self.run.trace.geometry(), self.run.trace.erase_value());
        RecordingDisk::on(view.image(), geometry, erase_value).with_medium(self.run.trace.medium())
    }

    /// The state with all cuts before.
    fn id(&self) -> CrashState {
        self.run.id(&self.state)
    }

    /// The recovery from it, and one of the states that this leaves. What a cut leaves before the state was seen is not
    /// bound by it.
    fn next<'s>(&'s self, boot: &'s Boot, id: &'s CrashState, cut: Candidate) -> Origin<'s> {
        let Candidate { state, outlook } = cut;
        let unseen = state.issued() > 0 && state.issued() <= boot.writes_unseen();
        let (story, outlook): (&dyn Story, _) = if unseen {
            (self.run.story, self.outlook.clone())
        } else {
            (boot, outlook)
        };
        let run = Run {
            story,
            trace: boot.trace(),
            before: Some(id),
        };
        Origin {
            run,
            state,
            outlook,
        }
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
        if let Verdict::Violation(violation) = recovery.verdict {
            let (state, outlook) = (origin.id(), origin.outlook.clone());
            part.found.push((Candidate { state, outlook }, violation));
        }
        if let Some(boot) = boot.filter(|_| further > 0) {
            self.cut_again(origin, &boot, further - 1, part);
        }
    }

    /// Cuts the recoveries from the states of a leaf of the run, which have been judged: of all where they are few, else of
    /// two.
    pub(super) fn cut_recoveries_of(
        &self,
        run: Run<'_>,
        space: &Space,
        leaf: &Leaf,
        further: u32,
        part: &mut Part,
    ) {
        let states = leaf.open.each(STATES_PER_LEAF);
        let all = states.is_some();
        let mut some = Part::default();
        let into = if all { &mut *part } else { &mut some };
        for state in states.unwrap_or_else(|| vec![leaf.open.least(), leaf.open.most()]) {
            let Some(outlook) = space.outlook_of(&state) else {
                continue;
            };
            let origin = Origin {
                run,
                state,
                outlook,
            };
            if let (_, Some(boot)) = self.recover_and_record(&origin) {
                into.recoveries += 1;
                self.cut_again(&origin, &boot, further - 1, into);
            }
        }
        if !all {
            part.absorb_sample(some);
        }
    }

    fn recover_and_record(&self, origin: &Origin<'_>) -> (Recovery, Option<Boot>) {
        let _noted = self.note(&Place::State(origin.id()));
        let (story, outlook) = (origin.run.story, &origin.outlook);
        let recovered = hear_and_record(self.subject, origin.disk(), story, outlook, self.budget);
        self.recovery_is_done();
        recovered
    }

    /// Recovers from all that a cut in a recovery leaves.
    fn cut_again(&self, origin: &Origin<'_>, boot: &Boot, further: u32, part: &mut Part) {
        let id = origin.id();
        if is_prefix(self.contract) || boot.writes_unseen() > 0 {
            let cuts = prefix_states(boot.trace(), boot.history());
            // Before its first write the recovery has left what it found.
            for cut in cuts.into_iter().skip(1) {
                self.dive(&origin.next(boot, &id, cut), further, part);
            }
            return;
        }
        let run = Run {
            story: boot,
            trace: boot.trace(),
            before: Some(&id),
        };
        let space = Arc::new(space_of(boot, self.contract));
        for epoch in space.epochs() {
            part.states += &epoch.states().into();
            self.epoch(run, &space, epoch, further, part);
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
                versions: origin.run.story.versions().to_vec(),
                contents: self.shown_on(origin.disk()),
                candidate,
                recovery,
            });
        };
        let boot = boot?;
        let state = cut.first_cut();
        let outlook = space_of(&boot, self.contract).outlook_of(&state)?;
        let id = origin.id();
        let next = origin.next(&boot, &id, Candidate { state, outlook });
        let followed = self.follow(&next, cut.then(), boots);
        boots.push((candidate, boot));
        followed
    }
}

/// The last recovery of several.
pub(super) struct Followed {
    /// The state that it began from, and what that may show.
    pub(super) candidate: Candidate,
    /// The states of the model that its versions are of.
    pub(super) versions: Vec<Model>,
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
