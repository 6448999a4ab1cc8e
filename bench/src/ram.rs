//! The block device that both sides run on: memory, and counters of what is asked of it.

use crate::setting::Setting;
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry};
use serde::Serialize;
use std::cell::Cell;
use std::ops::{AddAssign, Range};
use std::rc::Rc;

/// What a device was asked to do, in calls and in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Traffic {
    pub(crate) reads: u64,
    pub(crate) read_bytes: u64,
    pub(crate) progs: u64,
    pub(crate) prog_bytes: u64,
    pub(crate) erases: u64,
    pub(crate) erased_bytes: u64,
    pub(crate) syncs: u64,
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Self) {
        self.reads += other.reads;
        self.read_bytes += other.read_bytes;
        self.progs += other.progs;
        self.prog_bytes += other.prog_bytes;
        self.erases += other.erases;
        self.erased_bytes += other.erased_bytes;
        self.syncs += other.syncs;
    }
}

/// What erased bytes read as.
const ERASED: u8 = 0xff;

/// Counters that stay at hand while a store owns the device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Rc<Cell<Traffic>>);

impl Meter {
    pub(crate) fn reset(&self) {
        self.0.set(Traffic::default());
    }

    pub(crate) fn traffic(&self) -> Traffic {
        self.0.get()
    }

    fn count(&self, add: impl FnOnce(&mut Traffic)) {
        let mut traffic = self.0.get();
        add(&mut traffic);
        self.0.set(traffic);
    }
}

/// The blocks of a device that are not erased.
#[derive(Debug)]
pub(crate) struct Image(Vec<(usize, Vec<u8>)>);

/// Blocks in memory. A read or a program is one copy, an erase one fill, and nothing is checked but the bounds: what
/// a side costs is its own work, not the device's.
#[derive(Debug)]
pub(crate) struct Ram {
    bytes: Vec<u8>,
    pub(crate) setting: Setting,
    meter: Meter,
}

impl Ram {
    /// An erased device.
    pub(crate) fn new(setting: Setting) -> Self {
        Self {
            bytes: vec![ERASED; setting.geometry().capacity() as usize],
            setting,
            meter: Meter::default(),
        }
    }

    pub(crate) fn meter(&self) -> Meter {
        self.meter.clone()
    }

    /// What the device holds.
    pub(crate) fn image(&self) -> Image {
        let size = self.setting.block as usize;
        let blocks = self.bytes.chunks(size).enumerate();
        let written = blocks.filter(|(_, block)| block.iter().any(|&byte| byte != ERASED));
        Image(
            written
                .map(|(index, block)| (index * size, block.to_vec()))
                .collect(),
        )
    }

    /// Makes the device hold `image`, in the memory that it has.
    pub(crate) fn restore(&mut self, image: &Image) {
        self.erase_all();
        for (start, block) in &image.0 {
            self.bytes[*start..start + block.len()].copy_from_slice(block);
        }
    }

    /// Erases the device without counting it.
    pub(crate) fn erase_all(&mut self) {
        self.bytes.fill(ERASED);
    }

    /// The bytes that a read is to return.
    #[inline]
    pub(crate) fn read_from(&mut self, block: u32, offset: u32, length: usize) -> &[u8] {
        self.meter.count(|traffic| {
            traffic.reads += 1;
            traffic.read_bytes += length as u64;
        });
        &self.bytes[self.range(block, offset, length)]
    }

    /// The place that a program is to fill.
    #[inline]
    pub(crate) fn prog_to(&mut self, block: u32, offset: u32, length: usize) -> &mut [u8] {
        self.meter.count(|traffic| {
            traffic.progs += 1;
            traffic.prog_bytes += length as u64;
        });
        let range = self.range(block, offset, length);
        &mut self.bytes[range]
    }

    #[inline]
    pub(crate) fn erase_block(&mut self, block: u32) {
        let length = self.setting.block as usize;
        self.meter.count(|traffic| {
            traffic.erases += 1;
            traffic.erased_bytes += length as u64;
        });
        let range = self.range(block, 0, length);
        self.bytes[range].fill(ERASED);
    }

    #[inline]
    pub(crate) fn count_sync(&mut self) {
        self.meter.count(|traffic| traffic.syncs += 1);
    }

    fn range(&self, block: u32, offset: u32, length: usize) -> Range<usize> {
        let start = block as usize * self.setting.block as usize + offset as usize;
        start..start + length
    }
}

impl BlockDevice for Ram {
    fn geometry(&self) -> Geometry {
        self.setting.geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        buffer.copy_from_slice(self.read_from(block.index(), offset, buffer.len()));
        Ok(())
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.prog_to(block.index(), offset, data.len())
            .copy_from_slice(data);
        Ok(())
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.erase_block(block.index());
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.count_sync();
        Ok(())
    }
}
