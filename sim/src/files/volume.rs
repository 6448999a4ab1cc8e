use super::FileError;
use super::table::{Entry, HEADER, Table};
use crate::subject::Device;
use cutpoint_engine::device::{BlockDevice, BlockId};
use std::ops::Range;

/// Blocks that the table is written to in turns: one holds a durable version, and of the other two the newer is kept while
/// the older is written over.
const TABLE_BLOCKS: usize = 3;

/// The files of a device.
pub(super) struct Volume {
    device: Device,
    table: Table,
    /// By table block: the version in it.
    slots: [Option<u64>; TABLE_BLOCKS],
    /// All blocks before this one have been used.
    next: u32,
}

/// Part of a file that lies in one block.
struct Piece {
    /// Which block of the file.
    number: u32,
    /// Where in it.
    inside: Range<usize>,
    /// Where in what is read or written.
    outside: Range<usize>,
}

impl Volume {
    pub(super) fn mount(device: Device) -> Result<Self, FileError> {
        let mut volume = Self {
            device,
            table: Table::default(),
            slots: [None; TABLE_BLOCKS],
            next: TABLE_BLOCKS as u32,
        };
        if volume.device.geometry().block_count() <= volume.next {
            return Err(FileError::TooSmall);
        }
        // Where no table is whole, none was durable: the disk is blank, or its first writes were cut.
        for slot in 0..TABLE_BLOCKS {
            let Some(table) = volume.read_table(slot)? else {
                continue;
            };
            volume.slots[slot] = Some(table.version);
            if volume.table.version < table.version {
                volume.table = table;
            }
        }
        let places = volume.table.files.values().filter_map(Entry::last_place);
        volume.next = places.max().map_or(volume.next, |last| last + 1);
        Ok(volume)
    }

    pub(super) fn length(&self, name: &str) -> Option<u64> {
        self.table.files.get(name).map(|file| file.length)
    }

    pub(super) fn create(&mut self, name: &str) -> Result<(), FileError> {
        if self.table.files.contains_key(name) {
            return Ok(());
        }
        self.change(|table| {
            table.files.insert(name.into(), Entry::default());
        })
    }

    pub(super) fn remove(&mut self, name: &str) -> Result<(), FileError> {
        if !self.table.files.contains_key(name) {
            return Ok(());
        }
        self.change(|table| {
            table.files.remove(name);
        })
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError> {
        let entry = self.entry(from)?.clone();
        self.change(|table| {
            table.files.remove(from);
            table.files.insert(to.into(), entry);
        })
    }

    pub(super) fn sync(&mut self) -> Result<(), FileError> {
        self.device.sync()?;
        self.table.durable = self.table.version;
        Ok(())
    }

    pub(super) fn read(
        &mut self,
        name: &str,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<(), FileError> {
        let length = buffer.len();
        let end = offset.checked_add(length as u64);
        if end.is_none_or(|end| end > self.entry(name).map_or(0, |file| file.length)) {
            self.entry(name)?;
            let file = name.into();
            return Err(FileError::PastEnd {
                file,
                offset,
                length,
            });
        }
        for piece in self.pieces(offset, length)? {
            let place = self.entry(name)?.place(piece.number);
            let part = &mut buffer[piece.outside];
            match place {
                Some(block) => self.device.read(block, piece.inside.start as u32, part)?,
                None => part.fill(0),
            }
        }
        Ok(())
    }

    pub(super) fn write(&mut self, name: &str, offset: u64, data: &[u8]) -> Result<(), FileError> {
        if data.is_empty() {
            self.entry(name)?;
            return Ok(());
        }
        let old = self.entry(name)?.clone();
        let end = offset
            .checked_add(data.len() as u64)
            .ok_or(FileError::Full)?;
        self.clear_behind_end(&old, offset.min(end))?;
        let mut entry = old.clone();
        for piece in self.pieces(offset, data.len())? {
            let block = if let Some(block) = entry.place(piece.number) {
                block
            } else {
                let block = self.blank_block()?;
                entry.put(piece.number, block);
                block
            };
            self.program(block, piece.inside, &data[piece.outside])?;
        }
        entry.length = entry.length.max(end);
        self.replace(name, &old, entry)
    }

    pub(super) fn set_length(&mut self, name: &str, length: u64) -> Result<(), FileError> {
        let old = self.entry(name)?.clone();
        // A length that no device can hold is one that it has no room for.
        let blocks = length.div_ceil(self.block_size() as u64);
        let blocks = u32::try_from(blocks).map_err(|_| FileError::Full)?;
        self.clear_behind_end(&old, length)?;
        let mut entry = old.clone();
        entry.length = length;
        entry.cut(blocks);
        self.replace(name, &old, entry)
    }

    /// Makes the rest of the block that the file ends in zero before the file grows over it to `from` or further: a longer
    /// file may have left bytes there.
    fn clear_behind_end(&mut self, entry: &Entry, from: u64) -> Result<(), FileError> {
        let inside = (entry.length % self.block_size() as u64) as usize;
        let number = (entry.length / self.block_size() as u64) as u32;
        let Some(block) = entry.place(number).filter(|_| from > entry.length) else {
            return Ok(());
        };
        let mut rest = vec![0; self.block_size() - inside];
        self.device.read(block, inside as u32, &mut rest)?;
        if rest.iter().any(|&byte| byte != 0) {
            rest.fill(0);
            self.program(block, inside..self.block_size(), &rest)?;
        }
        Ok(())
    }

    /// Writes over a part of a block, in whole units.
    fn program(
        &mut self,
        block: BlockId,
        inside: Range<usize>,
        data: &[u8],
    ) -> Result<(), FileError> {
        let unit = self.device.geometry().prog_size() as usize;
        let start = inside.start - inside.start % unit;
        let end = inside.end.next_multiple_of(unit);
        let mut units = vec![0; end - start];
        if start < inside.start {
            self.device
                .read(block, start as u32, &mut units[..inside.start - start])?;
        }
        if inside.end < end {
            let rest = inside.end - start;
            self.device
                .read(block, inside.end as u32, &mut units[rest..])?;
        }
        units[inside.start - start..inside.end - start].copy_from_slice(data);
        Ok(self.device.prog(block, start as u32, &units)?)
    }

    /// The next block that has never been written. Only its bytes tell: a write to it may have outlived the table that knew
    /// of it.
    fn blank_block(&mut self) -> Result<BlockId, FileError> {
        let mut bytes = vec![0; self.block_size()];
        while self.next < self.device.geometry().block_count() {
            let block = BlockId::new(self.next);
            self.next += 1;
            self.device.read(block, 0, &mut bytes)?;
            if bytes.iter().all(|&byte| byte == 0) {
                return Ok(block);
            }
        }
        Err(FileError::Full)
    }

    fn replace(&mut self, name: &str, old: &Entry, entry: Entry) -> Result<(), FileError> {
        if *old == entry {
            return Ok(());
        }
        self.change(|table| {
            table.files.insert(name.into(), entry);
        })
    }

    /// Writes a new version of the table.
    fn change(&mut self, change: impl FnOnce(&mut Table)) -> Result<(), FileError> {
        let mut table = self.table.clone();
        change(&mut table);
        table.version += 1;
        let mut bytes = table.to_bytes();
        let geometry = self.device.geometry();
        bytes.resize(
            bytes.len().next_multiple_of(geometry.prog_size() as usize),
            0,
        );
        if bytes.len() > self.block_size() {
            return Err(FileError::Full);
        }
        let kept = [Some(self.table.version), Some(self.table.durable)];
        let is_free = |version: &Option<u64>| version.is_none() || !kept.contains(version);
        let Some(slot) = self.slots.iter().position(is_free) else {
            unreachable!("two of three blocks hold a version that is kept");
        };
        self.device.prog(BlockId::new(slot as u32), 0, &bytes)?;
        self.slots[slot] = Some(table.version);
        self.table = table;
        Ok(())
    }

    fn read_table(&mut self, slot: usize) -> Result<Option<Table>, FileError> {
        let block = BlockId::new(slot as u32);
        let mut header = [0; HEADER];
        self.device.read(block, 0, &mut header)?;
        let Some(length) = Table::length(header, self.device.geometry().block_size()) else {
            return Ok(None);
        };
        let mut text = vec![0; length];
        self.device.read(block, HEADER as u32, &mut text)?;
        Ok(Table::from_bytes(header, &text))
    }

    fn entry(&self, name: &str) -> Result<&Entry, FileError> {
        let entry = self.table.files.get(name);
        entry.ok_or_else(|| FileError::NotFound(name.into()))
    }

    fn block_size(&self) -> usize {
        self.device.geometry().block_size() as usize
    }

    /// `length` bytes of a file from `offset` on, block by block.
    fn pieces(&self, offset: u64, length: usize) -> Result<Vec<Piece>, FileError> {
        let size = self.block_size();
        let mut pieces = Vec::new();
        let mut done = 0;
        while done < length {
            let at = offset + done as u64;
            let number = u32::try_from(at / size as u64).map_err(|_| FileError::Full)?;
            let start = (at % size as u64) as usize;
            let count = (size - start).min(length - done);
            pieces.push(Piece {
                number,
                inside: start..start + count,
                outside: done..done + count,
            });
            done += count;
        }
        Ok(pieces)
    }
}
