//! User attributes, changed.

use super::read::Found;
use super::{Store, not_an_entry};
use crate::clock::Clock;
use crate::device::BlockDevice;
use crate::disk::contents::Edit;
use crate::error::Error;
use crate::key::Key;
use crate::store::tree::{Place, Slot};
use alloc::vec::Vec;

impl<D: BlockDevice, C: Clock> Store<D, C> {
    /// The attribute of type `kind` of `key`, if it has one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::DictionaryExpected`] where a value stands above the key; [`Error::Corrupt`],
    /// [`Error::Device`].
    pub fn attribute(&mut self, key: &Key, kind: u8) -> Result<Option<Vec<u8>>, Error> {
        let slot = self.slot(key)?;
        let attributes = slot.entry().map(|entry| &entry.attributes);
        Ok(attributes
            .and_then(|list| list.get(kind))
            .map(<[u8]>::to_vec))
    }

    /// Sets the attribute of type `kind` of `key`, a value, a dictionary or the root.
    ///
    /// # Errors
    ///
    /// As [`attribute`](Self::attribute), and [`Error::AttributeTooLong`], [`Error::EntryTooLarge`],
    /// [`Error::NoSpace`], [`Error::ReadOnly`].
    pub fn set_attribute(&mut self, key: &Key, kind: u8, data: &[u8]) -> Result<(), Error> {
        self.mutate(|store| {
            let limit = store.volume.limits.attribute;
            if data.len() > limit as usize {
                return Err(Error::AttributeTooLong {
                    key: key.clone(),
                    limit,
                });
            }
            let slot = store.slot(key)?;
            if let Some(entry) = slot.entry() {
                let mut entry = entry.clone();
                entry.attributes.insert(kind, data.to_vec());
                store.check_fits(key, &entry)?;
            }
            let edits = [Edit::SetAttribute(slot.id, kind, data.to_vec())].into();
            Ok(store.volume.commit(slot.pair, edits, store.volume.global)?)
        })
    }

    /// Removes the attribute of type `kind` of `key`; where there is none, nothing happens.
    ///
    /// # Errors
    ///
    /// As [`attribute`](Self::attribute), and [`Error::NoSpace`], [`Error::ReadOnly`].
    pub fn remove_attribute(&mut self, key: &Key, kind: u8) -> Result<(), Error> {
        self.mutate(|store| {
            let slot = store.slot(key)?;
            if slot
                .entry()
                .is_none_or(|entry| entry.attributes.get(kind).is_none())
            {
                return Ok(());
            }
            let edits = [Edit::RemoveAttribute(slot.id, kind)].into();
            Ok(store.volume.commit(slot.pair, edits, store.volume.global)?)
        })
    }

    /// The entry that the attributes of `key` stand on.
    fn slot(&mut self, key: &Key) -> Result<Slot, Error> {
        let slot = match self.node_at(key)? {
            Found::Dictionary(_, slot) => slot,
            Found::Value(_) => match self.volume.locate(key)? {
                Place::Found(slot, _) => slot,
                _ => return Err(Error::NotFound(key.clone())),
            },
        };
        match slot.entry() {
            Some(_) => Ok(slot),
            None => Err(not_an_entry(slot.pair.block(), slot.id)),
        }
    }
}
