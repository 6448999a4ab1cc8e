//! The block device that both sides run on: memory, and counters of what is asked of it.

use crate::setting::Setting;
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry};
use serde::Serialize;
use std::cell::Cell;
use std::ops::Range;
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
            bytes: vec![0xff; setting.geometry().capacity() as usize],
            setting,
            meter: Meter::default(),
        }
    }

    pub(crate) fn meter(&self) -> Meter {
        self.meter.clone()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Makes the device hold `image`, in the memory that it has.
    pub(crate) fn restore(&mut self, image: &[u8]) {
        self.bytes.copy_from_slice(image);
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
        self.bytes[range].fill(0xff);
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
