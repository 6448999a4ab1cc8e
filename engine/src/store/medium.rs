//! The device as the store uses it.

use crate::device::{BlockDevice, BlockId, DeviceCall, DeviceError, DeviceErrorKind, Geometry};
use alloc::vec;
use alloc::vec::Vec;

/// How many bytes of a log are read at a time. Small, so that little is read that is not needed; large enough that a
/// short log takes one read.
const LOG_STEP: usize = 128;

/// How many bytes are read back at a time.
const VERIFY_STEP: usize = 512;

/// A device, the part of it that the store uses, and whether it holds writes that are not yet known to be durable.
#[derive(Debug)]
pub(crate) struct Medium<D> {
    device: D,
    geometry: Geometry,
    unsynced: bool,
}

impl<D: BlockDevice> Medium<D> {
    pub(crate) fn new(device: D) -> Self {
        Self {
            geometry: device.geometry(),
            device,
            unsynced: false,
        }
    }

    pub(crate) fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// From now on the store uses no more than these blocks.
    pub(crate) fn restrict(&mut self, geometry: Geometry) {
        self.geometry = geometry;
    }

    pub(crate) fn into_device(self) -> D {
        self.device
    }

    pub(crate) fn read(
        &mut self,
        block: BlockId,
        offset: usize,
        buffer: &mut [u8],
    ) -> Result<(), DeviceError> {
        match self.device.read(block, offset as u32, buffer) {
            // Whoever reads a pair takes its other block then, which may be older, and goes on from there: what cannot be
            // read once more is given up, not what a passing trouble has hidden.
            Err(error) if error.kind.is_unreadable_block() => {
                self.device.read(block, offset as u32, buffer)
            }
            read => read,
        }
    }

    fn prog(&mut self, block: BlockId, offset: usize, data: &[u8]) -> Result<(), DeviceError> {
        self.unsynced = true;
        self.device.prog(block, offset as u32, data)
    }

    /// Programs and reads back what has been programmed: a device that spoils it without a word is found out.
    ///
    /// # Errors
    ///
    /// [`DeviceErrorKind::BadBlock`] where what is read is not what was written.
    pub(crate) fn prog_verified(
        &mut self,
        block: BlockId,
        offset: usize,
        data: &[u8],
    ) -> Result<(), DeviceError> {
        self.prog(block, offset, data)?;
        let spoilt = || {
            let kind = DeviceErrorKind::BadBlock;
            DeviceError::at(DeviceCall::Prog, block, offset as u32, kind)
        };
        let mut seen = [0; VERIFY_STEP];
        for (index, chunk) in data.chunks(VERIFY_STEP).enumerate() {
            let seen = &mut seen[..chunk.len()];
            match self.read(block, offset + index * VERIFY_STEP, seen) {
                Ok(()) if seen == chunk => {}
                Ok(()) => return Err(spoilt()),
                Err(error) if error.kind.is_unreadable_block() => return Err(spoilt()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(crate) fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.unsynced = true;
        self.device.erase(block)?;
        if self.geometry.erase_unordered() {
            // Otherwise commits of the block's last generation could come back behind what is programmed now.
            self.sync()?;
        }
        Ok(())
    }

    /// Makes everything written so far durable; does nothing where it is.
    pub(crate) fn sync(&mut self) -> Result<(), DeviceError> {
        if self.unsynced {
            self.device.sync()?;
            self.unsynced = false;
        }
        Ok(())
    }
}

/// The first bytes of a block, read as far as they were needed.
pub(crate) struct BlockPrefix {
    block: BlockId,
    bytes: Vec<u8>,
}

impl BlockPrefix {
    pub(crate) fn new(block: BlockId) -> Self {
        Self {
            block,
            bytes: Vec::new(),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads on until at least `length` bytes are there; `length` is at most the block's size.
    pub(crate) fn extend<D: BlockDevice>(
        &mut self,
        medium: &mut Medium<D>,
        length: usize,
    ) -> Result<(), DeviceError> {
        let start = self.bytes.len();
        if start < length {
            let block_size = medium.geometry().block_size() as usize;
            let end = length.next_multiple_of(LOG_STEP).min(block_size);
            self.bytes.resize(end, 0);
            if let Err(error) = medium.read(self.block, start, &mut self.bytes[start..]) {
                self.bytes.truncate(start);
                return Err(error);
            }
        }
        Ok(())
    }
}

/// `length` bytes from `offset` in `block`.
pub(crate) fn read_vec<D: BlockDevice>(
    medium: &mut Medium<D>,
    block: BlockId,
    offset: usize,
    length: usize,
) -> Result<Vec<u8>, DeviceError> {
    let mut bytes = vec![0; length];
    medium.read(block, offset, &mut bytes)?;
    Ok(bytes)
}
