use super::{Candidate, CrashState, Cuts, History};
use crate::trace::Trace;

/// The states of the prefix model, in order: power was lost on a device that orders its writes, so the first n
/// writes are there whole and the others are not, for each n from 0 to the number of writes.
///
/// A state is what several cuts leave: the syncs and marks between two writes do not show on the medium. Recovery must
/// satisfy all of these cuts, so it may show only the versions that every one of them allows.
///
/// # Panics
///
/// Where the trace has marks of steps that the history does not have.
pub fn prefix_states(trace: &Trace, history: &History) -> Vec<Candidate> {
    let cuts = Cuts::of(trace.events(), history);
    let is_write = |&place: &usize| trace.events()[place].written_block().is_some();
    let writes: Vec<usize> = (0..trace.events().len()).filter(is_write).collect();
    (0..=writes.len())
        .map(|persisted| {
            let first = persisted.checked_sub(1).map_or(0, |last| writes[last] + 1);
            let last = writes.get(persisted).copied().unwrap_or(cuts.last());
            Candidate {
                state: CrashState::prefix(persisted as u32),
                outlook: cuts.outlook(first, last),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Event, Image};
    use cutpoint_engine::device::{BlockId, Geometry};
    use std::ops::RangeInclusive;

    fn write() -> Event {
        Event::Erase {
            block: BlockId::new(0),
        }
    }

    fn trace(events: Vec<Event>) -> Trace {
        Trace::new(Geometry::new(128, 2).unwrap(), 0xff, Image::Erased, events)
    }

    /// Each state's versions, step, and whether it is inside the step.
    fn shape(events: Vec<Event>, history: &History) -> Vec<(RangeInclusive<u32>, u32, bool)> {
        prefix_states(&trace(events), history)
            .into_iter()
            .map(|candidate| candidate.outlook)
            .map(|outlook| (outlook.versions, outlook.step, outlook.inside))
            .collect()
    }

    fn durable_on_return(newest: &[u32]) -> History {
        let mut history = History::default();
        for &version in newest {
            history.push(version, version);
        }
        history
    }

    use Event::{OperationEnd, OperationStart, Sync};

    #[test]
    fn a_cut_inside_allows_before_and_after_and_one_behind_a_return_only_after() {
        let events = vec![
            OperationStart(0),
            write(),
            write(),
            Sync,
            OperationEnd(0),
            OperationStart(1),
            write(),
            write(),
            OperationEnd(1),
        ];
        let states = shape(events, &durable_on_return(&[1, 2]));
        assert_eq!(
            states,
            [
                // Before the first call and inside it, before any write: only what both allow.
                (0..=0, 0, true),
                (0..=1, 0, true),
                // The sync, the return, the next call: the same image, and the first step has returned.
                (1..=1, 0, false),
                (1..=2, 1, true),
                (2..=2, 1, false),
            ]
        );
    }

    #[test]
    fn a_step_without_change_allows_what_it_found() {
        let events = vec![
            OperationStart(0),
            write(),
            OperationEnd(0),
            OperationStart(1),
            OperationEnd(1),
            OperationStart(2),
            write(),
            write(),
            OperationEnd(2),
        ];
        let states = shape(events, &durable_on_return(&[1, 1, 2]));
        assert_eq!(states[1], (1..=1, 0, false));
        assert_eq!(states[2], (1..=2, 2, true));
    }

    #[test]
    fn a_change_that_returned_without_a_write_is_still_required() {
        let events = vec![
            OperationStart(0),
            write(),
            OperationEnd(0),
            OperationStart(1),
            OperationEnd(1),
        ];
        let states = shape(events, &durable_on_return(&[1, 2]));
        assert_eq!(states[1], (2..=2, 0, false));
    }

    #[test]
    fn without_durability_every_version_since_the_last_durable_one_is_allowed() {
        let mut history = History::default();
        history.push(1, 1);
        history.push(2, 1);
        history.push(3, 3);
        let mut events = Vec::new();
        for step in 0..3 {
            events.extend([OperationStart(step), write(), write(), OperationEnd(step)]);
        }
        let versions: Vec<_> = shape(events, &history)
            .into_iter()
            .map(|(versions, ..)| versions)
            .collect();
        assert_eq!(versions, [0..=0, 0..=1, 1..=1, 1..=2, 1..=2, 1..=3, 3..=3]);
    }

    #[test]
    fn there_may_be_no_store_until_the_first_step_has_returned() {
        let events = vec![OperationStart(0), write(), write(), OperationEnd(0)];
        let states = prefix_states(&trace(events), &durable_on_return(&[0]));
        let uninitialised: Vec<_> = states
            .iter()
            .map(|candidate| candidate.outlook.before_first_return)
            .collect();
        assert_eq!(uninitialised, [true, true, false]);
    }
}
