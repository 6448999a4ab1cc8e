//! Values: inline, or in CTZ skip-lists (SPEC.md, "Inline struct" and "CTZ struct").

use super::fault::Fault;
use super::volume::Volume;
use crate::device::{BlockDevice, BlockId};
use crate::disk::ctz;
use crate::disk::entry::CtzStruct;
use crate::disk::tag::MAX_LENGTH;
use crate::error::{Corruption, CorruptionKind};
use alloc::vec;
use alloc::vec::Vec;

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
        self.check_size(value)?;
        let block_size = self.geometry().block_size();
        let mut data = vec![0; value.size as usize];
        let mut end = data.len();
        let mut error = None;
        self.walk_ctz(value, &mut |volume, index, block| {
            let header = ctz::header_size(index) as usize;
            let within = if end == data.len() {
                ctz::locate(value.size - 1, block_size).offset as usize + 1 - header
            } else {
                block_size as usize - header
            };
            let start = end - within;
            if error.is_none() {
                error = volume
                    .medium
                    .read(block, header, &mut data[start..end])
                    .err();
            }
            end = start;
        })?;
        match error {
            Some(error) => Err(error.into()),
            None => Ok(data),
        }
    }

    /// Calls `visit` for each block of a value.
    pub(crate) fn each_ctz_block(
        &mut self,
        value: CtzStruct,
        visit: &mut dyn FnMut(&mut Self, BlockId),
    ) -> Result<(), Fault> {
        self.check_size(value)?;
        self.walk_ctz(value, &mut |volume, _, block| visit(volume, block))
    }

    /// Calls `visit` for each block of a value with its index, from the last to the first.
    fn walk_ctz(
        &mut self,
        value: CtzStruct,
        visit: &mut dyn FnMut(&mut Self, u32, BlockId),
    ) -> Result<(), Fault> {
        let blocks = ctz::block_count(value.size, self.geometry().block_size());
        let mut block = value.head;
        let mut from = block;
        for index in (0..blocks).rev() {
            if !self.geometry().contains(block) {
                let kind = CorruptionKind::PointerOutOfRange { target: block };
                return Err(Corruption::at(from, kind).into());
            }
            visit(self, index, block);
            if index > 0 {
                let mut pointer = [0; 4];
                self.medium.read(block, 0, &mut pointer)?;
                from = block;
                block = BlockId::new(u32::from_le_bytes(pointer));
            }
        }
        Ok(())
    }

    /// Checks that a value of this size can be on the device at all, before anything is made of that size.
    fn check_size(&self, value: CtzStruct) -> Result<(), Fault> {
        let size = value.size;
        let geometry = self.geometry();
        if size == 0
            || size > self.limits.value
            || ctz::block_count(size, geometry.block_size()) > geometry.block_count()
        {
            return Err(Corruption::at(value.head, CorruptionKind::BadValueSize { size }).into());
        }
        Ok(())
    }

    /// Takes the blocks for a value of `size` bytes, at least 1.
    pub(crate) fn allocate_ctz(&mut self, size: u32) -> Result<Vec<BlockId>, Fault> {
        let geometry = self.geometry();
        let blocks = ctz::block_count(size, geometry.block_size());
        if blocks > geometry.block_count() {
            return Err(Fault::NoSpace);
        }
        (0..blocks).map(|_| self.allocate()).collect()
    }

    /// Writes `data` to `blocks`, as many as it takes. Not made durable here.
    pub(crate) fn write_ctz(&mut self, blocks: &[BlockId], data: &[u8]) -> Result<(), Fault> {
        let geometry = self.geometry();
        let mut rest = data;
        for (index, &block) in blocks.iter().enumerate() {
            let header = ctz::header_size(index as u32) as usize;
            let (chunk, behind) =
                rest.split_at(rest.len().min(geometry.block_size() as usize - header));
            rest = behind;
            let mut unit = Vec::with_capacity(header + chunk.len());
            for power in 0..ctz::pointer_count(index as u32) {
                let target = blocks[index - (1 << power)];
                unit.extend_from_slice(&target.index().to_le_bytes());
            }
            unit.extend_from_slice(chunk);
            unit.resize(
                unit.len().next_multiple_of(geometry.prog_size() as usize),
                0xff,
            );
            self.medium.erase(block)?;
            self.medium.prog(block, 0, &unit)?;
        }
        Ok(())
    }
}
