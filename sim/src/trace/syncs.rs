//! The syncs of a trace, and the same trace with one more or one less.

use super::Event;
use serde::Serialize;
use std::borrow::Cow;
use thiserror::Error;

/// A completed sync of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SyncPoint {
    /// Syncs are counted from 0 over the whole trace.
    pub number: u32,
    /// How many writes were issued before it: it stands behind the write with this number less one.
    pub writes: u32,
    /// How many of those since the sync before it. Where there are none, it has nothing to do.
    pub pending: u32,
    /// The step that issued it; none between two steps.
    pub step: Option<u32>,
}

impl SyncPoint {
    /// The syncs among `events`, in order.
    pub(super) fn all(events: &[Event]) -> Vec<Self> {
        let (mut points, mut writes, mut pending, mut step) = (Vec::new(), 0, 0, None);
        for event in events {
            match event {
                Event::Erase { .. } | Event::Prog { .. } => {
                    writes += 1;
                    pending += 1;
                }
                Event::Sync => {
                    points.push(Self {
                        number: points.len() as u32,
                        writes,
                        pending,
                        step,
                    });
                    pending = 0;
                }
                Event::OperationStart(index) => step = Some(*index),
                Event::OperationEnd(_) => step = None,
            }
        }
        points
    }
}

/// Which syncs a run is taken to have made. The writes are the same, so that crash states keep their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Syncs {
    /// Those that it did make.
    #[default]
    AsIssued,
    /// All but the one with this number.
    Without(u32),
    /// One more, right behind the write with this number.
    AlsoAfter(u32),
}

impl Syncs {
    /// The events of the run with these syncs. One that is not there is not left out, and none is added behind a write that
    /// is not there.
    pub fn of(self, events: &[Event]) -> Cow<'_, [Event]> {
        let place = |number: u32, counts: fn(&Event) -> bool| {
            let places = events.iter().enumerate();
            let mut places = places.filter(|(_, event)| counts(event));
            places.nth(number as usize).map(|(place, _)| place)
        };
        match self {
            Self::AsIssued => Cow::Borrowed(events),
            Self::Without(number) => match place(number, |event| *event == Event::Sync) {
                Some(place) => [&events[..place], &events[place + 1..]].concat().into(),
                None => Cow::Borrowed(events),
            },
            Self::AlsoAfter(write) => match place(write, |event| event.written_block().is_some()) {
                Some(place) => {
                    let (before, behind) = events.split_at(place + 1);
                    [before, &[Event::Sync], behind].concat().into()
                }
                None => Cow::Borrowed(events),
            },
        }
    }

    /// Whether a run with these events has the sync or the write that this is about.
    ///
    /// # Errors
    ///
    /// [`NoSuchSync`] where it has not.
    pub fn check(self, events: &[Event]) -> Result<(), NoSuchSync> {
        let count = |counts: fn(&Event) -> bool| {
            events.iter().filter(|&event| counts(event)).count() as u32
        };
        match self {
            Self::AsIssued => Ok(()),
            Self::Without(sync) => match count(|event| *event == Event::Sync) {
                syncs if sync < syncs => Ok(()),
                syncs => Err(NoSuchSync::Sync { sync, syncs }),
            },
            Self::AlsoAfter(write) => match count(|event| event.written_block().is_some()) {
                writes if write < writes => Ok(()),
                writes => Err(NoSuchSync::Write { write, writes }),
            },
        }
    }
}

/// A run has no such sync, or no such write to put one behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoSuchSync {
    /// No sync with this number.
    #[error("there is no sync {sync}: there are {syncs}, counted from 0")]
    Sync {
        /// The number asked for.
        sync: u32,
        /// How many there are.
        syncs: u32,
    },
    /// No write with this number.
    #[error("there is no write {write} to put a sync behind: there are {writes}, counted from 0")]
    Write {
        /// The number asked for.
        write: u32,
        /// How many there are.
        writes: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutpoint_engine::device::BlockId;

    fn events() -> Vec<Event> {
        let block = BlockId::new(1);
        vec![
            Event::OperationStart(0),
            Event::Erase { block },
            Event::Sync,
            Event::Erase { block },
            Event::Erase { block },
            Event::OperationEnd(0),
            Event::Sync,
            Event::Sync,
        ]
    }

    #[test]
    fn points_know_what_is_pending() {
        let points: Vec<_> = SyncPoint::all(&events())
            .into_iter()
            .map(|point| (point.number, point.writes, point.pending, point.step))
            .collect();
        assert_eq!(
            points,
            [(0, 1, 1, Some(0)), (1, 3, 2, None), (2, 3, 0, None)]
        );
    }

    #[test]
    fn one_less_or_one_more() {
        let events = events();
        let mut less = events.clone();
        less.remove(6);
        assert_eq!(Syncs::Without(1).of(&events), less);
        let mut more = events.clone();
        more.insert(5, Event::Sync);
        assert_eq!(Syncs::AlsoAfter(2).of(&events), more);
        for (none, error) in [
            (Syncs::Without(3), NoSuchSync::Sync { sync: 3, syncs: 3 }),
            (
                Syncs::AlsoAfter(3),
                NoSuchSync::Write {
                    write: 3,
                    writes: 3,
                },
            ),
        ] {
            assert_eq!(none.of(&events), events);
            assert_eq!(none.check(&events), Err(error));
        }
        assert_eq!(Syncs::Without(2).check(&events), Ok(()));
        assert_eq!(Syncs::AlsoAfter(2).check(&events), Ok(()));
    }
}
