//! The dictionaries and what they hold.

use super::pairs::Followed;
use cutpoint_engine::Key;
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError};
use cutpoint_engine::error::{Corruption, CorruptionKind};
use cutpoint_engine::inspect::{Body, CtzStruct, Entry, PairAddress, value_block_count};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// An entry of a dictionary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// The whole key, for people.
    pub path: String,
    /// The whole key's exact bytes.
    #[serde(with = "hex::serde")]
    pub path_hex: Vec<u8>,
    /// The place in [`pairs`](super::Anatomy::pairs) of the pair that holds the entry.
    pub pair: usize,
    /// Its place in the pair.
    pub id: usize,
    /// What stands behind the name.
    #[serde(flatten)]
    pub storage: Storage,
    /// A value's own blocks, from its first to its last; fewer than it should have where they cannot be followed.
    pub blocks: Vec<u32>,
    /// User attributes: type and bytes, both in hexadecimal.
    pub attributes: BTreeMap<String, String>,
    /// A pending move names it: readers do not see it.
    pub hidden: bool,
}

/// What stands behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Storage {
    /// A dictionary.
    Dictionary {
        /// The blocks of its first pair.
        pair_blocks: [u32; 2],
    },
    /// A value in the pair itself.
    Inline {
        /// Its bytes, counted.
        size: u32,
    },
    /// A value in blocks of its own.
    Ctz {
        /// Its bytes, counted.
        size: u32,
    },
}

/// The walk through all dictionaries.
pub(super) struct Walk {
    pub(super) nodes: Vec<Node>,
    pub(super) damage: Vec<Corruption>,
    /// Blocks of values.
    owned: BTreeSet<BlockId>,
}

/// A dictionary that is still to be walked through: its first pair, what leads to it, and its key.
struct Open {
    head: usize,
    node: Option<usize>,
    key: Key,
}

impl Walk {
    /// Walks from the root through all dictionaries that can be reached, each once.
    pub(super) fn through<D: BlockDevice>(
        device: &mut D,
        followed: &mut Followed,
    ) -> Result<Self, DeviceError> {
        let mut walk = Self {
            nodes: Vec::new(),
            damage: Vec::new(),
            owned: BTreeSet::new(),
        };
        let mut open = Vec::new();
        if !followed.pairs.is_empty() {
            open.push(Open {
                head: followed.root,
                node: None,
                key: Key::ROOT,
            });
        }
        while let Some(Open { head, node, key }) = open.pop() {
            let first_below = open.len();
            let mut next = Some(head);
            while let Some(place) = next.take() {
                let block = followed.block(place);
                if followed.pairs[place].held {
                    let kind = CorruptionKind::DictionaryCycle;
                    walk.damage.push(Corruption::at(block, kind));
                    break;
                }
                followed.pairs[place].held = true;
                followed.pairs[place].node = node;
                let Some(contents) = followed.contents[place].clone() else {
                    break;
                };
                for (id, entry) in contents.entries.iter().enumerate() {
                    if matches!(entry.body, Body::Superblock(_)) {
                        continue;
                    }
                    let key = key.child(&entry.name);
                    let hidden = followed.is_pending(place, id);
                    let found = walk.nodes.len();
                    let below = walk.enter(device, entry, &key, place, id, hidden)?;
                    if let (Some(address), false) = (below, hidden)
                        && let Some(head) = followed.meet(device, address, block)?
                    {
                        open.push(Open {
                            head,
                            node: Some(found),
                            key,
                        });
                    }
                }
                if let Some(address) = contents.tail.next_in_dictionary() {
                    next = followed.meet(device, address, block)?;
                }
            }
            // The first dictionary met comes next.
            open[first_below..].reverse();
        }
        Ok(walk)
    }

    /// Notes an entry; the pair that it leads to, where it is a dictionary.
    fn enter<D: BlockDevice>(
        &mut self,
        device: &mut D,
        entry: &Entry,
        key: &Key,
        pair: usize,
        id: usize,
        hidden: bool,
    ) -> Result<Option<PairAddress>, DeviceError> {
        let mut below = None;
        let mut blocks = Vec::new();
        let storage = match &entry.body {
            Body::Superblock(_) => return Ok(None),
            Body::Dictionary(address) => {
                below = Some(*address);
                Storage::Dictionary {
                    pair_blocks: super::pairs::indices(*address),
                }
            }
            Body::Inline(data) => Storage::Inline {
                size: data.len() as u32,
            },
            Body::Ctz(value) => {
                // The same value stands at the destination of a move, too.
                if !hidden {
                    blocks = self.value(device, *value)?;
                }
                Storage::Ctz { size: value.size }
            }
        };
        let attributes = entry.attributes.iter();
        self.nodes.push(Node {
            path: key.to_string(),
            path_hex: key.as_bytes().to_vec(),
            pair,
            id,
            storage,
            blocks,
            attributes: attributes
                .map(|(kind, data)| (hex::encode([kind]), hex::encode(data)))
                .collect(),
            hidden,
        });
        Ok(below)
    }

    /// The blocks of a value, from its first to its last, as far back from the last as they can be followed.
    fn value<D: BlockDevice>(
        &mut self,
        device: &mut D,
        value: CtzStruct,
    ) -> Result<Vec<u32>, DeviceError> {
        let geometry = device.geometry();
        let count = value_block_count(value.size, geometry.block_size());
        let mut blocks = Vec::new();
        let mut block = value.head;
        let mut from = value.head;
        if count == 0 || count > geometry.block_count() {
            let kind = CorruptionKind::BadValueSize { size: value.size };
            self.damage.push(Corruption::at(from, kind));
            return Ok(blocks);
        }
        for index in (0..count).rev() {
            if !geometry.contains(block) {
                let kind = CorruptionKind::PointerOutOfRange { target: block };
                self.damage.push(Corruption::at(from, kind));
                break;
            }
            if !self.owned.insert(block) {
                self.damage
                    .push(Corruption::at(block, CorruptionKind::SharedBlock));
                break;
            }
            blocks.push(block.index());
            if index > 0 {
                let mut pointer = [0; 4];
                device.read(block, 0, &mut pointer)?;
                from = block;
                block = BlockId::new(u32::from_le_bytes(pointer));
            }
        }
        blocks.reverse();
        Ok(blocks)
    }
}
