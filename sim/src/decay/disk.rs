use super::Damage;
use crate::guard::{Guard, Guarded};
use cutpoint_engine::device::{
    BlockDevice, BlockId, DeviceCall, DeviceError, DeviceErrorKind, Geometry,
};
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::xxh3_64;

/// A device with a piece of it damaged, until the block is erased.
///
/// ```
/// use cutpoint::decay::{Damage, DecayedDisk};
/// use cutpoint::disk::RecordingDisk;
/// use cutpoint_engine::device::{BlockDevice, BlockId, Geometry};
///
/// let block = BlockId::new(3);
/// let mut disk = RecordingDisk::new(Geometry::new(512, 16)?, 0xff);
/// disk.prog(block, 0, &[0; 4])?;
/// let mut disk = DecayedDisk::new(disk, Some(Damage::Flip { block, bit: 2 * 8 + 7 }));
/// let mut bytes = [0; 4];
/// disk.read(block, 0, &mut bytes)?;
/// assert_eq!(bytes, [0, 0, 0x80, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DecayedDisk<T> {
    inner: T,
    damage: Option<Damage>,
    /// Which bytes of each block have been read of what was there from the start; none where nobody asks.
    read: Option<BTreeMap<BlockId, Vec<bool>>>,
    erased: BTreeSet<BlockId>,
}

impl<T: BlockDevice + Guarded> DecayedDisk<T> {
    /// `inner` with this damage.
    pub fn new(inner: T, damage: Option<Damage>) -> Self {
        Self {
            inner,
            damage,
            read: None,
            erased: BTreeSet::new(),
        }
    }

    /// `inner` as it is, noting what is read of it.
    pub(super) fn watched(inner: T) -> Self {
        Self {
            read: Some(BTreeMap::new()),
            ..Self::new(inner, None)
        }
    }

    /// The bytes that were read of what was there from the start, by block.
    pub(super) fn take_read(&mut self) -> BTreeMap<BlockId, Vec<bool>> {
        self.read.take().unwrap_or_default()
    }

    fn note_read(&mut self, block: BlockId, offset: u32, length: usize) {
        let size = self.inner.geometry().block_size() as usize;
        if self.erased.contains(&block) {
            return;
        }
        if let Some(read) = &mut self.read {
            let bytes = read.entry(block).or_insert_with(|| vec![false; size]);
            bytes[offset as usize..offset as usize + length].fill(true);
        }
    }
}

impl Damage {
    /// What a byte that was `byte` reads as. Of what cannot be read: itself.
    pub(super) fn of_byte(self, block: BlockId, offset: u32, byte: u8) -> u8 {
        match self {
            Self::Flip { block: at, bit } if at == block && bit / 8 == u64::from(offset) => {
                byte ^ (1 << (bit % 8))
            }
            Self::Garbled(unit) if unit.contains(block, offset) => {
                let place = u64::from(block.index()) << 32 | u64::from(offset);
                // Other than it was, whatever it was.
                byte ^ (xxh3_64(&place.to_le_bytes()) as u8 | 1)
            }
            _ => byte,
        }
    }

    /// Whether a read of these bytes fails.
    fn refuses(self, block: BlockId, offset: u32, length: usize) -> bool {
        match self {
            Self::Unreadable(bad) => bad == block,
            Self::UnreadableUnit(unit) => {
                let (from, to) = (u64::from(offset), u64::from(offset) + length as u64);
                let end = u64::from(unit.offset) + u64::from(unit.length);
                unit.block == block && from < end && u64::from(unit.offset) < to
            }
            Self::Flip { .. } | Self::Garbled(_) => false,
        }
    }
}

impl<T: Guarded> Guarded for DecayedDisk<T> {
    fn guard(&mut self) -> &mut Guard {
        self.inner.guard()
    }
}

impl<T: BlockDevice + Guarded> BlockDevice for DecayedDisk<T> {
    fn geometry(&self) -> Geometry {
        self.inner.geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.inner.read(block, offset, buffer)?;
        self.note_read(block, offset, buffer.len());
        let Some(damage) = self.damage else {
            return Ok(());
        };
        if damage.refuses(block, offset, buffer.len()) {
            buffer.fill(0);
            let kind = DeviceErrorKind::Unreadable;
            return Err(DeviceError::at(DeviceCall::Read, block, offset, kind));
        }
        if damage.block() == block {
            for (offset, byte) in (offset..).zip(buffer) {
                *byte = damage.of_byte(block, offset, *byte);
            }
        }
        Ok(())
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.inner.prog(block, offset, data)
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.inner.erase(block)?;
        self.erased.insert(block);
        self.damage = self.damage.filter(|damage| damage.block() != block);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.inner.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decay::Unit;
    use crate::disk::RecordingDisk;

    const BLOCK: BlockId = BlockId::new(2);

    fn disk(damage: Damage) -> DecayedDisk<RecordingDisk> {
        let mut disk = RecordingDisk::new(Geometry::new(128, 4).unwrap(), 0xff);
        disk.prog(BLOCK, 0, &[9; 64]).unwrap();
        DecayedDisk::new(disk, Some(damage))
    }

    #[test]
    fn a_garbled_unit_differs_in_every_byte_until_the_block_is_erased() {
        let unit = Unit {
            block: BLOCK,
            offset: 16,
            length: 16,
        };
        let mut disk = disk(Damage::Garbled(unit));
        let mut bytes = [0; 48];
        disk.read(BLOCK, 0, &mut bytes).unwrap();
        let differs: Vec<usize> = (0..48).filter(|&place| bytes[place] != 9).collect();
        assert_eq!(differs, (16..32).collect::<Vec<_>>());
        disk.erase(BLOCK).unwrap();
        disk.prog(BLOCK, 0, &[9; 48]).unwrap();
        disk.read(BLOCK, 0, &mut bytes).unwrap();
        assert_eq!(bytes, [9; 48]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_where_a_read_touches_it() {
        let unit = Unit {
            block: BLOCK,
            offset: 16,
            length: 16,
        };
        for (damage, refused) in [
            (Damage::UnreadableUnit(unit), [false, true, true, false]),
            (Damage::Unreadable(BLOCK), [true; 4]),
            (Damage::Unreadable(BlockId::new(1)), [false; 4]),
        ] {
            let mut disk = disk(damage);
            let ranges = [(0, 16), (15, 2), (31, 1), (32, 9)];
            let seen = ranges.map(|(offset, length)| {
                let read = disk.read(BLOCK, offset, &mut vec![0; length]);
                read.is_err_and(|error| error.kind == DeviceErrorKind::Unreadable)
            });
            assert_eq!(seen, refused, "{damage}");
        }
    }

    #[test]
    fn what_was_read_is_known_of_what_was_there_from_the_start() {
        let mut disk = DecayedDisk::watched(RecordingDisk::new(Geometry::new(128, 4).unwrap(), 0));
        disk.read(BLOCK, 3, &mut [0; 2]).unwrap();
        disk.erase(BLOCK).unwrap();
        disk.read(BLOCK, 8, &mut [0; 2]).unwrap();
        let read = disk.take_read();
        let places: Vec<usize> = (0..128).filter(|&place| read[&BLOCK][place]).collect();
        assert_eq!((read.len(), places), (1, vec![3, 4]));
    }
}
