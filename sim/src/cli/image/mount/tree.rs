//! The files and folders that a store shows, with those that programs have open.

use super::errno::errno;
use super::nodes::{Nodes, Number};
use cutpoint_engine::device::FileDevice;
use cutpoint_engine::{Error, Info, Key, Kind, Store, SystemClock, Timestamp, Usage};
use fuser::Errno;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// A store, the numbers of what is in it, and the files that are open.
///
/// What is written to an open file is kept in memory until the file is synced or closed, and is then one change of the
/// store, atomic and durable. All else is a change of the store at once.
#[derive(Debug)]
pub(super) struct Tree {
    store: Store<FileDevice, SystemClock>,
    nodes: Nodes,
    open: BTreeMap<Number, Open>,
}

/// A file that is open.
#[derive(Debug, Default)]
struct Open {
    handles: u32,
    /// The content, where it is other than the store's or its entry is gone.
    content: Option<Content>,
}

#[derive(Debug)]
struct Content {
    bytes: Vec<u8>,
    modified: SystemTime,
    /// Whether the store has yet to get it.
    dirty: bool,
}

/// What is known of a file or a folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes {
    pub(super) number: Number,
    pub(super) kind: Kind,
    /// Bytes of a file.
    pub(super) size: u64,
    pub(super) modified: SystemTime,
}

/// An entry of a folder.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    /// None where the kernel does not know it yet.
    pub(super) number: Option<Number>,
}

impl Tree {
    pub(super) fn new(store: Store<FileDevice, SystemClock>) -> Self {
        Self {
            store,
            nodes: Nodes::new(),
            open: BTreeMap::new(),
        }
    }

    /// The limits and sizes of the store, and how full it is.
    pub(super) fn usage(&mut self) -> Result<(Info, Usage), Errno> {
        let usage = self.store.usage().map_err(|error| errno(&error))?;
        Ok((self.store.info(), usage))
    }

    pub(super) fn lookup(&mut self, parent: Number, name: &[u8]) -> Result<Attributes, Errno> {
        let key = self.child(parent, name)?;
        if self.kind(&key)?.is_none() {
            return Err(Errno::ENOENT);
        }
        let number = self.nodes.told(&key);
        self.attributes(number)
    }

    pub(super) fn forget(&mut self, number: Number, lookups: u64) {
        self.nodes.forget(number, lookups);
    }

    pub(super) fn attributes(&mut self, number: Number) -> Result<Attributes, Errno> {
        if let Some(content) = self.content(number) {
            return Ok(Attributes {
                number,
                kind: Kind::Value,
                size: content.bytes.len() as u64,
                modified: content.modified,
            });
        }
        let key = self.key(number)?;
        let kind = self.kind(&key)?.ok_or(Errno::ENOENT)?;
        let (size, time) = match kind {
            Kind::Value => (self.call(|store| store.size(&key))?, None),
            Kind::Dictionary => {
                let stored = self.call(|store| store.attribute(&key, Timestamp::ATTRIBUTE))?;
                (0, stored.and_then(|data| Timestamp::decode(&data)))
            }
        };
        let time = match time {
            Some(time) => Some(time),
            None => self.call(|store| store.last_modified(&key))?,
        };
        Ok(Attributes {
            number,
            kind,
            size,
            modified: time
                .and_then(Timestamp::to_system_time)
                .unwrap_or(UNIX_EPOCH),
        })
    }

    /// The entries of a folder.
    pub(super) fn list(&mut self, number: Number) -> Result<Vec<Listed>, Errno> {
        let key = self.key(number)?;
        let entries = self.call(|store| store.list(&key))?;
        let listed = entries.into_iter().map(|(key, kind)| Listed {
            name: key.name().unwrap_or_default().to_vec(),
            kind,
            number: self.nodes.number(&key),
        });
        Ok(listed.collect())
    }

    /// Opens a file, emptied where `truncate`.
    pub(super) fn open(&mut self, number: Number, truncate: bool) -> Result<(), Errno> {
        let key = self.key(number)?;
        match self.kind(&key)? {
            None => return Err(Errno::ENOENT),
            Some(Kind::Dictionary) => return Err(Errno::EISDIR),
            Some(Kind::Value) => {}
        }
        let open = self.open.entry(number).or_default();
        open.handles += 1;
        if truncate {
            open.content = Some(Content::written(Vec::new()));
        }
        Ok(())
    }

    /// Makes an empty file and opens it.
    pub(super) fn create(&mut self, parent: Number, name: &[u8]) -> Result<Attributes, Errno> {
        let key = self.child(parent, name)?;
        if self.kind(&key)?.is_some() {
            return Err(Errno::EEXIST);
        }
        self.call(|store| store.set(&key, b""))?;
        let number = self.nodes.told(&key);
        self.open(number, false)?;
        self.attributes(number)
    }

    pub(super) fn read(
        &mut self,
        number: Number,
        offset: u64,
        size: u32,
    ) -> Result<Vec<u8>, Errno> {
        if let Some(content) = self.content(number) {
            let rest = usize::try_from(offset)
                .ok()
                .and_then(|offset| content.bytes.get(offset..))
                .unwrap_or_default();
            return Ok(rest[..rest.len().min(size as usize)].to_vec());
        }
        let key = self.key(number)?;
        match u32::try_from(offset) {
            Ok(offset) => self.call(|store| store.get_partial(&key, offset, size)),
            Err(_) => Ok(Vec::new()),
        }
    }

    pub(super) fn write(&mut self, number: Number, offset: u64, data: &[u8]) -> Result<(), Errno> {
        let end = self.fitting(offset.saturating_add(data.len() as u64))?;
        let content = self.loaded(number)?;
        if content.bytes.len() < end {
            content.bytes.resize(end, 0);
        }
        content.bytes[end - data.len()..end].copy_from_slice(data);
        content.touch();
        Ok(())
    }

    /// Cuts or lengthens a file: an open one in memory, another at once.
    pub(super) fn resize(&mut self, number: Number, size: u64) -> Result<(), Errno> {
        let size = self.fitting(size)?;
        if self.open.contains_key(&number) {
            let content = self.loaded(number)?;
            content.bytes.resize(size, 0);
            content.touch();
            return Ok(());
        }
        let key = self.key(number)?;
        self.call(|store| store.truncate(&key, size as u32))
    }

    /// Sets the time of the last change.
    pub(super) fn set_modified(&mut self, number: Number, time: SystemTime) -> Result<(), Errno> {
        // What has been written so far was so before that time.
        self.flush(number)?;
        let time = Timestamp::from_system_time(time).ok_or(Errno::EINVAL)?;
        let key = self.key(number)?;
        if let Some(content) = self
            .open
            .get_mut(&number)
            .and_then(|open| open.content.as_mut())
        {
            content.modified = time.to_system_time().unwrap_or(UNIX_EPOCH);
        }
        self.call(|store| store.set_attribute(&key, Timestamp::ATTRIBUTE, &time.encode()))
    }

    /// Brings what has been written to an open file into the store.
    pub(super) fn flush(&mut self, number: Number) -> Result<(), Errno> {
        let key = self.nodes.key(number).cloned();
        let content = self
            .open
            .get_mut(&number)
            .and_then(|open| open.content.as_mut());
        if let (Some(key), Some(content)) = (key, content)
            && content.dirty
        {
            self.store
                .set(&key, &content.bytes)
                .map_err(|error| errno(&error))?;
            content.dirty = false;
        }
        Ok(())
    }

    /// Brings all that has been written into the store, as far as that goes.
    pub(super) fn flush_all(&mut self) -> Result<(), Errno> {
        let numbers: Vec<_> = self.open.keys().copied().collect();
        let results: Vec<_> = numbers
            .into_iter()
            .map(|number| self.flush(number))
            .collect();
        results.into_iter().collect()
    }

    /// Closes a file once.
    pub(super) fn close(&mut self, number: Number) -> Result<(), Errno> {
        let flushed = self.flush(number);
        if let Some(open) = self.open.get_mut(&number) {
            open.handles -= 1;
            if open.handles == 0 {
                self.open.remove(&number);
            }
        }
        flushed
    }

    pub(super) fn make_folder(&mut self, parent: Number, name: &[u8]) -> Result<Attributes, Errno> {
        let key = self.child(parent, name)?;
        self.call(|store| store.create_dictionary(&key))?;
        let number = self.nodes.told(&key);
        self.attributes(number)
    }

    pub(super) fn remove_file(&mut self, parent: Number, name: &[u8]) -> Result<(), Errno> {
        let key = self.child(parent, name)?;
        match self.kind(&key)? {
            None => Err(Errno::ENOENT),
            Some(Kind::Dictionary) => Err(Errno::EISDIR),
            Some(Kind::Value) => {
                self.keep_open(&key)?;
                self.call(|store| store.remove(&key))?;
                self.nodes.remove(&key);
                Ok(())
            }
        }
    }

    pub(super) fn remove_folder(&mut self, parent: Number, name: &[u8]) -> Result<(), Errno> {
        let key = self.child(parent, name)?;
        self.require_empty(&key)?;
        self.call(|store| store.remove(&key))?;
        self.nodes.remove(&key);
        Ok(())
    }

    /// Renames; a file takes the place of a file, a folder that of an empty folder, unless there must be nothing.
    pub(super) fn rename(
        &mut self,
        (from, old): (Number, &[u8]),
        (to, new): (Number, &[u8]),
        replace: bool,
    ) -> Result<(), Errno> {
        let (source, dest) = (self.child(from, old)?, self.child(to, new)?);
        if dest.starts_with(&source) {
            return if dest == source {
                Ok(())
            } else {
                Err(Errno::EINVAL)
            };
        }
        match (self.kind(&source)?, self.kind(&dest)?) {
            (None, _) => return Err(Errno::ENOENT),
            (_, None) => {}
            (_, Some(_)) if !replace => return Err(Errno::EEXIST),
            (Some(Kind::Value), Some(Kind::Dictionary)) => return Err(Errno::EISDIR),
            (Some(Kind::Dictionary), Some(Kind::Value)) => return Err(Errno::ENOTDIR),
            (Some(Kind::Value), Some(Kind::Value)) => self.keep_open(&dest)?,
            (Some(Kind::Dictionary), Some(Kind::Dictionary)) => {
                self.require_empty(&dest)?;
                // Else the store would put one into the other.
                self.call(|store| store.remove(&dest))?;
            }
        }
        self.call(|store| store.rename(&source, &dest))?;
        self.nodes.rename(&source, &dest);
        Ok(())
    }

    /// A file whose entry goes can be read for as long as it is open.
    fn keep_open(&mut self, key: &Key) -> Result<(), Errno> {
        match self.nodes.number(key) {
            Some(number) if self.open.contains_key(&number) => self.loaded(number).map(drop),
            _ => Ok(()),
        }
    }

    fn require_empty(&mut self, key: &Key) -> Result<(), Errno> {
        if self.call(|store| store.list(key))?.is_empty() {
            Ok(())
        } else {
            Err(Errno::ENOTEMPTY)
        }
    }

    /// The content of an open file, in memory.
    fn loaded(&mut self, number: Number) -> Result<&mut Content, Errno> {
        let open = self.open.get_mut(&number).ok_or(Errno::EBADF)?;
        let content = if let Some(content) = open.content.take() {
            content
        } else {
            let key = self.nodes.key(number).ok_or(Errno::ENOENT)?;
            let failed = |error| errno(&error);
            let time = self.store.last_modified(key).map_err(failed)?;
            Content {
                bytes: self.store.get(key).map_err(failed)?,
                modified: time
                    .and_then(Timestamp::to_system_time)
                    .unwrap_or(UNIX_EPOCH),
                dirty: false,
            }
        };
        Ok(open.content.insert(content))
    }

    fn content(&self, number: Number) -> Option<&Content> {
        self.open.get(&number)?.content.as_ref()
    }

    /// A size that a file can have here, no larger than the whole image.
    fn fitting(&self, size: u64) -> Result<usize, Errno> {
        let info = self.store.info();
        if size > u64::from(info.value_max) {
            return Err(Errno::EFBIG);
        }
        if size > info.geometry.capacity() {
            return Err(Errno::ENOSPC);
        }
        Ok(size as usize)
    }

    fn key(&self, number: Number) -> Result<Key, Errno> {
        self.nodes.key(number).cloned().ok_or(Errno::ENOENT)
    }

    fn child(&self, parent: Number, name: &[u8]) -> Result<Key, Errno> {
        Ok(self.key(parent)?.child(name))
    }

    fn kind(&mut self, key: &Key) -> Result<Option<Kind>, Errno> {
        self.call(|store| store.exists(key))
    }

    fn call<T>(
        &mut self,
        call: impl FnOnce(&mut Store<FileDevice, SystemClock>) -> Result<T, Error>,
    ) -> Result<T, Errno> {
        call(&mut self.store).map_err(|error| errno(&error))
    }
}

impl Content {
    fn written(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            modified: SystemTime::now(),
            dirty: true,
        }
    }

    /// It has changed now.
    fn touch(&mut self) {
        self.modified = SystemTime::now();
        self.dirty = true;
    }
}
