use super::trial::{Outcome, Told};
use crate::crash::{Candidate, CrashState};
use crate::faulty::{Fault, FaultClass};
use crate::judge::Recovery;
use crate::record::{LiveViolation, Recording};
use crate::subject::Subject;
use crate::verdict::{Verdict, Violation};
use crate::workload::Workload;
use serde::{Serialize, Serializer};
use std::fmt;

/// How many violations a report names; the others are counted.
const NAMED: usize = 8;

/// What a sweep of faults tried and found. Nothing in it hangs on time or on the number of threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultReport {
    /// The subject's name.
    pub subject: String,
    /// The workload's name.
    pub workload: String,
    /// The class of the faults.
    pub class: FaultClass,
    /// The faults of the class that there are.
    pub faults: u64,
    /// The faults that were tried: all of them, unless some were to be left out.
    pub tried: u64,
    /// Those of them after which every call returned what the model says.
    pub worked_around: u64,
    /// Those of which the subject told, by typed errors, and kept all promises otherwise.
    pub told: u64,
    /// Calls that returned a device error.
    pub device_errors: u64,
    /// Calls that were refused because of what a fault has left of the device, for want of room.
    pub refusals: u64,
    /// Crash states from a fault on that were recovered from.
    pub states: u64,
    /// It was left before its end.
    pub cut_short: bool,
    /// How many violations were found.
    pub violations: u64,
    /// The first few, in the order of the faults.
    pub found: Vec<FaultFound>,
}

/// A violation on a device that fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultFound {
    /// The fault; none where there was none yet.
    pub fault: Option<Fault>,
    /// Where it was found.
    pub place: FaultPlace,
    /// The step of the workload that the place is in or behind, as text; none where it is behind all of them.
    pub step: Option<String>,
    /// What.
    pub violation: Violation,
}

/// Where in a run with a fault a violation was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultPlace {
    /// In the run, or on the medium as it was then.
    Run {
        /// The index of the step, where one is known: 0 is the start, operations count from 1.
        step: Option<u32>,
    },
    /// On this crash state of the run.
    State(CrashState),
}

impl fmt::Display for FaultPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { step: None } => f.write_str("at the end"),
            Self::Run { step: Some(step) } => write!(f, "step {step}"),
            Self::State(state) => write!(f, "crash state {state}"),
        }
    }
}

impl Serialize for FaultPlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// For example: `prog-bad-block:17: program 17 is refused: bad block, for good; step 9 (set /a 3 B): lost key: ...`.
impl fmt::Display for FaultFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(fault) = &self.fault {
            write!(f, "{fault}: {}; ", fault.in_words())?;
        }
        self.place.fmt(f)?;
        if let Some(step) = &self.step {
            write!(f, " ({step})")?;
        }
        write!(f, ": {}", self.violation)
    }
}

impl FaultReport {
    pub(super) fn new(subject: &dyn Subject, workload: &Workload, class: FaultClass) -> Self {
        Self {
            subject: subject.name().to_owned(),
            workload: workload.name().to_owned(),
            class,
            faults: 0,
            tried: 0,
            worked_around: 0,
            told: 0,
            device_errors: 0,
            refusals: 0,
            states: 0,
            cut_short: false,
            violations: 0,
            found: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, workload: &Workload, tried: &Tried) {
        if tried.fault.is_some() {
            self.tried += 1;
            match tried.came_to() {
                CameTo::WorkedAround => self.worked_around += 1,
                CameTo::Told => self.told += 1,
                CameTo::Violation => {}
            }
        }
        self.device_errors += tried.told.device_errors;
        self.refusals += tried.told.refusals;
        self.states += tried.states;
        self.violations += tried.found.len() as u64;
        let room = NAMED.saturating_sub(self.found.len());
        self.found
            .extend(tried.found.iter().take(room).map(|found| {
                let Finding {
                    place,
                    step,
                    violation,
                } = found.clone();
                FaultFound::of(workload, tried.fault, place, step, violation)
            }));
    }

    /// Whether all faults that were to be tried were tried.
    pub fn is_finished(&self) -> bool {
        !self.cut_short
    }
}

impl FaultFound {
    /// This violation, in or behind this step of `workload`.
    pub(super) fn of(
        workload: &Workload,
        fault: Option<Fault>,
        place: FaultPlace,
        step: Option<u32>,
        violation: Violation,
    ) -> Self {
        let step = step.and_then(|index| workload.steps().nth(index as usize));
        Self {
            fault,
            place,
            step: step.map(|step| step.to_string()),
            violation,
        }
    }
}

/// What came of one fault.
#[derive(Debug)]
pub(super) struct Tried {
    fault: Option<Fault>,
    told: Told,
    states: u64,
    found: Vec<Finding>,
}

/// How one fault ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CameTo {
    WorkedAround,
    Told,
    Violation,
}

#[derive(Clone, Debug)]
struct Finding {
    place: FaultPlace,
    step: Option<u32>,
    violation: Violation,
}

impl Tried {
    pub(super) fn new(fault: Fault, outcome: Outcome) -> Self {
        Self {
            fault: Some(fault),
            ..Self::without_fault(outcome)
        }
    }

    pub(super) fn without_fault(outcome: Outcome) -> Self {
        let found = outcome.violation.map(|(step, violation)| Finding {
            place: FaultPlace::Run { step },
            step,
            violation,
        });
        Self {
            fault: None,
            told: outcome.told,
            states: 0,
            found: found.into_iter().collect(),
        }
    }

    pub(super) fn came_to(&self) -> CameTo {
        if !self.found.is_empty() {
            CameTo::Violation
        } else if self.told.is_nothing() {
            CameTo::WorkedAround
        } else {
            CameTo::Told
        }
    }

    /// The run went otherwise when it was recorded.
    pub(super) fn add_live(&mut self, live: LiveViolation) {
        self.found.push(Finding {
            place: FaultPlace::Run { step: live.step },
            step: live.step,
            violation: live.violation,
        });
    }

    pub(super) fn add_state(
        &mut self,
        recording: &Recording<'_>,
        candidate: &Candidate,
        recovery: Recovery,
    ) {
        self.states += 1;
        if let Verdict::Violation(violation) = recovery.verdict {
            let known = recording
                .step(candidate.outlook.step)
                .map(|_| candidate.outlook.step);
            self.found.push(Finding {
                place: FaultPlace::State(candidate.state.clone()),
                step: known,
                violation,
            });
        }
    }
}
