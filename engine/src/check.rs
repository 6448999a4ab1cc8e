//! The structural check: every pair and every block has one owner, every pointer leads where it should.

use crate::device::{BlockDevice, BlockId};
use crate::disk::ctz;
use crate::disk::entry::{Body, CtzStruct, Entry};
use crate::disk::names;
use crate::disk::pointer::PairAddress;
use crate::disk::tag::EntryId;
use crate::error::{Corruption, CorruptionKind};
use crate::store::fault::Fault;
use crate::store::pair::Pair;
use crate::store::volume::Volume;
use crate::store::write::check_move;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::mem;
use core::ops::ControlFlow;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Damage, each piece with its place; empty for a sound store.
    pub damage: Vec<Corruption>,
    /// A power cut has left something that the next mutating call finishes first: what the global state announces, or
    /// pairs on the list that belong to no dictionary. That is no damage.
    pub repair_pending: bool,
    /// Blocks in use. Where there is damage, those that could be told.
    pub blocks_used: u32,
}

/// Checks the structure of a store. Only device errors end it; damage is collected.
pub(crate) fn check<D: BlockDevice>(volume: &mut Volume<D>) -> Result<CheckReport, Fault> {
    let mut check = Check {
        report: CheckReport {
            repair_pending: volume.global.orphans || volume.global.pending_move.is_some(),
            ..CheckReport::default()
        },
        owned: BTreeSet::new(),
        listed: Vec::new(),
        places: BTreeMap::new(),
        held: Vec::new(),
        moved: false,
    };
    check.list(volume)?;
    check.tree(volume)?;
    check.list_to_be(volume)?;
    check.pending_move(volume)?;
    // Repair takes them off the list, announced or not.
    check.report.repair_pending |= check.listed.iter().any(|pair| !pair.reached);
    check.report.blocks_used = check.owned.len() as u32;
    Ok(check.report)
}

struct Check {
    report: CheckReport,
    /// Blocks that have an owner.
    owned: BTreeSet<BlockId>,
    /// The pairs on the list, in its order.
    listed: Vec<ListedPair>,
    /// Where in `listed` the pair with this block stands.
    places: BTreeMap<BlockId, usize>,
    /// The pairs that dictionaries hold.
    held: Vec<PairAddress>,
    /// The list does not lead to all of those yet.
    moved: bool,
}

struct ListedPair {
    address: PairAddress,
    /// A dictionary has been found to hold it, or to have moved from it.
    reached: bool,
}

/// How a walk through the dictionaries has come upon a pair.
enum Reach {
    /// It is on the list, and nothing else has led to it.
    Listed,
    /// It is not on the list yet, as the global state announces.
    Moved,
    /// It must not be there: the walk does not go on from it.
    Damaged,
}

impl Check {
    /// Follows the list of all pairs.
    fn list<D: BlockDevice>(&mut self, volume: &mut Volume<D>) -> Result<(), Fault> {
        let mut pairs = volume.all_pairs();
        loop {
            let next = volume.next_pair(&mut pairs);
            let Some(pair) = self.note(next)?.flatten() else {
                return Ok(());
            };
            for block in pair.address().blocks() {
                self.own(block);
                self.places.entry(block).or_insert(self.listed.len());
            }
            self.listed.push(ListedPair {
                address: pair.address(),
                reached: false,
            });
        }
    }

    /// Follows the dictionaries from the root, and the values in them.
    fn tree<D: BlockDevice>(&mut self, volume: &mut Volume<D>) -> Result<(), Fault> {
        // The copies of the superblock that come before the root belong to it.
        for pair in &mut self.listed {
            if pair.address == volume.root {
                break;
            }
            pair.reached = true;
        }
        // With each, whether what leads to it has moved: then the list may not lead to it yet, either.
        let mut open = vec![(volume.root, false)];
        while let Some((head, mut moved)) = open.pop() {
            let mut pairs = volume.dictionary_pairs(head);
            let mut last: Option<Entry> = None;
            let mut first = true;
            loop {
                let next = volume.next_pair(&mut pairs);
                let Some(pair) = self.note(next)?.flatten() else {
                    break;
                };
                match self.reach(&pair, volume.global.orphans, moved) {
                    Reach::Listed => {}
                    Reach::Moved => {
                        moved = true;
                        self.moved = true;
                    }
                    Reach::Damaged => break,
                }
                self.held.push(pair.address());
                if !mem::take(&mut first) && pair.contents.entries.is_empty() {
                    self.damage(pair.block(), CorruptionKind::EmptyPair);
                }
                for (id, entry) in volume.visible_entries(&pair) {
                    self.name(&pair, id, entry, last.as_ref());
                    match entry.body {
                        Body::Dictionary(below) => {
                            let outside = |block: &BlockId| !volume.geometry().contains(*block);
                            if let Some(target) = below.blocks().into_iter().find(outside) {
                                let kind = CorruptionKind::PointerOutOfRange { target };
                                self.damage(pair.block(), kind);
                            } else {
                                open.push((below, moved));
                            }
                        }
                        Body::Ctz(value) => {
                            let checked = self.value(volume, value);
                            self.note(checked)?;
                        }
                        Body::Inline(_) | Body::Superblock(_) => {}
                    }
                    last = Some(entry.clone());
                }
            }
        }
        Ok(())
    }

    /// Where dictionaries have moved: the list that repair makes must lead to all pairs that dictionaries hold.
    fn list_to_be<D: BlockDevice>(&mut self, volume: &mut Volume<D>) -> Result<(), Fault> {
        if !self.moved {
            return Ok(());
        }
        let list = volume.links().and_then(|links| volume.list_to_be(&links));
        let Some(list) = self.note(list)? else {
            return Ok(());
        };
        for address in self.held.clone() {
            if !list.contains(address) {
                self.damage(address.blocks()[0], CorruptionKind::NotOnList);
            }
        }
        Ok(())
    }

    /// The pending move must name an entry that is there, of a pair that is.
    fn pending_move<D: BlockDevice>(&mut self, volume: &mut Volume<D>) -> Result<(), Fault> {
        let Some(pending) = volume.global.pending_move else {
            return Ok(());
        };
        let blocks = pending.pair.blocks();
        let [place, same] = blocks.map(|block| self.places.get(&block));
        let listed = place.is_some() && place == same;
        if !listed && !self.held.contains(&pending.pair) {
            self.damage(blocks[0], CorruptionKind::BadMove);
            return Ok(());
        }
        let pair = volume.fetch(pending.pair);
        let checked = pair.and_then(|pair| check_move(&pair, pending.id));
        self.note(checked).map(drop)
    }

    /// Checks an entry's name, by itself and against that of the entry before it.
    fn name(&mut self, pair: &Pair, id: EntryId, entry: &Entry, last: Option<&Entry>) {
        let id = id.number();
        if !names::is_allowed(&entry.name) {
            self.damage(pair.block(), CorruptionKind::BadName { id });
        }
        let in_order = |last: &Entry| names::compare(&last.name, &entry.name) == Ordering::Less;
        if !last.is_none_or(in_order) {
            self.damage(pair.block(), CorruptionKind::NamesOutOfOrder { id });
        }
    }

    /// Notes that a dictionary holds the pair. `may_move` where the global state says that a dictionary may have moved to
    /// where the list does not lead yet, `moved` where this one has, or the one that it was made in: what is new in it is
    /// not on the list either.
    fn reach(&mut self, pair: &Pair, may_move: bool, moved: bool) -> Reach {
        let address = pair.address();
        let places = address
            .blocks()
            .map(|block| self.places.get(&block).copied());
        let kind = match places {
            [Some(place), Some(same)] if place == same => {
                if !mem::replace(&mut self.listed[place].reached, true) {
                    return Reach::Listed;
                }
                CorruptionKind::DictionaryCycle
            }
            // It keeps one block of its old self, which the list leads to.
            [Some(place), None] | [None, Some(place)] if may_move => {
                if !mem::replace(&mut self.listed[place].reached, true) {
                    self.owned.extend(address.blocks());
                    return Reach::Moved;
                }
                CorruptionKind::DictionaryCycle
            }
            [None, None] if moved => {
                if address.blocks().iter().all(|&block| self.own(block)) {
                    return Reach::Moved;
                }
                CorruptionKind::Cycle
            }
            _ => CorruptionKind::NotOnList,
        };
        self.damage(pair.block(), kind);
        Reach::Damaged
    }

    /// Follows all pointers of a value.
    fn value<D: BlockDevice>(
        &mut self,
        volume: &mut Volume<D>,
        value: CtzStruct,
    ) -> Result<(), Fault> {
        let mut blocks = Vec::new();
        volume.each_ctz_block(value, &mut |_, block| {
            blocks.push(block);
            // From a block with another owner on, all the rest may be the other's.
            if self.own(block) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        if blocks.len() < ctz::block_count(value.size, volume.geometry().block_size()) as usize {
            return Ok(());
        }
        // The walk has gone from the last block to the first along the first pointers; the others are shortcuts.
        blocks.reverse();
        for (index, &block) in blocks.iter().enumerate() {
            for power in 1..ctz::pointer_count(index as u32) {
                let mut pointer = [0; 4];
                let offset = (power * ctz::POINTER_SIZE) as usize;
                volume.medium.read(block, offset, &mut pointer)?;
                let target = BlockId::new(u32::from_le_bytes(pointer));
                if target != blocks[index - (1 << power)] {
                    self.damage(block, CorruptionKind::BadSkipPointer { target });
                }
            }
        }
        Ok(())
    }

    /// Notes an owner of the block; false where it had one.
    fn own(&mut self, block: BlockId) -> bool {
        let free = self.owned.insert(block);
        if !free {
            self.damage(block, CorruptionKind::SharedBlock);
        }
        free
    }

    fn damage(&mut self, block: BlockId, kind: CorruptionKind) {
        self.report.damage.push(Corruption::at(block, kind));
    }

    /// Notes damage where `result` is that; passes on what is not.
    fn note<T>(&mut self, result: Result<T, Fault>) -> Result<Option<T>, Fault> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Fault::Corrupt(corruption)) => {
                self.report.damage.push(corruption);
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }
}
