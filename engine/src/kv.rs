//! The public store: keys, dictionaries, promises.

use crate::check::{self, CheckReport};
use crate::device::{BlockDevice, BlockId, Geometry};
use crate::disk::contents::Edit;
use crate::disk::entry::{Attributes, Body, CtzStruct, Entry};
use crate::disk::names;
use crate::disk::pointer::PairAddress;
use crate::disk::superblock::DiskVersion;
use crate::disk::tag::EntryId;
use crate::error::{Corruption, CorruptionKind, Error, MountError};
use crate::key::Key;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::store::tree::{Lookup, Slot};
use crate::store::volume::Volume;
use crate::store::write::Source;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

/// Blocks that a search for free space looks at in one go, unless [`MountOptions`] say otherwise: 8 KiB of memory.
const LOOKAHEAD: u32 = 1 << 16;

/// What a key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A string of bytes.
    Value,
    /// A set of further keys.
    Dictionary,
}

/// A user attribute: a small piece of data attached to a key (SPEC.md, "User attr").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its type; a key has at most one attribute of each.
    pub kind: u8,
    /// Its data, at most 1022 bytes.
    pub data: Vec<u8>,
}

/// What a walk meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The whole key.
    pub key: Key,
    /// What stands under it.
    pub node: Node,
    /// Its attributes, ordered by type.
    pub attributes: Vec<Attribute>,
}

/// What stands under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A dictionary.
    Dictionary,
    /// A value.
    Value {
        /// Its bytes, counted.
        size: u32,
        /// Its bytes, where they were asked for.
        content: Option<Vec<u8>>,
    },
}

/// How a store is mounted.
#[derive(Clone, Copy, Debug)]
pub struct MountOptions {
    lookahead: u32,
    #[cfg(feature = "sabotage")]
    sabotage: Option<Sabotage>,
}

impl Default for MountOptions {
    fn default() -> Self {
        Self {
            lookahead: LOOKAHEAD,
            #[cfg(feature = "sabotage")]
            sabotage: None,
        }
    }
}

impl MountOptions {
    /// How many blocks a search for free space looks at in one go, from 1; each takes one bit of memory, and each
    /// search reads all metadata. 65,536 unless set.
    #[must_use]
    pub fn with_lookahead(mut self, blocks: u32) -> Self {
        self.lookahead = blocks;
        self
    }

    /// A store with a deliberate fault.
    #[cfg(feature = "sabotage")]
    #[must_use]
    pub fn with_sabotage(mut self, sabotage: Sabotage) -> Self {
        self.sabotage = Some(sabotage);
        self
    }
}

/// How a store is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct FormatOptions {
    version: DiskVersion,
}

impl FormatOptions {
    /// The version of the on-disk format; 2.1 unless set.
    #[must_use]
    pub fn with_version(mut self, version: DiskVersion) -> Self {
        self.version = version;
        self
    }
}

/// What a store's superblock says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// The version of the on-disk format.
    pub version: DiskVersion,
    /// The part of the device that the store uses.
    pub geometry: Geometry,
    /// The longest name, in bytes.
    pub name_max: u32,
    /// The longest value, in bytes.
    pub value_max: u32,
    /// The longest attribute, in bytes.
    pub attribute_max: u32,
}

/// A mounted key-value store.
///
/// # Promises
///
/// - Every mutating call is atomic: after a power cut the store shows the state before the call or after it.
/// - Every mutating call that has returned is durable.
/// - Mounting writes nothing. What a power cut left is repaired before the first write after it.
/// - An error that the store finds itself leaves it as it was. After a device error the medium holds the state
///   before the call or after it, and the store takes no more changes until it is mounted again.
/// - No bytes on the medium make a call panic or run for ever.
///
/// ```
/// use cutpoint_engine::device::{Geometry, MemoryDevice};
/// use cutpoint_engine::{FormatOptions, Key, Kind, MountOptions, Store};
///
/// let mut device = MemoryDevice::new(Geometry::new(512, 64)?);
/// Store::format(&mut device, &FormatOptions::default())?;
///
/// let mut store = Store::mount(&mut device, &MountOptions::default())?;
/// store.set(&Key::new("/links/home"), b"https://mirage.io")?;
/// assert_eq!(store.get(&Key::new("/links/home"))?, b"https://mirage.io");
/// assert_eq!(store.exists(&Key::new("/links"))?, Some(Kind::Dictionary));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Store<D> {
    volume: Volume<D>,
    /// A device error has left the state of the medium unknown.
    undecided: bool,
}

/// Where a key leads.
enum Place<'k> {
    Root,
    /// To this entry of the dictionary that starts at the address.
    Found(PairAddress, Slot, Entry),
    /// To nothing; the first of the names (one at least) would go to the slot, the others below it.
    Free(Slot, Vec<&'k [u8]>),
}

impl<D: BlockDevice> Store<D> {
    /// Makes an empty store on the device. A store that is there is lost; a power cut leaves the old one or the new
    /// one, or, where there was none, none or the new one.
    ///
    /// # Errors
    ///
    /// [`Error::Device`].
    pub fn format(device: D, options: &FormatOptions) -> Result<(), Error> {
        Ok(Volume::format(device, options.version)?)
    }

    /// Mounts the store on the device. Reads all metadata once; writes nothing.
    ///
    /// A `&mut` reference to a device is a device too, for those who want to keep it.
    ///
    /// # Errors
    ///
    /// [`MountError`]: no store there, one of another version or size, damage, or a device error.
    pub fn mount(device: D, options: &MountOptions) -> Result<Self, MountError> {
        let volume = Volume::mount(
            device,
            options.lookahead,
            #[cfg(feature = "sabotage")]
            options.sabotage,
        )?;
        Ok(Self {
            volume,
            undecided: false,
        })
    }

    /// Ends the use of the store and hands the device back. Nothing is written: every call that has returned is
    /// durable already.
    pub fn unmount(self) -> D {
        self.volume.medium.into_device()
    }

    /// What the superblock says of the store.
    pub fn info(&self) -> Info {
        let limits = self.volume.limits;
        Info {
            version: self.volume.version,
            geometry: self.volume.geometry(),
            name_max: limits.name,
            value_max: limits.value,
            attribute_max: limits.attribute,
        }
    }

    /// The value under `key`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::ValueExpected`] for a dictionary, [`Error::DictionaryExpected`] where a value
    /// stands above the key; [`Error::Corrupt`], [`Error::Device`].
    pub fn get(&mut self, key: &Key) -> Result<Vec<u8>, Error> {
        match self.locate(key)? {
            Place::Root => Err(Error::ValueExpected(key.clone())),
            Place::Free(..) => Err(Error::NotFound(key.clone())),
            Place::Found(_, slot, entry) => match entry.body {
                Body::Inline(data) => Ok(data),
                Body::Ctz(value) => Ok(self.volume.read_ctz(value)?),
                Body::Dictionary(_) => Err(Error::ValueExpected(key.clone())),
                Body::Superblock(_) => Err(not_an_entry(slot.pair.block(), slot.id)),
            },
        }
    }

    /// What `key` names, if anything.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`], [`Error::Device`].
    pub fn exists(&mut self, key: &Key) -> Result<Option<Kind>, Error> {
        match self.locate(key) {
            Ok(Place::Root) => Ok(Some(Kind::Dictionary)),
            Ok(Place::Found(_, _, entry)) => Ok(Some(kind_of(&entry))),
            Ok(Place::Free(..)) | Err(Error::DictionaryExpected(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The keys directly in the dictionary `key` and what they name, ordered by the bytes of their names.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::DictionaryExpected`] for a value; [`Error::Corrupt`], [`Error::Device`].
    pub fn list(&mut self, key: &Key) -> Result<Vec<(Key, Kind)>, Error> {
        let head = match self.locate(key)? {
            Place::Root => self.volume.root,
            Place::Free(..) => return Err(Error::NotFound(key.clone())),
            Place::Found(_, _, entry) => match entry.body {
                Body::Dictionary(head) => head,
                _ => return Err(Error::DictionaryExpected(key.clone())),
            },
        };
        let mut keys = Vec::new();
        let mut pairs = self.volume.dictionary_pairs(head);
        while let Some(pair) = self.volume.next_pair(&mut pairs)? {
            for (_, entry) in self.volume.visible_entries(&pair) {
                keys.push((key.child(&entry.name), kind_of(entry)));
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }

    /// The attributes of `key`, ordered by type; the root has some too.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::DictionaryExpected`] where a value stands above the key; [`Error::Corrupt`],
    /// [`Error::Device`].
    pub fn attributes(&mut self, key: &Key) -> Result<Vec<Attribute>, Error> {
        match self.locate(key)? {
            Place::Free(..) => Err(Error::NotFound(key.clone())),
            Place::Found(_, _, entry) => Ok(public(&entry.attributes)),
            Place::Root => {
                let root = self.volume.fetch(self.volume.root)?;
                let superblock = root.contents.entries.first();
                Ok(superblock.map_or_else(Vec::new, |entry| public(&entry.attributes)))
            }
        }
    }

    /// Calls `visit` for every key below the root, dictionaries before what they hold, otherwise in no particular
    /// order; values are read where `read_values`. Reads all metadata once.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`], [`Error::Device`]: the walk ends there.
    pub fn walk(&mut self, read_values: bool, visit: &mut dyn FnMut(Item)) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        let mut open = vec![(Key::ROOT, self.volume.root)];
        while let Some((dictionary, head)) = open.pop() {
            let mut pairs = self.volume.dictionary_pairs(head);
            while let Some(pair) = self.volume.next_pair(&mut pairs)? {
                // Each pair belongs to one dictionary: one that comes again lies below itself.
                for block in pair.address().blocks() {
                    if !seen.insert(block) {
                        return Err(Corruption::at(block, CorruptionKind::DictionaryCycle).into());
                    }
                }
                for (id, entry) in self.volume.visible_entries(&pair) {
                    let key = dictionary.child(&entry.name);
                    let node = match &entry.body {
                        Body::Dictionary(below) => {
                            open.push((key.clone(), *below));
                            Node::Dictionary
                        }
                        Body::Inline(data) => Node::Value {
                            size: data.len() as u32,
                            content: read_values.then(|| data.clone()),
                        },
                        Body::Ctz(value) => Node::Value {
                            size: value.size,
                            content: if read_values {
                                Some(self.volume.read_ctz(*value)?)
                            } else {
                                None
                            },
                        },
                        Body::Superblock(_) => return Err(not_an_entry(pair.block(), id)),
                    };
                    visit(Item {
                        key,
                        node,
                        attributes: public(&entry.attributes),
                    });
                }
            }
        }
        Ok(())
    }

    /// Checks the structure of the store: every pair and every block of a value has one owner, every pointer leads
    /// where it should, names are in order. Values are not read.
    ///
    /// # Errors
    ///
    /// [`Error::Device`]. Damage is no error: it is in the report.
    pub fn check(&mut self) -> Result<CheckReport, Error> {
        Ok(check::check(&mut self.volume)?)
    }

    /// Puts `value` under `key`, in place of the value there or as a new one; dictionaries above it that do not exist
    /// are made in the same atomic step. Attributes of a value that is replaced stay.
    ///
    /// # Errors
    ///
    /// [`Error::ValueExpected`] where the key is a dictionary, [`Error::DictionaryExpected`] where a value stands
    /// above it, [`Error::NameTooLong`], [`Error::NameNotAllowed`], [`Error::ValueTooLong`],
    /// [`Error::EntryTooLarge`], [`Error::NoSpace`]; [`Error::Corrupt`], [`Error::Device`], [`Error::ReadOnly`].
    pub fn set(&mut self, key: &Key, value: &[u8]) -> Result<(), Error> {
        self.mutate(|store| {
            let limit = store.volume.limits.value;
            if value.len() > limit as usize {
                return Err(Error::ValueTooLong {
                    key: key.clone(),
                    limit,
                });
            }
            match store.locate(key)? {
                Place::Root => Err(Error::ValueExpected(key.clone())),
                Place::Found(_, slot, mut entry) => {
                    if kind_of(&entry) == Kind::Dictionary {
                        return Err(Error::ValueExpected(key.clone()));
                    }
                    #[cfg(feature = "sabotage")]
                    store.free_early(&entry)?;
                    let blocks = store.place_value(key, &mut entry, value)?;
                    store.write_value(&blocks, value, |store| {
                        let edits = [Edit::Replace(slot.id, entry.body)];
                        Ok(store.volume.commit(slot.pair, &edits)?)
                    })
                }
                Place::Free(slot, names) => {
                    store.check_names(key, &names)?;
                    let Some((&name, above)) = names.split_last() else {
                        return Err(not_an_entry(slot.pair.block(), slot.id));
                    };
                    let mut entry = Entry::new(name, Body::Inline(Vec::new()));
                    let blocks = store.place_value(key, &mut entry, value)?;
                    store.write_value(&blocks, value, |store| {
                        store.insert(slot, above, entry, None)
                    })
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
        self.mutate(|store| match store.locate(key)? {
            Place::Root | Place::Found(..) => Err(Error::AlreadyPresent(key.clone())),
            Place::Free(slot, names) => {
                store.check_names(key, &names)?;
                Ok(store.volume.put_branch(slot, &names, None, None)?)
            }
        })
    }

    /// Removes `key`. Where there is nothing, nothing happens.
    ///
    /// # Errors
    ///
    /// [`Error::NotEmpty`] for a dictionary that holds something, [`Error::RootFixed`]; [`Error::NoSpace`] where an
    /// image of another writer's leaves its pairs no room at all; [`Error::Corrupt`], [`Error::Device`],
    /// [`Error::ReadOnly`].
    pub fn remove(&mut self, key: &Key) -> Result<(), Error> {
        self.mutate(|store| match store.locate(key) {
            Ok(Place::Root) => Err(Error::RootFixed),
            Ok(Place::Free(..)) | Err(Error::DictionaryExpected(_)) => Ok(()),
            Err(error) => Err(error),
            Ok(Place::Found(_, slot, entry)) => match entry.body {
                Body::Dictionary(head) => {
                    if store.volume.chain(head)?.entries > 0 {
                        return Err(Error::NotEmpty(key.clone()));
                    }
                    Ok(store.volume.remove_dictionary(slot, head)?)
                }
                _ => Ok(store.volume.remove_entry(slot)?),
            },
        })
    }

    /// Moves what is under `source` to `dest`, with its attributes, in one atomic step; dictionaries above `dest` that
    /// do not exist are made in the same step.
    ///
    /// A value replaces a value. Where `dest` is a dictionary, `source` moves inside it under its own last segment,
    /// where only a value may replace a value. Renaming a key to itself does nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is nothing under `source`, [`Error::ValueExpected`] where it is a dictionary
    /// and `dest` a value, [`Error::RenameSourcePrefix`] where it is a dictionary and `dest` lies below it,
    /// [`Error::AlreadyPresent`] where its name is taken inside `dest`, [`Error::DictionaryExpected`] where a value
    /// stands above `dest`, [`Error::RootFixed`], [`Error::NameTooLong`], [`Error::NameNotAllowed`],
    /// [`Error::EntryTooLarge`], [`Error::NoSpace`]; [`Error::Corrupt`], [`Error::Device`], [`Error::ReadOnly`].
    pub fn rename(&mut self, source: &Key, dest: &Key) -> Result<(), Error> {
        self.mutate(|store| store.rename_entry(source, dest))
    }

    fn rename_entry(&mut self, source: &Key, dest: &Key) -> Result<(), Error> {
        let (dictionary, entry) = match self.locate(source) {
            Ok(Place::Root) => return Err(Error::RootFixed),
            Ok(Place::Free(..)) | Err(Error::DictionaryExpected(_)) => {
                return Err(Error::NotFound(source.clone()));
            }
            Err(error) => return Err(error),
            Ok(Place::Found(dictionary, _, entry)) => (dictionary, entry),
        };
        if source == dest {
            return Ok(());
        }
        let kind = kind_of(&entry);
        if kind == Kind::Dictionary && dest.starts_with(source) {
            return Err(Error::RenameSourcePrefix {
                source: source.clone(),
                dest: dest.clone(),
            });
        }
        let mut target = dest.clone();
        let mut place = self.locate(dest)?;
        let inside = match &place {
            Place::Root => true,
            Place::Found(_, _, found) => kind_of(found) == Kind::Dictionary,
            Place::Free(..) => false,
        };
        if inside {
            target = dest.child(&entry.name);
            if target == *source {
                return Ok(());
            }
            place = self.locate(&target)?;
        }
        let source_name = entry.name.clone();
        let from = Some(Source {
            dictionary,
            name: &source_name,
        });
        match place {
            Place::Root => Err(Error::AlreadyPresent(target)),
            Place::Found(_, slot, found) => {
                if kind_of(&found) == Kind::Dictionary || (inside && kind == Kind::Dictionary) {
                    return Err(Error::AlreadyPresent(target));
                }
                if kind == Kind::Dictionary {
                    return Err(Error::ValueExpected(source.clone()));
                }
                let entry = Entry {
                    name: found.name,
                    ..entry
                };
                self.check_fits(&target, &entry)?;
                Ok(self.volume.put(slot, true, entry, from)?)
            }
            Place::Free(slot, names) => {
                self.check_names(&target, &names)?;
                let Some((&name, above)) = names.split_last() else {
                    return Err(not_an_entry(slot.pair.block(), slot.id));
                };
                let entry = Entry {
                    name: name.to_vec(),
                    ..entry
                };
                self.check_fits(&target, &entry)?;
                self.insert(slot, above, entry, from)
            }
        }
    }

    /// Runs a call that changes the store: repairs first what a power cut left, and remembers device errors.
    fn mutate(&mut self, call: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        if self.undecided {
            return Err(Error::ReadOnly);
        }
        self.volume.allocator.begin();
        let result = self
            .volume
            .repair()
            .map_err(Error::from)
            .and_then(|()| call(self));
        if let Err(Error::Device(_)) = result {
            self.undecided = true;
            // What is readable stays readable: a commit that has reached the medium after all may have changed what
            // readers must honour. Where that cannot be read either, the old state is the best guess.
            if self.volume.reload_global().is_err() {
                return result;
            }
        }
        result
    }

    /// Follows `key` from the root.
    ///
    /// # Errors
    ///
    /// [`Error::DictionaryExpected`] where a value stands above it.
    fn locate<'k>(&mut self, key: &'k Key) -> Result<Place<'k>, Error> {
        let mut names = key.segments().peekable();
        let mut above = Key::ROOT;
        let mut head = self.volume.root;
        while let Some(name) = names.next() {
            let (slot, entry) = match self.volume.lookup(head, name)? {
                Lookup::Found(slot, entry) => (slot, entry),
                Lookup::Free(slot) => {
                    let missing = core::iter::once(name).chain(names).collect();
                    return Ok(Place::Free(slot, missing));
                }
            };
            if names.peek().is_none() {
                return Ok(Place::Found(head, slot, entry));
            }
            above = above.child(name);
            let Body::Dictionary(below) = entry.body else {
                return Err(Error::DictionaryExpected(above));
            };
            head = below;
        }
        Ok(Place::Root)
    }

    /// Puts a new entry at the slot, below the dictionaries named `above`, which do not exist either.
    fn insert(
        &mut self,
        slot: Slot,
        above: &[&[u8]],
        entry: Entry,
        source: Option<Source<'_>>,
    ) -> Result<(), Error> {
        if above.is_empty() {
            self.volume.put(slot, false, entry, source)?;
        } else {
            self.volume.put_branch(slot, above, Some(entry), source)?;
        }
        Ok(())
    }

    /// Decides how `value` is stored in `entry`, gives the entry the body that says so, and takes the blocks that
    /// this needs, none where it is inline. Nothing is written yet.
    fn place_value(
        &mut self,
        key: &Key,
        entry: &mut Entry,
        value: &[u8],
    ) -> Result<Vec<BlockId>, Error> {
        if value.len() <= self.volume.inline_limit() {
            entry.body = Body::Inline(value.to_vec());
            // Long names and attributes can push a short value out of its entry.
            if value.is_empty() || self.volume.fits(entry) {
                self.check_fits(key, entry)?;
                return Ok(Vec::new());
            }
        }
        let size = value.len() as u32;
        let blocks = self.volume.allocate_ctz(size)?;
        if let Some(&head) = blocks.last() {
            entry.body = Body::Ctz(CtzStruct { head, size });
        }
        self.check_fits(key, entry)?;
        Ok(blocks)
    }

    /// Writes a value's blocks, then makes the commit that shows them.
    fn write_value(
        &mut self,
        blocks: &[BlockId],
        value: &[u8],
        commit: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        #[cfg(feature = "sabotage")]
        if self.volume.sabotage == Some(Sabotage::CommitBeforeData) {
            commit(self)?;
            self.volume.write_ctz(blocks, value)?;
            return Ok(self.volume.medium.sync()?);
        }
        self.volume.write_ctz(blocks, value)?;
        commit(self)
    }

    #[cfg(feature = "sabotage")]
    fn free_early(&mut self, entry: &Entry) -> Result<(), Error> {
        if let (Some(Sabotage::FreeEarly), Body::Ctz(value)) = (self.volume.sabotage, &entry.body) {
            let mut blocks = Vec::new();
            self.volume
                .each_ctz_block(*value, &mut |_, block| blocks.push(block))?;
            self.volume.allocator.free_early(&blocks);
        }
        Ok(())
    }

    /// Checks names that are to be written; they are the last segments of `key`.
    fn check_names(&self, key: &Key, names: &[&[u8]]) -> Result<(), Error> {
        let limit = self.volume.limits.name;
        for name in names {
            if name.len() > limit as usize {
                return Err(Error::NameTooLong {
                    key: key.clone(),
                    limit,
                });
            }
            if !names::is_allowed(name) {
                return Err(Error::NameNotAllowed(key.clone()));
            }
            let dictionary = Entry::new(name, Body::Dictionary(PairAddress::FIRST));
            self.check_fits(key, &dictionary)?;
        }
        Ok(())
    }

    fn check_fits(&self, key: &Key, entry: &Entry) -> Result<(), Error> {
        if self.volume.fits(entry) {
            Ok(())
        } else {
            Err(Error::EntryTooLarge(key.clone()))
        }
    }
}

fn kind_of(entry: &Entry) -> Kind {
    match entry.body {
        Body::Dictionary(_) => Kind::Dictionary,
        Body::Superblock(_) | Body::Inline(_) | Body::Ctz(_) => Kind::Value,
    }
}

fn public(attributes: &Attributes) -> Vec<Attribute> {
    attributes
        .iter()
        .map(|(kind, data)| Attribute {
            kind,
            data: data.to_vec(),
        })
        .collect()
}

/// The error for a place that holds no entry of a user's although one was expected there.
fn not_an_entry(block: BlockId, id: EntryId) -> Error {
    let id = id.number();
    Corruption::at(block, CorruptionKind::IncompleteEntry { id }).into()
}
