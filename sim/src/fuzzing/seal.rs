//! Putting right the checksums of an image that a fuzzer has changed.
//!
//! Every commit of a metadata block carries a CRC-32. A change made blindly breaks it, and the commit is then passed
//! over: the code behind the checksum would hardly ever see odd data. A sealed image is odd in what its commits say,
//! not in their checksums.

use super::tag::{FIRST_TAG, Tag, be32, checksum};

/// Rewrites the checksum of every commit in every block of `image`, in blocks of `block_size` bytes (a rest is left
/// alone).
///
/// Blocks that hold data and no log are run through all the same: what they hold may change where it looks like a
/// commit, and is as good an input as before.
pub(crate) fn seal(image: &mut [u8], block_size: usize) {
    for block in image.chunks_exact_mut(block_size) {
        seal_block(block);
    }
}

pub(super) fn seal_block(block: &mut [u8]) {
    let mut commit_start = 0;
    let mut offset = FIRST_TAG;
    // Each tag is stored as its difference to the one before.
    let mut previous = u32::MAX;
    while let Some(stored) = be32(block, offset) {
        let tag = Tag(stored ^ previous);
        let end = offset + 4 + tag.data_len();
        if !tag.is_valid() || end > block.len() {
            return;
        }
        previous = tag.0;
        if tag.is_checksum() {
            let covered = checksum(&block[commit_start..offset + 4]);
            // One that is too short for a checksum ends the log.
            let Some(field) = block[offset + 4..end].first_chunk_mut::<4>() else {
                return;
            };
            *field = covered.to_le_bytes();
            previous ^= tag.next_valid_bit();
            commit_start = end;
        }
        offset = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutpoint_engine::device::{Geometry, MemoryDevice};
    use cutpoint_engine::{FormatOptions, Key, MountOptions, Store};

    fn image_of_one_value() -> Vec<u8> {
        let mut device = MemoryDevice::new(Geometry::new(512, 8).unwrap());
        Store::format(&mut device, &FormatOptions::default()).unwrap();
        let mut store = Store::mount(&mut device, &MountOptions::default()).unwrap();
        store.set(&Key::new("/key"), b"value").unwrap();
        device.into_image()
    }

    #[test]
    fn changes_nothing_in_a_sound_image() {
        let image = image_of_one_value();
        let mut sealed = image.clone();
        seal(&mut sealed, 512);
        assert!(sealed == image);
    }

    #[test]
    fn makes_a_changed_value_readable() {
        let mut image = image_of_one_value();
        let at = image
            .windows(5)
            .position(|bytes| bytes == b"value")
            .unwrap();
        image[at] = b'V';
        seal(&mut image, 512);
        let device = MemoryDevice::from_image(image, 512).unwrap();
        let mut store = Store::mount(device, &MountOptions::default()).unwrap();
        assert_eq!(store.get(&Key::new("/key")).unwrap(), b"Value");
    }
}
