//! What a call has come upon that reads a whole part of the tree.

use crate::device::{BlockId, Geometry};
use crate::disk::ctz;
use crate::disk::entry::{Body, Entry};
use crate::error::{Corruption, CorruptionKind};
use crate::store::pair::Pair;
use alloc::collections::BTreeSet;

/// In a sound store a walk meets each pair once, and values that together have no more blocks than the device. A walk
/// that ends where this does not hold has read the device once, whatever the image says.
#[derive(Debug, Default)]
pub(super) struct Met {
    pairs: BTreeSet<BlockId>,
    value_blocks: u32,
}

impl Met {
    /// Notes a pair; corruption where one of its blocks has come before, as where a dictionary lies below itself.
    pub(super) fn pair(&mut self, pair: &Pair) -> Result<(), Corruption> {
        for block in pair.address().blocks() {
            if !self.pairs.insert(block) {
                return Err(Corruption::at(block, CorruptionKind::DictionaryCycle));
            }
        }
        Ok(())
    }

    /// Notes an entry of the pair; corruption where it is one value too many.
    pub(super) fn entry(
        &mut self,
        pair: &Pair,
        entry: &Entry,
        geometry: Geometry,
    ) -> Result<(), Corruption> {
        if let Body::Ctz(value) = entry.body {
            let blocks = ctz::block_count(value.size, geometry.block_size());
            self.value_blocks = self.value_blocks.saturating_add(blocks);
            if self.value_blocks > geometry.block_count() {
                return Err(Corruption::at(pair.block(), CorruptionKind::SharedBlock));
            }
        }
        Ok(())
    }
}
