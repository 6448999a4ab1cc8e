//! The engine's only way to storage: a block device behind a trait, with typed geometry and errors.
//!
//! # Power-loss contract
//!
//! The engine keeps its promises on devices that behave as the methods of [`BlockDevice`] say. In short: a read
//! returns the newest issued bytes; a program changes only the units it names; nothing issued after a completed
//! sync reaches the medium before what preceded that sync; an interrupted erase or program may leave anything in
//! the block or in the units it touched.

mod block_id;
#[cfg(feature = "std")]
mod file;
mod geometry;
mod memory;
#[cfg(feature = "embedded-storage")]
mod nor_flash;

pub use block_id::BlockId;
#[cfg(feature = "std")]
pub use file::{FileDevice, FileDeviceError};
pub use geometry::{Geometry, GeometryError, MAX_BLOCK_SIZE, MIN_BLOCK_SIZE};
pub use memory::MemoryDevice;
#[cfg(feature = "embedded-storage")]
pub use nor_flash::NorFlashDevice;

use alloc::boxed::Box;
use core::fmt;

/// A device made of equal blocks that are erased whole and programmed in units.
///
/// Offsets and lengths are in bytes. Callers pass ranges that lie within one block; programs are aligned to
/// [`Geometry::prog_size`], reads as they like.
pub trait BlockDevice {
    /// The sizes of the device. Must not change while a store is mounted.
    fn geometry(&self) -> Geometry;

    /// Fills `buffer` from `offset` in `block`.
    ///
    /// Returns the newest bytes issued by `prog` or `erase`, whether they have reached the medium or not. Changes
    /// nothing that a power cut could show.
    ///
    /// # Errors
    ///
    /// A [`DeviceError`] where the range is outside the device or cannot be read.
    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError>;

    /// Programs `data` at `offset` in `block`; both are multiples of the program size.
    ///
    /// The units written must have been erased since they were last programmed. After a power cut before the next
    /// completed [`sync`](Self::sync), each unit in the range may hold its old bytes, the new ones, or noise; no
    /// byte outside the range changes. Programs and erases of one block reach the medium in the order they were
    /// issued; those of different blocks in any order.
    ///
    /// # Errors
    ///
    /// [`DeviceErrorKind::BadBlock`] where the block no longer takes programs; any other kind where the range is
    /// wrong or the device failed.
    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError>;

    /// Erases `block`, so that all its units can be programmed again.
    ///
    /// What the block reads as afterwards is the device's business, but it must not change until it is programmed.
    /// After a power cut before the next completed [`sync`](Self::sync), the block may hold its old bytes, the
    /// erased state, or noise.
    ///
    /// # Errors
    ///
    /// As [`prog`](Self::prog).
    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError>;

    /// Returns once everything issued before is on the medium for good.
    ///
    /// # Errors
    ///
    /// A [`DeviceError`] where the device cannot tell that it is.
    fn sync(&mut self) -> Result<(), DeviceError>;
}

macro_rules! forward_to_inner {
    () => {
        fn geometry(&self) -> Geometry {
            (**self).geometry()
        }
        fn read(
            &mut self,
            block: BlockId,
            offset: u32,
            buffer: &mut [u8],
        ) -> Result<(), DeviceError> {
            (**self).read(block, offset, buffer)
        }
        fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
            (**self).prog(block, offset, data)
        }
        fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
            (**self).erase(block)
        }
        fn sync(&mut self) -> Result<(), DeviceError> {
            (**self).sync()
        }
    };
}

impl<D: BlockDevice + ?Sized> BlockDevice for &mut D {
    forward_to_inner!();
}

impl<D: BlockDevice + ?Sized> BlockDevice for Box<D> {
    forward_to_inner!();
}

/// A call of the [`BlockDevice`] trait, as named in errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceCall {
    /// [`BlockDevice::read`].
    Read,
    /// [`BlockDevice::prog`].
    Prog,
    /// [`BlockDevice::erase`].
    Erase,
    /// [`BlockDevice::sync`].
    Sync,
}

impl fmt::Display for DeviceCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Prog => "program",
            Self::Erase => "erase",
            Self::Sync => "sync",
        })
    }
}

/// Why a device refused a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeviceErrorKind {
    /// The block no longer takes programs or erases; the rest of the device still works.
    BadBlock,
    /// A program hit units that have not been erased.
    NotErased,
    /// The block or the range lies outside the device.
    OutOfRange,
    /// A program is not aligned to the program size.
    Misaligned,
    /// The bytes cannot be read.
    Unreadable,
    /// The device failed; the operating system's error number where there is one.
    Io(Option<i32>),
}

impl DeviceErrorKind {
    /// Whether the trouble is one block's alone: another one will do for what was to be written there.
    pub(crate) fn is_bad_block(self) -> bool {
        matches!(self, Self::BadBlock)
    }

    /// Whether the trouble is one block's alone: its partner in a pair may still be read.
    pub(crate) fn is_unreadable_block(self) -> bool {
        matches!(self, Self::BadBlock | Self::Unreadable)
    }
}

impl fmt::Display for DeviceErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadBlock => f.write_str("the block is bad"),
            Self::NotErased => f.write_str("the units have not been erased"),
            Self::OutOfRange => f.write_str("the range lies outside the device"),
            Self::Misaligned => f.write_str("the range is not aligned to the program size"),
            Self::Unreadable => f.write_str("the bytes cannot be read"),
            Self::Io(Some(code)) => write!(f, "input/output error {code}"),
            Self::Io(None) => f.write_str("input/output error"),
        }
    }
}

/// A device call that failed: which, where and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceError {
    /// The call that failed.
    pub call: DeviceCall,
    /// The block and byte offset it was about; none for a sync.
    pub place: Option<(BlockId, u32)>,
    /// Why.
    pub kind: DeviceErrorKind,
}

impl DeviceError {
    /// An error of `call` at `offset` (bytes) in `block`.
    pub const fn at(call: DeviceCall, block: BlockId, offset: u32, kind: DeviceErrorKind) -> Self {
        Self {
            call,
            place: Some((block, offset)),
            kind,
        }
    }

    /// An error of a sync.
    pub const fn sync(kind: DeviceErrorKind) -> Self {
        Self {
            call: DeviceCall::Sync,
            place: None,
            kind,
        }
    }
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((block, offset)) => write!(
                f,
                "{} failed at block {block}, offset {offset}: {}",
                self.call, self.kind
            ),
            None => write!(f, "{} failed: {}", self.call, self.kind),
        }
    }
}

impl core::error::Error for DeviceError {}
