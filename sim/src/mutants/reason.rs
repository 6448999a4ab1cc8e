use super::Mutation;
use super::mutation::places;
use crate::contract::{self, Contract, Tearing};
use crate::crash::{Candidate, CrashState, Flaw};
use crate::explore::{Run, Sweep};
use crate::judge::Shown;
use crate::record::Recording;
use crate::trace::{Event, Syncs, Trace};
use crate::workload::Step;
use serde::Serialize;
use std::fmt;

/// Why no crash state shows a mutant. Each is checked on the run at hand; what it rests on beyond that is in
/// `docs/mutants.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Nothing was written between the sync and the one before.
    NothingPending,
    /// The two writes go to different blocks, with nothing between them: either may reach the medium without the other in
    /// any case, and the run itself is clean in all of these states.
    Unordered,
    /// The step changed nothing, so that it makes no difference when it returned.
    NothingChanged,
    /// It is in the format, which may leave no store where it is cut, and of whose two copies of the superblock either is
    /// enough.
    Format,
    /// What the step changes was visible and durable before: what is left to write finishes it, as a repair would.
    Completed,
    /// What the step changes becomes visible only later, behind another sync.
    Unseen,
    /// What stands before the sync and what stands behind it go to the same blocks, whose writes keep their order.
    SameBlocks,
    /// What stands behind the sync shows what the step changes also without what stands before it.
    Superseded,
    /// What stands behind the sync shows the state before the step where what stands before it is missing.
    Kept,
}

impl Reason {
    /// The reason that can be seen from the run alone.
    pub(super) fn proof(recording: &Recording<'_>, mutation: Mutation) -> Option<Self> {
        let trace = recording.trace();
        match mutation {
            Mutation::SyncDropped { sync } => {
                let point = *trace.syncs().get(sync as usize)?;
                (point.pending == 0).then_some(Self::NothingPending)
            }
            Mutation::WritesSwapped { first } => {
                let (first, second) = places(trace, first)?;
                let [one, other] = [&trace.events()[first], &trace.events()[second]];
                let is_free = second == first + 1 && one.written_block() != other.written_block();
                is_free.then_some(Self::Unordered)
            }
            Mutation::AcknowledgedEarly { step, .. } => {
                let history = recording.history();
                let is_same = history.version_before(step) == history.version_before(step + 1);
                // To the model a format is none, but there is no store before.
                let is_format = recording.step(step) == Some(Step::Format);
                (is_same && !is_format).then_some(Self::NothingChanged)
            }
        }
    }

    /// Whether a proof holds for all crash states of the contract. That of writes in either order says nothing of torn
    /// ones.
    pub(super) fn holds_under(self, contract: &Contract) -> bool {
        self != Self::Unordered || contract.program == Tearing::Whole
    }

    /// The reason that shows in what recovery makes of some states of the run, for a mutant that no crash state shows.
    pub(super) fn seen(
        sweep: &Sweep<'_>,
        recording: &Recording<'_>,
        mutation: Mutation,
    ) -> Option<Self> {
        let step = mutation.step(recording.trace())?;
        if recording.step(step) == Some(Step::Format) {
            return Some(Self::Format);
        }
        let history = recording.history();
        let (old, new) = (
            history.version_before(step),
            history.version_before(step + 1),
        );
        let around = Around::of(recording, mutation)?;
        let shown = |state, syncs| shown(sweep, recording, state, syncs);
        let whole = |writes| shown(CrashState::prefix(writes), Syncs::AsIssued);
        if whole(around.start)? == new {
            return Some(Self::Completed);
        }
        let sync = around.sync?;
        if whole(around.end)? == old {
            return Some(Self::Unseen);
        }
        let Some(behind) = around.only_behind(recording.trace()) else {
            return Some(Self::SameBlocks);
        };
        match shown(behind, Syncs::Without(sync))? {
            version if version == new => Some(Self::Superseded),
            version if version == old => Some(Self::Kept),
            _ => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingPending => "nothing pending",
            Self::Unordered => "in no order",
            Self::NothingChanged => "nothing changed",
            Self::Format => "in the format",
            Self::Completed => "visible before",
            Self::Unseen => "seen later",
            Self::SameBlocks => "same blocks",
            Self::Superseded => "superseded",
            Self::Kept => "state before is kept",
        })
    }
}

/// The epochs that a mutation touches: by number, the first write of the first, and the one behind the last.
struct Around {
    start: u32,
    end: u32,
    /// The sync between them; none where it is one epoch.
    sync: Option<u32>,
    /// The first write behind that sync.
    middle: u32,
}

impl Around {
    fn of(recording: &Recording<'_>, mutation: Mutation) -> Option<Self> {
        let space = recording.space(&contract::REORDER);
        let affected = mutation.affected(recording)?;
        let syncs = recording.trace().syncs();
        let (first, last) = match mutation {
            Mutation::SyncDropped { .. } => (*affected.start(), affected.end() + 1),
            Mutation::WritesSwapped { first } => (first, first + 1),
            Mutation::AcknowledgedEarly { .. } => (*affected.end(), *affected.end()),
        };
        let epoch = space.epoch_with(first)?;
        let (start, middle) = (epoch.before(), epoch.before() + epoch.len() as u32);
        let end = space
            .epoch_with(last)
            .map_or(middle, |epoch| epoch.before() + epoch.len() as u32);
        let between = syncs
            .iter()
            .find(|sync| sync.writes == middle && middle < end);
        Some(Self {
            start,
            end,
            sync: between.map(|sync| sync.number),
            middle,
        })
    }

    /// All behind the sync is on the medium, and nothing before it but what goes to the same blocks; none where all does.
    fn only_behind(&self, trace: &Trace) -> Option<CrashState> {
        let block = |write: u32| trace.write(write).and_then(Event::written_block);
        let is_followed =
            |write: &u32| (self.middle..self.end).any(|later| block(later) == block(*write));
        let lost: Vec<_> = (self.start..self.middle)
            .filter(|write| !is_followed(write))
            .map(|write| (write, Flaw::Lost))
            .collect();
        (!lost.is_empty()).then(|| CrashState::with_flaws(self.end, lost))
    }
}

/// The version of the model that recovery shows of a state; none where it is no crash state with these syncs, or shows
/// something else.
fn shown(
    sweep: &Sweep<'_>,
    recording: &Recording<'_>,
    state: CrashState,
    syncs: Syncs,
) -> Option<u32> {
    let space = recording.space_with(&contract::REORDER, syncs);
    let outlook = space.outlook_of(&state)?;
    let candidate = Candidate { state, outlook };
    match sweep.judge(Run::of(recording), &candidate).shown? {
        Shown::Version(version) => Some(version),
        Shown::Intermediate | Shown::Uninitialised => None,
    }
}
