//! Calls that make, change and remove.

use super::read::value_size;
use super::{Kind, Store, kind_of, not_an_entry};
use crate::clock::{Clock, Timestamp};
use crate::device::{BlockDevice, BlockId};
use crate::disk::contents::Edit;
use crate::disk::ctz;
use crate::disk::entry::{Body, CtzStruct, Entry};
use crate::error::Error;
use crate::key::Key;
use crate::phase::Phase;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::store::tree::{Place, Slot};
use alloc::vec;
use alloc::vec::Vec;

/// A value about to be stored: its blocks so far, and what is to be written to those behind the first `kept`.
struct Plan {
    blocks: Vec<BlockId>,
    kept: usize,
    data: Vec<u8>,
}

/// Where a value goes.
enum Target<'k> {
    /// Over this entry.
    Over(Slot, Entry),
    /// To this slot, below the dictionaries named first.
    New(Slot, Vec<&'k [u8]>),
}

impl<D: BlockDevice, C: Clock> Store<D, C> {
    /// Puts `value` under `key`, in place of the value there or as a new one; dictionaries above it that do not exist
    /// are made in the same atomic step. Attributes of a value that is replaced stay, but for its time.
    ///
    /// # Errors
    ///
    /// [`Error::ValueExpected`] where the key is a dictionary, [`Error::DictionaryExpected`] where a value stands
    /// above it, [`Error::NameTooLong`], [`Error::NameNotAllowed`], [`Error::ValueTooLong`],
    /// [`Error::EntryTooLarge`], [`Error::NoSpace`]; [`Error::Corrupt`], [`Error::Device`], [`Error::ReadOnly`].
    pub fn set(&mut self, key: &Key, value: &[u8]) -> Result<(), Error> {
        self.mutate(|store| {
            store.check_length(key, value.len() as u64)?;
            let target = store.target(key)?;
            store.store_value(key, target, value.to_vec())
        })
    }

    /// Puts `value` into the value under `key` from `offset` on; what the value holds before and behind that stays.
    /// Where it is shorter than `offset`, `value` goes to its end; where there is none, `value` is all of it, and
    /// dictionaries above it are made. Where there is a value and nothing to put into it, nothing happens: it keeps its
    /// time.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_partial(&mut self, key: &Key, offset: u32, value: &[u8]) -> Result<(), Error> {
        self.mutate(|store| {
            let target = store.target(key)?;
            let size = target.size();
            let offset = offset.min(size);
            let end = u64::from(offset) + value.len() as u64;
            store.check_length(key, end.max(u64::from(size)))?;
            if value.is_empty() && matches!(target, Target::Over(..)) {
                return Ok(());
            }
            store.splice(key, target, offset, value, end as u32)
        })
    }

    /// Cuts the value under `key` to `size` bytes, or lengthens it by zero bytes. Where it has that size, nothing happens:
    /// it keeps its time.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is no value, else as [`set`](Self::set).
    pub fn truncate(&mut self, key: &Key, size: u32) -> Result<(), Error> {
        self.mutate(|store| {
            store.check_length(key, u64::from(size))?;
            let target = store.target(key)?;
            let Target::Over(slot, entry) = target else {
                return Err(Error::NotFound(key.clone()));
            };
            let old = value_size(&entry);
            if size == old {
                return Ok(());
            }
            if size > old {
                let zeros = vec![0; (size - old) as usize];
                return store.splice(key, Target::Over(slot, entry), old, &zeros, size);
            }
            if let Body::Ctz(value) = entry.body
                && size as usize > store.volume.inline_limit()
            {
                // A shorter list is the same one, entered further down.
                let body = Body::Ctz(store.volume.cut_ctz(value, size)?);
                return store.replace(key, slot, entry, body);
            }
            let mut rest = vec![0; size as usize];
            store.read_entry(&entry, 0, &mut rest)?;
            store.store_value(key, Target::Over(slot, entry), rest)
        })
    }

    /// Makes a value of `size` zero bytes under `key`.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyPresent`] where the key is a value, else as [`set`](Self::set).
    pub fn allocate(&mut self, key: &Key, size: u32) -> Result<(), Error> {
        self.mutate(|store| {
            store.check_length(key, u64::from(size))?;
            match store.target(key)? {
                Target::Over(..) => Err(Error::AlreadyPresent(key.clone())),
                target @ Target::New(..) => {
                    // Before the zeros are made: there may be more than the device, or the memory, has room for.
                    let geometry = store.volume.geometry();
                    if u64::from(size) > geometry.capacity() {
                        return Err(Error::NoSpace);
                    }
                    store.store_value(key, target, vec![0; size as usize])
                }
            }
        })
    }

    /// Makes an empty dictionary under `key`, and those above it that do not exist, in one atomic step.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyPresent`] where the key names anything, [`Error::DictionaryExpected`] where a value stands
    /// above it, [`Error::NameTooLong`], [`Error::NameNotAllowed`], [`Error::EntryTooLarge`], [`Error::NoSpace`];
    /// [`Error::Corrupt`], [`Error::Device`], [`Error::ReadOnly`].
    pub fn create_dictionary(&mut self, key: &Key) -> Result<(), Error> {
        self.mutate(|store| match store.volume.locate(key)? {
            Place::Root | Place::Found(..) => Err(Error::AlreadyPresent(key.clone())),
            Place::Blocked(above) => Err(Error::DictionaryExpected(above)),
            Place::Free(slot, names) => {
                store.check_names(key, &names)?;
                Ok(store.volume.during(Phase::Branch, |volume| {
                    volume.put_branch(key, slot, &names, None, None)
                })?)
            }
        })
    }

    /// Removes `key`; a dictionary with all it holds, in one atomic step. Where there is nothing, nothing happens.
    ///
    /// # Errors
    ///
    /// [`Error::RootFixed`]; [`Error::NoSpace`] where an image of another writer's leaves its pairs no room at all;
    /// [`Error::Corrupt`], [`Error::Device`], [`Error::ReadOnly`].
    pub fn remove(&mut self, key: &Key) -> Result<(), Error> {
        self.mutate(|store| match store.volume.locate(key)? {
            Place::Root => Err(Error::RootFixed),
            Place::Free(..) | Place::Blocked(_) => Ok(()),
            Place::Found(slot, entry) => match entry.body {
                Body::Dictionary(head) => Ok(store.volume.during(Phase::Removal, |volume| {
                    volume.remove_dictionary(&slot, head)
                })?),
                _ => Ok(store.volume.delete(slot)?),
            },
        })
    }

    fn check_length(&self, key: &Key, length: u64) -> Result<(), Error> {
        let limit = self.volume.limits.value;
        if length > u64::from(limit) {
            return Err(Error::ValueTooLong {
                key: key.clone(),
                limit,
            });
        }
        Ok(())
    }

    /// Where a value under `key` goes.
    fn target<'k>(&mut self, key: &'k Key) -> Result<Target<'k>, Error> {
        match self.volume.locate(key)? {
            Place::Root => Err(Error::ValueExpected(key.clone())),
            Place::Blocked(above) => Err(Error::DictionaryExpected(above)),
            Place::Found(slot, entry) => match kind_of(&entry) {
                Kind::Dictionary => Err(Error::ValueExpected(key.clone())),
                Kind::Value => Ok(Target::Over(slot, entry)),
            },
            Place::Free(slot, names) => {
                self.check_names(key, &names)?;
                Ok(Target::New(slot, names))
            }
        }
    }

    /// Stores `value` as all of the value under `key`.
    fn store_value(&mut self, key: &Key, target: Target<'_>, value: Vec<u8>) -> Result<(), Error> {
        #[cfg(feature = "sabotage")]
        self.free_early(&target)?;
        self.store(key, target, 0, Vec::new(), value)
    }

    /// Puts `value` at `offset`, which is at most the size, and up to `end`.
    fn splice(
        &mut self,
        key: &Key,
        target: Target<'_>,
        offset: u32,
        value: &[u8],
        end: u32,
    ) -> Result<(), Error> {
        let mut kept = Vec::new();
        let mut start = 0;
        if let Target::Over(_, entry) = &target
            && let Body::Ctz(old) = entry.body
        {
            // Blocks before the first byte that changes are shared: pointers lead from later ones to earlier ones.
            let block_size = self.volume.geometry().block_size();
            let first = ctz::locate(offset, block_size);
            start = offset - (first.offset - ctz::header_size(first.index));
            kept = self.volume.first_ctz_blocks(old, first.index)?;
        }
        let size = target.size();
        let mut data = vec![0; (size.max(end) - start) as usize];
        if let Target::Over(_, entry) = &target {
            self.read_entry(entry, start, &mut data[..(size - start) as usize])?;
        }
        data[(offset - start) as usize..(end - start) as usize].copy_from_slice(value);
        self.store(key, target, start, kept, data)
    }

    /// Stores the value that stands in the blocks `kept`, which hold its first `start` bytes, followed by `data`.
    fn store(
        &mut self,
        key: &Key,
        target: Target<'_>,
        start: u32,
        kept: Vec<BlockId>,
        data: Vec<u8>,
    ) -> Result<(), Error> {
        let size = start + data.len() as u32;
        let mut entry = match &target {
            Target::Over(_, entry) => entry.clone(),
            Target::New(_, names) => {
                let name = names.last().copied().unwrap_or_default();
                Entry::new(name, Body::Inline(Vec::new()))
            }
        };
        if let Some(now) = self.clock.now() {
            entry
                .attributes
                .insert(Timestamp::ATTRIBUTE, now.encode().to_vec());
        }
        if kept.is_empty() && data.len() <= self.volume.inline_limit() {
            entry.body = Body::Inline(data.clone());
            // Long names and attributes can push a short value out of its entry.
            if data.is_empty() || self.volume.fits(&entry) {
                self.check_fits(key, &entry)?;
                return self.show(key, target, entry);
            }
        }
        let mut plan = Plan {
            kept: kept.len(),
            blocks: kept,
            data,
        };
        let count = ctz::block_count(size, self.volume.geometry().block_size());
        let more = count - plan.kept as u32;
        plan.blocks.extend(self.volume.allocate_blocks(more)?);
        entry.body = ctz_body(&plan.blocks, size);
        self.check_fits(key, &entry)?;
        #[cfg(feature = "sabotage")]
        if self.volume.settings.sabotage == Some(Sabotage::CommitBeforeData) {
            self.show(key, target, entry)?;
            self.write_plan(&mut plan)?;
            return Ok(self.volume.medium.sync()?);
        }
        self.write_plan(&mut plan)?;
        // Where the last block was bad, another one has taken its place.
        entry.body = ctz_body(&plan.blocks, size);
        self.show(key, target, entry)
    }

    fn write_plan(&mut self, plan: &mut Plan) -> Result<(), Error> {
        let Plan { blocks, kept, data } = plan;
        Ok(self.volume.during(Phase::Values, |volume| {
            volume.write_ctz(blocks, *kept, data)
        })?)
    }

    /// Makes the commit that shows `entry` at its target.
    fn show(&mut self, key: &Key, target: Target<'_>, entry: Entry) -> Result<(), Error> {
        match target {
            Target::Over(slot, old) => {
                let mut edits = Vec::from([Edit::Replace(slot.id, entry.body)]);
                for (kind, data) in entry.attributes.iter() {
                    if old.attributes.get(kind) != Some(data) {
                        edits.push(Edit::SetAttribute(slot.id, kind, data.to_vec()));
                    }
                }
                Ok(self.volume.commit(slot.pair, edits, self.volume.global)?)
            }
            Target::New(slot, names) => self.insert(key, slot, &names, entry, None),
        }
    }

    /// Gives a value another body, and the time.
    fn replace(&mut self, key: &Key, slot: Slot, entry: Entry, body: Body) -> Result<(), Error> {
        let mut edits = Vec::from([Edit::Replace(slot.id, body)]);
        if let Some(now) = self.clock.now() {
            let time = now.encode().to_vec();
            let mut timed = entry;
            timed.attributes.insert(Timestamp::ATTRIBUTE, time.clone());
            self.check_fits(key, &timed)?;
            edits.push(Edit::SetAttribute(slot.id, Timestamp::ATTRIBUTE, time));
        }
        Ok(self.volume.commit(slot.pair, edits, self.volume.global)?)
    }

    /// Puts a new entry at the slot, which is the place of the first of the names; the last is the entry's.
    pub(super) fn insert(
        &mut self,
        key: &Key,
        slot: Slot,
        names: &[&[u8]],
        entry: Entry,
        source: Option<&Key>,
    ) -> Result<(), Error> {
        match names.split_last() {
            None => Err(not_an_entry(slot.pair.block(), slot.id)),
            Some((_, [])) => Ok(self.volume.put(slot, false, entry, source)?),
            Some((_, above)) => Ok(self.volume.during(Phase::Branch, |volume| {
                volume.put_branch(key, slot, above, Some(entry), source)
            })?),
        }
    }

    #[cfg(feature = "sabotage")]
    fn free_early(&mut self, target: &Target<'_>) -> Result<(), Error> {
        if let (Some(Sabotage::FreeEarly), Target::Over(_, entry)) =
            (self.volume.settings.sabotage, target)
            && let Body::Ctz(value) = entry.body
        {
            let blocks = self.volume.first_ctz_blocks(
                value,
                ctz::block_count(value.size, self.volume.geometry().block_size()),
            )?;
            self.volume.allocator.free_early(&blocks);
        }
        Ok(())
    }
}

impl Target<'_> {
    /// Bytes of the value there.
    fn size(&self) -> u32 {
        match self {
            Self::Over(_, entry) => value_size(entry),
            Self::New(..) => 0,
        }
    }
}

/// The body of a value in these blocks, at least one.
fn ctz_body(blocks: &[BlockId], size: u32) -> Body {
    match blocks.last() {
        Some(&head) => Body::Ctz(CtzStruct { head, size }),
        None => Body::Inline(Vec::new()),
    }
}
