use super::trial::Trial;
use super::{FaultFound, FaultPlace, FaultSweep, Struck};
use crate::crash::CrashState;
use crate::faulty::Fault;
use crate::judge::Recovery;
use crate::record::Recording;
use crate::verdict::Violation;
use thiserror::Error;

/// One fault, tried again, and one crash state of the run with it, where one was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultReplay {
    /// The fault.
    pub fault: Fault,
    /// The calls that it struck, and what each returned.
    pub struck: Vec<Struck>,
    /// The violation of the run, where it had one.
    pub found: Option<FaultFound>,
    /// The crash state, and the recovery from it.
    pub cut: Option<(CrashState, Recovery)>,
}

/// Why a fault could not be tried again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FaultReplayError {
    /// The workload breaks a promise without any fault.
    #[error("without any fault: {0}")]
    Live(Box<Violation>),
    /// There are not so many calls of the kind.
    #[error(
        "workload {workload} has no fault {fault}: there are {faults} of this class, counted from 0"
    )]
    NoSuchFault {
        /// The fault.
        fault: Fault,
        /// The workload's name.
        workload: String,
        /// The faults of the class.
        faults: u64,
    },
    /// The subject does not work around the fault, so that there are no crash states of the run.
    #[error("{fault} is not worked around; power cuts are tried where it is")]
    NotWorkedAround {
        /// The fault.
        fault: Fault,
    },
    /// The run with the fault has no such crash state.
    #[error(
        "the run with {fault} has no crash state {state} of the prefix model; the last one is {writes}"
    )]
    NoSuchState {
        /// The fault.
        fault: Fault,
        /// The state.
        state: CrashState,
        /// The writes of the run.
        writes: u32,
    },
}

impl FaultReplay {
    /// What was found: in the run, or else on the crash state.
    pub fn violation(&self) -> Option<&Violation> {
        let of_run = self.found.as_ref().map(|found| &found.violation);
        let cut = self.cut.as_ref();
        of_run.or_else(|| cut.and_then(|(_, recovery)| recovery.verdict.violation()))
    }
}

impl FaultSweep<'_> {
    /// Runs the workload with this fault, and recovers from one crash state of that, where one is given.
    ///
    /// # Errors
    ///
    /// [`FaultReplayError`] where there is a violation without any fault, or no such fault or state.
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    pub fn replay(
        &self,
        fault: Fault,
        state: Option<&CrashState>,
    ) -> Result<FaultReplay, FaultReplayError> {
        let healthy = Trial::new(self.subject, self.workload, self.budget, None).run();
        let faults = healthy.occasions(fault.class);
        if let Some((_, violation)) = healthy.violation {
            return Err(FaultReplayError::Live(Box::new(violation)));
        }
        if fault.at >= faults {
            return Err(FaultReplayError::NoSuchFault {
                fault,
                workload: self.workload.name().to_owned(),
                faults,
            });
        }
        let outcome = Trial::new(self.subject, self.workload, self.budget, Some(fault)).run();
        let is_worked_around = outcome.is_worked_around();
        let found = outcome.violation.map(|(step, violation)| {
            let place = FaultPlace::Run { step };
            FaultFound::of(self.workload, Some(fault), place, step, violation)
        });
        let cut = match state {
            None => None,
            Some(_) if !is_worked_around => {
                return Err(FaultReplayError::NotWorkedAround { fault });
            }
            Some(state) => Some((state.clone(), self.recover_from(fault, state)?)),
        };
        Ok(FaultReplay {
            fault,
            struck: outcome.told.struck,
            found,
            cut,
        })
    }

    fn recover_from(&self, fault: Fault, state: &CrashState) -> Result<Recovery, FaultReplayError> {
        let recorded = Recording::with_fault(self.subject, self.workload, self.budget, fault);
        let recording =
            recorded.map_err(|live| FaultReplayError::Live(Box::new(live.violation)))?;
        let mut candidates = recording.candidates().into_iter();
        match candidates.find(|candidate| candidate.state == *state) {
            Some(candidate) => Ok(self.recover(&recording, &candidate)),
            None => Err(FaultReplayError::NoSuchState {
                fault,
                state: state.clone(),
                writes: recording.trace().writes(),
            }),
        }
    }
}
