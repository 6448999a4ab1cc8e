use super::{Count, Part};
use crate::as_text;
use crate::contract::{self, Contract};
use crate::coverage::Coverage;
use crate::crash::{Candidate, CrashState};
use crate::record::{LiveViolation, Recording};
use crate::subject::Subject;
use crate::trace::{EventCounts, Fingerprint};
use crate::verdict::{Violation, ViolationKind};
use crate::workload::Workload;
use cutpoint_engine::device::Geometry;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// How many witnesses of one kind a report names; the others are counted.
const WITNESSES_PER_KIND: usize = 8;

/// What a sweep explored and found. Nothing in it hangs on time or on the number of threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepReport {
    /// The subject's name.
    pub subject: String,
    /// The peer that it was held against, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<PeerName>,
    /// The workload's name.
    pub workload: String,
    /// The device's sizes.
    #[serde(with = "sizes")]
    pub geometry: Geometry,
    /// The number of operations in the workload.
    pub operations: u32,
    /// The name of the trace that the states belong to; none where there is a violation without a power cut.
    pub fingerprint: Option<Fingerprint>,
    /// What the workload wrote.
    pub events: EventCounts,
    /// The name of the contract that says which crash states exist.
    pub contract: String,
    /// How many power cuts follow on each other: 1 where recovery is not cut in turn.
    pub depth: u32,
    /// The crash states that exist.
    pub states: Count,
    /// The crash states that were covered exactly: all of them, unless the sweep was cut short or came to its bound.
    pub covered: Count,
    /// Whether torn writes were tried by class.
    pub by_class: bool,
    /// The recoveries that were run for those. Each stands for one crash state or more.
    pub recoveries: u64,
    /// Crash states that were not recovered from, as a recovery from the same bytes had been run before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub remembered: u64,
    /// About how many bytes of memory the recoveries took that were remembered.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub memory: u64,
    /// Crash states chosen at random, beyond the bound, each with a recovery of its own.
    pub sampled: u64,
    /// It was left before its end; where cuts follow on cuts, not all crash states are known then.
    pub cut_short: bool,
    /// What has been cut, lost, kept and torn.
    pub coverage: Coverage,
    /// What was found, by kind, in the order of the first witnesses.
    pub violations: Vec<ViolationGroup>,
}

/// What a peer is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerName {
    /// Its short name.
    pub name: String,
    /// The name with the version.
    pub full_name: String,
}

impl PeerName {
    /// That of this implementation.
    pub(super) fn of(peer: &dyn Subject) -> Self {
        Self {
            name: peer.name().to_owned(),
            full_name: peer.full_name(),
        }
    }
}

/// The violations of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViolationGroup {
    /// The kind.
    pub kind: ViolationKind,
    /// How many there are.
    pub count: u64,
    /// How many of them after each number of writes: where the (first) cut falls, behind the last write that left
    /// anything on the medium.
    pub cuts: BTreeMap<u32, u64>,
    /// The first few.
    pub witnesses: Vec<Found>,
}

/// A violation and where it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Where.
    pub place: Place,
    /// The step of the workload that the place is in or behind, as text; none where it is behind all of them.
    pub step: Option<String>,
    /// What.
    pub violation: Violation,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.violation)
    }
}

/// A point at which a subject is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the recording run, without a power cut; in this step, where one is known.
    Recording {
        /// The index of the step: 0 is the start, operations count from 1.
        step: Option<u32>,
    },
    /// On this crash state.
    State(CrashState),
    /// On several crash states at once.
    Epoch {
        /// The epoch that they are of: the number of its first write.
        write: u32,
        /// Which of the runs on it, from 0 on.
        run: u64,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recording { step: None } => f.write_str("recording"),
            Self::Recording { step: Some(step) } => write!(f, "recording, step {step}"),
            Self::State(state) => write!(f, "crash state {state}"),
            Self::Epoch { write, run } => write!(f, "run {run} of the epoch of write {write}"),
        }
    }
}

/// A text is no place as places print.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{0}' is no place: a text such as 'crash state 117' or 'recording, step 3' is needed")]
pub struct ParsePlaceError(String);

impl FromStr for Place {
    type Err = ParsePlaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let place = if text == "recording" {
            Some(Self::Recording { step: None })
        } else if let Some(step) = text.strip_prefix("recording, step ") {
            let step = step.parse().ok();
            step.map(|step| Self::Recording { step: Some(step) })
        } else if let Some(state) = text.strip_prefix("crash state ") {
            state.parse().ok().map(Self::State)
        } else {
            let numbers = text.strip_prefix("run ");
            let numbers = numbers.and_then(|text| text.split_once(" of the epoch of write "));
            numbers.and_then(|(run, write)| {
                let (run, write) = (run.parse().ok()?, write.parse().ok()?);
                Some(Self::Epoch { write, run })
            })
        };
        place.ok_or_else(|| ParsePlaceError(text.to_owned()))
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_text::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_text::deserialize(deserializer)
    }
}

impl SweepReport {
    /// The report on a workload that breaks a promise without any power cut.
    pub(super) fn live(subject: &dyn Subject, workload: &Workload, live: LiveViolation) -> Self {
        let step = live
            .step
            .and_then(|index| workload.steps().nth(index as usize));
        let found = Found {
            place: Place::Recording { step: live.step },
            step: step.map(|step| step.to_string()),
            violation: live.violation,
        };
        Self {
            violations: vec![ViolationGroup {
                kind: found.violation.kind,
                count: 1,
                cuts: BTreeMap::new(),
                witnesses: vec![found],
            }],
            ..Self::empty(subject, workload)
        }
    }

    /// The report on what was explored, in the order of the states.
    pub(super) fn of(
        subject: &dyn Subject,
        recording: &Recording<'_>,
        (contract, depth): (&Contract, u32),
        states: Count,
        parts: Vec<Part>,
        coverage: Coverage,
    ) -> Self {
        let trace = recording.trace();
        let mut report = Self {
            fingerprint: Some(trace.fingerprint()),
            events: trace.counts(),
            contract: contract.name.to_owned(),
            depth,
            by_class: !contract.is_exhaustive(),
            states,
            coverage,
            ..Self::empty(subject, recording.workload())
        };
        let mut groups: BTreeMap<ViolationKind, ViolationGroup> = BTreeMap::new();
        for part in parts {
            report.states += &part.states;
            report.covered += &part.covered;
            report.cut_short |= part.cut_short;
            report.recoveries += part.recoveries;
            report.remembered += part.remembered;
            report.sampled += part.sampled;
            for (Candidate { state, outlook }, violation) in part.found {
                let group = groups
                    .entry(violation.kind)
                    .or_insert_with(|| ViolationGroup {
                        kind: violation.kind,
                        count: 0,
                        cuts: BTreeMap::new(),
                        witnesses: Vec::new(),
                    });
                group.count += 1;
                *group.cuts.entry(state.issued()).or_default() += 1;
                if group.witnesses.len() < WITNESSES_PER_KIND {
                    group.witnesses.push(Found {
                        place: Place::State(state),
                        step: recording.step(outlook.step).map(|step| step.to_string()),
                        violation,
                    });
                }
            }
        }
        report.violations = groups.into_values().collect();
        report.violations.sort_by_key(ViolationGroup::first_state);
        report
    }

    fn empty(subject: &dyn Subject, workload: &Workload) -> Self {
        Self {
            subject: subject.name().to_owned(),
            peer: None,
            workload: workload.name().to_owned(),
            geometry: workload.geometry(),
            operations: workload.operations().len() as u32,
            fingerprint: None,
            events: EventCounts::default(),
            contract: contract::PREFIX.name.to_owned(),
            depth: 1,
            states: Count::default(),
            covered: Count::default(),
            by_class: false,
            recoveries: 0,
            remembered: 0,
            memory: 0,
            sampled: 0,
            cut_short: false,
            coverage: Coverage::default(),
            violations: Vec::new(),
        }
    }

    /// The violation with the first place; none where the sweep found nothing.
    pub fn first_violation(&self) -> Option<&Found> {
        self.violations.first()?.witnesses.first()
    }

    /// How many violations were found.
    pub fn violation_count(&self) -> u64 {
        self.violations.iter().map(|group| group.count).sum()
    }

    /// Whether it came to its end, if not by covering every crash state then by sampling from the rest.
    pub fn is_finished(&self) -> bool {
        !self.cut_short && (self.is_complete() || self.sampled > 0)
    }

    /// Whether every crash state was covered exactly.
    pub fn is_complete(&self) -> bool {
        self.covered == self.states && !self.cut_short
    }
}

impl ViolationGroup {
    fn first_state(&self) -> Option<CrashState> {
        match &self.witnesses.first()?.place {
            Place::Recording { .. } | Place::Epoch { .. } => None,
            Place::State(state) => Some(state.clone()),
        }
    }
}

/// Whether there is nothing to say, so that it is left out.
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A geometry as its sizes.
mod sizes {
    use cutpoint_engine::device::Geometry;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    #[derive(Serialize, Deserialize)]
    struct Sizes {
        block_size: u32,
        block_count: u32,
        prog_size: u32,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        erase_unordered: bool,
    }

    pub(super) fn serialize<S: Serializer>(
        geometry: &Geometry,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let sizes = Sizes {
            block_size: geometry.block_size(),
            block_count: geometry.block_count(),
            prog_size: geometry.prog_size(),
            erase_unordered: geometry.erase_unordered(),
        };
        sizes.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Geometry, D::Error> {
        let sizes = Sizes::deserialize(deserializer)?;
        Geometry::new(sizes.block_size, sizes.block_count)
            .and_then(|geometry| geometry.with_prog_size(sizes.prog_size))
            .map(|geometry| geometry.with_erase_unordered(sizes.erase_unordered))
            .map_err(de::Error::custom)
    }
}
