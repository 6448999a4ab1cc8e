//! What leads to what while the list may be behind: a dictionary that has moved is in the tree at once, and on the list
//! a little later.

use super::fault::Fault;
use super::pair::Pair;
use super::volume::Volume;
use crate::device::{BlockDevice, BlockId};
use crate::disk::contents::Tail;
use crate::disk::entry::Body;
use crate::disk::pointer::PairAddress;
use crate::disk::tag::EntryId;
use crate::error::{Corruption, CorruptionKind};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// The entries of a pair that lead to dictionaries.
#[derive(Debug)]
struct PairLinks {
    pair: PairAddress,
    dictionaries: Vec<(EntryId, PairAddress)>,
}

/// All entries that lead to dictionaries: those in the tree, and those in pairs that are on the list alone. What stands
/// at a place that a dictionary has left does not count.
#[derive(Debug)]
pub(crate) struct Links(Vec<PairLinks>);

impl Links {
    /// Whether an entry leads to the dictionary at `head`.
    pub(crate) fn lead_to(&self, head: PairAddress) -> bool {
        self.find(head).is_some()
    }

    /// Where the dictionary is now that was at `place`, if it has moved.
    pub(crate) fn moved_from(&self, place: PairAddress) -> Option<PairAddress> {
        let heads = self.0.iter().flat_map(|links| &links.dictionaries);
        heads
            .map(|&(_, head)| head)
            .find(|&head| head != place && head.overlaps(place))
    }

    /// The pair and the id of the entry that leads to the dictionary at `head`.
    pub(crate) fn find(&self, head: PairAddress) -> Option<(PairAddress, EntryId)> {
        self.0.iter().find_map(|links| {
            let mut dictionaries = links.dictionaries.iter();
            let &(id, _) = dictionaries.find(|(_, to)| *to == head)?;
            Some((links.pair, id))
        })
    }
}

/// Pairs that share no blocks.
#[derive(Debug, Default)]
pub(crate) struct PairSet {
    /// By block, which pair it belongs to.
    pairs: BTreeMap<BlockId, PairAddress>,
}

impl PairSet {
    /// Adds a pair; corruption where it shares a block with another.
    fn insert(&mut self, address: PairAddress) -> Result<(), Corruption> {
        for block in address.blocks() {
            if self.pairs.insert(block, address).is_some() {
                return Err(Corruption::at(block, CorruptionKind::SharedBlock));
            }
        }
        Ok(())
    }

    pub(crate) fn contains(&self, address: PairAddress) -> bool {
        let [block, _] = address.blocks();
        self.pairs.get(&block) == Some(&address)
    }
}

impl<D: BlockDevice> Volume<D> {
    /// Reads all pairs for what leads to which dictionary.
    pub(crate) fn links(&mut self) -> Result<Links, Fault> {
        let mut links = Vec::new();
        let mut reached: BTreeSet<BlockId> = BTreeSet::new();
        let mut open = Vec::from([self.root]);
        while let Some(head) = open.pop() {
            let mut pairs = self.dictionary_pairs(head);
            while let Some(pair) = self.next_pair(&mut pairs)? {
                let blocks = pair.address().blocks();
                if blocks.iter().all(|block| reached.contains(block)) {
                    break;
                }
                reached.extend(blocks);
                let of_pair = self.links_of(&pair);
                open.extend(of_pair.dictionaries.iter().map(|&(_, head)| head));
                links.push(of_pair);
            }
        }
        let mut list = self.all_pairs();
        while let Some(pair) = self.next_pair(&mut list)? {
            // One that shares a block with a pair of the tree is that pair, or where it was.
            let blocks = pair.address().blocks();
            if !blocks.iter().any(|block| reached.contains(block)) {
                links.push(self.links_of(&pair));
            }
        }
        Ok(Links(links))
    }

    /// The pairs on the list, as it will be when it leads to where dictionaries have moved.
    ///
    /// # Errors
    ///
    /// Corruption where two of those pairs share a block: no store has such a list, and changing one of them would
    /// destroy the other.
    pub(crate) fn list_to_be(&mut self, links: &Links) -> Result<PairSet, Fault> {
        let mut listed = PairSet::default();
        let mut next = Some(PairAddress::FIRST);
        while let Some(address) = next {
            let pair = self.fetch(address)?;
            listed.insert(address)?;
            next = match pair.contents.tail {
                Tail::Soft(target) if !links.lead_to(target) => {
                    Some(links.moved_from(target).unwrap_or(target))
                }
                tail => tail.next(),
            };
        }
        Ok(listed)
    }

    fn links_of(&self, pair: &Pair) -> PairLinks {
        let entries = self.visible_entries(pair);
        PairLinks {
            pair: pair.address(),
            dictionaries: entries
                .filter_map(|(id, entry)| match entry.body {
                    Body::Dictionary(head) => Some((id, head)),
                    _ => None,
                })
                .collect(),
        }
    }
}
