use super::{CrashState, Outlook};
use std::ops::RangeInclusive;

/// Which versions of the model the steps of a run led to, as numbers: all that a crash model must know about what
/// was run.
///
/// Version 0 is the state before step 0. A step that changes nothing leads to the version that it found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct History {
    steps: Vec<Return>,
}

/// What holds once a step has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Return {
    newest: u32,
    durable: u32,
}

impl History {
    /// Adds a step that led to version `newest`. Once it has returned, a power cut shows version `durable` or a
    /// later one; `durable` is at most `newest`.
    pub fn push(&mut self, newest: u32, durable: u32) {
        debug_assert!(durable <= newest);
        self.steps.push(Return { newest, durable });
    }

    /// The number of steps.
    pub fn len(&self) -> u32 {
        self.steps.len() as u32
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The version that step `step` found.
    pub fn version_before(&self, step: u32) -> u32 {
        step.checked_sub(1)
            .and_then(|before| self.steps.get(before as usize))
            .map_or(0, |before| before.newest)
    }

    /// The versions that a cut after `returned` steps allows, with the next one called already or not.
    pub(super) fn versions_at(&self, returned: u32, in_flight: bool) -> RangeInclusive<u32> {
        let last = returned
            .checked_sub(1)
            .map(|last| self.steps[last as usize]);
        let durable = last.map_or(0, |last| last.durable);
        let newest = if in_flight {
            self.steps[returned as usize].newest
        } else {
            last.map_or(0, |last| last.newest)
        };
        durable..=newest
    }
}

/// A crash state that a model says exists, with what recovery from it may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The state.
    pub state: CrashState,
    /// What it may show.
    pub outlook: Outlook,
}
