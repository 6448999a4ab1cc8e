use crate::contract::{self, Contract};
use crate::record::Recording;
use crate::trace::{Event, Syncs, Trace};
use serde::{Serialize, Serializer};
use std::fmt;
use std::ops::RangeInclusive;

/// One thing that a subject could have done wrong on its way to the device.
///
/// ```
/// use cutpoint::mutants::{Last, Mutation};
///
/// let mutation = Mutation::AcknowledgedEarly { step: 3, last: Last::Sync };
/// assert_eq!(mutation.to_string(), "step 3 acknowledged before its last sync");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutation {
    /// The sync with this number was not issued.
    SyncDropped {
        /// Its number, counted from 0.
        sync: u32,
    },
    /// The write with this number and the next one were issued the other way round.
    WritesSwapped {
        /// The number of the first, counted from 0.
        first: u32,
    },
    /// The step with this index returned early.
    AcknowledgedEarly {
        /// Its index, counted from 0.
        step: u32,
        /// Before what.
        last: Last,
    },
}

/// What a step did last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Last {
    /// Its last sync.
    Sync,
    /// Its last write.
    Write,
}

/// The kinds of mutations, by which they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MutationKind {
    /// A sync is dropped.
    SyncDropped,
    /// Two writes change places.
    WritesSwapped,
    /// A step returns before its last sync.
    AcknowledgedBeforeSync,
    /// A step returns before its last write.
    AcknowledgedBeforeWrite,
}

impl MutationKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [
        Self::SyncDropped,
        Self::WritesSwapped,
        Self::AcknowledgedBeforeSync,
        Self::AcknowledgedBeforeWrite,
    ];

    /// The contracts under which such a fault can show, in the order in which they are tried.
    pub fn contracts(self) -> &'static [&'static Contract] {
        match self {
            Self::SyncDropped | Self::AcknowledgedBeforeSync => &[&contract::REORDER],
            Self::WritesSwapped => &[&contract::PREFIX, &contract::REORDER, &contract::TORN],
            Self::AcknowledgedBeforeWrite => &[&contract::PREFIX, &contract::REORDER],
        }
    }
}

impl fmt::Display for MutationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SyncDropped => "sync dropped",
            Self::WritesSwapped => "writes swapped",
            Self::AcknowledgedBeforeSync => "acknowledged before the last sync",
            Self::AcknowledgedBeforeWrite => "acknowledged before the last write",
        })
    }
}

impl Mutation {
    /// All mutations of a recorded run: each sync, each two writes that follow each other, each step that wrote something.
    pub fn all(trace: &Trace) -> Vec<Self> {
        let syncs = (0..trace.counts().syncs).map(|sync| Self::SyncDropped { sync });
        let pairs = (1..trace.writes()).map(|second| Self::WritesSwapped { first: second - 1 });
        let steps = Span::all(trace.events()).into_iter().flat_map(|span| {
            let step = span.step;
            let has_written = span.last_write(trace.events()).is_some();
            let sync = span.last_sync(trace.events());
            let sync = sync.map(|_| Self::AcknowledgedEarly {
                step,
                last: Last::Sync,
            });
            let write = Self::AcknowledgedEarly {
                step,
                last: Last::Write,
            };
            let both = has_written.then_some([sync, Some(write)]);
            both.into_iter().flatten().flatten()
        });
        syncs.chain(pairs).chain(steps).collect()
    }

    /// Its kind.
    pub fn kind(self) -> MutationKind {
        match self {
            Self::SyncDropped { .. } => MutationKind::SyncDropped,
            Self::WritesSwapped { .. } => MutationKind::WritesSwapped,
            Self::AcknowledgedEarly {
                last: Last::Sync, ..
            } => MutationKind::AcknowledgedBeforeSync,
            Self::AcknowledgedEarly {
                last: Last::Write, ..
            } => MutationKind::AcknowledgedBeforeWrite,
        }
    }

    /// The step that it is done in, of two writes that of the first; none between two steps.
    pub fn step(self, trace: &Trace) -> Option<u32> {
        match self {
            Self::SyncDropped { sync } => trace.syncs().get(sync as usize)?.step,
            Self::WritesSwapped { first } => trace.step_of(first),
            Self::AcknowledgedEarly { step, .. } => Some(step),
        }
    }

    /// The events that the run would have led to. Writes keep their content; of two that are swapped each gets the
    /// number of the other. What the run does not have stays as it is.
    pub fn events(self, trace: &Trace) -> Vec<Event> {
        let mut events = trace.events().to_vec();
        match self {
            Self::SyncDropped { sync } => Syncs::Without(sync).of(&events).into_owned(),
            Self::WritesSwapped { first } => {
                if let Some((first, second)) = places(trace, first) {
                    events.swap(first, second);
                }
                events
            }
            Self::AcknowledgedEarly { step, last } => {
                if let Some((span, place)) = Span::of(&events, step).and_then(|span| {
                    let place = match last {
                        Last::Sync => span.last_sync(&events),
                        Last::Write => span.last_write(&events),
                    };
                    Some((span, place?))
                }) {
                    let end = events.remove(span.end);
                    events.insert(place, end);
                }
                events
            }
        }
    }

    /// The numbers of the writes in whose epochs there are crash states that the run itself does not have, or that are
    /// held to something else; none where there are no such writes.
    pub(super) fn affected(self, recording: &Recording<'_>) -> Option<RangeInclusive<u32>> {
        let trace = recording.trace();
        match self {
            Self::SyncDropped { sync } => {
                let point = *trace.syncs().get(sync as usize)?;
                let last_before = point.writes.checked_sub(1)?;
                Some(last_before..=last_before)
            }
            Self::WritesSwapped { first } => {
                let last = if commute(trace, first) {
                    first + 1
                } else {
                    trace.writes() - 1
                };
                Some(first..=last)
            }
            Self::AcknowledgedEarly { step, .. } => {
                let events = trace.events();
                let last = Span::of(events, step)?.last_write(events)?;
                let last = trace.write_events().binary_search(&(last as u32)).ok()? as u32;
                Some(last.saturating_sub(1)..=last)
            }
        }
    }
}

/// The places among the events of the write with this number and the next one.
pub(super) fn places(trace: &Trace, first: u32) -> Option<(usize, usize)> {
    let writes = trace.write_events().get(first as usize..)?;
    let [first, second, ..] = writes else {
        return None;
    };
    Some((*first as usize, *second as usize))
}

/// Whether the write with this number and the next one leave the same medium in either order.
fn commute(trace: &Trace, first: u32) -> bool {
    let Some((first, second)) = places(trace, first) else {
        return true;
    };
    let range = |event: &Event| match event {
        Event::Prog {
            block,
            offset,
            data,
        } => Some((*block, *offset, *offset + data.len() as u32)),
        Event::Erase { block } => Some((*block, 0, u32::MAX)),
        Event::Sync | Event::OperationStart(_) | Event::OperationEnd(_) => None,
    };
    match (
        range(&trace.events()[first]),
        range(&trace.events()[second]),
    ) {
        (Some(one), Some(other)) => one.0 != other.0 || one.2 <= other.1 || other.2 <= one.1,
        _ => true,
    }
}

/// A step among the events.
struct Span {
    step: u32,
    start: usize,
    end: usize,
}

impl Span {
    fn all(events: &[Event]) -> Vec<Self> {
        let mut spans = Vec::new();
        let mut begun = None;
        for (place, event) in events.iter().enumerate() {
            match event {
                Event::OperationStart(step) => begun = Some((*step, place)),
                Event::OperationEnd(_) => spans.extend(begun.take().map(|(step, start)| Self {
                    step,
                    start,
                    end: place,
                })),
                Event::Erase { .. } | Event::Prog { .. } | Event::Sync => {}
            }
        }
        spans
    }

    fn of(events: &[Event], step: u32) -> Option<Self> {
        let mut spans = Self::all(events).into_iter();
        spans.find(|span| span.step == step)
    }

    fn last_write(&self, events: &[Event]) -> Option<usize> {
        self.last(events, |event| event.written_block().is_some())
    }

    fn last_sync(&self, events: &[Event]) -> Option<usize> {
        self.last(events, |event| *event == Event::Sync)
    }

    fn last(&self, events: &[Event], is_it: fn(&Event) -> bool) -> Option<usize> {
        let mut inside = self.start..self.end;
        inside.rfind(|&place| is_it(&events[place]))
    }
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SyncDropped { sync } => write!(f, "sync {sync} dropped"),
            Self::WritesSwapped { first } => write!(f, "writes {first} and {} swapped", first + 1),
            Self::AcknowledgedEarly { step, last } => {
                let last = match last {
                    Last::Sync => "sync",
                    Last::Write => "write",
                };
                write!(f, "step {step} acknowledged before its last {last}")
            }
        }
    }
}

impl Serialize for Mutation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
