//! What each operation does to the model, and when it is refused: mirage-kv's meaning.

use super::{Attributes, Content, Model, ModelNode};
use crate::op::Operation;
use crate::refusal::Refusal;
use cutpoint_engine::{Key, Timestamp};

/// The type of the attribute that holds the time at which a value was last set: days since 1970-01-01 (32 bits) and
/// picoseconds of that day (64 bits), both little-endian.
pub const TIME_ATTRIBUTE: u8 = 0x74;

impl Model {
    /// Does what `operation` should do to a store in this state that keeps no times.
    ///
    /// # Errors
    ///
    /// As [`apply_at`](Self::apply_at).
    ///
    /// # Panics
    ///
    /// As [`apply_at`](Self::apply_at).
    pub fn apply(&mut self, operation: &Operation) -> Result<(), Refusal> {
        self.apply_at(operation, None)
    }

    /// Does what `operation` should do at this time to a store in this state; without a time, to one that keeps none.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] that a store must answer with; the model is then unchanged. A lack of room is not among them
    /// (see [`room_is_tight`](super::room_is_tight)), nor are limits on names and attributes (see
    /// [`entry_bytes`](super::entry_bytes)).
    ///
    /// # Panics
    ///
    /// Where it cannot foresee what the operation leads to: see [`foresees`](Self::foresees).
    pub fn apply_at(
        &mut self,
        operation: &Operation,
        time: Option<Timestamp>,
    ) -> Result<(), Refusal> {
        match operation {
            Operation::Set { key, value } => {
                if self.is_dictionary(key) {
                    return Err(Refusal::ValueExpected);
                }
                self.put(key, Content::bytes(value.bytes()), time)
            }
            Operation::SetPartial { key, offset, value } => {
                self.set_partial(key, *offset as usize, &value.bytes(), time)
            }
            Operation::Truncate { key, size } => self.truncate(key, *size, time),
            Operation::Allocate { key, size } => self.allocate(key, *size, time),
            Operation::SetAttribute { key, kind, data } => {
                let data = data.bytes().into_owned();
                self.attributes_mut(key)?.insert(*kind, data);
                Ok(())
            }
            Operation::RemoveAttribute { key, kind } => {
                self.attributes_mut(key)?.remove(kind);
                Ok(())
            }
            Operation::Remove { key } => self.remove(key),
            Operation::Rename { source, dest } => self.rename(source, dest),
            Operation::CreateDictionary { key } => self.create_dictionary(key),
            Operation::Sync | Operation::Remount => Ok(()),
        }
    }

    /// Whether it can tell what `operation` leads to: not where that changes part of a value which is known by its
    /// digest alone.
    pub fn foresees(&self, operation: &Operation) -> bool {
        match operation {
            Operation::SetPartial { key, .. } | Operation::Truncate { key, .. } => {
                !matches!(self.get(key), Some(ModelNode::Value { content, .. }) if content.known().is_none())
            }
            _ => true,
        }
    }

    /// Makes `content` what stands under `key`, where no dictionary stands.
    fn put(&mut self, key: &Key, content: Content, time: Option<Timestamp>) -> Result<(), Refusal> {
        self.make_parents(key)?;
        let mut attributes = self
            .nodes
            .get(key)
            .map(|node| node.attributes().clone())
            .unwrap_or_default();
        if let Some(time) = time {
            let [days, picoseconds] = [
                &time.days().to_le_bytes()[..],
                &time.picoseconds().to_le_bytes(),
            ];
            attributes.insert(TIME_ATTRIBUTE, [days, picoseconds].concat());
        }
        let node = ModelNode::Value {
            content,
            attributes,
        };
        self.nodes.insert(key.clone(), node);
        Ok(())
    }

    fn set_partial(
        &mut self,
        key: &Key,
        offset: usize,
        value: &[u8],
        time: Option<Timestamp>,
    ) -> Result<(), Refusal> {
        let mut bytes = match self.value_at(key)? {
            Some(_) if value.is_empty() => return Ok(()),
            Some(content) => known(content).to_vec(),
            None => Vec::new(),
        };
        let start = offset.min(bytes.len());
        let end = start + value.len();
        bytes.resize(bytes.len().max(end), 0);
        bytes[start..end].copy_from_slice(value);
        self.put(key, Content::bytes(bytes), time)
    }

    fn truncate(&mut self, key: &Key, size: u32, time: Option<Timestamp>) -> Result<(), Refusal> {
        let content = self.value_at(key)?.ok_or(Refusal::NotFound)?;
        if content.len() == u64::from(size) {
            return Ok(());
        }
        let mut bytes = known(content).to_vec();
        bytes.resize(size as usize, 0);
        self.put(key, Content::bytes(bytes), time)
    }

    fn allocate(&mut self, key: &Key, size: u32, time: Option<Timestamp>) -> Result<(), Refusal> {
        match self.value_at(key)? {
            Some(_) => Err(Refusal::AlreadyPresent),
            None => self.put(key, Content::bytes(vec![0; size as usize]), time),
        }
    }

    /// What the value under `key` holds; none where there is nothing.
    fn value_at(&self, key: &Key) -> Result<Option<&Content>, Refusal> {
        if self.is_dictionary(key) {
            return Err(Refusal::ValueExpected);
        }
        match self.nodes.get(key) {
            Some(ModelNode::Value { content, .. }) => Ok(Some(content)),
            _ if self.is_below_value(key) => Err(Refusal::DictionaryExpected),
            _ => Ok(None),
        }
    }

    fn attributes_mut(&mut self, key: &Key) -> Result<&mut Attributes, Refusal> {
        let absent = if self.is_below_value(key) {
            Refusal::DictionaryExpected
        } else {
            Refusal::NotFound
        };
        if key.is_root() {
            return Ok(&mut self.root_attributes);
        }
        match self.nodes.get_mut(key) {
            Some(ModelNode::Dictionary { attributes } | ModelNode::Value { attributes, .. }) => {
                Ok(attributes)
            }
            None => Err(absent),
        }
    }

    fn is_below_value(&self, key: &Key) -> bool {
        let mut above = std::iter::successors(key.parent(), Key::parent);
        above.any(|key| matches!(self.nodes.get(&key), Some(ModelNode::Value { .. })))
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

/// The bytes of a value that is about to be changed in part.
fn known(content: &Content) -> &[u8] {
    match content.known() {
        Some(bytes) => bytes,
        None => panic!(
            "a value known by its digest alone cannot be changed in part: Workload::check refuses that"
        ),
    }
}

#[cfg(test)]
mod tests;
