//! What goes into the store's calls and what comes out of them.

use crate::clock::Timestamp;
use crate::device::{BlockId, Geometry};
use crate::disk::superblock::DiskVersion;
use crate::key::Key;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::store::volume::Settings;
use alloc::vec::Vec;
use core::num::NonZeroU32;

/// Blocks that a search for free space looks at in one go, unless [`MountOptions`] say otherwise: 8 KiB of memory.
const LOOKAHEAD: u32 = 1 << 16;

/// Bytes of the index, unless [`MountOptions`] say otherwise.
const INDEX: usize = 128 << 10;

/// Compactions after which a pair moves, unless [`MountOptions`] say otherwise: in the middle of what the C littlefs
/// advises, 100 to 1000.
const BLOCK_CYCLES: u32 = 500;

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
    pub(crate) settings: Settings,
}

impl Default for MountOptions {
    fn default() -> Self {
        Self {
            settings: Settings {
                lookahead: LOOKAHEAD,
                index: INDEX,
                block_cycles: NonZeroU32::new(BLOCK_CYCLES),
                #[cfg(feature = "sabotage")]
                sabotage: None,
            },
        }
    }
}

impl MountOptions {
    /// How many blocks a search for free space looks at in one go, from 1; each takes one bit of memory, and each
    /// search reads all metadata. 65,536 unless set.
    #[must_use]
    pub fn with_lookahead(mut self, blocks: u32) -> Self {
        self.settings.lookahead = blocks;
        self
    }

    /// How many bytes the index of names in memory may take, about; 0 for none. Without it, looking a name up reads a
    /// dictionary from its start. 128 KiB unless set, enough for some thousand keys in small blocks and many more in
    /// large ones.
    #[must_use]
    pub fn with_index(mut self, bytes: usize) -> Self {
        self.settings.index = bytes;
        self
    }

    /// After how many compactions a pair moves to another block, so that blocks wear evenly; 0 for a device that levels
    /// wear itself. 500 unless set.
    #[must_use]
    pub fn with_block_cycles(mut self, compactions: u32) -> Self {
        self.settings.block_cycles = NonZeroU32::new(compactions);
        self
    }

    /// A store with a deliberate fault.
    #[cfg(feature = "sabotage")]
    #[must_use]
    pub fn with_sabotage(mut self, sabotage: Sabotage) -> Self {
        self.settings.sabotage = Some(sabotage);
        self
    }
}

/// How a store is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct FormatOptions {
    pub(crate) version: DiskVersion,
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

/// What a key names, with its size, its attributes and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Value or dictionary.
    pub kind: Kind,
    /// Bytes of a value; those of all values below a dictionary.
    pub size: u64,
    /// When the value was last set, or the newest value directly in the dictionary; none where that is not known.
    pub modified: Option<Timestamp>,
    /// The attributes, ordered by type.
    pub attributes: Vec<Attribute>,
}

/// How full a store is, in blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Blocks of the store.
    pub total: u32,
    /// Blocks in use.
    pub used: u32,
    /// Blocks that are free and can be written.
    pub free: u32,
    /// Blocks that have refused a write since the mount and are not in use: lost.
    pub bad: Vec<BlockId>,
}
