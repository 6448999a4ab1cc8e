use super::{Expected, Terms};
use crate::medium::Medium;
use crate::model::Model;
use crate::op::Operation;
use crate::trace::{Event, Image};
use std::hash::Hash;
use std::mem::size_of;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// What a recovery in which nothing was wrong has done and seen: all that a [`Boot`](super::Boot) is made from.
#[derive(Debug)]
pub(crate) struct Course {
    pub(super) image: Image,
    pub(super) erase_value: u8,
    pub(super) medium: Medium,
    pub(super) events: Vec<Event>,
    pub(super) notes: Notes,
}

/// What a recovery has done and seen so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    /// The state of the model that was seen first.
    pub(super) seen: Arc<Model>,
    /// The operations, each with whether it was done: one that there is no room for is refused.
    pub(super) operations: Vec<(Operation, bool)>,
    pub(super) formatted: bool,
    /// Writes made before the state was seen.
    pub(super) writes_unseen: u32,
}

/// What a recovery hangs on besides the image, where it goes well: what is seen first, or that there is no store, and what
/// is done then, from which time on. A 128-bit name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Prospect(u128);

impl Prospect {
    /// That of a recovery that shows `seen`; none where there is no store, so that one is made.
    fn of<'o>(
        seen: Option<&Model>,
        next_step: u32,
        operations: impl IntoIterator<Item = &'o Operation>,
    ) -> Self {
        let mut hash = Xxh3::new();
        (seen.map(Model::name), next_step).hash(&mut hash);
        for operation in operations {
            operation.hash(&mut hash);
        }
        Self(hash.digest128())
    }

    /// Those of all recoveries that `expected` allows, in the order in which a hearing looks for them.
    pub(super) fn all(expected: &Expected<'_>, terms: &Terms<'_>) -> Vec<Self> {
        let planned = |seen: Option<&Model>, model: &Model| {
            let operations = terms.operations(model, expected.operation);
            Self::of(seen, terms.next_step, &operations)
        };
        let intermediates = expected.intermediates(terms);
        let mut models: Vec<&Model> = Vec::new();
        for model in expected
            .newest_first(terms)
            .map(|(_, model)| model)
            .chain(&intermediates)
        {
            // Of two that show the same, a hearing takes the first.
            if !models.contains(&model) {
                models.push(model);
            }
        }
        let mut prospects: Vec<Self> = models
            .into_iter()
            .map(|model| planned(Some(model), model))
            .collect();
        if expected.may_be_uninitialised {
            prospects.push(planned(None, &Model::default()));
        }
        prospects
    }

    /// The name of the recovery that this is of an image with that name.
    pub(crate) fn on(self, image: u128) -> u128 {
        let mut hash = Xxh3::new();
        (image, self.0).hash(&mut hash);
        hash.digest128()
    }
}

impl Course {
    /// What it hung on, where the first step after all others was `next_step`.
    pub(crate) fn prospect(&self, next_step: u32) -> Prospect {
        let Notes {
            seen,
            operations,
            formatted,
            ..
        } = &self.notes;
        let seen = (!formatted).then_some(&**seen);
        let operations = operations.iter().map(|(operation, _)| operation);
        Prospect::of(seen, next_step, operations)
    }

    /// What the recovery itself has written, up to the end of the first operation, which changed nothing.
    fn repair_events(&self) -> &[Event] {
        let is_end = |event: &Event| *event == Event::OperationEnd(1);
        let end = self.events.iter().position(is_end);
        &self.events[..end.map_or(self.events.len(), |last| last + 1)]
    }

    /// The part of it up to the end of the first operation, which changed nothing.
    pub(super) fn repair(&self) -> Self {
        Self {
            image: self.image.clone(),
            erase_value: self.erase_value,
            medium: self.medium,
            events: self.repair_events().to_vec(),
            notes: Notes {
                operations: self.notes.operations.iter().take(1).cloned().collect(),
                ..self.notes.clone()
            },
        }
    }

    /// Whether the recovery has written anything itself.
    pub(crate) fn has_repaired(&self) -> bool {
        let mut events = self.repair_events().iter();
        events.any(|event| event.written_block().is_some())
    }

    /// The state of the model that was seen first.
    pub(crate) fn seen(&self) -> &Arc<Model> {
        &self.notes.seen
    }

    /// The same with an equal model in the place of the one that was seen.
    pub(crate) fn with_seen(mut self, seen: Arc<Model>) -> Self {
        debug_assert_eq!(self.notes.seen, seen);
        self.notes.seen = seen;
        self
    }

    /// About how many bytes of memory it takes, without what it shares with others.
    pub(crate) fn size(&self) -> usize {
        let data = self.events.iter().map(|event| match event {
            Event::Prog { data, .. } => data.len(),
            _ => 0,
        });
        let values = self.notes.operations.iter().map(|(operation, _)| {
            let keys = operation.keys().map(size_of_val);
            keys.sum::<usize>() + size_of::<(Operation, bool)>()
        });
        let blocks = match &self.image {
            Image::Blocks(blocks) => blocks.own_size(),
            Image::Erased => 0,
            Image::Bytes(bytes) => bytes.len(),
        };
        size_of::<Self>()
            + blocks
            + size_of_val(self.events.as_slice())
            + data.sum::<usize>()
            + values.sum::<usize>()
    }
}
