use cutpoint_engine::device::BlockId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

/// What the disk knows of its files: written whole, into one of a few blocks, so that one version of it is always there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Table {
    /// Counts the versions.
    pub(super) version: u64,
    /// A version that is durable for sure: its block is left alone.
    pub(super) durable: u64,
    pub(super) files: BTreeMap<Box<str>, Entry>,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) length: u64,
    /// Where its bytes are, by ascending place in the file; what is in none reads as zeros.
    pub(super) extents: Vec<Extent>,
}

/// `count` blocks of a file from its block `first` on, which lie on the device from `at` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Extent {
    first: u32,
    at: u32,
    count: u32,
}

impl Entry {
    /// Where block `number` of the file is.
    pub(super) fn place(&self, number: u32) -> Option<BlockId> {
        let after = self
            .extents
            .partition_point(|extent| extent.first <= number);
        let extent = self.extents.get(after.checked_sub(1)?)?;
        let inside = number - extent.first;
        (inside < extent.count).then(|| BlockId::new(extent.at + inside))
    }

    /// Puts block `number` of the file, which was nowhere, at a place.
    pub(super) fn put(&mut self, number: u32, block: BlockId) {
        let after = self.extents.partition_point(|extent| extent.first < number);
        if let Some(before) = after.checked_sub(1).map(|index| &mut self.extents[index])
            && before.first + before.count == number
            && before.at + before.count == block.index()
        {
            before.count += 1;
            return;
        }
        let extent = Extent {
            first: number,
            at: block.index(),
            count: 1,
        };
        self.extents.insert(after, extent);
    }

    /// Forgets all blocks from `number` on.
    pub(super) fn cut(&mut self, number: u32) {
        self.extents.retain(|extent| extent.first < number);
        if let Some(last) = self.extents.last_mut() {
            last.count = last.count.min(number - last.first);
        }
    }

    /// The last block on the device that it uses.
    pub(super) fn last_place(&self) -> Option<u32> {
        let ends = self
            .extents
            .iter()
            .map(|extent| extent.at + extent.count - 1);
        ends.max()
    }
}

/// The length of the checksum and of the length of what follows, which a table on the device begins with.
pub(super) const HEADER: usize = 16;

impl Table {
    /// The bytes to be written.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let text = match serde_json::to_vec(self) {
            Ok(text) => text,
            Err(error) => unreachable!("a table is only numbers and names: {error}"),
        };
        let mut bytes = Vec::with_capacity(HEADER + text.len());
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(xxh3_64(&text).to_le_bytes());
        bytes.extend(text);
        bytes
    }

    /// How many bytes follow the header, where they fit into a block.
    pub(super) fn length(header: [u8; HEADER], block_size: u32) -> Option<usize> {
        let [length, _] = halves(header);
        let room = u64::from(block_size) - HEADER as u64;
        (1..=room).contains(&length).then_some(length as usize)
    }

    /// The table, where header and text belong together.
    pub(super) fn from_bytes(header: [u8; HEADER], text: &[u8]) -> Option<Self> {
        let [_, checksum] = halves(header);
        if xxh3_64(text) != checksum {
            return None;
        }
        serde_json::from_slice(text).ok()
    }
}

fn halves(header: [u8; HEADER]) -> [u64; 2] {
    let value = u128::from_le_bytes(header);
    [value as u64, (value >> 64) as u64]
}
