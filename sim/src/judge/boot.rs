use super::Story;
use super::course::{Course, Notes};
use crate::crash::History;
use crate::model::Model;
use crate::op::{Operation, time_of};
use crate::subject::{Durability, Promises};
use crate::trace::Trace;
use cutpoint_engine::device::Geometry;
use std::sync::Arc;

/// A recovery, recorded: what was seen, what was done to the recovered store, and what the device saw of it. A further
/// power cut can fall into it.
///
/// Its step 0 is to mount and look, or to format again where there was no store; the others are the operations. The state
/// that was seen is binding: what is recovered later may show it, or it and what the operations since have made of it.
#[derive(Debug)]
pub struct Boot {
    trace: Arc<Trace>,
    /// The state seen, and those that the operations led to.
    versions: Vec<Model>,
    operations: Vec<Operation>,
    formatted: bool,
    writes_unseen: u32,
    history: History,
    promises: Promises,
    lost_blocks: u64,
    next_step: u32,
}

impl Boot {
    /// The recovery that took this course, from a cut in `story`.
    pub(crate) fn of(course: &Course, story: &dyn Story) -> Self {
        let promises = story.promises().clone();
        let first_step = story.next_step();
        let Notes {
            seen,
            operations: done,
            formatted,
            writes_unseen,
        } = &course.notes;
        let mut versions = vec![(**seen).clone()];
        let mut operations = Vec::with_capacity(done.len());
        let mut history = History::default();
        history.push(0, 0);
        for (step, (operation, done)) in (first_step..).zip(done) {
            if *done {
                let mut after = versions[versions.len() - 1].clone();
                let expected = after.apply_at(operation, promises.time(time_of(step)));
                debug_assert_eq!(expected, Ok(()), "{operation}");
                versions.push(after);
            }
            let version = versions.len() as u32 - 1;
            operations.push(operation.clone());
            let durable = match promises.durability {
                Durability::OnReturn => version,
                Durability::OnSync => 0,
            };
            history.push(version, durable);
        }
        let trace = Trace::new(
            story.geometry(),
            course.erase_value,
            course.image.clone(),
            course.events.clone(),
        )
        .with_medium(course.medium);
        Self {
            trace: Arc::new(trace),
            versions,
            operations,
            formatted: *formatted,
            writes_unseen: *writes_unseen,
            history,
            promises,
            lost_blocks: story.lost_blocks(),
            next_step: first_step + done.len() as u32,
        }
    }

    /// The same, only up to where the recovery has made its repairs. Time stands still in it: what follows is dated as it is,
    /// so that a recovery which leads back to the same bytes is the same recovery.
    pub(crate) fn of_repair(course: &Course, story: &dyn Story) -> Self {
        Self {
            next_step: story.next_step(),
            ..Self::of(&course.repair(), story)
        }
    }

    /// What the device saw, on what the cut before had left.
    pub fn trace(&self) -> &Arc<Trace> {
        &self.trace
    }

    /// The state of the model that was seen, and those that the operations led to.
    pub fn versions(&self) -> &[Model] {
        &self.versions
    }

    /// The operations on the recovered store, in order: steps 1 and on.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter()
    }

    /// How many writes were made before the state was seen: what a cut among these leaves is not bound by it.
    pub(crate) fn writes_unseen(&self) -> u32 {
        self.writes_unseen
    }
}

impl Story for Boot {
    fn versions(&self) -> &[Model] {
        &self.versions
    }

    fn history(&self) -> &History {
        &self.history
    }

    fn operation(&self, step: u32) -> Option<&Operation> {
        let index = step.checked_sub(1)?;
        self.operations.get(index as usize)
    }

    fn begins_with_format(&self) -> bool {
        self.formatted
    }

    fn promises(&self) -> &Promises {
        &self.promises
    }

    fn geometry(&self) -> Geometry {
        self.trace.geometry()
    }

    fn lost_blocks(&self) -> u64 {
        self.lost_blocks
    }

    fn next_step(&self) -> u32 {
        self.next_step
    }
}
