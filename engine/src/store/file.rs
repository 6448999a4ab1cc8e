//! Values in CTZ skip-lists: read, walked, written (SPEC.md, "CTZ struct").

use super::fault::Fault;
use super::volume::Volume;
use crate::device::{BlockDevice, BlockId};
use crate::disk::ctz;
use crate::disk::entry::CtzStruct;
use crate::disk::tag::MAX_LENGTH;
use crate::error::{Corruption, CorruptionKind};
use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow;

impl<D: BlockDevice> Volume<D> {
    /// The longest value that is written into its entry, in bytes: an eighth of a block, as the C littlefs has it.
    pub(crate) fn inline_limit(&self) -> usize {
        (self.geometry().block_size() as usize / 8)
            .min(self.limits.attribute as usize)
            .min(MAX_LENGTH)
    }

    /// Reads a whole value.
    ///
    /// # Errors
    ///
    /// Corruption where the size and the blocks do not fit each other or the device.
    pub(crate) fn read_ctz(&mut self, value: CtzStruct) -> Result<Vec<u8>, Fault> {
        // Before anything is made of that size.
        self.check_size(value)?;
        let mut data = vec![0; value.size as usize];
        self.read_ctz_at(value, 0, &mut data)?;
        Ok(data)
    }

    /// Fills `buffer` from `offset` of a value, which reaches at least that far.
    ///
    /// # Errors
    ///
    /// As [`read_ctz`](Self::read_ctz).
    pub(crate) fn read_ctz_at(
        &mut self,
        value: CtzStruct,
        offset: u32,
        buffer: &mut [u8],
    ) -> Result<(), Fault> {
        let Some(last) = (buffer.len() as u32).checked_sub(1) else {
            return Ok(());
        };
        let block_size = self.geometry().block_size();
        let first = ctz::locate(offset, block_size);
        let mut end = ctz::locate(offset + last, block_size);
        let mut block = self.seek_ctz(value, end.index)?;
        let mut rest = buffer;
        loop {
            let start = if end.index == first.index {
                first.offset
            } else {
                ctz::header_size(end.index)
            };
            let within = (end.offset + 1 - start) as usize;
            let (before, chunk) = rest.split_at_mut(rest.len() - within);
            self.medium.read(block, start as usize, chunk)?;
            rest = before;
            if end.index == first.index {
                return Ok(());
            }
            block = self.read_pointer(block, 0)?;
            end.index -= 1;
            end.offset = block_size - 1;
        }
    }

    /// The block of a value with this index, reached along the longest pointers that do not overshoot.
    fn seek_ctz(&mut self, value: CtzStruct, index: u32) -> Result<BlockId, Fault> {
        let mut at = self.check_size(value)? - 1;
        let mut block = value.head;
        self.check_pointer(block, block)?;
        while at > index {
            let power = (at - index).ilog2().min(at.trailing_zeros());
            block = self.read_pointer(block, power)?;
            at -= 1 << power;
        }
        Ok(block)
    }

    /// The pointer of a value's block that leads 2^`power` blocks back.
    fn read_pointer(&mut self, block: BlockId, power: u32) -> Result<BlockId, Fault> {
        let mut pointer = [0; ctz::POINTER_SIZE as usize];
        let offset = (power * ctz::POINTER_SIZE) as usize;
        self.medium.read(block, offset, &mut pointer)?;
        let target = BlockId::new(u32::from_le_bytes(pointer));
        self.check_pointer(block, target)?;
        Ok(target)
    }

    fn check_pointer(&self, from: BlockId, target: BlockId) -> Result<(), Fault> {
        if self.geometry().contains(target) {
            Ok(())
        } else {
            Err(Corruption::at(from, CorruptionKind::PointerOutOfRange { target }).into())
        }
    }

    /// Calls `visit` for each block of a value, from the last to the first, until it breaks.
    pub(crate) fn each_ctz_block(
        &mut self,
        value: CtzStruct,
        visit: &mut dyn FnMut(&mut Self, BlockId) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        let blocks = self.check_size(value)?;
        let mut block = value.head;
        self.check_pointer(block, block)?;
        for index in (0..blocks).rev() {
            if visit(self, block).is_break() {
                return Ok(());
            }
            if index > 0 {
                block = self.read_pointer(block, 0)?;
            }
        }
        Ok(())
    }

    /// The first `count` blocks of a value, in its order; it has at least so many.
    pub(crate) fn first_ctz_blocks(
        &mut self,
        value: CtzStruct,
        count: u32,
    ) -> Result<Vec<BlockId>, Fault> {
        let mut blocks = Vec::new();
        if let Some(last) = count.checked_sub(1) {
            let mut block = self.seek_ctz(value, last)?;
            blocks.push(block);
            for _ in 0..last {
                block = self.read_pointer(block, 0)?;
                blocks.push(block);
            }
            blocks.reverse();
        }
        Ok(blocks)
    }

    /// The same value, cut to `size` bytes, at least 1 and at most its own: it shares its blocks.
    pub(crate) fn cut_ctz(&mut self, value: CtzStruct, size: u32) -> Result<CtzStruct, Fault> {
        let index = ctz::block_count(size, self.geometry().block_size()) - 1;
        let head = self.seek_ctz(value, index)?;
        Ok(CtzStruct { head, size })
    }

    /// Checks that a value of this size can be on the device at all; says how many blocks it has.
    fn check_size(&self, value: CtzStruct) -> Result<u32, Fault> {
        let size = value.size;
        let geometry = self.geometry();
        let blocks = ctz::block_count(size, geometry.block_size());
        if size == 0 || size > self.limits.value || blocks > geometry.block_count() {
            return Err(Corruption::at(value.head, CorruptionKind::BadValueSize { size }).into());
        }
        Ok(blocks)
    }

    /// Takes `count` blocks for a value.
    pub(crate) fn allocate_blocks(&mut self, count: u32) -> Result<Vec<BlockId>, Fault> {
        if count > self.geometry().block_count() {
            return Err(Fault::NoSpace);
        }
        (0..count).map(|_| self.allocate()).collect()
    }

    /// Writes `data` as the value's part that follows its first `kept` blocks, which stand at the beginning of
    /// `blocks` and stay as they are. Not made durable here. A block that turns out to be bad is replaced by another
    /// one in `blocks`.
    pub(crate) fn write_ctz(
        &mut self,
        blocks: &mut [BlockId],
        kept: usize,
        data: &[u8],
    ) -> Result<(), Fault> {
        let geometry = self.geometry();
        let mut rest = data;
        for index in kept..blocks.len() {
            let header = ctz::header_size(index as u32) as usize;
            let room = geometry.block_size() as usize - header;
            let (chunk, behind) = rest.split_at(rest.len().min(room));
            rest = behind;
            let mut unit = Vec::with_capacity(geometry.block_size() as usize);
            for power in 0..ctz::pointer_count(index as u32) {
                let target = blocks[index - (1 << power)];
                unit.extend_from_slice(&target.index().to_le_bytes());
            }
            unit.extend_from_slice(chunk);
            unit.resize(
                unit.len().next_multiple_of(geometry.prog_size() as usize),
                0xff,
            );
            blocks[index] = self.write_whole(blocks[index], &unit)?;
        }
        Ok(())
    }

    /// Erases a block and programs it from its start; where it is bad, does that to further free ones until it
    /// succeeds. Says which block it was.
    fn write_whole(&mut self, mut block: BlockId, data: &[u8]) -> Result<BlockId, Fault> {
        loop {
            let written = self
                .medium
                .erase(block)
                .and_then(|()| self.medium.prog_verified(block, 0, data));
            match written {
                Ok(()) => return Ok(block),
                Err(error) if error.kind.is_bad_block() => {
                    self.allocator.retire(block);
                    block = self.allocate()?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
