//! What is in use, and so what is free: the format has no map of free blocks.

use super::fault::Fault;
use super::pair::Pair;
use super::volume::Volume;
use crate::device::{BlockDevice, BlockId};
use crate::disk::ctz;
use crate::disk::entry::Body;
use crate::disk::pointer::PairAddress;
use crate::error::{Corruption, CorruptionKind};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::ops::ControlFlow;

impl<D: BlockDevice> Volume<D> {
    /// A free block, taken for the call under way.
    ///
    /// # Errors
    ///
    /// No space where all blocks are in use. Corruption where what is in use cannot be told: nothing is allocated
    /// then.
    pub(crate) fn allocate(&mut self) -> Result<BlockId, Fault> {
        if let Some(block) = self.allocator.take() {
            return Ok(block);
        }
        let mut seen = 0;
        while seen < self.geometry().block_count() {
            seen += self.allocator.advance();
            let marked = self.each_block_in_use(&mut |volume, block| volume.allocator.mark(block));
            if let Err(fault) = marked {
                self.allocator.discard();
                return Err(fault);
            }
            if let Some(block) = self.allocator.take() {
                return Ok(block);
            }
        }
        Err(Fault::NoSpace)
    }

    /// The blocks that something on the medium points to.
    pub(crate) fn blocks_in_use(&mut self) -> Result<BTreeSet<BlockId>, Fault> {
        let mut blocks = BTreeSet::new();
        self.each_block_in_use(&mut |_, block| blocks.extend([block]))?;
        Ok(blocks)
    }

    /// Calls `visit` for every block that something on the medium points to, some of them more than once.
    ///
    /// # Errors
    ///
    /// Corruption where a pointer leads nowhere, where a dictionary is not on the list of all pairs though nothing is
    /// announced, or where pairs or values share blocks: what is in use cannot be told then.
    pub(crate) fn each_block_in_use(
        &mut self,
        visit: &mut dyn FnMut(&mut Self, BlockId),
    ) -> Result<(), Fault> {
        let mut listed = BTreeSet::new();
        let mut dictionaries = Vec::new();
        let mut value_blocks = 0;
        let mut pairs = self.all_pairs();
        while let Some(pair) = self.next_pair(&mut pairs)? {
            for block in pair.address().blocks() {
                if !listed.insert(block) {
                    return Err(Corruption::at(block, CorruptionKind::SharedBlock).into());
                }
            }
            self.each_block_of_pair(&pair, &mut value_blocks, &mut dictionaries, visit)?;
        }
        while let Some(head) = dictionaries.pop() {
            if head.blocks().iter().all(|block| listed.contains(block)) {
                continue;
            }
            if !self.global.orphans {
                return Err(Corruption::at(head.blocks()[0], CorruptionKind::NotOnList).into());
            }
            // The dictionary has moved, and the list still leads to its old place, which may hold less.
            let mut pairs = self.dictionary_pairs(head);
            while let Some(pair) = self.next_pair(&mut pairs)? {
                listed.extend(pair.address().blocks());
                self.each_block_of_pair(&pair, &mut value_blocks, &mut dictionaries, visit)?;
            }
        }
        Ok(())
    }

    /// Calls `visit` for a pair's blocks and those of its values, and notes the dictionaries that it leads to.
    /// `value_blocks` counts the blocks of values so far.
    fn each_block_of_pair(
        &mut self,
        pair: &Pair,
        value_blocks: &mut u32,
        dictionaries: &mut Vec<PairAddress>,
        visit: &mut dyn FnMut(&mut Self, BlockId),
    ) -> Result<(), Fault> {
        for block in pair.address().blocks() {
            visit(self, block);
        }
        // What a pending move has taken away stands elsewhere by now, or nowhere.
        for (_, entry) in self.visible_entries(pair) {
            match &entry.body {
                Body::Dictionary(address) => dictionaries.push(*address),
                Body::Superblock(_) | Body::Inline(_) => {}
                Body::Ctz(value) => {
                    // Each has an owner of its own, so more than the device has can only be a damaged store's, on
                    // which following them all could take for ever. Where the list still leads to the place that a
                    // dictionary has left, its values come twice.
                    let geometry = self.geometry();
                    let blocks = ctz::block_count(value.size, geometry.block_size());
                    *value_blocks = value_blocks.saturating_add(blocks);
                    let times = if self.global.orphans { 2 } else { 1 };
                    if *value_blocks / times > geometry.block_count() {
                        return Err(
                            Corruption::at(pair.block(), CorruptionKind::SharedBlock).into()
                        );
                    }
                    self.each_ctz_block(*value, &mut |volume, block| {
                        visit(volume, block);
                        ControlFlow::Continue(())
                    })?;
                }
            }
        }
        Ok(())
    }
}
