//! Tags as they stand in a log: as little of the format as it takes to find and change them.

use crc::{CRC_32_JAMCRC, Crc, Table};

/// The format's checksum: CRC-32 without the final inversion.
const CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_JAMCRC);

/// The first tag of a block stands behind the revision count.
pub(super) const FIRST_TAG: usize = 4;

pub(super) fn checksum(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}

pub(super) fn be32(block: &[u8], offset: usize) -> Option<u32> {
    let bytes = block.get(offset..offset + 4)?;
    bytes.try_into().ok().map(u32::from_be_bytes)
}

/// The 32 bits before every piece of data in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(pub(super) u32);

impl Tag {
    pub(super) fn is_valid(self) -> bool {
        self.0 >> 31 == 0
    }

    /// Its type, 11 bits.
    pub(super) fn kind(self) -> u32 {
        (self.0 >> 20) & 0x7ff
    }

    pub(super) fn is_checksum(self) -> bool {
        self.kind() & 0x780 == 0x500
    }

    /// A checksum's type says which value the valid bit of unwritten bytes behind it has.
    pub(super) fn next_valid_bit(self) -> u32 {
        (self.kind() & 1) << 31
    }

    /// Bytes behind the tag; the length of all ones means deleted, and none.
    pub(super) fn data_len(self) -> usize {
        match self.0 & 0x3ff {
            0x3ff => 0,
            len => len as usize,
        }
    }

    pub(super) fn with_kind(self, kind: u32) -> Self {
        Self(self.0 & !(0x7ff << 20) | (kind & 0x7ff) << 20)
    }

    pub(super) fn with_id(self, id: u32) -> Self {
        Self(self.0 & !(0x3ff << 10) | (id & 0x3ff) << 10)
    }

    pub(super) fn with_length(self, length: u32) -> Self {
        Self(self.0 & !0x3ff | length & 0x3ff)
    }
}
