//! The search for free blocks, a window of the device at a time.
//!
//! A block is free where no pair and no value holds it ([`super::space`] tells), the call under way has not taken it,
//! and it has not refused a write.

use crate::device::{BlockId, Geometry};
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

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
    pub(crate) fn take(&mut self) -> Option<BlockId> {
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
    /// way has taken: the window outlives the call, and those blocks are in use then. Says how many blocks it has.
    pub(crate) fn advance(&mut self) -> u32 {
        self.start = self.wrap(self.length);
        self.length = self.lookahead;
        self.next = 0;
        self.used = vec![0; self.length.div_ceil(64) as usize];
        let taken = mem::take(&mut self.taken);
        for &block in &taken {
            self.mark(block);
        }
        self.taken = taken;
        self.length
    }

    /// Marks a block as in use, where the window has it.
    pub(crate) fn mark(&mut self, block: BlockId) {
        let index = match block.index().checked_sub(self.start) {
            Some(index) => index,
            None => self.block_count - self.start + block.index(),
        };
        if index < self.length {
            self.used[index as usize / 64] |= 1 << (index % 64);
        }
    }

    /// Gives up the window: what follows has to be looked at again.
    pub(crate) fn discard(&mut self) {
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
