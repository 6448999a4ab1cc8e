use super::{
    BlockDevice, BlockId, DeviceCall, DeviceError, DeviceErrorKind, Geometry, GeometryError,
};
use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind};

/// The longest run of bytes that is read through a buffer because its ends are not aligned to the flash's read size.
const READ_BUFFER: usize = 64;

/// NOR flash behind `embedded-storage`'s trait, as a device.
///
/// Blocks are one erase unit or several, programs are whole write units. The trait's calls return when the flash is
/// done, so that a sync has nothing to wait for.
///
/// The engine programs each unit once between erases and never clears bits twice; multi-write flash is not needed.
#[derive(Debug)]
pub struct NorFlashDevice<F> {
    flash: F,
    geometry: Geometry,
}

impl<F: NorFlash> NorFlashDevice<F> {
    /// All of `flash`, in blocks of `erase_units` erase units each.
    ///
    /// # Errors
    ///
    /// [`GeometryError`] where such blocks are too small, too large or too few, or where a write unit does not divide
    /// them. A read unit of more than 64 bytes is refused as an unusable program size would be.
    pub fn new(flash: F, erase_units: u32) -> Result<Self, GeometryError> {
        let block_size = (F::ERASE_SIZE as u32).saturating_mul(erase_units);
        if F::READ_SIZE > READ_BUFFER || !READ_BUFFER.is_multiple_of(F::READ_SIZE) {
            return Err(GeometryError::ProgSize {
                prog_size: F::READ_SIZE as u32,
                block_size,
            });
        }
        let geometry = Geometry::of_image(flash.capacity() as u64, block_size)?
            .with_prog_size(F::WRITE_SIZE as u32)?;
        Ok(Self { flash, geometry })
    }

    /// Hands the flash back.
    pub fn into_flash(self) -> F {
        self.flash
    }

    fn address(&self, block: BlockId, offset: u32) -> u32 {
        block.index() * self.geometry.block_size() + offset
    }
}

impl<F: NorFlash> BlockDevice for NorFlashDevice<F> {
    fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.geometry
            .check_range(DeviceCall::Read, block, offset, buffer.len())?;
        let failed = |error: F::Error| failed(DeviceCall::Read, block, offset, &error);
        let start = self.address(block, offset);
        let unit = F::READ_SIZE as u32;
        if start.is_multiple_of(unit) && buffer.len().is_multiple_of(F::READ_SIZE) {
            return self.flash.read(start, buffer).map_err(failed);
        }
        // Whole read units around what is wanted, a buffer at a time.
        let mut units = [0; READ_BUFFER];
        let mut at = start;
        let mut rest = buffer;
        while !rest.is_empty() {
            let aligned = at - at % unit;
            let skip = (at - aligned) as usize;
            let wanted = rest.len().min(READ_BUFFER - skip);
            let length = (skip + wanted).next_multiple_of(F::READ_SIZE);
            self.flash
                .read(aligned, &mut units[..length])
                .map_err(failed)?;
            let (chunk, behind) = rest.split_at_mut(wanted);
            chunk.copy_from_slice(&units[skip..skip + wanted]);
            rest = behind;
            at += wanted as u32;
        }
        Ok(())
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.geometry
            .check_range(DeviceCall::Prog, block, offset, data.len())?;
        let start = self.address(block, offset);
        self.flash
            .write(start, data)
            .map_err(|error| failed(DeviceCall::Prog, block, offset, &error))
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        let size = self.geometry.block_size();
        self.geometry
            .check_range(DeviceCall::Erase, block, 0, size as usize)?;
        let start = self.address(block, 0);
        self.flash
            .erase(start, start + size)
            .map_err(|error| failed(DeviceCall::Erase, block, 0, &error))
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}

fn failed(
    call: DeviceCall,
    block: BlockId,
    offset: u32,
    error: &impl NorFlashError,
) -> DeviceError {
    let kind = match error.kind() {
        NorFlashErrorKind::NotAligned => DeviceErrorKind::Misaligned,
        NorFlashErrorKind::OutOfBounds => DeviceErrorKind::OutOfRange,
        _ => DeviceErrorKind::Io(None),
    };
    DeviceError::at(call, block, offset, kind)
}
