//! Free blocks: found by looking at what is in use, a window of the device at a time.
//!
//! The format has no map of free blocks. A block is free where no pair, no value and nothing that the call under way
//! has taken holds it.

use super::fault::Fault;
use super::pair::Pair;
use super::volume::Volume;
use crate::device::{BlockDevice, BlockId, Geometry};
use crate::disk::ctz;
use crate::disk::entry::Body;
use crate::disk::pointer::PairAddress;
use crate::error::{Corruption, CorruptionKind};
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;
use core::ops::ControlFlow;

/// Where the search for free blocks stands.
#[derive(Debug)]
pub(crate) struct Allocator {
    block_count: u32,
    /// The window's first block.
    start: u32,
    /// Which blocks of the window were in use when it was filled, 64 to a word.
    used: Vec<u64>,
    /// Blocks in the window.
    length: u32,
    /// The next block of the window to look at; `length` where it is used up.
    next: u32,
    /// The most blocks that a window may have.
    lookahead: u32,
    /// Blocks that the call under way has taken: nothing on the medium points to them yet.
    taken: BTreeSet<BlockId>,
    /// Blocks that have refused a write since the mount.
    retired: BTreeSet<BlockId>,
}

impl Allocator {
    /// An allocator whose search starts at block `seed` modulo the device's size, with windows of at most
    /// `lookahead` blocks.
    pub(crate) fn new(geometry: Geometry, seed: u32, lookahead: u32) -> Self {
        Self {
            block_count: geometry.block_count(),
            start: seed % geometry.block_count(),
            used: Vec::new(),
            length: 0,
            next: 0,
            lookahead: lookahead.clamp(1, geometry.block_count()),
            taken: BTreeSet::new(),
            retired: BTreeSet::new(),
        }
    }

    /// A new call begins: what the last one took is either in use by now or free.
    pub(crate) fn begin(&mut self) {
        self.taken.clear();
    }

    /// A block has refused a write: it is not given out again.
    pub(crate) fn retire(&mut self, block: BlockId) {
        self.retired.insert(block);
    }

    /// Blocks that have refused a write since the mount.
    pub(crate) fn retired(&self) -> &BTreeSet<BlockId> {
        &self.retired
    }

    /// The next block of the window that is free.
    fn take(&mut self) -> Option<BlockId> {
        while self.next < self.length {
            let index = self.next;
            self.next += 1;
            let used = self.used[index as usize / 64] >> (index % 64) & 1 != 0;
            let block = BlockId::new(self.wrap(index));
            if !used && !self.taken.contains(&block) && !self.retired.contains(&block) {
                self.taken.insert(block);
                return Some(block);
            }
        }
        None
    }

    /// Moves on to a window of blocks that follows this one, all of them free until marked, but for what the call under
    /// way has taken: the window outlives the call, and those blocks are in use then.
    fn advance(&mut self) {
        self.start = self.wrap(self.length);
        self.length = self.lookahead;
        self.next = 0;
        self.used = vec![0; self.length.div_ceil(64) as usize];
        let taken = mem::take(&mut self.taken);
        for &block in &taken {
            self.mark(block);
        }
        self.taken = taken;
    }

    /// Marks a block as in use, where the window has it.
    fn mark(&mut self, block: BlockId) {
        let index = match block.index().checked_sub(self.start) {
            Some(index) => index,
            None => self.block_count - self.start + block.index(),
        };
        if index < self.length {
            self.used[index as usize / 64] |= 1 << (index % 64);
        }
    }

    /// Gives up the window: what follows has to be looked at again.
    fn discard(&mut self) {
        self.length = 0;
        self.next = 0;
    }

    fn wrap(&self, index: u32) -> u32 {
        ((u64::from(self.start) + u64::from(index)) % u64::from(self.block_count)) as u32
    }

    /// A deliberate fault: these blocks count as free, and are the first to be taken.
    #[cfg(feature = "sabotage")]
    pub(crate) fn free_early(&mut self, blocks: &[BlockId]) {
        if let Some(first) = blocks.iter().min() {
            self.start = first.index();
            self.length = self.lookahead;
            self.next = 0;
            self.used = vec![u64::MAX; self.length.div_ceil(64) as usize];
            for block in blocks {
                let index = block.index() - self.start;
                if index < self.length {
                    self.used[index as usize / 64] &= !(1 << (index % 64));
                }
            }
        }
    }
}

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
        while seen < self.allocator.block_count {
            self.allocator.advance();
            seen += self.allocator.length;
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
    /// announced, or where values share blocks: what is in use cannot be told then.
    pub(crate) fn each_block_in_use(
        &mut self,
        visit: &mut dyn FnMut(&mut Self, BlockId),
    ) -> Result<(), Fault> {
        let mut listed = BTreeSet::new();
        let mut dictionaries = Vec::new();
        let mut value_blocks = 0;
        let mut pairs = self.all_pairs();
        while let Some(pair) = self.next_pair(&mut pairs)? {
            listed.extend(pair.address().blocks());
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
