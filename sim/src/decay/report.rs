use super::judge::{Outcome, Silence};
use super::{DamageKind, DecayState};
use crate::record::{LiveViolation, Recording};
use crate::subject::Subject;
use crate::trace::Fingerprint;
use crate::verdict::Violation;
use crate::workload::Workload;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// How many violations a report names; the others are counted.
const NAMED: usize = 8;

/// What a sweep over damage tried and found. Nothing in it hangs on time or on the number of threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecayReport {
    /// The subject's name.
    pub subject: String,
    /// The workload's name.
    pub workload: String,
    /// The name of the trace that the states belong to; none where there is a violation without any cut or damage.
    pub fingerprint: Option<Fingerprint>,
    /// The crash states that were damaged.
    pub states: u64,
    /// Crash states that were left out: the store shows nothing of them, or an error.
    pub left_out: u64,
    /// How much damage there is, and how much of it was tried, by kind.
    pub kinds: BTreeMap<DamageKind, KindCounts>,
    /// Damage after which the store showed what it shows without.
    pub same: u64,
    /// Damage of which the store told, by an error.
    pub told: u64,
    /// Damage that the format has nothing to tell by, by what came of it.
    pub not_told: BTreeMap<Silence, u64>,
    /// It was left before its end.
    pub cut_short: bool,
    /// How many violations were found.
    pub violations: u64,
    /// The first few, in the order of the states.
    pub found: Vec<DecayFound>,
}

/// How much damage of a kind there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KindCounts {
    /// All of it, to all bytes that hold something.
    pub all: u64,
    /// To bytes that no recovery reads, so that it makes no difference.
    pub unread: u64,
    /// Tried, each with a recovery of its own.
    pub tried: u64,
}

impl KindCounts {
    /// Whether all of it is covered.
    pub fn is_complete(self) -> bool {
        self.unread + self.tried == self.all
    }
}

impl std::ops::AddAssign for KindCounts {
    fn add_assign(&mut self, other: Self) {
        self.all += other.all;
        self.unread += other.unread;
        self.tried += other.tried;
    }
}

/// A violation on a damaged medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecayFound {
    /// The crash state and the damage; none where it showed without either.
    pub state: Option<DecayState>,
    /// The step of the workload that the crash state is in or behind, as text; none where it is behind all of them.
    pub step: Option<String>,
    /// What.
    pub violation: Violation,
}

impl fmt::Display for DecayFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            Some(state) => write!(f, "crash state {state}: {}", self.violation),
            None => write!(f, "recording: {}", self.violation),
        }
    }
}

impl DecayReport {
    pub(super) fn new(subject: &dyn Subject, workload: &Workload) -> Self {
        Self {
            subject: subject.name().to_owned(),
            workload: workload.name().to_owned(),
            fingerprint: None,
            states: 0,
            left_out: 0,
            kinds: BTreeMap::new(),
            same: 0,
            told: 0,
            not_told: BTreeMap::new(),
            cut_short: false,
            violations: 0,
            found: Vec::new(),
        }
    }

    /// A violation without any power cut or damage.
    pub(super) fn live(&mut self, workload: &Workload, live: LiveViolation) {
        let step = live
            .step
            .and_then(|index| workload.steps().nth(index as usize));
        self.violations = 1;
        self.found.push(DecayFound {
            state: None,
            step: step.map(|step| step.to_string()),
            violation: live.violation,
        });
    }

    pub(super) fn add(
        &mut self,
        recording: &Recording<'_>,
        step: u32,
        state: DecayState,
        outcome: Outcome,
    ) {
        match outcome {
            Outcome::Same => self.same += 1,
            Outcome::Told(_) => self.told += 1,
            Outcome::NotTold(silence) => *self.not_told.entry(silence).or_default() += 1,
            Outcome::Violation(violation) => {
                self.violations += 1;
                if self.found.len() < NAMED {
                    self.found.push(DecayFound {
                        state: Some(state),
                        step: recording.step(step).map(|step| step.to_string()),
                        violation,
                    });
                }
            }
        }
    }

    /// All damage, of all kinds.
    pub fn damage(&self) -> KindCounts {
        let mut sum = KindCounts::default();
        for counts in self.kinds.values() {
            sum += *counts;
        }
        sum
    }

    /// Whether it came to its end, if not by covering all damage then by sampling from it.
    pub fn is_finished(&self) -> bool {
        !self.cut_short
    }
}
