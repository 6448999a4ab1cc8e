//! An image, taken apart: what each of its blocks is used for, the metadata pairs with their logs, the values with their
//! blocks, the global state, and what is damaged.
//!
//! [`Anatomy::of`] takes any bytes behind a block device and ends in time that grows with their number: each block's log
//! is read once, each block of a value is followed once. What it shows is what the engine's own scanner and check say;
//! where a store does not mount, it shows what can be followed all the same.
//!
//! ```
//! use cutpoint::anatomy::{Anatomy, Use};
//! use cutpoint_engine::device::{Geometry, MemoryDevice};
//! use cutpoint_engine::{FormatOptions, Key, MountOptions, Store};
//!
//! let mut device = MemoryDevice::new(Geometry::new(512, 16)?);
//! Store::format(&mut device, &FormatOptions::default())?;
//! Store::mount(&mut device, &MountOptions::default())?.set(&Key::new("/large"), &[7; 600])?;
//! let anatomy = Anatomy::of(&mut device)?;
//! assert_eq!(anatomy.pairs.len(), 1);
//! assert_eq!(anatomy.tree[0].blocks.len(), 2);
//! let first = anatomy.tree[0].blocks[0] as usize;
//! assert_eq!(anatomy.blocks[first].usage, Use::Value { node: 0, index: 0 });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocks;
mod log;
mod pairs;
mod tree;

pub use blocks::{Block, Use};
pub use log::{Commit, CommitState, Half, Rest, Tag, TagType};
pub use pairs::{Move, Pair, Share, State, Tail};
pub use tree::{Node, Storage};

use cutpoint_engine::device::{BlockDevice, DeviceError, Geometry};
use cutpoint_engine::error::Corruption;
use cutpoint_engine::{MountError, MountOptions, Store};
use serde::Serialize;
use std::collections::BTreeSet;

/// The version of the serialised form. It is raised where a field changes its meaning or goes; new fields do not raise
/// it.
pub const VERSION: u32 = 1;

/// An image taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Anatomy {
    /// [`VERSION`].
    pub version: u32,
    /// Bytes in a block.
    pub block_size: u32,
    /// Blocks of the image; the store may use fewer.
    pub image_blocks: u32,
    /// What the superblock says; none where none can be read.
    pub superblock: Option<Superblock>,
    /// Why the store does not mount; none where it does.
    pub refusal: Option<String>,
    /// A power cut has left something that the next change to the store finishes first.
    pub repair_pending: bool,
    /// The sum of all pairs' shares of the global state.
    pub global_state: State,
    /// All entries, in the order in which the dictionaries hold them, a dictionary before what is in it.
    pub tree: Vec<Node>,
    /// The metadata pairs, those on the list of all pairs first, in its order.
    pub pairs: Vec<Pair>,
    /// All blocks of the image, in their order.
    pub blocks: Vec<Block>,
    /// What is damaged.
    pub damage: Vec<Damage>,
}

/// What a superblock says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Superblock {
    /// The version of the format, such as `2.1`.
    pub disk_version: String,
    /// Bytes in a block.
    pub block_size: u32,
    /// Blocks of the store.
    pub block_count: u32,
    /// The longest name, in bytes; 0 for the format's own limit.
    pub name_max: u32,
    /// The longest value, in bytes; 0 for the format's own limit.
    pub value_max: u32,
    /// The longest attribute, in bytes; 0 for the format's own limit.
    pub attribute_max: u32,
}

/// A piece of damage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The block that shows it.
    pub block: u32,
    /// What is wrong.
    pub what: String,
}

impl From<Corruption> for Damage {
    fn from(corruption: Corruption) -> Self {
        Self {
            block: corruption.block.index(),
            what: corruption.kind.to_string(),
        }
    }
}

impl Anatomy {
    /// Takes apart the store on `device`; writes nothing. The device's block size is taken for the store's.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] where a block cannot be read. Damage is no error.
    pub fn of<D: BlockDevice>(device: &mut D) -> Result<Self, DeviceError> {
        let geometry = device.geometry();
        let mut followed = pairs::Followed::list(device)?;
        let tree = tree::Walk::through(device, &mut followed)?;
        let (refusal, mut damage, repair_pending) = engine_view(device)?;
        if refusal.is_some() {
            // The check of a mounted store knows better what is damage and what a power cut leaves.
            damage.extend(followed.damage.iter().chain(&tree.damage));
        }
        let mut seen = BTreeSet::new();
        damage.retain(|damage| seen.insert(damage.to_string()));
        let store_blocks = followed
            .superblock
            .map_or(geometry.block_count(), |superblock| superblock.block_count);
        let mut blocks = blocks::of(device, store_blocks, &followed, &tree.nodes)?;
        for damage in &damage {
            if let Some(block) = blocks.get_mut(damage.block.index() as usize) {
                block.damaged = true;
            }
        }
        Ok(Self {
            version: VERSION,
            block_size: geometry.block_size(),
            image_blocks: geometry.block_count(),
            superblock: followed.superblock.map(Superblock::from),
            refusal,
            repair_pending,
            global_state: State::of(followed.sum),
            tree: tree.nodes,
            pairs: followed.pairs,
            blocks,
            damage: damage.into_iter().map(Damage::from).collect(),
        })
    }

    /// How many blocks of the image are used as `what` says.
    pub fn count(&self, what: impl Fn(&Block) -> bool) -> usize {
        self.blocks.iter().filter(|block| what(block)).count()
    }

    /// The blocks that the store uses.
    pub fn blocks_used(&self) -> usize {
        self.count(|block| block.usage.is_used())
    }

    /// The blocks that the store could write.
    pub fn blocks_free(&self) -> usize {
        self.count(|block| matches!(block.usage, Use::Free { .. }))
    }
}

impl From<cutpoint_engine::inspect::Superblock> for Superblock {
    fn from(superblock: cutpoint_engine::inspect::Superblock) -> Self {
        Self {
            disk_version: format!("{}.{}", superblock.major, superblock.minor),
            block_size: superblock.block_size,
            block_count: superblock.block_count,
            name_max: superblock.name_max,
            value_max: superblock.file_max,
            attribute_max: superblock.attr_max,
        }
    }
}

/// Why the engine does not mount the store, what it finds damaged, and whether a repair is pending.
fn engine_view<D: BlockDevice>(
    device: &mut D,
) -> Result<(Option<String>, Vec<Corruption>, bool), DeviceError> {
    let mut store = match Store::mount(device, &MountOptions::default()) {
        Ok(store) => store,
        Err(MountError::Device(error)) => return Err(error),
        Err(error) => {
            let damage = match error {
                MountError::Corrupt(corruption) => vec![corruption],
                _ => Vec::new(),
            };
            return Ok((Some(error.to_string()), damage, false));
        }
    };
    match store.check() {
        Ok(report) => Ok((None, report.damage, report.repair_pending)),
        Err(cutpoint_engine::Error::Corrupt(corruption)) => Ok((None, vec![corruption], false)),
        Err(cutpoint_engine::Error::Device(error)) => Err(error),
        Err(other) => Ok((Some(other.to_string()), Vec::new(), false)),
    }
}

/// Reads the whole of a block.
fn read_block<D: BlockDevice>(
    device: &mut D,
    geometry: Geometry,
    block: cutpoint_engine::device::BlockId,
) -> Result<Vec<u8>, DeviceError> {
    let mut bytes = vec![0; geometry.block_size() as usize];
    device.read(block, 0, &mut bytes)?;
    Ok(bytes)
}

/// Whether a block holds nothing: erasing leaves ones on flash, zeros on some devices.
fn is_erased(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0xff) || bytes.iter().all(|&byte| byte == 0)
}
