use super::Audit;
use super::search::{Ended, Search};
use crate::crash::{Candidate, CrashState, Leaves, Space};
use crate::explore::{ReplayError, Run, Sweep};
use crate::record::Recording;
use crate::trace::Syncs;
use crate::verdict::Verdict;
use rayon::prelude::*;
use serde::Serialize;
use std::ops::RangeInclusive;
use std::sync::Arc;
use thiserror::Error;

/// What one more sync does about a violation: a trial for each write of the epoch that has the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// The state that shows the violation.
    pub state: CrashState,
    /// One trial for each write, in their order.
    pub trials: Vec<Trial>,
}

/// One more sync, and what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// The number of the write that the sync is put behind.
    pub write: u32,
    /// The step that issued the write, as text; none between two steps.
    pub step: Option<String>,
    /// What it does.
    pub effect: Effect,
}

/// What one more sync does about a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The state is as possible and as wrong as before.
    None,
    /// The state is gone or right, and others of its epoch are wrong.
    OthersRemain,
    /// The state is gone or right; the bound came before all others of its epoch were covered.
    BoundReached,
    /// The state is gone or right, and all others of its epoch are right.
    Cures,
    /// The audit was cut short.
    Unfinished,
}

/// Why there is no remedy to be looked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RemedyError {
    /// There is no such state.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The state is clean.
    #[error(
        "crash state {state} of {workload} is clean under the contract {contract}: there is nothing to remedy"
    )]
    Clean {
        /// The state.
        state: CrashState,
        /// The workload's name.
        workload: String,
        /// The contract's name.
        contract: &'static str,
    },
}

impl Remedy {
    /// The numbers of the first and the last write behind which one more sync is enough; none where it is not behind any.
    pub fn cure(&self) -> Option<RangeInclusive<u32>> {
        self.ends(|effect| effect == Effect::Cures)
    }

    /// The numbers of the first and the last write behind which one more sync makes at least this state vanish.
    pub fn relief(&self) -> Option<RangeInclusive<u32>> {
        self.ends(|effect| !matches!(effect, Effect::None | Effect::Unfinished))
    }

    /// The trial behind this write.
    pub fn behind(&self, write: u32) -> Option<&Trial> {
        self.trials.iter().find(|trial| trial.write == write)
    }

    /// Whether all trials came to their end.
    pub fn is_finished(&self) -> bool {
        let mut effects = self.trials.iter().map(|trial| trial.effect);
        !effects.any(|effect| effect == Effect::Unfinished)
    }

    fn ends(&self, counts: impl Fn(Effect) -> bool) -> Option<RangeInclusive<u32>> {
        let mut writes = self.trials.iter().filter(|trial| counts(trial.effect));
        let first = writes.next()?.write;
        Some(first..=writes.next_back().map_or(first, |trial| trial.write))
    }
}

impl Audit<'_> {
    /// Looks for the place where one more sync makes the violation on this state vanish.
    ///
    /// # Errors
    ///
    /// [`RemedyError`] where the contract does not allow the state or recovery from it is clean.
    pub fn remedy(&self, state: &CrashState) -> Result<Remedy, RemedyError> {
        let replay = self.sweep.replay(state)?;
        if replay.recovery.verdict == Verdict::Clean {
            return Err(RemedyError::Clean {
                state: state.clone(),
                workload: replay.recording.workload().name().to_owned(),
                contract: replay.contract.name,
            });
        }
        Ok(self.remedy_in(&replay.recording, state)?)
    }

    /// The same, in a run that has the violation.
    pub(super) fn remedy_in(
        &self,
        recording: &Recording<'_>,
        state: &CrashState,
    ) -> Result<Remedy, ReplayError> {
        let contract = self.sweep.contract();
        let space = recording.space(contract);
        let Some(epoch) = space.epoch_of(state) else {
            return Err(ReplayError::NotAllowed {
                state: state.clone(),
                contract: contract.name,
            });
        };
        let writes = epoch.before()..epoch.before() + epoch.len() as u32;
        self.sweep.announce(writes.len());
        let trials = writes.clone().into_par_iter().map(|write| {
            let effect = self.effect(recording, state, &writes, write);
            if effect != Effect::Unfinished {
                self.sweep.part_is_done();
            }
            let step = recording.trace().step_of(write);
            let step = step.and_then(|step| recording.step(step));
            Trial {
                write,
                step: step.map(|step| step.to_string()),
                effect,
            }
        });
        Ok(Remedy {
            state: state.clone(),
            trials: trials.collect(),
        })
    }

    /// What a sync behind `write` does about the state, of an epoch with these `writes`.
    fn effect(
        &self,
        recording: &Recording<'_>,
        state: &CrashState,
        writes: &std::ops::Range<u32>,
        write: u32,
    ) -> Effect {
        if self.sweep.is_cancelled() {
            return Effect::Unfinished;
        }
        let syncs = Syncs::AlsoAfter(write);
        let sweep = self.sweep.with_syncs(syncs);
        let space = Arc::new(recording.space_with(sweep.contract(), syncs));
        if is_wrong(&sweep, recording, &space, state) {
            return Effect::None;
        }
        let mut search = Search::new(&sweep, recording);
        // The parts of the epoch; and what is behind it where it was the last one.
        let parts = space.epochs().iter();
        let parts = parts.filter(|part| {
            let first = part.before();
            writes.contains(&first) || first == writes.end && part.is_empty()
        });
        for part in parts {
            let mut leaves = Leaves::new(recording.trace(), &space, part);
            match search.first(&space, &mut leaves, |_| true) {
                Ended::Covered => {}
                Ended::BoundReached => return Effect::BoundReached,
                Ended::CutShort => return Effect::Unfinished,
                Ended::Found(..) | Ended::NotDeterministic(_) => return Effect::OthersRemain,
            }
        }
        Effect::Cures
    }
}

/// Whether the state is in the space and shows what it may not.
fn is_wrong(
    sweep: &Sweep<'_>,
    recording: &Recording<'_>,
    space: &Space,
    state: &CrashState,
) -> bool {
    space.outlook_of(state).is_some_and(|outlook| {
        let state = state.clone();
        let recovery = sweep.judge(Run::of(recording), &Candidate { state, outlook });
        recovery.verdict != Verdict::Clean
    })
}
