//! Crash coverage: what of a run has been cut, lost, kept and torn in the crash states that were recovered from.
//!
//! A clean sweep says only of what it has tried that it is sound. These figures say what that was: whether the power was
//! cut inside a split during a rename, whether each write has been lost once and kept once, whether of two writes each has
//! outlived the other.

use crate::crash::{Epoch, Open, Seen, SeenWrite, Space};
use crate::model::{Model, ModelNode};
use crate::op::OperationKind;
use crate::phase::Phase;
use crate::record::Recording;
use crate::trace::Event;
use crate::workload::Step;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;

/// What has been seen of one run or of several, under one contract or several.
///
/// ```
/// use cutpoint::coverage::Work;
/// use cutpoint::explore::Sweep;
/// use cutpoint::op::OperationKind;
/// use cutpoint::phase::Phase;
/// use cutpoint::subjects::EngineSubject;
/// use cutpoint::workload::builtin;
///
/// let workload = builtin::builtin("split-descending-512")?;
/// let coverage = Sweep::new(&EngineSubject::default(), &workload).run().coverage;
/// let split = Phase::new("split of a first pair");
/// let cut = coverage.inside(Work::of(OperationKind::Set), split);
/// assert!(cut.seen > 0 && cut.seen == cut.possible);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Writes, by the work and the phase that they are of: those that a cut falls inside of.
    #[serde(with = "rows")]
    inside: BTreeMap<(Work, Phase), Tally>,
    /// Writes that were lost: nothing of them was on the medium.
    pub lost: Tally,
    /// Writes that were kept: all of them was.
    pub kept: Tally,
    /// Writes that were torn: a part of them was.
    pub torn: Tally,
    /// Pairs of writes of which either was kept in a state in which the other was lost.
    pub both_orders: Tally,
    /// Syncs right before which the power was cut.
    pub before_sync: Tally,
    /// Syncs right after which the power was cut.
    pub after_sync: Tally,
}

/// How much has been seen, of how much there is to be seen under the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// So much has been.
    pub seen: u64,
    /// So much can be.
    pub possible: u64,
}

/// What a step of a workload does, as far as phases go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work {
    kind: OperationKind,
    makes_dictionaries: bool,
}

impl Work {
    /// An operation that makes no dictionaries on its way.
    pub const fn of(kind: OperationKind) -> Self {
        Self {
            kind,
            makes_dictionaries: false,
        }
    }

    /// One that does; to make a dictionary is no way to something else.
    pub const fn through_new_dictionaries(kind: OperationKind) -> Self {
        Self {
            kind,
            makes_dictionaries: !matches!(kind, OperationKind::CreateDictionary),
        }
    }
}

/// What stands behind the kind of an operation that makes dictionaries on its way.
const THROUGH: &str = " through new dictionaries";

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if self.makes_dictionaries {
            f.write_str(THROUGH)?;
        }
        Ok(())
    }
}

/// A text is no work as work prints.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{0}' is no kind of operation")]
pub struct ParseWorkError(String);

impl FromStr for Work {
    type Err = ParseWorkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, makes_dictionaries) = match text.strip_suffix(THROUGH) {
            Some(name) => (name, true),
            None => (text, false),
        };
        let mut kinds = OperationKind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.to_string() == name);
        let work = kind.map(|kind| Self {
            kind,
            makes_dictionaries,
        });
        work.ok_or_else(|| ParseWorkError(text.to_owned()))
    }
}

impl Coverage {
    /// What parts of a sweep have seen, one for each epoch of the space.
    pub(crate) fn of(recording: &Recording<'_>, space: &Space, seen: &[&Seen]) -> Self {
        let labels = Labels::of(recording);
        let mut coverage = Self::default();
        for (epoch, seen) in space.epochs().iter().zip(seen) {
            coverage.add_epoch(&labels, epoch, seen);
        }
        let syncs = recording.trace().events().iter().enumerate();
        let syncs = syncs.filter(|(_, event)| **event == Event::Sync);
        let was_cut = |cut| {
            let mut epochs = space.epochs().iter().zip(seen);
            epochs.any(|(epoch, seen)| seen.has_cut(epoch, cut))
        };
        for (sync, _) in syncs {
            coverage.before_sync.count(was_cut(sync));
            coverage.after_sync.count(was_cut(sync + 1));
        }
        coverage
    }

    /// What has been seen in those states in which so many first writes were kept and no other.
    pub(crate) fn of_prefixes(
        recording: &Recording<'_>,
        space: &Space,
        prefixes: impl Iterator<Item = u32>,
    ) -> Self {
        let epochs = space.epochs();
        let mut seen: Vec<Seen> = epochs.iter().map(|epoch| Seen::nothing(epoch)).collect();
        for issued in prefixes {
            // Where one epoch ends and the next begins, the state is one of both.
            let ends_before = |epoch: &Arc<Epoch>| epoch.before() + (epoch.len() as u32) < issued;
            let first = epochs.partition_point(ends_before);
            for (epoch, seen) in epochs.iter().zip(&mut seen).skip(first) {
                let Some(whole) = issued.checked_sub(epoch.before()) else {
                    break;
                };
                if let Some(open) = Open::prefix(epoch, whole as usize) {
                    seen.add(&open);
                }
            }
        }
        Self::of(recording, space, &seen.iter().collect::<Vec<_>>())
    }

    fn add_epoch(&mut self, labels: &Labels, epoch: &Arc<Epoch>, seen: &Seen) {
        let everything = Seen::everything(epoch);
        let writes = everything.writes().iter().zip(seen.writes());
        for (number, (possible, seen)) in (epoch.before()..).zip(writes) {
            self.lost.count_where(possible.lost, seen.lost);
            self.kept.count_where(possible.kept, seen.kept);
            self.torn.count_where(possible.torn, seen.torn);
            if let Some((of, followed)) = labels.get(number) {
                let inside = |write: &SeenWrite| write.torn_last || (*followed && write.kept_last);
                let tally = self.inside.entry(of.clone()).or_default();
                tally.count_where(inside(possible), inside(seen));
            }
        }
        self.both_orders += Tally {
            seen: seen.both_orders(epoch),
            possible: everything.both_orders(epoch),
        };
    }

    /// The writes of a phase during some work that were seen as the last on the medium, torn or with more writes of the
    /// same operation to follow.
    pub fn inside(&self, work: Work, phase: Phase) -> Tally {
        self.inside.get(&(work, phase)).copied().unwrap_or_default()
    }

    /// All of those, ordered by work and phase; those that no cut can fall inside of are left out.
    pub fn phases(&self) -> impl Iterator<Item = (Work, &Phase, Tally)> + '_ {
        let inside = self.inside.iter();
        inside
            .filter(|(_, tally)| tally.possible > 0)
            .map(|((work, phase), &tally)| (*work, phase, tally))
    }

    /// How many pairs of work and phase the power has been cut inside of.
    pub fn phases_cut(&self) -> Tally {
        let mut pairs = Tally::default();
        for (.., tally) in self.phases() {
            pairs.count(tally.seen > 0);
        }
        pairs
    }
}

impl AddAssign<&Self> for Coverage {
    fn add_assign(&mut self, more: &Self) {
        for (of, &tally) in &more.inside {
            *self.inside.entry(of.clone()).or_default() += tally;
        }
        self.lost += more.lost;
        self.kept += more.kept;
        self.torn += more.torn;
        self.both_orders += more.both_orders;
        self.before_sync += more.before_sync;
        self.after_sync += more.after_sync;
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.seen += more.seen;
        self.possible += more.possible;
    }
}

impl Tally {
    fn count(&mut self, seen: bool) {
        self.count_where(true, seen);
    }

    fn count_where(&mut self, possible: bool, seen: bool) {
        self.possible += u64::from(possible);
        self.seen += u64::from(seen);
    }
}

/// By number of a write: what it is of, and whether more writes of the same step follow; none for writes without a phase
/// and those outside operations.
struct Labels(Vec<Option<((Work, Phase), bool)>>);

impl Labels {
    fn of(recording: &Recording<'_>) -> Self {
        let mut labels: Vec<Option<((Work, Phase), bool)>> = Vec::new();
        let mut work = None;
        let mut first = 0;
        for event in recording.trace().events() {
            match event {
                Event::OperationStart(step) => {
                    work = Work::of_step(recording, *step);
                    first = labels.len();
                }
                Event::OperationEnd(_) => work = None,
                Event::Erase { .. } | Event::Prog { .. } => {
                    // Those of the step so far are followed by this one.
                    if let Some((_, followed)) = labels[first..].last_mut().and_then(Option::as_mut)
                    {
                        *followed = true;
                    }
                    let phase = recording.phases().get(labels.len()).cloned().flatten();
                    labels.push(work.zip(phase).map(|of| (of, false)));
                }
                Event::Sync => {}
            }
        }
        Self(labels)
    }

    fn get(&self, write: u32) -> Option<&((Work, Phase), bool)> {
        self.0.get(write as usize)?.as_ref()
    }
}

impl Work {
    /// What the step with this index does; none where it is no operation.
    pub(crate) fn of_step(recording: &Recording<'_>, step: u32) -> Option<Self> {
        let kind = recording
            .step(step)
            .and_then(Step::operation)
            .map(crate::op::Operation::kind)?;
        let dictionaries = |version: u32| {
            let model: Option<&Model> = recording.versions().get(version as usize);
            let nodes = model.into_iter().flat_map(Model::nodes);
            nodes
                .filter(|(_, node)| ModelNode::is_dictionary(node))
                .count()
        };
        let history = recording.history();
        let (before, after) = (
            history.version_before(step),
            history.version_before(step + 1),
        );
        Some(if dictionaries(after) > dictionaries(before) {
            Self::through_new_dictionaries(kind)
        } else {
            Self::of(kind)
        })
    }
}

/// The table as a list of rows.
mod rows {
    use super::{Tally, Work};
    use crate::as_text;
    use crate::phase::Phase;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    #[derive(Serialize, Deserialize)]
    struct Row {
        #[serde(with = "as_text")]
        operation: Work,
        phase: String,
        #[serde(flatten)]
        tally: Tally,
    }

    pub(super) fn serialize<S: Serializer>(
        inside: &BTreeMap<(Work, Phase), Tally>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(inside.iter().map(|((work, phase), &tally)| Row {
            operation: *work,
            phase: phase.name().to_owned(),
            tally,
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<(Work, Phase), Tally>, D::Error> {
        let rows = Vec::<Row>::deserialize(deserializer)?.into_iter();
        Ok(rows
            .map(|row| ((row.operation, Phase::named(row.phase)), row.tally))
            .collect())
    }
}
