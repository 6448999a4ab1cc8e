//! The superblock entry (SPEC.md, "Superblock").

use super::pointer::u32_at;

/// The name of the superblock entry.
pub const MAGIC: &[u8] = b"littlefs";

/// The longest name that the format allows, in bytes; the C littlefs has the same limit.
pub(crate) const NAME_MAX: u32 = 255;
/// The longest value that the format allows, in bytes.
pub(crate) const FILE_MAX: u32 = 0x7fff_ffff;
/// The longest attribute that the format allows, in bytes.
pub(crate) const ATTR_MAX: u32 = 1022;

/// A version of the on-disk format that the engine reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum DiskVersion {
    /// Version 2.0, without forward checksums.
    V2_0,
    /// Version 2.1: commits carry a checksum of the erased bytes behind them.
    #[default]
    V2_1,
}

impl DiskVersion {
    /// The version's numbers, major and minor.
    pub const fn numbers(self) -> (u16, u16) {
        match self {
            Self::V2_0 => (2, 0),
            Self::V2_1 => (2, 1),
        }
    }

    /// The version with these numbers; none where the engine does not know it.
    pub const fn from_numbers(major: u16, minor: u16) -> Option<Self> {
        match (major, minor) {
            (2, 0) => Some(Self::V2_0),
            (2, 1) => Some(Self::V2_1),
            _ => None,
        }
    }
}

/// The superblock's fields as they stand on disk, not yet checked against anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// The major number of the format's version.
    pub major: u16,
    /// The minor number of the format's version.
    pub minor: u16,
    /// Bytes in a block.
    pub block_size: u32,
    /// Blocks of the store.
    pub block_count: u32,
    /// The longest name, in bytes; 0 for the format's own limit.
    pub name_max: u32,
    /// The longest value, in bytes; 0 for the format's own limit.
    pub file_max: u32,
    /// The longest attribute, in bytes; 0 for the format's own limit.
    pub attr_max: u32,
}

impl Superblock {
    /// Encoded size, in bytes.
    pub(crate) const SIZE: usize = 24;

    /// The fields in the first 24 bytes of `bytes`; none where there are fewer.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let version = u32_at(bytes, 0)?;
        Some(Self {
            major: (version >> 16) as u16,
            minor: version as u16,
            block_size: u32_at(bytes, 4)?,
            block_count: u32_at(bytes, 8)?,
            name_max: u32_at(bytes, 12)?,
            file_max: u32_at(bytes, 16)?,
            attr_max: u32_at(bytes, 20)?,
        })
    }

    pub(crate) fn encode(self) -> [u8; Self::SIZE] {
        let words = [
            u32::from(self.major) << 16 | u32::from(self.minor),
            self.block_size,
            self.block_count,
            self.name_max,
            self.file_max,
            self.attr_max,
        ];
        let mut bytes = [0; Self::SIZE];
        for (target, word) in bytes.chunks_exact_mut(4).zip(words) {
            target.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_where_the_specification_puts_them() {
        let superblock = Superblock {
            major: 2,
            minor: 1,
            block_size: 512,
            block_count: 64,
            name_max: 255,
            file_max: FILE_MAX,
            attr_max: 1022,
        };
        let bytes = superblock.encode();
        assert_eq!(bytes[..8], [1, 0, 2, 0, 0, 2, 0, 0]);
        assert_eq!(Superblock::decode(&bytes), Some(superblock));
        assert_eq!(Superblock::decode(&bytes[..23]), None);
    }
}
