use super::{BlockId, DeviceCall, DeviceError, DeviceErrorKind};
use core::fmt;

/// The smallest block size the engine works with, in bytes.
///
/// The format itself needs 104 bytes for the pointers of a CTZ skip-list (SPEC.md, "CTZ struct"); 128 is the
/// smallest that the C littlefs accepts.
pub const MIN_BLOCK_SIZE: u32 = 128;

/// The largest block size the engine works with, in bytes: far above any device's, and small enough that a whole
/// block can be held in memory.
pub const MAX_BLOCK_SIZE: u32 = 1 << 24;

/// The sizes of a device, checked against each other when made.
///
/// ```
/// use cutpoint_engine::device::Geometry;
///
/// let geometry = Geometry::new(512, 64)?.with_prog_size(16)?;
/// assert_eq!(geometry.capacity(), 32 * 1024);
/// assert!(Geometry::new(500, 64)?.with_prog_size(16).is_err());
/// # Ok::<(), cutpoint_engine::device::GeometryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    block_size: u32,
    block_count: u32,
    prog_size: u32,
    erase_unordered: bool,
}

impl Geometry {
    /// A device of `block_count` blocks of `block_size` bytes, programmed in units of 1 byte until
    /// [`with_prog_size`](Self::with_prog_size) says otherwise.
    ///
    /// # Errors
    ///
    /// A block size outside [`MIN_BLOCK_SIZE`]`..=`[`MAX_BLOCK_SIZE`] or not a multiple of 4, or fewer than 2
    /// blocks.
    pub const fn new(block_size: u32, block_count: u32) -> Result<Self, GeometryError> {
        if block_size < MIN_BLOCK_SIZE
            || block_size > MAX_BLOCK_SIZE
            || !block_size.is_multiple_of(4)
        {
            return Err(GeometryError::BlockSize(block_size));
        }
        if block_count < 2 {
            return Err(GeometryError::BlockCount(block_count));
        }
        Ok(Self {
            block_size,
            block_count,
            prog_size: 1,
            erase_unordered: false,
        })
    }

    /// The same device, programmed in units of `prog_size` bytes.
    ///
    /// # Errors
    ///
    /// A program size of 0, or one that does not divide the block size.
    pub const fn with_prog_size(self, prog_size: u32) -> Result<Self, GeometryError> {
        if prog_size == 0 || !self.block_size.is_multiple_of(prog_size) {
            return Err(GeometryError::ProgSize {
                prog_size,
                block_size: self.block_size,
            });
        }
        Ok(Self { prog_size, ..self })
    }

    /// The same device, known not to keep an erase and a later program of one block in order until a sync: the
    /// engine then syncs between the two. False unless set.
    #[must_use]
    pub const fn with_erase_unordered(self, erase_unordered: bool) -> Self {
        Self {
            erase_unordered,
            ..self
        }
    }

    /// The same device with another number of blocks.
    ///
    /// # Errors
    ///
    /// Fewer than 2 blocks.
    pub const fn with_block_count(self, block_count: u32) -> Result<Self, GeometryError> {
        if block_count < 2 {
            return Err(GeometryError::BlockCount(block_count));
        }
        Ok(Self {
            block_count,
            ..self
        })
    }

    /// The geometry of an image of `length` bytes cut into blocks of `block_size` bytes; a rest that fills no block
    /// is ignored. The program size is 1.
    ///
    /// # Errors
    ///
    /// [`GeometryError::ImageLength`] where fewer than two blocks fit, else as [`Geometry::new`].
    pub const fn of_image(length: u64, block_size: u32) -> Result<Self, GeometryError> {
        // An unusable block size is the better message, and zero must not divide.
        if let Err(error) = Self::new(block_size, 2) {
            return Err(error);
        }
        let blocks = length / block_size as u64;
        if blocks < 2 || blocks > u32::MAX as u64 {
            return Err(GeometryError::ImageLength { length, block_size });
        }
        Self::new(block_size, blocks as u32)
    }

    /// Bytes in a block: what one erase erases.
    pub const fn block_size(&self) -> u32 {
        self.block_size
    }

    /// Blocks on the device.
    pub const fn block_count(&self) -> u32 {
        self.block_count
    }

    /// Bytes in a program unit; divides the block size.
    pub const fn prog_size(&self) -> u32 {
        self.prog_size
    }

    /// Whether an erase may be lost though a later program of its block survives.
    pub const fn erase_unordered(&self) -> bool {
        self.erase_unordered
    }

    /// Bytes on the device.
    pub const fn capacity(&self) -> u64 {
        self.block_size as u64 * self.block_count as u64
    }

    /// Whether `block` is on the device.
    pub const fn contains(&self, block: BlockId) -> bool {
        block.index() < self.block_count
    }

    /// Checks that `len` bytes from `offset` in `block` are on the device and, for a program, aligned. Devices call
    /// it first thing in each of their calls.
    ///
    /// # Errors
    ///
    /// [`DeviceErrorKind::OutOfRange`] or [`DeviceErrorKind::Misaligned`], with the place.
    pub fn check_range(
        &self,
        call: DeviceCall,
        block: BlockId,
        offset: u32,
        len: usize,
    ) -> Result<(), DeviceError> {
        let fail = |kind| Err(DeviceError::at(call, block, offset, kind));
        let end = u64::from(offset) + len as u64;
        if !self.contains(block) || end > u64::from(self.block_size) {
            return fail(DeviceErrorKind::OutOfRange);
        }
        if call == DeviceCall::Prog
            && (!offset.is_multiple_of(self.prog_size)
                || !end.is_multiple_of(u64::from(self.prog_size)))
        {
            return fail(DeviceErrorKind::Misaligned);
        }
        Ok(())
    }
}

impl fmt::Display for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} blocks of {} bytes, program size {}",
            self.block_count, self.block_size, self.prog_size
        )
    }
}

/// Sizes that do not make a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GeometryError {
    /// The block size is outside the limits or not a multiple of 4.
    BlockSize(u32),
    /// There are fewer than two blocks.
    BlockCount(u32),
    /// The program size is 0 or does not divide the block size.
    ProgSize {
        /// The program size, in bytes.
        prog_size: u32,
        /// The block size, in bytes.
        block_size: u32,
    },
    /// An image's length leaves no whole blocks, or more than a device can have.
    ImageLength {
        /// The image's length, in bytes.
        length: u64,
        /// The block size, in bytes.
        block_size: u32,
    },
}

impl fmt::Display for GeometryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BlockSize(size) => write!(
                f,
                "block size {size} is not a multiple of 4 from {MIN_BLOCK_SIZE} to {MAX_BLOCK_SIZE}"
            ),
            Self::BlockCount(count) => write!(f, "{count} blocks are too few: a store needs 2"),
            Self::ProgSize {
                prog_size,
                block_size,
            } => write!(
                f,
                "program size {prog_size} does not divide the block size {block_size}"
            ),
            Self::ImageLength { length, block_size } => write!(
                f,
                "{length} bytes do not hold a store of {block_size}-byte blocks: at least 2 whole blocks are needed"
            ),
        }
    }
}

impl core::error::Error for GeometryError {}
