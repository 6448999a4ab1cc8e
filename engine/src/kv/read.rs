//! Calls that read.

use super::met::Met;
use super::{Attribute, Item, Kind, Node, Stat, Store, Usage, kind_of, not_an_entry, public};
use crate::check::{self, CheckReport};
use crate::clock::{Clock, Timestamp};
use crate::device::BlockDevice;
use crate::disk::entry::{Body, Entry};
use crate::disk::pointer::PairAddress;
use crate::error::Error;
use crate::key::Key;
use crate::store::tree::{Place, Slot};
use alloc::vec;
use alloc::vec::Vec;
use sha2::{Digest, Sha256};

/// A SHA-256 digest.
const DIGEST_SIZE: usize = 32;

impl<D: BlockDevice, C: Clock> Store<D, C> {
    /// The value under `key`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::ValueExpected`] for a dictionary, [`Error::DictionaryExpected`] where a value
    /// stands above the key; [`Error::Corrupt`], [`Error::Device`].
    pub fn get(&mut self, key: &Key) -> Result<Vec<u8>, Error> {
        let entry = self.value_at(key)?;
        self.content(&entry)
    }

    /// `length` bytes of the value under `key` from `offset` on; fewer where the value ends before that, none where it
    /// does not reach `offset`.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn get_partial(&mut self, key: &Key, offset: u32, length: u32) -> Result<Vec<u8>, Error> {
        let entry = self.value_at(key)?;
        let mut buffer = vec![0; available(&entry, offset, length as usize)];
        self.read_entry(&entry, offset, &mut buffer)?;
        Ok(buffer)
    }

    /// Fills `buffer` with the value under `key` from `offset` on, and says how many bytes that was: fewer than the
    /// buffer takes where the value ends before that.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn read_at(&mut self, key: &Key, offset: u32, buffer: &mut [u8]) -> Result<usize, Error> {
        let entry = self.value_at(key)?;
        let available = available(&entry, offset, buffer.len());
        self.read_entry(&entry, offset, &mut buffer[..available])?;
        Ok(available)
    }

    /// What `key` names, if anything.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`], [`Error::Device`].
    pub fn exists(&mut self, key: &Key) -> Result<Option<Kind>, Error> {
        Ok(match self.volume.locate(key)? {
            Place::Root => Some(Kind::Dictionary),
            Place::Found(_, entry) => Some(kind_of(&entry)),
            Place::Free(..) | Place::Blocked(_) => None,
        })
    }

    /// The keys directly in the dictionary `key` and what they name, ordered by the bytes of their names.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::DictionaryExpected`] for a value or where one stands above the key;
    /// [`Error::Corrupt`], [`Error::Device`].
    pub fn list(&mut self, key: &Key) -> Result<Vec<(Key, Kind)>, Error> {
        let entries = match self.node_at(key)? {
            Found::Dictionary(head, _) => self.entries_of(head, &mut Met::default())?,
            Found::Value(_) => return Err(Error::DictionaryExpected(key.clone())),
        };
        let keys = entries.iter();
        Ok(keys
            .map(|entry| (key.child(&entry.name), kind_of(entry)))
            .collect())
    }

    /// The bytes of the value under `key`, counted; those of all values below a dictionary.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::DictionaryExpected`] where a value stands above the key; [`Error::Corrupt`],
    /// [`Error::Device`].
    pub fn size(&mut self, key: &Key) -> Result<u64, Error> {
        let found = self.node_at(key)?;
        self.size_of(found)
    }

    /// When the value under `key` was last set, none where no clock was there to tell; for a dictionary, the newest of
    /// the values directly in it, [`Timestamp::EPOCH`] where none has a time.
    ///
    /// # Errors
    ///
    /// As [`size`](Self::size).
    pub fn last_modified(&mut self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let found = self.node_at(key)?;
        self.modified(&found)
    }

    /// A SHA-256 digest of what is under `key`.
    ///
    /// That of a value is of its bytes. That of a dictionary is of its entries, one after the other in the order of
    /// their names' bytes: a byte that says the kind (`v` or `d`), the length of the name (4 bytes, little-endian), the
    /// name, and the entry's own digest. So dictionaries that differ in anything but times and attributes differ in
    /// their digests.
    ///
    /// # Errors
    ///
    /// As [`size`](Self::size).
    pub fn digest(&mut self, key: &Key) -> Result<[u8; DIGEST_SIZE], Error> {
        match self.node_at(key)? {
            Found::Value(entry) => Ok(Sha256::digest(self.content(&entry)?).into()),
            Found::Dictionary(head, _) => self.digest_of_dictionary(head),
        }
    }

    /// What `key` names, with its size, its attributes and its time.
    ///
    /// # Errors
    ///
    /// As [`size`](Self::size).
    pub fn stat(&mut self, key: &Key) -> Result<Stat, Error> {
        let attributes = self.attributes(key)?;
        let found = self.node_at(key)?;
        Ok(Stat {
            kind: match found {
                Found::Value(_) => Kind::Value,
                Found::Dictionary(..) => Kind::Dictionary,
            },
            modified: self.modified(&found)?,
            size: self.size_of(found)?,
            attributes,
        })
    }

    /// How full the store is. Reads all metadata and the pointers of all values.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`], [`Error::Device`].
    pub fn usage(&mut self) -> Result<Usage, Error> {
        let used = self.volume.blocks_in_use()?;
        let retired = self.volume.allocator.retired().iter();
        let bad: Vec<_> = retired
            .filter(|block| !used.contains(block))
            .copied()
            .collect();
        let total = self.volume.geometry().block_count();
        Ok(Usage {
            total,
            used: used.len() as u32,
            free: total - (used.len() + bad.len()) as u32,
            bad,
        })
    }

    /// Calls `visit` for every key below the root, dictionaries before what they hold, otherwise in no particular
    /// order; values are read where `read_values`. Reads all metadata once.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`], [`Error::Device`]: the walk ends there.
    pub fn walk(&mut self, read_values: bool, visit: &mut dyn FnMut(Item)) -> Result<(), Error> {
        let root = self.volume.root;
        self.each_below(&Key::ROOT, root, &mut |store, key, entry| {
            let node = match &entry.body {
                Body::Dictionary(_) => Node::Dictionary,
                _ => Node::Value {
                    size: value_size(entry),
                    content: if read_values {
                        Some(store.content(entry)?)
                    } else {
                        None
                    },
                },
            };
            visit(Item {
                key,
                node,
                attributes: public(&entry.attributes),
            });
            Ok(())
        })
    }

    /// Checks the structure of the store: every pair and every block of a value has one owner, every pointer leads
    /// where it should, names are in order. Of values only the pointers are read.
    ///
    /// # Errors
    ///
    /// [`Error::Device`]. Damage is no error: it is in the report.
    pub fn check(&mut self) -> Result<CheckReport, Error> {
        Ok(check::check(&mut self.volume)?)
    }

    /// Calls `visit` for every entry below the dictionary `key`, which starts at `head`.
    fn each_below(
        &mut self,
        key: &Key,
        head: PairAddress,
        visit: &mut dyn FnMut(&mut Self, Key, &Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let geometry = self.volume.geometry();
        let mut met = Met::default();
        let mut open = vec![(key.clone(), head)];
        while let Some((dictionary, head)) = open.pop() {
            let mut pairs = self.volume.dictionary_pairs(head);
            while let Some(pair) = self.volume.next_pair(&mut pairs)? {
                met.pair(&pair)?;
                for (_, entry) in self.volume.visible_entries(&pair) {
                    met.entry(&pair, entry, geometry)?;
                    let key = dictionary.child(&entry.name);
                    if let Body::Dictionary(below) = entry.body {
                        open.push((key.clone(), below));
                    }
                    visit(self, key, entry)?;
                }
            }
        }
        Ok(())
    }

    /// The entries of the dictionary that starts at `head`, ordered by the bytes of their names.
    fn entries_of(&mut self, head: PairAddress, met: &mut Met) -> Result<Vec<Entry>, Error> {
        let geometry = self.volume.geometry();
        let mut entries = Vec::new();
        let mut pairs = self.volume.dictionary_pairs(head);
        while let Some(pair) = self.volume.next_pair(&mut pairs)? {
            met.pair(&pair)?;
            for (_, entry) in self.volume.visible_entries(&pair) {
                met.entry(&pair, entry, geometry)?;
                entries.push(entry.clone());
            }
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// The digest of a dictionary, without recursion: an image can nest them as deep as it has blocks.
    fn digest_of_dictionary(&mut self, head: PairAddress) -> Result<[u8; DIGEST_SIZE], Error> {
        /// A dictionary whose entries are not all digested yet; the next one is the last of the list.
        struct Open {
            hash: Sha256,
            entries: Vec<Entry>,
        }
        let mut met = Met::default();
        let mut entries = self.entries_of(head, &mut met)?;
        entries.reverse();
        let mut open = vec![Open {
            hash: Sha256::new(),
            entries,
        }];
        let mut done = None;
        while let Some(top) = open.last_mut() {
            if let Some(digest) = done.take() {
                top.hash.update(digest);
            }
            let Some(entry) = top.entries.pop() else {
                done = open.pop().map(|top| top.hash.finalize());
                continue;
            };
            let kind = if kind_of(&entry) == Kind::Dictionary {
                b"d"
            } else {
                b"v"
            };
            top.hash.update(kind);
            top.hash.update((entry.name.len() as u32).to_le_bytes());
            top.hash.update(&entry.name);
            if let Body::Dictionary(below) = entry.body {
                let mut entries = self.entries_of(below, &mut met)?;
                entries.reverse();
                open.push(Open {
                    hash: Sha256::new(),
                    entries,
                });
            } else {
                done = Some(Sha256::digest(self.content(&entry)?));
            }
        }
        Ok(done.unwrap_or_default().into())
    }

    fn size_of(&mut self, found: Found) -> Result<u64, Error> {
        match found {
            Found::Value(entry) => Ok(u64::from(value_size(&entry))),
            Found::Dictionary(head, _) => {
                let mut size = 0;
                self.each_below(&Key::ROOT, head, &mut |_, _, entry| {
                    size += u64::from(value_size(entry));
                    Ok(())
                })?;
                Ok(size)
            }
        }
    }

    fn modified(&mut self, found: &Found) -> Result<Option<Timestamp>, Error> {
        let head = match found {
            Found::Value(entry) => return Ok(time_of(entry)),
            Found::Dictionary(head, _) => *head,
        };
        let entries = self.entries_of(head, &mut Met::default())?;
        let values = entries.iter().filter(|entry| kind_of(entry) == Kind::Value);
        Ok(values.filter_map(time_of).max().or(Some(Timestamp::EPOCH)))
    }

    /// What is under `key`.
    pub(super) fn node_at(&mut self, key: &Key) -> Result<Found, Error> {
        match self.volume.locate(key)? {
            Place::Free(..) => Err(Error::NotFound(key.clone())),
            Place::Blocked(above) => Err(Error::DictionaryExpected(above)),
            Place::Found(slot, entry) => match entry.body {
                Body::Dictionary(head) => Ok(Found::Dictionary(head, slot)),
                Body::Superblock(_) => Err(not_an_entry(slot.pair.block(), slot.id)),
                Body::Inline(_) | Body::Ctz(_) => Ok(Found::Value(entry)),
            },
            Place::Root => {
                let head = self.volume.root;
                let pair = self.volume.fetch(head)?;
                // The root's attributes stand on the superblock entry, which is its first.
                let id = crate::disk::tag::EntryId::FIRST;
                Ok(Found::Dictionary(head, Slot { pair, id }))
            }
        }
    }

    /// The entry of the value under `key`.
    fn value_at(&mut self, key: &Key) -> Result<Entry, Error> {
        if let Some((last, entry)) = &self.last_read
            && last == key
        {
            return Ok(entry.clone());
        }
        match self.node_at(key)? {
            Found::Value(entry) => {
                self.last_read = Some((key.clone(), entry.clone()));
                Ok(entry)
            }
            Found::Dictionary(..) => Err(Error::ValueExpected(key.clone())),
        }
    }

    /// All bytes of the value that is the entry.
    pub(super) fn content(&mut self, entry: &Entry) -> Result<Vec<u8>, Error> {
        match &entry.body {
            Body::Inline(data) => Ok(data.clone()),
            Body::Ctz(value) => Ok(self.volume.read_ctz(*value)?),
            Body::Dictionary(_) | Body::Superblock(_) => Ok(Vec::new()),
        }
    }

    /// Fills `buffer` from `offset` of a value that reaches as far.
    pub(super) fn read_entry(
        &mut self,
        entry: &Entry,
        offset: u32,
        buffer: &mut [u8],
    ) -> Result<(), Error> {
        match &entry.body {
            Body::Inline(data) => {
                let data = data.iter().skip(offset as usize);
                buffer
                    .iter_mut()
                    .zip(data)
                    .for_each(|(to, from)| *to = *from);
            }
            Body::Ctz(value) => self.volume.read_ctz_at(*value, offset, buffer)?,
            Body::Dictionary(_) | Body::Superblock(_) => {}
        }
        Ok(())
    }

    /// The attributes of `key`, ordered by type; the root has some too.
    ///
    /// # Errors
    ///
    /// As [`size`](Self::size).
    pub fn attributes(&mut self, key: &Key) -> Result<Vec<Attribute>, Error> {
        Ok(match self.node_at(key)? {
            Found::Value(entry) => public(&entry.attributes),
            Found::Dictionary(_, slot) => slot
                .entry()
                .map_or_else(Vec::new, |entry| public(&entry.attributes)),
        })
    }
}

/// What is under a key.
pub(super) enum Found {
    Value(Entry),
    /// A dictionary, where it starts, and the entry that leads to it; for the root, the superblock entry.
    Dictionary(PairAddress, Slot),
}

/// How many of `wanted` bytes from `offset` on the value has.
fn available(entry: &Entry, offset: u32, wanted: usize) -> usize {
    wanted.min(value_size(entry).saturating_sub(offset) as usize)
}

/// Bytes of a value; 0 for what is none.
pub(super) fn value_size(entry: &Entry) -> u32 {
    match &entry.body {
        Body::Inline(data) => data.len() as u32,
        Body::Ctz(value) => value.size,
        Body::Dictionary(_) | Body::Superblock(_) => 0,
    }
}

fn time_of(entry: &Entry) -> Option<Timestamp> {
    entry
        .attributes
        .get(Timestamp::ATTRIBUTE)
        .and_then(Timestamp::decode)
}
