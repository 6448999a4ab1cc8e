//! What can go wrong, one narrow enum for mounting and one for calls on a mounted store.

use crate::device::{BlockId, DeviceError};
use crate::key::Key;
use core::fmt;

/// Why a call on a store did not do what it was asked.
///
/// Errors that the store finds itself (everything but [`Error::Device`]) leave it as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing under this key.
    NotFound(Key),
    /// The key names a value where a dictionary is needed.
    DictionaryExpected(Key),
    /// The key names a dictionary where a value is needed.
    ValueExpected(Key),
    /// There is something under this key already.
    AlreadyPresent(Key),
    /// A dictionary cannot move below itself.
    RenameSourcePrefix {
        /// The dictionary.
        source: Key,
        /// The place below it.
        dest: Key,
    },
    /// The root can be neither removed nor renamed.
    RootFixed,
    /// A name is longer than the store takes.
    NameTooLong {
        /// The key with the long name.
        key: Key,
        /// The longest name that the store takes, in bytes.
        limit: u32,
    },
    /// A name that the format reserves: `.`, `..`, or one that holds a zero byte.
    NameNotAllowed(Key),
    /// A value is longer than the store takes.
    ValueTooLong {
        /// The value's key.
        key: Key,
        /// The longest value that the store takes, in bytes.
        limit: u32,
    },
    /// An attribute is longer than the store takes.
    AttributeTooLong {
        /// The attribute's key.
        key: Key,
        /// The longest attribute that the store takes, in bytes.
        limit: u32,
    },
    /// The entry (name, attributes and inline value) does not fit one block of the directory.
    EntryTooLarge(Key),
    /// The device has no room left.
    NoSpace,
    /// The medium holds something that the format does not allow.
    Corrupt(Corruption),
    /// The device failed. The medium holds the state before the call or after it.
    Device(DeviceError),
    /// An earlier device error left the store unable to tell what is on the medium: it takes no more changes until
    /// it is mounted again.
    ReadOnly,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(key) => write!(f, "{key}: not found"),
            Self::DictionaryExpected(key) => write!(f, "{key} is a value, not a dictionary"),
            Self::ValueExpected(key) => write!(f, "{key} is a dictionary, not a value"),
            Self::AlreadyPresent(key) => write!(f, "{key} exists already"),
            Self::RenameSourcePrefix { source, dest } => {
                write!(f, "{source} cannot move to {dest}, which is below it")
            }
            Self::RootFixed => f.write_str("the root can be neither removed nor renamed"),
            Self::NameTooLong { key, limit } => {
                write!(f, "{key}: a name has more than {limit} bytes")
            }
            Self::NameNotAllowed(key) => write!(
                f,
                "{key}: the names '.' and '..' and zero bytes in names are not allowed"
            ),
            Self::ValueTooLong { key, limit } => {
                write!(f, "{key}: the value has more than {limit} bytes")
            }
            Self::AttributeTooLong { key, limit } => {
                write!(f, "{key}: the attribute has more than {limit} bytes")
            }
            Self::EntryTooLarge(key) => write!(
                f,
                "{key}: name and attributes do not fit one block; use a shorter name or larger blocks"
            ),
            Self::NoSpace => f.write_str("no space left on the device"),
            Self::Corrupt(corruption) => corruption.fmt(f),
            Self::Device(error) => error.fmt(f),
            Self::ReadOnly => f.write_str(
                "an earlier device error left the store read-only; mount it again to go on",
            ),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Device(error) => Some(error),
            _ => None,
        }
    }
}

impl From<DeviceError> for Error {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

impl From<Corruption> for Error {
    fn from(corruption: Corruption) -> Self {
        Self::Corrupt(corruption)
    }
}

/// Something on the medium that the format does not allow: what, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Corruption {
    /// The block that shows it.
    pub block: BlockId,
    /// What is wrong.
    pub kind: CorruptionKind,
}

impl Corruption {
    /// The damage `kind`, seen at `block`.
    pub const fn at(block: BlockId, kind: CorruptionKind) -> Self {
        Self { block, kind }
    }
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "damaged at block {}: {}", self.block, self.kind)
    }
}

impl core::error::Error for Corruption {}

/// What the format does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CorruptionKind {
    /// Neither block of a metadata pair holds a commit with a valid checksum.
    NoValidCommit,
    /// A pair names the same block twice.
    PairOfOneBlock,
    /// A pointer leads past the last block.
    PointerOutOfRange {
        /// The block it names.
        target: BlockId,
    },
    /// A list of pairs leads back into itself.
    Cycle,
    /// A dictionary lies below itself.
    DictionaryCycle,
    /// A tag with a valid checksum has a type, an id or a length that has no meaning there.
    BadTag {
        /// The tag's 32 bits.
        tag: u32,
        /// Its offset in the block, in bytes.
        offset: u32,
    },
    /// An entry lacks its name or its structure.
    IncompleteEntry {
        /// The entry's id.
        id: u16,
    },
    /// A value's size and blocks do not fit each other or the device.
    BadValueSize {
        /// The size that the entry states, in bytes.
        size: u32,
    },
    /// A dictionary's pair is not on the list of all pairs.
    NotOnList,
    /// A pair is on the list of all pairs, but belongs to no dictionary.
    Unreachable,
    /// A block belongs to two owners.
    SharedBlock,
    /// Names in a dictionary are not in ascending order, or not unique.
    NamesOutOfOrder {
        /// The id of the first entry that is out of order.
        id: u16,
    },
    /// A name holds what no name may hold.
    BadName {
        /// The entry's id.
        id: u16,
    },
    /// A pointer of a skip-list does not lead where the list says.
    BadSkipPointer {
        /// The block it names.
        target: BlockId,
    },
    /// The pending move of the global state names nothing that exists.
    BadMove,
    /// A dictionary goes on in a pair that has no entries, where the C littlefs loses its way.
    EmptyPair,
    /// A superblock stands elsewhere than at the start of the list of all pairs.
    MisplacedSuperblock,
}

impl fmt::Display for CorruptionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoValidCommit => {
                f.write_str("neither block of the metadata pair holds a valid commit")
            }
            Self::PairOfOneBlock => f.write_str("a metadata pair names one block twice"),
            Self::PointerOutOfRange { target } => {
                write!(f, "a pointer leads to block {target}, past the last one")
            }
            Self::Cycle => f.write_str("the list of metadata pairs leads back into itself"),
            Self::DictionaryCycle => f.write_str("a dictionary lies below itself"),
            Self::BadTag { tag, offset } => {
                write!(f, "tag {tag:#010x} at offset {offset} has no meaning there")
            }
            Self::IncompleteEntry { id } => write!(f, "entry {id} lacks its name or structure"),
            Self::BadValueSize { size } => {
                write!(f, "a value of {size} bytes does not fit its blocks")
            }
            Self::NotOnList => f.write_str("a dictionary's pair is not on the list of all pairs"),
            Self::Unreachable => f.write_str("a pair on the list belongs to no dictionary"),
            Self::SharedBlock => f.write_str("the block belongs to two owners"),
            Self::NamesOutOfOrder { id } => {
                write!(f, "the name of entry {id} is not after the one before it")
            }
            Self::BadName { id } => write!(f, "the name of entry {id} is none that is allowed"),
            Self::BadSkipPointer { target } => {
                write!(
                    f,
                    "a pointer of the value leads to block {target}, not where it should"
                )
            }
            Self::BadMove => f.write_str("the pending move names an entry that does not exist"),
            Self::EmptyPair => f.write_str("a dictionary goes on in a pair without entries"),
            Self::MisplacedSuperblock => f.write_str("a superblock stands where there can be none"),
        }
    }
}

/// Why a device could not be mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MountError {
    /// Blocks 0 and 1 hold no valid superblock: this is no littlefs image, or its block size is another.
    NotFormatted,
    /// The image was written in a version of the format that the engine does not know.
    Version {
        /// The major version.
        major: u16,
        /// The minor version.
        minor: u16,
    },
    /// The superblock states another block size than the device has.
    BlockSize {
        /// The superblock's, in bytes.
        stated: u32,
        /// The device's, in bytes.
        device: u32,
    },
    /// The superblock states more blocks than the device has.
    BlockCount {
        /// The superblock's.
        stated: u32,
        /// The device's.
        device: u32,
    },
    /// A limit in the superblock is outside what the format allows.
    Limit {
        /// Which limit: `name_max`, `file_max` or `attr_max`.
        limit: &'static str,
        /// Its value.
        value: u32,
    },
    /// The medium holds something that the format does not allow.
    Corrupt(Corruption),
    /// The device failed.
    Device(DeviceError),
}

impl fmt::Display for MountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFormatted => f.write_str(
                "no littlefs superblock in blocks 0 and 1: not a littlefs image, or another block size",
            ),
            Self::Version { major, minor } => write!(
                f,
                "format version {major}.{minor} is not known here; 2.0 and 2.1 are"
            ),
            Self::BlockSize { stated, device } => write!(
                f,
                "the superblock says {stated}-byte blocks, but the device is used with {device}-byte blocks"
            ),
            Self::BlockCount { stated, device } => write!(
                f,
                "the superblock says {stated} blocks, but the device has only {device}: the image is cut short"
            ),
            Self::Limit { limit, value } => {
                write!(f, "the superblock's {limit} of {value} is outside the format's range")
            }
            Self::Corrupt(corruption) => corruption.fmt(f),
            Self::Device(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for MountError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Device(error) => Some(error),
            _ => None,
        }
    }
}

impl From<DeviceError> for MountError {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

impl From<Corruption> for MountError {
    fn from(corruption: Corruption) -> Self {
        Self::Corrupt(corruption)
    }
}
