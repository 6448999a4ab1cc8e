use super::{
    BlockDevice, BlockId, DeviceCall, DeviceError, DeviceErrorKind, Geometry, GeometryError,
};
use alloc::vec;
use alloc::vec::Vec;

/// A device in memory that erases to one byte value and refuses to program what is not erased.
///
/// ```
/// use cutpoint_engine::device::{BlockDevice, BlockId, Geometry, MemoryDevice};
///
/// let mut device = MemoryDevice::new(Geometry::new(512, 16)?);
/// device.prog(BlockId::new(3), 0, b"hello")?;
/// assert!(device.prog(BlockId::new(3), 0, b"again").is_err(), "not erased since");
/// device.erase(BlockId::new(3))?;
/// device.prog(BlockId::new(3), 0, b"again")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MemoryDevice {
    geometry: Geometry,
    bytes: Vec<u8>,
    erase_value: u8,
}

impl MemoryDevice {
    /// An erased device; erased bytes read as `0xff`.
    pub fn new(geometry: Geometry) -> Self {
        Self {
            bytes: vec![0xff; geometry.capacity() as usize],
            geometry,
            erase_value: 0xff,
        }
    }

    /// A device that holds `image`, with blocks of `block_size` bytes and a program size of 1; bytes after the last
    /// whole block are kept and never used.
    ///
    /// # Errors
    ///
    /// [`GeometryError`] where the block size is not usable or the image holds fewer than two blocks.
    pub fn from_image(image: Vec<u8>, block_size: u32) -> Result<Self, GeometryError> {
        let geometry = Geometry::of_image(image.len() as u64, block_size)?;
        Ok(Self {
            geometry,
            bytes: image,
            erase_value: 0xff,
        })
    }

    /// The same device with programs in units of `prog_size` bytes.
    ///
    /// # Errors
    ///
    /// As [`Geometry::with_prog_size`].
    pub fn with_prog_size(self, prog_size: u32) -> Result<Self, GeometryError> {
        Ok(Self {
            geometry: self.geometry.with_prog_size(prog_size)?,
            ..self
        })
    }

    /// The same device, erasing to `erase_value`.
    #[must_use]
    pub fn with_erase_value(self, erase_value: u8) -> Self {
        Self {
            erase_value,
            ..self
        }
    }

    /// All bytes of the device.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All bytes of the device, to damage at will.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The bytes, handed over.
    pub fn into_image(self) -> Vec<u8> {
        self.bytes
    }

    fn start(&self, block: BlockId, offset: u32) -> usize {
        block.index() as usize * self.geometry.block_size() as usize + offset as usize
    }
}

impl BlockDevice for MemoryDevice {
    fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.geometry
            .check_range(DeviceCall::Read, block, offset, buffer.len())?;
        let start = self.start(block, offset);
        buffer.copy_from_slice(&self.bytes[start..start + buffer.len()]);
        Ok(())
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.geometry
            .check_range(DeviceCall::Prog, block, offset, data.len())?;
        let start = self.start(block, offset);
        let target = &mut self.bytes[start..start + data.len()];
        if target.iter().any(|&byte| byte != self.erase_value) {
            return Err(DeviceError::at(
                DeviceCall::Prog,
                block,
                offset,
                DeviceErrorKind::NotErased,
            ));
        }
        target.copy_from_slice(data);
        Ok(())
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        let size = self.geometry.block_size() as usize;
        self.geometry
            .check_range(DeviceCall::Erase, block, 0, size)?;
        let start = self.start(block, 0);
        self.bytes[start..start + size].fill(self.erase_value);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_a_device_would_refuse() {
        let geometry = Geometry::new(128, 4).unwrap().with_prog_size(16).unwrap();
        let mut device = MemoryDevice::new(geometry);
        let kind = |result: Result<(), DeviceError>| result.unwrap_err().kind;
        let block = BlockId::new(1);
        assert_eq!(
            kind(device.prog(block, 8, &[0; 16])),
            DeviceErrorKind::Misaligned
        );
        assert_eq!(
            kind(device.prog(block, 0, &[0; 15])),
            DeviceErrorKind::Misaligned
        );
        assert_eq!(
            kind(device.prog(block, 112, &[0; 32])),
            DeviceErrorKind::OutOfRange
        );
        assert_eq!(
            kind(device.erase(BlockId::new(4))),
            DeviceErrorKind::OutOfRange
        );
        assert_eq!(
            kind(device.read(block, u32::MAX, &mut [0; 2])),
            DeviceErrorKind::OutOfRange
        );
        device.prog(block, 16, &[1; 16]).unwrap();
        assert_eq!(
            kind(device.prog(block, 0, &[1; 32])),
            DeviceErrorKind::NotErased
        );
    }
}
