//! NOR flash for stores that are made for the traits of `embedded-storage`, over a simulated device.

use crate::subject::{Device, SubjectError};
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, DeviceErrorKind, Geometry};
use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use std::fmt;
use thiserror::Error;

/// A simulated device as NOR flash, which is read by bytes, written in words of `WRITE` bytes and erased in sectors of
/// `ERASE` bytes.
///
/// Sectors are the device's blocks, words its program units. A write that crosses a sector is one device call for each
/// sector, and an erase of several sectors one for each. NOR flash has no sync: calls return when the flash is done, so
/// that stores on it are to be swept under contracts that keep the order of writes.
///
/// It takes a second write of a word only as [`Medium::MultiwriteFlash`](crate::medium::Medium::MultiwriteFlash).
///
/// ```
/// use cutpoint::disk::RecordingDisk;
/// use cutpoint::nor_flash::SimulatedNorFlash;
/// use cutpoint_engine::device::Geometry;
/// use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
///
/// let geometry = Geometry::new(1024, 8)?.with_prog_size(4)?;
/// let disk = RecordingDisk::new(geometry, 0xff);
/// let mut flash = SimulatedNorFlash::<4, 1024>::new(Box::new(disk))?;
/// assert_eq!(flash.capacity(), 8192);
/// flash.erase(0, 2048)?;
/// flash.write(1020, b"two words")
///     .expect_err("nine bytes are no whole words");
/// flash.write(1020, b"two word")?;
/// let mut read = [0; 3];
/// flash.read(1024, &mut read)?;
/// assert_eq!(&read, b"wor");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SimulatedNorFlash<const WRITE: usize, const ERASE: usize> {
    device: Device,
}

impl<const WRITE: usize, const ERASE: usize> SimulatedNorFlash<WRITE, ERASE> {
    /// All of `device`.
    ///
    /// # Errors
    ///
    /// [`NorFlashSizeError`] where its blocks or its program units have other sizes.
    pub fn new(device: Device) -> Result<Self, NorFlashSizeError> {
        let geometry = device.geometry();
        if geometry.block_size() as usize != ERASE || geometry.prog_size() as usize != WRITE {
            return Err(NorFlashSizeError {
                write: WRITE,
                erase: ERASE,
                geometry,
            });
        }
        Ok(Self { device })
    }

    /// Calls `call` for each block that `length` bytes from `offset` on lie in: with the place in the block, and the range
    /// among the bytes.
    fn by_block(
        &mut self,
        offset: u32,
        length: usize,
        mut call: impl FnMut(
            &mut Device,
            BlockId,
            u32,
            std::ops::Range<usize>,
        ) -> Result<(), DeviceError>,
    ) -> Result<(), SimulatedFlashError> {
        let end = u64::from(offset) + length as u64;
        if end > self.device.geometry().capacity() {
            return Err(SimulatedFlashError::OutOfBounds);
        }
        let mut done = 0;
        while done < length {
            let at = offset as usize + done;
            let inside = at % ERASE;
            let count = (ERASE - inside).min(length - done);
            let block = BlockId::new((at / ERASE) as u32);
            call(&mut self.device, block, inside as u32, done..done + count)?;
            done += count;
        }
        Ok(())
    }
}

impl<const WRITE: usize, const ERASE: usize> fmt::Debug for SimulatedNorFlash<WRITE, ERASE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let geometry = self.device.geometry();
        f.debug_struct("SimulatedNorFlash")
            .field("geometry", &geometry)
            .finish_non_exhaustive()
    }
}

impl<const WRITE: usize, const ERASE: usize> ErrorType for SimulatedNorFlash<WRITE, ERASE> {
    type Error = SimulatedFlashError;
}

impl<const WRITE: usize, const ERASE: usize> ReadNorFlash for SimulatedNorFlash<WRITE, ERASE> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.by_block(offset, bytes.len(), |device, block, inside, range| {
            device.read(block, inside, &mut bytes[range])
        })
    }

    fn capacity(&self) -> usize {
        self.device.geometry().capacity() as usize
    }
}

impl<const WRITE: usize, const ERASE: usize> NorFlash for SimulatedNorFlash<WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        let length = to
            .checked_sub(from)
            .ok_or(SimulatedFlashError::OutOfBounds)? as usize;
        if !(from as usize).is_multiple_of(ERASE) || !length.is_multiple_of(ERASE) {
            return Err(SimulatedFlashError::NotAligned);
        }
        self.by_block(from, length, |device, block, _, _| device.erase(block))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        if !(offset as usize).is_multiple_of(WRITE) || !bytes.len().is_multiple_of(WRITE) {
            return Err(SimulatedFlashError::NotAligned);
        }
        self.by_block(offset, bytes.len(), |device, block, inside, range| {
            device.prog(block, inside, &bytes[range])
        })
    }
}

impl<const WRITE: usize, const ERASE: usize> MultiwriteNorFlash
    for SimulatedNorFlash<WRITE, ERASE>
{
}

/// The sizes of a device are not those of the flash that it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the flash has words of {write} bytes and sectors of {erase}, the device {geometry}: give the workload that"
)]
pub struct NorFlashSizeError {
    write: usize,
    erase: usize,
    geometry: Geometry,
}

impl From<NorFlashSizeError> for SubjectError {
    fn from(error: NorFlashSizeError) -> Self {
        Self::Other(error.to_string())
    }
}

/// Why a call on simulated flash failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SimulatedFlashError {
    /// The range is not aligned to words, or for an erase to sectors.
    #[error("the range is not aligned")]
    NotAligned,
    /// The range lies outside the flash.
    #[error("the range lies outside the flash")]
    OutOfBounds,
    /// The device under it failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

impl NorFlashError for SimulatedFlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::NotAligned => NorFlashErrorKind::NotAligned,
            Self::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            Self::Device(error) => match error.kind {
                DeviceErrorKind::Misaligned => NorFlashErrorKind::NotAligned,
                DeviceErrorKind::OutOfRange => NorFlashErrorKind::OutOfBounds,
                _ => NorFlashErrorKind::Other,
            },
        }
    }
}

impl From<SimulatedFlashError> for SubjectError {
    fn from(error: SimulatedFlashError) -> Self {
        match error {
            SimulatedFlashError::Device(error) => Self::Device(error),
            error => Self::Other(error.to_string()),
        }
    }
}
