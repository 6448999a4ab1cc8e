use super::Story;
use crate::crash::History;
use crate::model::Model;
use crate::op::Operation;
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
    pub(super) trace: Arc<Trace>,
    pub(super) notes: Notes,
    pub(super) history: History,
    pub(super) promises: Promises,
    pub(super) lost_blocks: u64,
    pub(super) first_step: u32,
}

/// What a recovery has done and seen so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    /// The state seen, and those that the operations led to.
    pub(super) versions: Vec<Model>,
    /// The operations, each with the version that it led to.
    pub(super) operations: Vec<(Operation, u32)>,
    pub(super) formatted: bool,
    /// Writes made before the state was seen.
    pub(super) writes_unseen: u32,
}

impl Boot {
    pub(super) fn new(trace: Trace, notes: Notes, story: &dyn Story) -> Self {
        let promises = story.promises().clone();
        let mut history = History::default();
        history.push(0, 0);
        for &(_, version) in &notes.operations {
            let durable = match promises.durability {
                Durability::OnReturn => version,
                Durability::OnSync => 0,
            };
            history.push(version, durable);
        }
        Self {
            trace: Arc::new(trace),
            notes,
            history,
            promises,
            lost_blocks: story.lost_blocks(),
            first_step: story.next_step(),
        }
    }

    /// What the device saw, on what the cut before had left.
    pub fn trace(&self) -> &Arc<Trace> {
        &self.trace
    }

    /// The state of the model that was seen, and those that the operations led to.
    pub fn versions(&self) -> &[Model] {
        &self.notes.versions
    }

    /// The operations on the recovered store, in order: steps 1 and on.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.notes.operations.iter().map(|(operation, _)| operation)
    }

    /// How many writes were made before the state was seen: what a cut among these leaves is not bound by it.
    pub(crate) fn writes_unseen(&self) -> u32 {
        self.notes.writes_unseen
    }
}

impl Story for Boot {
    fn versions(&self) -> &[Model] {
        &self.notes.versions
    }

    fn history(&self) -> &History {
        &self.history
    }

    fn operation(&self, step: u32) -> Option<&Operation> {
        let index = step.checked_sub(1)?;
        self.notes
            .operations
            .get(index as usize)
            .map(|(operation, _)| operation)
    }

    fn begins_with_format(&self) -> bool {
        self.notes.formatted
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
        self.first_step + self.notes.operations.len() as u32
    }
}
