//! What each operation does to the model, and when it is refused: mirage-kv's meaning.

use super::{Content, Model, ModelNode};
use crate::op::Operation;
use crate::refusal::Refusal;
use cutpoint_engine::Key;

impl Model {
    /// Does what `operation` should do to a store in this state.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] that a store must answer with; the model is then unchanged. A lack of room is not among them:
    /// see [`room_is_tight`](super::room_is_tight).
    pub fn apply(&mut self, operation: &Operation) -> Result<(), Refusal> {
        match operation {
            Operation::Set { key, value } => self.set(key, Content::bytes(value.bytes())),
            Operation::Remove { key } => self.remove(key),
            Operation::Rename { source, dest } => self.rename(source, dest),
            Operation::CreateDictionary { key } => self.create_dictionary(key),
            Operation::Sync | Operation::Remount => Ok(()),
        }
    }

    fn set(&mut self, key: &Key, content: Content) -> Result<(), Refusal> {
        if self.is_dictionary(key) {
            return Err(Refusal::ValueExpected);
        }
        self.make_parents(key)?;
        let attributes = self
            .nodes
            .get(key)
            .map(|node| node.attributes().clone())
            .unwrap_or_default();
        let node = ModelNode::Value {
            content,
            attributes,
        };
        self.nodes.insert(key.clone(), node);
        Ok(())
    }

    fn remove(&mut self, key: &Key) -> Result<(), Refusal> {
        if key.is_root() {
            return Err(Refusal::RootFixed);
        }
        self.nodes.retain(|other, _| !other.starts_with(key));
        Ok(())
    }

    fn create_dictionary(&mut self, key: &Key) -> Result<(), Refusal> {
        if key.is_root() || self.nodes.contains_key(key) {
            return Err(Refusal::AlreadyPresent);
        }
        self.make_parents(key)?;
        self.nodes.insert(key.clone(), ModelNode::dictionary());
        Ok(())
    }

    fn rename(&mut self, source: &Key, dest: &Key) -> Result<(), Refusal> {
        let Some(name) = source.name() else {
            return Err(Refusal::RootFixed);
        };
        let Some(node) = self.nodes.get(source) else {
            return Err(Refusal::NotFound);
        };
        if source == dest {
            return Ok(());
        }
        let moves_dictionary = node.is_dictionary();
        if moves_dictionary && dest.starts_with(source) {
            return Err(Refusal::RenameSourcePrefix);
        }
        if self.is_dictionary(dest) {
            let inside = dest.child(name);
            if inside == *source {
                return Ok(());
            }
            if let Some(there) = self.nodes.get(&inside)
                && (moves_dictionary || there.is_dictionary())
            {
                return Err(Refusal::AlreadyPresent);
            }
            self.move_to(source, &inside);
            return Ok(());
        }
        if moves_dictionary && self.nodes.contains_key(dest) {
            return Err(Refusal::ValueExpected);
        }
        self.make_parents(dest)?;
        self.move_to(source, dest);
        Ok(())
    }

    /// Moves what stands under `source`, and all below it, to `dest`, where nothing stands or a value that goes.
    fn move_to(&mut self, source: &Key, dest: &Key) {
        let mut moving: Vec<Key> = self.keys_below(source).cloned().collect();
        moving.push(source.clone());
        for key in moving {
            let moved =
                Key::new([dest.as_bytes(), &key.as_bytes()[source.as_bytes().len()..]].concat());
            if let Some(node) = self.nodes.remove(&key) {
                self.nodes.insert(moved, node);
            }
        }
    }

    /// Makes the dictionaries above `key` that are missing; none is made where one of them is a value.
    fn make_parents(&mut self, key: &Key) -> Result<(), Refusal> {
        let mut missing = Vec::new();
        let mut parent = key.parent();
        while let Some(above) = parent
            && !above.is_root()
        {
            match self.nodes.get(&above) {
                Some(ModelNode::Dictionary { .. }) => break,
                Some(ModelNode::Value { .. }) => return Err(Refusal::DictionaryExpected),
                None => {}
            }
            parent = above.parent();
            missing.push(above);
        }
        for key in missing {
            self.nodes.insert(key, ModelNode::dictionary());
        }
        Ok(())
    }

    fn keys_below<'a>(&'a self, key: &'a Key) -> impl Iterator<Item = &'a Key> {
        self.nodes
            .keys()
            .filter(move |other| *other != key && other.starts_with(key))
    }
}

#[cfg(test)]
mod tests;
