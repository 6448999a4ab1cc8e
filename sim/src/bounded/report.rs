use crate::explore::{Found, Place};
use crate::op::Operation;
use crate::subject::Subject;
use crate::verdict::ViolationKind;
use crate::workload::Workload;
use crate::workload::bounded::Length;
use cutpoint_engine::device::Geometry;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many witnesses of one kind a report names; the others are counted.
const WITNESSES_PER_KIND: usize = 8;

/// What a sweep over all sequences of one length explored and found. Nothing in it hangs on time or on the number of
/// threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LengthReport {
    /// The subject's name.
    pub subject: String,
    /// The device's sizes, in words.
    pub geometry: String,
    /// How many operations each sequence has.
    pub length: u8,
    /// How many sequences there are.
    pub sequences: u64,
    /// Those that were run, and their crash states judged.
    pub explored: u64,
    /// Those that were left out: the model refuses one of their operations, and a shorter sequence tells the rest.
    pub left_out: u64,
    /// Those that cannot be run to their last operation, as an earlier one breaks a promise without any power cut. That is
    /// reported with the sequence that ends there.
    pub barred: u64,
    /// The crash states that the explored sequences add to those of shorter ones. All were judged.
    pub covered: u64,
    /// The recoveries that were run for them.
    pub recoveries: u64,
    /// What was found, by kind, in the order of the first witnesses.
    pub violations: Vec<SequenceGroup>,
}

/// The violations of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SequenceGroup {
    /// The kind.
    pub kind: ViolationKind,
    /// How many there are.
    pub count: u64,
    /// The first few.
    pub witnesses: Vec<SequenceWitness>,
}

/// A violation, and the sequence that it was found in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SequenceWitness {
    /// The sequence's number.
    #[serde(skip)]
    pub number: u64,
    /// The sequence's name, as a workload.
    pub workload: String,
    /// Its operations, spelled out.
    pub operations: Vec<String>,
    /// What was found, and where in it.
    #[serde(flatten)]
    pub found: Found,
}

impl LengthReport {
    /// How many violations were found.
    pub fn violation_count(&self) -> u64 {
        self.violations.iter().map(|group| group.count).sum()
    }

    /// The violation of the first sequence that has one; none where nothing was found.
    pub fn first_violation(&self) -> Option<&SequenceWitness> {
        self.violations.first()?.witnesses.first()
    }

    /// Whether every sequence was looked at: not where the sweep was cut short.
    pub fn is_complete(&self) -> bool {
        self.explored + self.left_out + self.barred == self.sequences
    }
}

/// What was counted and found in some sequences that follow each other.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) explored: u64,
    pub(super) left_out: u64,
    pub(super) barred: u64,
    pub(super) states: u64,
    pub(super) recoveries: u64,
    groups: BTreeMap<ViolationKind, SequenceGroup>,
}

impl Tally {
    /// Adds a violation in a sequence that follows all others.
    pub(super) fn add(&mut self, number: u64, workload: &Workload, found: Found) {
        let kind = found.violation.kind;
        let group = self.groups.entry(kind).or_insert_with(|| SequenceGroup {
            kind,
            count: 0,
            witnesses: Vec::new(),
        });
        group.count += 1;
        if group.witnesses.len() < WITNESSES_PER_KIND {
            let operations = workload.operations().iter();
            group.witnesses.push(SequenceWitness {
                number,
                workload: workload.name().to_owned(),
                operations: operations.map(Operation::to_string).collect(),
                found,
            });
        }
    }

    /// Both, where `later` is of sequences behind those of this one.
    pub(super) fn join(mut self, later: Self) -> Self {
        self.explored += later.explored;
        self.left_out += later.left_out;
        self.barred += later.barred;
        self.states += later.states;
        self.recoveries += later.recoveries;
        for (kind, group) in later.groups {
            match self.groups.get_mut(&kind) {
                Some(earlier) => {
                    earlier.count += group.count;
                    earlier.witnesses.extend(group.witnesses);
                    earlier.witnesses.truncate(WITNESSES_PER_KIND);
                }
                None => drop(self.groups.insert(kind, group)),
            }
        }
        self
    }

    pub(super) fn into_report(
        self,
        subject: &dyn Subject,
        geometry: Geometry,
        length: Length,
        sequences: u64,
    ) -> LengthReport {
        let mut violations: Vec<SequenceGroup> = self.groups.into_values().collect();
        violations.sort_by_key(SequenceGroup::first);
        LengthReport {
            subject: subject.name().to_owned(),
            geometry: geometry.to_string(),
            length: length.get(),
            sequences,
            explored: self.explored,
            left_out: self.left_out,
            barred: self.barred,
            covered: self.states,
            recoveries: self.recoveries,
            violations,
        }
    }
}

impl SequenceGroup {
    /// The first witness's sequence, and whether it needs a power cut.
    fn first(&self) -> Option<(u64, bool)> {
        let first = self.witnesses.first()?;
        let is_live = matches!(first.found.place, Place::Recording { .. });
        Some((first.number, !is_live))
    }
}
