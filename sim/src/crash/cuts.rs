use super::History;
use crate::trace::Event;
use std::ops::RangeInclusive;

/// Where in a run a power cut can fall: before each event, and after the last. What it may show there.
#[derive(Clone, Debug)]
pub struct Cuts {
    places: Vec<Place>,
}

#[derive(Clone, Debug)]
struct Place {
    returned: u32,
    in_flight: bool,
    versions: RangeInclusive<u32>,
}

/// What recovery may show of a state that several cuts leave: what every one of them allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The versions of the model that it may show.
    pub versions: RangeInclusive<u32>,
    /// The step in flight at the first of the cuts, or else the last that had returned.
    pub step: u32,
    /// Whether all of the cuts lie inside that step.
    pub inside: bool,
    /// Whether none of them comes after the return of step 0, so that there may be no store yet.
    pub before_first_return: bool,
}

impl Cuts {
    /// The cuts of a run with these events.
    ///
    /// # Panics
    ///
    /// Where the events have marks of steps that the history does not have.
    pub fn of(events: &[Event], history: &History) -> Self {
        let (mut returned, mut in_flight) = (0, false);
        let mut places = Vec::with_capacity(events.len() + 1);
        let place = |returned, in_flight| Place {
            returned,
            in_flight,
            versions: history.versions_at(returned, in_flight),
        };
        places.push(place(returned, in_flight));
        for event in events {
            match event {
                Event::OperationStart(step) => {
                    debug_assert_eq!(*step, returned);
                    in_flight = true;
                }
                Event::OperationEnd(_) => {
                    in_flight = false;
                    returned += 1;
                }
                Event::Sync | Event::Erase { .. } | Event::Prog { .. } => {}
            }
            places.push(place(returned, in_flight));
        }
        Self { places }
    }

    /// The cut after the last event.
    pub fn last(&self) -> usize {
        self.places.len() - 1
    }

    /// What may be shown of a state that the cuts from `first` to `last` leave, and perhaps others between them.
    ///
    /// Where nothing is left that all of them allow (a step that changed something returned without a write), the last
    /// counts: what has returned must be there.
    ///
    /// # Panics
    ///
    /// Where there are no such cuts.
    pub fn outlook(&self, first: usize, last: usize) -> Outlook {
        let (first, last) = (&self.places[first], &self.places[last]);
        // Neither end of the range goes back from a cut to a later one.
        let oldest = *last.versions.start();
        let step = if first.in_flight {
            first.returned
        } else {
            first.returned.saturating_sub(1)
        };
        Outlook {
            versions: oldest..=oldest.max(*first.versions.end()),
            step,
            inside: last.in_flight && last.returned == step,
            before_first_return: last.returned == 0,
        }
    }
}
