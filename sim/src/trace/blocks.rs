use super::{Event, Image, Trace};
use cutpoint_engine::device::{BlockId, Geometry};
use std::sync::Arc;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// All bytes of a device, block by block. Images that differ in a few blocks share the others.
#[derive(Clone, Debug)]
pub struct Blocks(Arc<[Arc<Block>]>);

#[derive(Debug)]
struct Block {
    name: u128,
    bytes: Box<[u8]>,
}

impl Block {
    fn of(bytes: Box<[u8]>) -> Arc<Self> {
        Arc::new(Self {
            name: xxh3_128(&bytes),
            bytes,
        })
    }
}

impl Blocks {
    /// The blocks of an image that was made for this geometry.
    pub fn of(image: &Image, geometry: Geometry, erase_value: u8) -> Self {
        let size = geometry.block_size() as usize;
        match image {
            Image::Blocks(blocks) => blocks.clone(),
            Image::Bytes(bytes) => Self(
                bytes
                    .chunks_exact(size)
                    .map(|block| Block::of(block.into()))
                    .collect(),
            ),
            Image::Erased => {
                let erased = Block::of(vec![erase_value; size].into());
                let count = geometry.block_count() as usize;
                Self(std::iter::repeat_n(erased, count).collect())
            }
        }
    }

    /// The 128-bit name of the bytes: images of one geometry that hold the same have the same name, and others, for all
    /// practical purposes, another.
    pub fn name(&self) -> u128 {
        let mut hash = Xxh3::new();
        for block in &*self.0 {
            hash.update(&block.name.to_le_bytes());
        }
        hash.digest128()
    }

    /// The same after an event, which is within the device; only an erase or a program changes it.
    #[must_use]
    pub fn after(&self, event: &Event, erase_value: u8) -> Self {
        match event {
            Event::Erase { block } => self.with(*block, |bytes| bytes.fill(erase_value)),
            Event::Prog {
                block,
                offset,
                data,
            } => {
                let start = *offset as usize;
                self.with(*block, |bytes| {
                    bytes[start..start + data.len()].copy_from_slice(data);
                })
            }
            Event::Sync | Event::OperationStart(_) | Event::OperationEnd(_) => self.clone(),
        }
    }

    /// The same with `change` made to the bytes of a block of the device.
    #[must_use]
    pub(crate) fn with(&self, block: BlockId, change: impl FnOnce(&mut [u8])) -> Self {
        let mut blocks = Arc::clone(&self.0);
        // There are two handles now, so that this makes a copy.
        let changed = &mut Arc::make_mut(&mut blocks)[block.index() as usize];
        let mut bytes = changed.bytes.clone();
        change(&mut bytes);
        *changed = Block::of(bytes);
        Self(blocks)
    }

    /// About how many bytes of memory an image takes that shares all blocks but one.
    pub(crate) fn own_size(&self) -> usize {
        let block = self.0.first().map_or(0, |block| block.bytes.len());
        size_of_val(&*self.0) + block
    }

    /// The bytes of each block, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|block| &*block.bytes)
    }

    /// Fills `buffer` from `offset` in `block`. The range lies on the device.
    pub(super) fn read(&self, block: BlockId, offset: u32, buffer: &mut [u8]) {
        let start = offset as usize;
        let bytes = &self.0[block.index() as usize].bytes;
        buffer.copy_from_slice(&bytes[start..start + buffer.len()]);
    }
}

impl Trace {
    /// What the device held after the first 0, 1, 2, ... writes.
    pub(crate) fn prefix_images(&self) -> Vec<Blocks> {
        let mut image = Blocks::of(&self.image, self.geometry, self.erase_value);
        let mut images = Vec::with_capacity(self.writes.len() + 1);
        for &event in &self.writes {
            let next = image.after(&self.events[event as usize], self.erase_value);
            images.push(std::mem::replace(&mut image, next));
        }
        images.push(image);
        images
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_is_there_and_not_how_it_came_there() {
        let geometry = Geometry::new(128, 4).unwrap();
        let block = BlockId::new(1);
        let erased = Blocks::of(&Image::Erased, geometry, 0xff);
        let bytes = Blocks::of(&Image::Bytes(vec![0xff; 512].into()), geometry, 0xff);
        assert_eq!(erased.name(), bytes.name());
        let program = |block, data: &[u8]| Event::Prog {
            block: BlockId::new(block),
            offset: 3,
            data: data.into(),
        };
        let written = erased.after(&program(1, b"ab"), 0xff);
        assert_ne!(erased.name(), written.name());
        let others = [program(2, b"ab"), program(1, b"ba")];
        for other in others {
            assert_ne!(erased.after(&other, 0xff).name(), written.name());
        }
        let again = written.after(&Event::Erase { block }, 0xff);
        assert_eq!(again.name(), erased.name());
        let mut seen = [0; 4];
        written.read(block, 2, &mut seen);
        assert_eq!(&seen, b"\xffab\xff");
    }
}
