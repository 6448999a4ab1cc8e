//! The metadata pairs, as the list of all pairs and the dictionaries lead to them.

use super::log::Half;
use super::read_block;
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError};
use cutpoint_engine::error::{Corruption, CorruptionKind};
use cutpoint_engine::inspect::{self, Body, Contents, Delta, Log, PairAddress};
use serde::Serialize;
use std::collections::BTreeMap;

/// A metadata pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// Its two blocks, as the pointer to it names them.
    pub halves: [Half; 2],
    /// Whether the list of all pairs leads to it.
    pub on_list: bool,
    /// The place in [`tree`](super::Anatomy::tree) of the dictionary that it belongs to; none for the root.
    pub node: Option<usize>,
    /// Whether a dictionary, the root included, was found to hold it.
    pub held: bool,
    /// Entries that it holds, the superblock's included; none where no commit of it counts.
    pub entries: Option<usize>,
    /// What follows it on the list.
    pub tail: Tail,
    /// Its share of the global state.
    pub share: Share,
}

/// What follows a pair on the list of all pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Tail {
    /// Nothing.
    End,
    /// Another dictionary.
    Soft {
        /// The blocks of its first pair.
        blocks: [u32; 2],
    },
    /// The next pair of the same dictionary.
    Hard {
        /// Its blocks.
        blocks: [u32; 2],
    },
}

/// A pair's share of the global state, as its bytes stand on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Share(#[serde(with = "hex::serde")] pub [u8; Delta::SIZE]);

impl Share {
    /// Whether it changes nothing.
    pub fn is_zero(&self) -> bool {
        self.0 == [0; Delta::SIZE]
    }
}

/// The global state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    /// Whether it is one that the format knows.
    pub valid: bool,
    /// The list may hold pairs that belong to no dictionary, or that have moved.
    pub orphans: bool,
    /// An entry that counts as deleted.
    pub pending_move: Option<Move>,
}

/// The source of a move, or of a removal, that is still to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Move {
    /// The blocks of its pair.
    pub blocks: [u32; 2],
    /// Its place in the pair.
    pub id: u16,
}

impl State {
    pub(super) fn of(sum: Delta) -> Self {
        let state = sum.state();
        Self {
            valid: state.is_some(),
            orphans: state.is_some_and(|state| state.orphans),
            pending_move: state
                .and_then(|state| state.pending_move)
                .map(|pending| Move {
                    blocks: indices(pending.pair),
                    id: pending.id.number(),
                }),
        }
    }
}

/// The indices of a pair's blocks.
pub(super) fn indices(pair: PairAddress) -> [u32; 2] {
    pair.blocks().map(BlockId::index)
}

/// What has been followed so far.
pub(super) struct Followed {
    pub(super) pairs: Vec<Pair>,
    /// What each of them holds, where a commit of it counts.
    pub(super) contents: Vec<Option<Contents>>,
    addresses: Vec<PairAddress>,
    /// By block, which pair it was first met in.
    owners: BTreeMap<BlockId, usize>,
    pub(super) superblock: Option<inspect::Superblock>,
    /// The pair that the root starts at.
    pub(super) root: usize,
    pub(super) sum: Delta,
    pub(super) damage: Vec<Corruption>,
}

impl Followed {
    /// Follows the list of all pairs from its start, up to where it leads back or nowhere.
    pub(super) fn list<D: BlockDevice>(device: &mut D) -> Result<Self, DeviceError> {
        let mut followed = Self {
            pairs: Vec::new(),
            contents: Vec::new(),
            addresses: Vec::new(),
            owners: BTreeMap::new(),
            superblock: None,
            root: 0,
            sum: Delta::default(),
            damage: Vec::new(),
        };
        let mut next = Some(PairAddress::FIRST);
        let mut from = BlockId::new(0);
        let mut of_superblocks = true;
        while let Some(address) = next {
            let Some(place) = followed.meet(device, address, from)? else {
                break;
            };
            if followed.pairs[place].on_list {
                followed
                    .damage
                    .push(Corruption::at(from, CorruptionKind::Cycle));
                break;
            }
            followed.pairs[place].on_list = true;
            from = address.blocks()[0];
            let Some(contents) = &followed.contents[place] else {
                break;
            };
            next = contents.tail.next();
            followed.sum ^= contents.delta;
            match contents.entries.first().map(|entry| &entry.body) {
                Some(Body::Superblock(superblock)) if of_superblocks => {
                    followed.superblock = Some(*superblock);
                    followed.root = place;
                    of_superblocks = matches!(contents.tail, inspect::Tail::Hard(_));
                }
                _ => of_superblocks = false,
            }
        }
        // Copies of the superblock that come before the root belong to it.
        for place in 0..followed.root {
            followed.pairs[place].held = true;
        }
        Ok(followed)
    }

    /// The place of the pair at `address`, to which the pair with the block `from` leads; it is read where it is new. None,
    /// and noted as damage, where there is no such pair.
    pub(super) fn meet<D: BlockDevice>(
        &mut self,
        device: &mut D,
        address: PairAddress,
        from: BlockId,
    ) -> Result<Option<usize>, DeviceError> {
        let geometry = device.geometry();
        let [a, b] = address.blocks();
        let wrong =
            if let Some(target) = [a, b].into_iter().find(|block| !geometry.contains(*block)) {
                Some(CorruptionKind::PointerOutOfRange { target })
            } else {
                (a == b).then_some(CorruptionKind::PairOfOneBlock)
            };
        if let Some(kind) = wrong {
            self.damage.push(Corruption::at(from, kind));
            return Ok(None);
        }
        let owners = [a, b].map(|block| self.owners.get(&block).copied());
        let mut met = owners.into_iter().flatten();
        if let Some(place) = met.find(|&place| self.addresses[place] == address) {
            return Ok(Some(place));
        }
        // A dictionary that has moved keeps one block of its old self: that one block may come twice, and no more.
        if owners[0].is_some() && owners[1].is_some() {
            self.damage
                .push(Corruption::at(a, CorruptionKind::SharedBlock));
            return Ok(None);
        }
        self.read(device, address).map(Some)
    }

    fn read<D: BlockDevice>(
        &mut self,
        device: &mut D,
        address: PairAddress,
    ) -> Result<usize, DeviceError> {
        let geometry = device.geometry();
        let blocks = address.blocks();
        let [a, b] = blocks;
        let bytes = [
            read_block(device, geometry, a)?,
            read_block(device, geometry, b)?,
        ];
        let logs = [Log::read(&bytes[0]), Log::read(&bytes[1])];
        let current = Log::current(blocks, [Some(&logs[0]), Some(&logs[1])]);
        let half = |half: usize| {
            let block = blocks[half].index();
            Half::new(block, &bytes[half], &logs[half], current == Some(half))
        };
        let mut contents = None;
        match current.map(|half| (blocks[half], &logs[half].contents)) {
            Some((_, Ok(found))) => contents.clone_from(found),
            Some((block, Err(kind))) => self.damage.push(Corruption::at(block, *kind)),
            None => self
                .damage
                .push(Corruption::at(a, CorruptionKind::NoValidCommit)),
        }
        let place = self.pairs.len();
        let stated = contents.as_ref();
        self.pairs.push(Pair {
            halves: [half(0), half(1)],
            on_list: false,
            node: None,
            held: false,
            entries: stated.map(|contents| contents.entries.len()),
            tail: stated.map_or(Tail::End, |contents| match contents.tail {
                inspect::Tail::End => Tail::End,
                inspect::Tail::Soft(next) => Tail::Soft {
                    blocks: indices(next),
                },
                inspect::Tail::Hard(next) => Tail::Hard {
                    blocks: indices(next),
                },
            }),
            share: Share(
                stated
                    .map_or(Delta::default(), |contents| contents.delta)
                    .encode(),
            ),
        });
        self.contents.push(contents);
        self.addresses.push(address);
        for block in blocks {
            self.owners.entry(block).or_insert(place);
        }
        Ok(place)
    }

    /// Whether the pending move names this entry.
    pub(super) fn is_pending(&self, place: usize, id: usize) -> bool {
        let pending = self.sum.state().and_then(|state| state.pending_move);
        pending.is_some_and(|pending| {
            pending.pair == self.addresses[place] && pending.id.index() == id
        })
    }

    /// A block of the pair that names it where it shows damage.
    pub(super) fn block(&self, place: usize) -> BlockId {
        self.addresses[place].blocks()[0]
    }
}
