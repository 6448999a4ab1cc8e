use cutpoint_engine::device::Geometry;
use std::num::NonZeroU32;
use thiserror::Error;

/// What C lets its user choose, beside the sizes of the device.
///
/// ```
/// use cutpoint_engine::device::Geometry;
/// use cutpoint_littlefs_c::Config;
///
/// let geometry = Geometry::new(4096, 64)?.with_prog_size(256)?;
/// let config = Config::for_geometry(geometry);
/// assert_eq!((config.read_size, config.cache_size), (256, 512));
/// # Ok::<(), cutpoint_engine::device::GeometryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// What reads are multiples of, in bytes.
    pub read_size: u32,
    /// The size of each cache in bytes: a multiple of the read and the program size, a factor of the block size. A
    /// program has at most so many bytes, and a file kept in its directory entry too.
    pub cache_size: u32,
    /// The window of the search for free blocks, in bytes of 8 blocks each.
    pub lookahead_size: NonZeroU32,
    /// After how many compactions a metadata pair moves to other blocks, to level wear; none for never. At most
    /// `i32::MAX`.
    pub block_cycles: Option<NonZeroU32>,
}

impl Config {
    /// Reads in program units, caches of 512 bytes or a smaller block, in program units too, a window of 128 blocks,
    /// pairs that move after 512 compactions.
    pub fn for_geometry(geometry: Geometry) -> Self {
        let (prog_size, block_size) = (geometry.prog_size(), geometry.block_size());
        let sizes = (1..=block_size / prog_size).map(|units| units * prog_size);
        let cache_size = sizes
            .into_iter()
            .find(|size| block_size.is_multiple_of(*size) && *size >= block_size.min(512))
            .unwrap_or(block_size);
        Self {
            read_size: prog_size,
            cache_size,
            lookahead_size: const { NonZeroU32::new(16).unwrap() },
            block_cycles: NonZeroU32::new(512),
        }
    }

    /// What C asserts of its configuration, and does not check where its assertions are off.
    pub(crate) fn check(&self, geometry: Geometry) -> Result<(), ConfigError> {
        let (prog_size, block_size) = (geometry.prog_size(), geometry.block_size());
        let Self {
            read_size,
            cache_size,
            ..
        } = *self;
        if read_size == 0
            || cache_size == 0
            || !cache_size.is_multiple_of(read_size)
            || !cache_size.is_multiple_of(prog_size)
            || !block_size.is_multiple_of(cache_size)
        {
            return Err(ConfigError::Cache {
                cache_size,
                read_size,
                prog_size,
                block_size,
            });
        }
        if block_size < MIN_BLOCK_SIZE {
            return Err(ConfigError::SmallBlocks { block_size });
        }
        match self.block_cycles {
            Some(cycles) if i32::try_from(cycles.get()).is_err() => {
                Err(ConfigError::BlockCycles { cycles })
            }
            _ => Ok(()),
        }
    }
}

/// The smallest blocks that hold all pointers of a file.
const MIN_BLOCK_SIZE: u32 = 128;

/// A configuration that C does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The sizes do not go into one another.
    #[error(
        "the cache of {cache_size} bytes must be a multiple of the read size ({read_size}) and the program size \
         ({prog_size}), and go into a block ({block_size})"
    )]
    Cache {
        /// The size of the caches.
        cache_size: u32,
        /// The size of reads.
        read_size: u32,
        /// The device's program size.
        prog_size: u32,
        /// The device's block size.
        block_size: u32,
    },
    /// The device's blocks are too small.
    #[error("blocks of {block_size} bytes are too small; C needs {MIN_BLOCK_SIZE}")]
    SmallBlocks {
        /// The device's block size.
        block_size: u32,
    },
    /// More compactions than C can count.
    #[error("{cycles} compactions are more than C can count; give at most {max}", max = i32::MAX)]
    BlockCycles {
        /// The number.
        cycles: NonZeroU32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geometry(block_size: u32, prog_size: u32) -> Geometry {
        Geometry::new(block_size, 64)
            .and_then(|geometry| geometry.with_prog_size(prog_size))
            .unwrap()
    }

    #[test]
    fn the_default_fits_every_geometry() {
        for (block_size, prog_size, cache_size) in [
            (128, 1, 128),
            (512, 16, 512),
            (4096, 256, 512),
            (4096, 2048, 2048),
            (384, 48, 384),
        ] {
            let geometry = geometry(block_size, prog_size);
            let config = Config::for_geometry(geometry);
            assert_eq!(config.cache_size, cache_size, "{geometry}");
            assert_eq!(config.check(geometry), Ok(()));
        }
    }

    #[test]
    fn what_c_would_assert_is_refused() {
        let geometry = geometry(512, 16);
        let config = Config::for_geometry(geometry);
        for cache_size in [0, 24, 384, 1024] {
            let config = Config {
                cache_size,
                ..config
            };
            let refused = config.check(geometry);
            assert!(
                matches!(refused, Err(ConfigError::Cache { .. })),
                "{cache_size}"
            );
        }
        let block_cycles = NonZeroU32::new(1 << 31);
        let config = Config {
            block_cycles,
            ..config
        };
        assert!(matches!(
            config.check(geometry),
            Err(ConfigError::BlockCycles { .. })
        ));
    }
}
