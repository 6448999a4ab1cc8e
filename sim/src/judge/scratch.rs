use crate::guard::{Guard, Guarded};
use crate::shared::Shared;
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry};
use std::collections::HashMap;
use std::ops::Range;

/// A copy of a device that somebody else may write to: it reads the device where it does not know what is there, and
/// writes nothing to it.
///
/// What is read counts as read of the device, byte for byte, so that a device that stands for several crash states tells
/// them apart. Calls are counted by the copy's own guard.
///
/// It takes programs over bytes that are not erased, as NOR flash does: bits change from their erased state and not back.
#[derive(Debug)]
pub(super) struct Scratch<T> {
    device: Shared<T>,
    guard: Guard,
    /// What has been read or written here. Never iterated over, so its order reaches no result.
    blocks: HashMap<BlockId, Block>,
}

#[derive(Debug)]
struct Block {
    bytes: Box<[u8]>,
    /// Which of the bytes are known.
    known: Box<[bool]>,
}

impl Block {
    fn put(&mut self, offset: usize, data: &[u8]) {
        self.bytes[offset..offset + data.len()].copy_from_slice(data);
        self.known[offset..offset + data.len()].fill(true);
    }
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
            blocks: HashMap::new(),
        }
    }

    /// The block, with its bytes in `range` known.
    fn known(&mut self, block: BlockId, range: Range<usize>) -> Result<&mut Block, DeviceError> {
        let size = self.guard.geometry().block_size() as usize;
        let known = self.blocks.entry(block).or_insert_with(|| Block {
            bytes: vec![0; size].into(),
            known: vec![false; size].into(),
        });
        let mut start = range.start;
        while let Some(first) = known.known[start..range.end].iter().position(|&byte| !byte) {
            start += first;
            let unknown = known.known[start..range.end]
                .iter()
                .take_while(|&&byte| !byte);
            let mut bytes = vec![0; unknown.count()];
            self.device.read(block, start as u32, &mut bytes)?;
            known.put(start, &bytes);
        }
        Ok(known)
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
        let range = offset as usize..offset as usize + buffer.len();
        buffer.copy_from_slice(&self.known(block, range.clone())?.bytes[range]);
        Ok(())
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.guard.admit_prog(block, offset, data.len())?;
        let erase_value = self.guard.erase_value();
        let range = offset as usize..offset as usize + data.len();
        let known = self.known(block, range.clone())?;
        for (byte, data) in known.bytes[range].iter_mut().zip(data) {
            *byte ^= (*byte ^ data) & !(*byte ^ erase_value);
        }
        Ok(())
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.guard.admit_erase(block)?;
        let size = self.guard.geometry().block_size() as usize;
        let erased = Block {
            bytes: vec![self.guard.erase_value(); size].into(),
            known: vec![true; size].into(),
        };
        self.blocks.insert(block, erased);
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
        copy.prog(block, 4, b"\xf8").unwrap();
        copy.prog(block, 6, b"copy").unwrap();
        let mut seen = [0; 11];
        copy.read(block, 0, &mut seen).unwrap();
        assert_eq!(&seen, b"belop\xffcopy\xff");
        copy.erase(block).unwrap();
        copy.read(block, 0, &mut seen).unwrap();
        assert_eq!(seen, [0xff; 11]);
        disk.with(|disk| disk.read(block, 0, &mut seen)).unwrap();
        assert_eq!(&seen, b"below\xff\xff\xff\xff\xff\xff");
    }
}
