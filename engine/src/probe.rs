//! Finding out the block size of an image that does not come with one.

use crate::device::{MAX_BLOCK_SIZE, MIN_BLOCK_SIZE};
use crate::disk::superblock::{MAGIC, Superblock};

/// Where the superblock's magic stands in a compacted block: behind the revision count and the first tag.
const MAGIC_OFFSET: u64 = 8;
/// Where the superblock's fields stand: behind the magic and the second tag.
const FIELDS_OFFSET: u64 = MAGIC_OFFSET + 8 + 4;

/// The block size that the superblock of an image states; none where no superblock is found.
///
/// `read` fills a buffer from a byte offset of the image, and says false where the image ends before that. The name of
/// the superblock is the first thing in blocks 0 and 1 (SPEC.md, "Superblock"). Where the two do not agree, block 1 is
/// looked for at every power of two: one that states the size at which it was found is believed before block 0. Whether
/// the image is sound is for a mount to say.
///
/// ```
/// use cutpoint_engine::device::{Geometry, MemoryDevice};
/// use cutpoint_engine::{FormatOptions, Store, probe_block_size};
///
/// let mut device = MemoryDevice::new(Geometry::new(512, 16)?);
/// Store::format(&mut device, &FormatOptions::default())?;
/// let image = device.into_image();
/// let found = probe_block_size(|offset, buffer| {
///     let bytes = image.get(offset as usize..offset as usize + buffer.len());
///     bytes.map(|bytes| buffer.copy_from_slice(bytes)).is_some()
/// });
/// assert_eq!(found, Some(512));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn probe_block_size(mut read: impl FnMut(u64, &mut [u8]) -> bool) -> Option<u32> {
    let first = stated_at(0, &mut read);
    let mut confirms = |size: u32| stated_at(u64::from(size), &mut read) == Some(size);
    if first.is_some_and(&mut confirms) {
        return first;
    }
    let powers = (0..u32::BITS).map(|power| 1 << power);
    let mut sizes = powers.filter(|size| (MIN_BLOCK_SIZE..=MAX_BLOCK_SIZE).contains(size));
    sizes.find(|&size| confirms(size)).or(first)
}

/// The block size that a superblock in the block at this offset states.
fn stated_at(start: u64, read: &mut impl FnMut(u64, &mut [u8]) -> bool) -> Option<u32> {
    let mut magic = [0; 8];
    let mut fields = [0; Superblock::SIZE];
    if !read(start + MAGIC_OFFSET, &mut magic) || magic != *MAGIC {
        return None;
    }
    if !read(start + FIELDS_OFFSET, &mut fields) {
        return None;
    }
    let size = Superblock::decode(&fields)?.block_size;
    (MIN_BLOCK_SIZE..=MAX_BLOCK_SIZE)
        .contains(&size)
        .then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Geometry, MemoryDevice};
    use crate::{FormatOptions, Store};
    use alloc::vec::Vec;

    fn image() -> Vec<u8> {
        let mut device = MemoryDevice::new(Geometry::new(512, 16).unwrap());
        Store::format(&mut device, &FormatOptions::default()).unwrap();
        device.into_image()
    }

    fn probed(image: &[u8]) -> Option<u32> {
        probe_block_size(|offset, buffer| {
            let bytes = image.get(offset as usize..offset as usize + buffer.len());
            bytes.map(|bytes| buffer.copy_from_slice(bytes)).is_some()
        })
    }

    #[test]
    fn either_block_is_enough() {
        let mut first_gone = image();
        first_gone[..512].fill(0xff);
        assert_eq!(probed(&first_gone), Some(512));
        let mut second_gone = image();
        second_gone[512..1024].fill(0xff);
        assert_eq!(probed(&second_gone), Some(512));
        assert_eq!(probed(&[0xff; 4096]), None);
    }

    #[test]
    fn a_damaged_size_in_the_first_block_is_outvoted() {
        let mut image = image();
        let size_at = FIELDS_OFFSET as usize + 4;
        assert_eq!(image[size_at..size_at + 4], 512_u32.to_le_bytes());
        image[size_at + 1] = 4;
        assert_eq!(probed(&image), Some(512));
    }
}
