//! Putting right the checksums of an image that a fuzzer has changed.
//!
//! Every commit of a metadata block carries a CRC-32. A change made blindly breaks it, and the commit is then passed
//! over: the code behind the checksum would hardly ever see odd data. A sealed image is odd in what its commits say,
//! not in their checksums.

use crc::{CRC_32_JAMCRC, Crc, Table};

/// The format's checksum: CRC-32 without the final inversion.
const CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_JAMCRC);

/// The first tag of a block stands behind the revision count.
const FIRST_TAG: usize = 4;

/// Rewrites the checksum of every commit in every block of `image`, in blocks of `block_size` bytes (a rest is left
/// alone).
///
/// Blocks that hold data and no log are run through all the same: what they hold may change where it looks like a
/// commit, and is as good an input as before.
pub(super) fn seal(image: &mut [u8], block_size: usize) {
    for block in image.chunks_exact_mut(block_size) {
        seal_block(block);
    }
}

fn seal_block(block: &mut [u8]) {
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
            let covered = CRC.checksum(&block[commit_start..offset + 4]);
            if let Some(field) = block.get_mut(offset + 4..offset + 8) {
                field.copy_from_slice(&covered.to_le_bytes());
            }
            previous ^= tag.next_valid_bit();
            commit_start = end;
        }
        offset = end;
    }
}

fn be32(block: &[u8], offset: usize) -> Option<u32> {
    let bytes = block.get(offset..offset + 4)?;
    bytes.try_into().ok().map(u32::from_be_bytes)
}

/// The 32 bits before every piece of data in a log.
#[derive(Clone, Copy)]
struct Tag(u32);

impl Tag {
    fn is_valid(self) -> bool {
        self.0 >> 31 == 0
    }

    fn kind(self) -> u32 {
        (self.0 >> 20) & 0x7ff
    }

    fn is_checksum(self) -> bool {
        self.kind() & 0x780 == 0x500
    }

    /// A checksum's type says which value the valid bit of unwritten bytes behind it has.
    fn next_valid_bit(self) -> u32 {
        (self.kind() & 1) << 31
    }

    /// Bytes behind the tag; the length of all ones means deleted, and none.
    fn data_len(self) -> usize {
        match self.0 & 0x3ff {
            0x3ff => 0,
            len => len as usize,
        }
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
