//! What each block is used for.

use super::pairs::Followed;
use super::tree::Node;
use super::{is_erased, read_block};
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError};
use serde::Serialize;

/// A block of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Block {
    /// What it is used for: the first use that was found.
    #[serde(flatten)]
    pub usage: Use,
    /// It has a second use, which is damage where no dictionary has just moved.
    pub shared: bool,
    /// Damage shows at it.
    pub damaged: bool,
}

/// What a block is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "use", rename_all = "snake_case")]
pub enum Use {
    /// Metadata.
    Metadata {
        /// The place of its pair in [`pairs`](super::Anatomy::pairs).
        pair: usize,
        /// Whether it is the one of the pair's two blocks that counts.
        current: bool,
    },
    /// A part of a value.
    Value {
        /// The place of the value in [`tree`](super::Anatomy::tree).
        node: usize,
        /// The place of the block in the value, from 0.
        index: usize,
    },
    /// Nothing.
    Free {
        /// All its bytes are 0xff, or all are 0.
        erased: bool,
    },
    /// The store does not reach so far.
    Beyond,
}

impl Use {
    /// Whether the store uses the block.
    pub fn is_used(self) -> bool {
        matches!(self, Self::Metadata { .. } | Self::Value { .. })
    }
}

/// What all blocks of the image are used for, where the store has `store_blocks` of them.
pub(super) fn of<D: BlockDevice>(
    device: &mut D,
    store_blocks: u32,
    followed: &Followed,
    nodes: &[Node],
) -> Result<Vec<Block>, DeviceError> {
    let geometry = device.geometry();
    let mut uses: Vec<Option<(Use, bool)>> = vec![None; geometry.block_count() as usize];
    let mut add = |block: u32, usage: Use| {
        if let Some(place) = uses.get_mut(block as usize) {
            *place = Some(place.map_or((usage, false), |(first, _)| (first, true)));
        }
    };
    for (pair, shown) in followed.pairs.iter().enumerate() {
        for half in &shown.halves {
            let current = half.current;
            add(half.block, Use::Metadata { pair, current });
        }
    }
    for (node, value) in nodes.iter().enumerate() {
        for (index, &block) in value.blocks.iter().enumerate() {
            add(block, Use::Value { node, index });
        }
    }
    let free = |index: usize, device: &mut D| {
        if index >= store_blocks as usize {
            return Ok(Use::Beyond);
        }
        let bytes = read_block(device, geometry, BlockId::new(index as u32))?;
        let erased = is_erased(&bytes);
        Ok(Use::Free { erased })
    };
    uses.into_iter()
        .enumerate()
        .map(|(index, found)| {
            let (usage, shared) = match found {
                Some(taken) => taken,
                None => (free(index, device)?, false),
            };
            Ok(Block {
                usage,
                shared,
                damaged: false,
            })
        })
        .collect()
}
