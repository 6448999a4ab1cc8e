use super::judge::{Bench, Outcome};
use super::{Damage, DecayState, DecaySweep};
use crate::record::Recording;
use crate::verdict::Violation;
use thiserror::Error;

/// One crash state with damage, recovered from again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecayReplay {
    /// The crash state and the damage.
    pub state: DecayState,
    /// The writes of the trace.
    pub writes: u32,
    /// The step of the workload that the crash state is in or behind, as text; none where it is behind all of them.
    pub step: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
}

impl DecayReplay {
    /// What was found, if anything.
    pub fn violation(&self) -> Option<&Violation> {
        match &self.outcome {
            Outcome::Violation(violation) => Some(violation),
            Outcome::Same | Outcome::Told(_) | Outcome::NotTold(_) => None,
        }
    }
}

/// Why a crash state with damage could not be replayed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecayReplayError {
    /// The workload breaks a promise without any power cut.
    #[error("without a power cut: {0}")]
    Live(Box<Violation>),
    /// The prefix model has no such state.
    #[error("the prefix model has no crash state {} of workload {workload}: its last one is {writes}", .state.state)]
    NoSuchState {
        /// The state.
        state: DecayState,
        /// The workload's name.
        workload: String,
        /// The writes of its trace.
        writes: u32,
    },
    /// There is no such place on the device.
    #[error("the device has no such place as that of {0}")]
    NoSuchPlace(Damage),
    /// The store shows nothing of the state without damage.
    #[error("nothing can be read of crash state {} without damage either", .0.state)]
    NothingShown(DecayState),
}

impl DecaySweep<'_> {
    /// Records the workload and recovers from one of its crash states with this damage.
    ///
    /// # Errors
    ///
    /// [`DecayReplayError`] where there is a violation without any power cut, or no such state or place.
    pub fn replay(&self, state: &DecayState) -> Result<DecayReplay, DecayReplayError> {
        let recorded = Recording::of(self.subject, self.workload, self.budget);
        let recording =
            recorded.map_err(|live| DecayReplayError::Live(Box::new(live.violation)))?;
        let geometry = self.workload.geometry();
        let fits = |offset: u64, length: u64| {
            state.damage.block().index() < geometry.block_count()
                && offset + length <= u64::from(geometry.block_size())
        };
        let is_there = match state.damage {
            Damage::Flip { bit, .. } => fits(bit / 8, 1),
            Damage::Garbled(unit) | Damage::UnreadableUnit(unit) => {
                fits(unit.offset.into(), unit.length.into())
            }
            Damage::Unreadable(_) => fits(0, 0),
        };
        if !is_there {
            return Err(DecayReplayError::NoSuchPlace(state.damage));
        }
        let writes = recording.trace().writes();
        let mut candidates = recording.candidates().into_iter();
        let Some(candidate) = candidates.find(|candidate| candidate.state == state.state) else {
            return Err(DecayReplayError::NoSuchState {
                state: state.clone(),
                workload: self.workload.name().to_owned(),
                writes,
            });
        };
        let bench = Bench::new(self.subject, &recording, &candidate, self.budget);
        let bench = bench.ok_or_else(|| DecayReplayError::NothingShown(state.clone()))?;
        Ok(DecayReplay {
            state: state.clone(),
            writes,
            step: recording
                .step(candidate.outlook.step)
                .map(|step| step.to_string()),
            outcome: bench.judge(state.damage),
        })
    }
}
