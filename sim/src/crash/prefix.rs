use super::{Candidate, CrashState, History};
use crate::trace::{Event, Trace};
use std::ops::RangeInclusive;

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
    let mut states: Vec<Candidate> = Vec::with_capacity(trace.writes() as usize + 1);
    let mut cut = Cut::default();
    let mut open = Candidate {
        state: CrashState::prefix(0),
        versions: cut.versions(history),
        step: 0,
        inside: false,
        before_first_return: true,
    };
    for event in trace.events() {
        match event {
            Event::OperationStart(step) => {
                debug_assert_eq!(*step, cut.returned);
                cut.in_flight = true;
            }
            Event::OperationEnd(_) => {
                cut.in_flight = false;
                cut.returned += 1;
            }
            Event::Sync => {}
            Event::Erase { .. } | Event::Prog { .. } => {
                let next = CrashState::prefix(open.state.persisted() + 1);
                open.inside = cut.in_flight && cut.returned == open.step;
                states.push(open);
                open = Candidate {
                    state: next,
                    versions: cut.versions(history),
                    step: cut.step(),
                    inside: false,
                    before_first_return: cut.returned == 0,
                };
                continue;
            }
        }
        open.versions = common(&open.versions, &cut.versions(history));
        open.before_first_return &= cut.returned == 0;
    }
    // The last write's step has no more writes, but it may never have returned.
    open.inside = cut.in_flight && cut.returned == open.step;
    states.push(open);
    states
}

/// Where in the run a power cut falls.
#[derive(Default)]
struct Cut {
    returned: u32,
    in_flight: bool,
}

impl Cut {
    fn versions(&self, history: &History) -> RangeInclusive<u32> {
        history.versions_at(self.returned, self.in_flight)
    }

    /// The step in flight, or else the last that returned.
    fn step(&self) -> u32 {
        if self.in_flight {
            self.returned
        } else {
            self.returned.saturating_sub(1)
        }
    }
}

/// What both allow. Where nothing is left (a step that changed something returned without a write), the later cut
/// counts: what has returned must be there.
fn common(earlier: &RangeInclusive<u32>, later: &RangeInclusive<u32>) -> RangeInclusive<u32> {
    let oldest = *earlier.start().max(later.start());
    let newest = *earlier.end().min(later.end());
    oldest..=newest.max(oldest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Image;
    use cutpoint_engine::device::{BlockId, Geometry};

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
            .map(|candidate| (candidate.versions, candidate.step, candidate.inside))
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
            .map(|candidate| candidate.before_first_return)
            .collect();
        assert_eq!(uninitialised, [true, true, false]);
    }
}
