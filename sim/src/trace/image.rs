use super::Blocks;
use cutpoint_engine::device::{BlockId, Geometry};
use std::sync::Arc;
use thiserror::Error;

/// What a device held before the first event. Cheap to clone: bytes are shared.
#[derive(Clone, Debug)]
pub enum Image {
    /// Every byte reads as the erase value; nothing is stored for it.
    Erased,
    /// These bytes; as many as the device has.
    Bytes(Arc<[u8]>),
    /// These blocks; as many as the device has.
    Blocks(Blocks),
}

/// An image is not as long as the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the image has {length} bytes, but a device of {geometry} holds {}", geometry.capacity())]
pub struct ImageLengthError {
    /// The image's length, in bytes.
    pub length: u64,
    /// The device's sizes.
    pub geometry: Geometry,
}

impl Image {
    /// The image of these bytes on a device of this geometry.
    ///
    /// # Errors
    ///
    /// [`ImageLengthError`] where the length is not the device's.
    pub fn new(bytes: impl Into<Arc<[u8]>>, geometry: Geometry) -> Result<Self, ImageLengthError> {
        let bytes = bytes.into();
        let length = bytes.len() as u64;
        if length == geometry.capacity() {
            Ok(Self::Bytes(bytes))
        } else {
            Err(ImageLengthError { length, geometry })
        }
    }

    /// Fills `buffer` from `offset` in `block`. The range lies on the device: callers have checked it.
    pub(crate) fn read(
        &self,
        geometry: Geometry,
        erase_value: u8,
        (block, offset): (BlockId, u32),
        buffer: &mut [u8],
    ) {
        match self {
            Self::Erased => buffer.fill(erase_value),
            Self::Bytes(bytes) => {
                let start =
                    block.index() as usize * geometry.block_size() as usize + offset as usize;
                buffer.copy_from_slice(&bytes[start..start + buffer.len()]);
            }
            Self::Blocks(blocks) => blocks.read(block, offset, buffer),
        }
    }

    /// All bytes, owned.
    pub(crate) fn to_vec(&self, geometry: Geometry, erase_value: u8) -> Vec<u8> {
        match self {
            Self::Erased => vec![erase_value; geometry.capacity() as usize],
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Blocks(blocks) => {
                let mut bytes = Vec::with_capacity(geometry.capacity() as usize);
                blocks
                    .iter()
                    .for_each(|block| bytes.extend_from_slice(block));
                bytes
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_bytes_of_another_length() {
        let geometry = Geometry::new(128, 4).unwrap();
        assert!(Image::new(vec![0; 512], geometry).is_ok());
        let error = Image::new(vec![0; 511], geometry).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the image has 511 bytes, but a device of 4 blocks of 128 bytes, program size 1 holds 512"
        );
    }
}
