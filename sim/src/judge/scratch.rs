use crate::guard::{Guard, Guarded};
use crate::shared::Shared;
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry};
use std::collections::HashMap;

/// A copy of a device that somebody else may write to: it reads the device where it has not been written to itself, and
/// writes nothing to it.
///
/// What is read counts as read of the device, byte for byte, so that a device that stands for several crash states tells
/// them apart. Calls are counted by the copy's own guard.
#[derive(Debug)]
pub(super) struct Scratch<T> {
    device: Shared<T>,
    guard: Guard,
    /// Blocks written here. Never iterated over, so its order reaches no result.
    written: HashMap<BlockId, Patch>,
}

/// What has been written over a block.
#[derive(Debug)]
struct Patch {
    bytes: Box<[u8]>,
    /// Which of the bytes.
    known: Box<[bool]>,
}

impl<T: BlockDevice + Guarded> Scratch<T> {
    /// A copy of the device as it is now: it must not be written to while the copy is in use.
    pub(super) fn of(device: &Shared<T>) -> Self {
        let guard = device.with(|device| {
            let guard = device.guard();
            guard.set_budget(u64::MAX);
            Guard::new(guard.geometry(), guard.erase_value())
        });
        Self {
            device: device.clone(),
            guard,
            written: HashMap::new(),
        }
    }

    fn show(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        let Some(Patch { bytes, known }) = self.written.get(&block) else {
            return self.device.read(block, offset, buffer);
        };
        let range = offset as usize..offset as usize + buffer.len();
        buffer.copy_from_slice(&bytes[range.clone()]);
        let mut start = 0;
        for run in known[range].chunk_by(|one, next| one == next) {
            let end = start + run.len();
            if !run[0] {
                let offset = offset + start as u32;
                self.device.read(block, offset, &mut buffer[start..end])?;
            }
            start = end;
        }
        Ok(())
    }
}

impl<T> Guarded for Scratch<T> {
    fn guard(&mut self) -> &mut Guard {
        &mut self.guard
    }
}

impl<T: BlockDevice + Guarded> BlockDevice for Scratch<T> {
    fn geometry(&self) -> Geometry {
        self.guard.geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.guard.admit_read(block, offset, buffer.len())?;
        self.show(block, offset, buffer)
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.guard.admit_prog(block, offset, data.len())?;
        // Whether the device takes it hangs on what is there.
        let mut there = vec![0; data.len()];
        self.show(block, offset, &mut there)?;
        self.guard.admit_over(block, offset, &there)?;
        let size = self.guard.geometry().block_size() as usize;
        let patch = self.written.entry(block).or_insert_with(|| Patch {
            bytes: vec![0; size].into(),
            known: vec![false; size].into(),
        });
        let range = offset as usize..offset as usize + data.len();
        patch.bytes[range.clone()].copy_from_slice(data);
        patch.known[range].fill(true);
        Ok(())
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.guard.admit_erase(block)?;
        let size = self.guard.geometry().block_size() as usize;
        let patch = Patch {
            bytes: vec![self.guard.erase_value(); size].into(),
            known: vec![true; size].into(),
        };
        self.written.insert(block, patch);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.guard.admit_sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RecordingDisk;

    #[test]
    fn it_reads_the_device_below_and_keeps_its_writes_to_itself() {
        let block = BlockId::new(1);
        let mut disk = RecordingDisk::new(Geometry::new(512, 4).unwrap(), 0xff);
        disk.prog(block, 0, b"below").unwrap();
        let disk = Shared::new(disk);
        let mut copy = Scratch::of(&disk);
        assert!(copy.prog(block, 4, b"x").is_err(), "not erased");
        copy.prog(block, 6, b"copy").unwrap();
        let mut seen = [0; 11];
        copy.read(block, 0, &mut seen).unwrap();
        assert_eq!(&seen, b"below\xffcopy\xff");
        copy.erase(block).unwrap();
        copy.read(block, 0, &mut seen).unwrap();
        assert_eq!(seen, [0xff; 11]);
        disk.with(|disk| disk.read(block, 0, &mut seen)).unwrap();
        assert_eq!(&seen, b"below\xff\xff\xff\xff\xff\xff");
    }
}
