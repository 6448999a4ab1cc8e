//! Commits: a pair's log appended to, compacted, split, or moved to other blocks.
//!
//! A commit is atomic and durable however it is made. Where its pair has to move, the new blocks hold what the commit
//! says, and become visible by a commit to the pair that leads to them.

use super::fault::Fault;
use super::pair::{Pair, entries_size, hard_limit, layout, soft_limit};
use super::volume::Volume;
use crate::device::BlockDevice;
use crate::disk::contents::{Contents, Edit, MAX_ENTRIES, Tail};
use crate::disk::entry::{Attributes, Body, Entry};
use crate::disk::gstate::{Delta, GlobalState};
use crate::disk::pointer::PairAddress;
use crate::disk::tag::EntryId;
use crate::error::{Corruption, CorruptionKind};
use crate::phase::Phase;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use alloc::vec::Vec;

impl<D: BlockDevice> Volume<D> {
    /// Makes the edits, and `after` the global state, in one atomic, durable step.
    ///
    /// *Orphans* stays in the global state as long as the list lags behind, whatever `after` says. Where the pending move of
    /// `after` names an entry of this very pair, the entry is deleted in the same step
    /// instead, and nothing is pending; the edits must not shift its id then. Not where that leaves none: the C littlefs
    /// cannot read a dictionary with a pair in its middle that is empty, so such a pair has to be dropped.
    ///
    /// # Errors
    ///
    /// No space, before anything is visible. Device errors.
    pub(crate) fn commit(
        &mut self,
        mut pair: Pair,
        mut edits: Vec<Edit>,
        mut after: GlobalState,
    ) -> Result<(), Fault> {
        after.orphans |= self.lagging;
        let address = pair.address();
        if let Some(pending) = after.pending_move.filter(|pending| pending.pair == address) {
            check_move(&pair, pending.id)?;
        }
        let folded = after
            .pending_move
            .filter(|pending| pending.pair == address && leaves_entries(&pair, &edits));
        if let Some(pending) = folded {
            edits.push(Edit::Delete(pending.id));
            after.pending_move = None;
        }
        // What the commit refers to must be durable before it is.
        self.medium.sync()?;
        let change = Edit::XorDelta(after.delta() ^ self.global.delta());
        let with_change: Vec<Edit> = edits.iter().cloned().chain([change]).collect();
        let appended = self.during(Phase::Commit, |volume| {
            pair.append(&mut volume.medium, volume.version, &with_change)
        });
        match appended {
            Ok(true) => self.commit_is_visible(after),
            // A block that takes no more programs can still be read: what it holds goes to the other one.
            Ok(false) => self.rewrite(pair, &edits, after),
            Err(fault) if fault.is_bad_block() => self.rewrite(pair, &edits, after),
            Err(fault) => Err(fault),
        }
    }

    fn commit_is_visible(&mut self, after: GlobalState) -> Result<(), Fault> {
        self.medium.sync()?;
        self.global = after;
        Ok(())
    }

    /// Compacts the pair to what the edits make of it; where that is more than the soft limit, moves the upper
    /// part into new pairs first.
    ///
    /// The new pairs are complete and durable before the one commit that leads to them, which is the compaction.
    fn rewrite(&mut self, mut pair: Pair, edits: &[Edit], after: GlobalState) -> Result<(), Fault> {
        let address = pair.address();
        let mut contents = pair.contents.clone();
        contents.edit(edits);
        let place = self.place_of(&pair)?;
        let split = self.during(Phase::Split(place), |volume| volume.split(&mut contents))?;
        let (mut phase, moving) = if split {
            (Phase::Split(place), Phase::SplitRelocation)
        } else {
            (Phase::Compaction, Phase::Relocation(place))
        };
        let mut root = self.root;
        if self.is_worn(&pair) {
            let moved = if address != PairAddress::FIRST {
                self.during(moving, |volume| {
                    volume.relocate(pair.clone(), &contents, after)
                })
            } else if root == address && !split {
                let expanded = self.during(Phase::Expansion, |volume| volume.expand(&mut contents));
                expanded.map(|new_root| {
                    root = new_root;
                    phase = Phase::Expansion;
                })
            } else {
                Err(Fault::NoSpace)
            };
            match moved {
                Ok(()) if address != PairAddress::FIRST => return Ok(()),
                // Wear is no reason to fail.
                Ok(()) | Err(Fault::NoSpace) => {}
                Err(fault) => return Err(fault),
            }
        }
        #[cfg(feature = "sabotage")]
        if self.settings.sabotage == Some(Sabotage::LoseHardtail)
            && !split
            && matches!(contents.tail, Tail::Hard(_))
        {
            contents.tail = Tail::End;
        }
        let change = after.delta() ^ self.global.delta();
        let visible = Contents {
            delta: contents.delta ^ change,
            ..contents.clone()
        };
        self.medium.sync()?;
        let compacted = self.during(phase, |volume| {
            pair.compact(&mut volume.medium, volume.version, visible)
        });
        match compacted {
            Ok(()) => {
                self.root = root;
                self.commit_is_visible(after)
            }
            Err(fault) if fault.is_bad_block() && address != PairAddress::FIRST => {
                self.allocator.retire(pair.spare());
                self.during(moving, |volume| volume.relocate(pair, &contents, after))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Moves the upper part of contents above the soft limit into new pairs, which are then what follows;
    /// says whether it did. Without room for that, all of it stays where it fits.
    fn split(&mut self, contents: &mut Contents) -> Result<bool, Fault> {
        let layout = layout(&self.medium);
        let mut starts = Vec::new();
        find_cuts(&contents.entries, 0, soft_limit(layout), &mut starts);
        let size = entries_size(&contents.entries);
        for &start in starts.iter().rev() {
            let upper = Contents {
                entries: contents.entries[start..].to_vec(),
                tail: contents.tail,
                delta: Delta::default(),
            };
            match self.create_pair(&upper) {
                Ok(address) => {
                    contents.entries.truncate(start);
                    contents.tail = Tail::Hard(address);
                }
                Err(Fault::NoSpace) if size <= hard_limit(layout.block_size) => return Ok(false),
                Err(fault) => return Err(fault),
            }
        }
        Ok(!starts.is_empty())
    }

    /// Writes a new pair with these contents. Not made durable here: nothing leads to it yet.
    pub(crate) fn create_pair(&mut self, contents: &Contents) -> Result<PairAddress, Fault> {
        let mut first = self.allocate()?;
        let second = self.allocate()?;
        let cycle = self.cycle();
        loop {
            let address = PairAddress::new(first, second);
            match Pair::create(&mut self.medium, self.version, address, cycle, contents) {
                Ok(()) => return Ok(address),
                Err(fault) if fault.is_bad_block() => {
                    self.allocator.retire(first);
                    first = self.allocate()?;
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Compactions between two moves of a pair, for the sake of wear; odd, so that either block of a pair has its
    /// turn.
    fn cycle(&self) -> u32 {
        self.settings
            .block_cycles
            .map_or(1, |cycles| (cycles.get() + 1) | 1)
    }

    /// Whether the next compaction of the pair is one at which it moves for the sake of wear. A commit that only
    /// says where another pair has moved to never moves its own. Nor does any while the list may lead to a place that
    /// has been left: what stands there would be taken for the pairs that lead here. Nor while it may hold pairs without
    /// a parent: a move that announces *orphans* would have the C littlefs's repair splice them.
    fn is_worn(&self, pair: &Pair) -> bool {
        self.settings.block_cycles.is_some()
            && !self.publishing
            && !self.global.orphans
            && !self.unfinished
            && pair.next_revision().is_multiple_of(self.cycle())
    }

    /// Moves all but the superblock entry from the first pair, which cannot move, to a new one, so that the first
    /// pair wears no more (SPEC.md, "Superblock"). The new pair is the root from then on.
    fn expand(&mut self, contents: &mut Contents) -> Result<PairAddress, Fault> {
        // Not where blocks are scarce: the two would be missed.
        let in_use = self.blocks_in_use()?.len() as u64;
        if in_use * 8 > u64::from(self.geometry().block_count()) * 7 {
            return Err(Fault::NoSpace);
        }
        let root = Contents {
            delta: Delta::default(),
            ..contents.clone()
        };
        let address = self.create_pair(&root)?;
        contents.entries.truncate(1);
        for superblock in &mut contents.entries {
            superblock.attributes = Attributes::default();
        }
        contents.tail = Tail::Hard(address);
        Ok(address)
    }

    /// Writes the contents to a new block in place of the pair's other one, and makes what leads to the pair lead
    /// there, in one atomic step with `after` as the global state.
    fn relocate(
        &mut self,
        mut pair: Pair,
        contents: &Contents,
        mut after: GlobalState,
    ) -> Result<(), Fault> {
        let from = pair.address();
        self.medium.sync()?;
        loop {
            let block = self.allocate()?;
            // The share of the global state stays as it is: the list leads to the old place until it is told.
            match pair.compact_to(&mut self.medium, self.version, block, contents.clone()) {
                Ok(()) => break,
                Err(fault) if fault.is_bad_block() => self.allocator.retire(block),
                Err(fault) => return Err(fault),
            }
        }
        if let Some(pending) = &mut after.pending_move
            && pending.pair == from
        {
            pending.pair = pair.address();
        }
        self.index.forget(from);
        let outermost = !core::mem::replace(&mut self.publishing, true);
        let published = self.publish(from, pair.address(), after);
        if outermost {
            self.publishing = false;
        }
        published
    }

    /// Makes what leads to the pair at `from` lead to `to`.
    fn publish(
        &mut self,
        from: PairAddress,
        to: PairAddress,
        after: GlobalState,
    ) -> Result<(), Fault> {
        let predecessor = self.predecessor(from)?;
        if let Some(pair) = &predecessor
            && matches!(pair.contents.tail, Tail::Hard(_))
        {
            self.commit(pair.clone(), [Edit::SetTail(Tail::Hard(to))].into(), after)?;
            if self.root == from {
                self.root = to;
            }
            return Ok(());
        }
        let Some((parent, id)) = self.parent(from)? else {
            let kind = CorruptionKind::Unreachable;
            return Err(Corruption::at(from.blocks()[0], kind).into());
        };
        let mut edits = Vec::from([Edit::Replace(id, Body::Dictionary(to))]);
        if predecessor.is_some_and(|pair| pair.address() == parent.address()) {
            edits.push(Edit::SetTail(Tail::Soft(to)));
            return self.commit(parent, edits, after);
        }
        // Two pairs lead there. The entry comes first: what it leads to is what counts. Until the list follows, the
        // global state says that it may lead to a place that has been left.
        let between = GlobalState {
            orphans: true,
            ..after
        };
        self.commit(parent, edits, between)?;
        let done = GlobalState {
            orphans: after.orphans,
            ..self.global
        };
        let Some(pair) = self.predecessor(from)? else {
            return Ok(());
        };
        let list = [Edit::SetTail(Tail::Soft(to))].into();
        match self.commit(pair, list, done) {
            // The move has been made all the same.
            Err(Fault::NoSpace) => {
                self.lagging = true;
                Ok(())
            }
            published => published,
        }
    }

    /// Whether an entry fits a pair at all.
    pub(crate) fn fits(&self, entry: &Entry) -> bool {
        entry.encoded_size() <= hard_limit(self.geometry().block_size() as usize)
    }
}

/// Whether the pair has entries left after the edits and one more deletion.
fn leaves_entries(pair: &Pair, edits: &[Edit]) -> bool {
    let mut contents = pair.contents.clone();
    contents.edit(edits);
    contents.entries.len() > 1
}

/// Checks that the pending move's entry is one.
pub(crate) fn check_move(pair: &Pair, id: EntryId) -> Result<(), Fault> {
    match pair.contents.entries.get(id.index()) {
        Some(entry) if entry.is_listed() => Ok(()),
        _ => Err(Corruption::at(pair.block(), CorruptionKind::BadMove).into()),
    }
}

/// Adds to `cuts`, in ascending order, the indices at which `entries` are cut so that each part takes at most `limit`
/// bytes or is a single entry. Indices count from `offset`.
fn find_cuts(entries: &[Entry], offset: usize, limit: usize, cuts: &mut Vec<usize>) {
    let total = entries_size(entries);
    if entries.len() < 2 || (total <= limit && entries.len() < MAX_ENTRIES) {
        return;
    }
    // The cut that leaves the larger part smallest.
    let mut lower = 0;
    let mut cut = 1;
    let mut best = usize::MAX;
    for (index, entry) in entries[..entries.len() - 1].iter().enumerate() {
        lower += entry.encoded_size();
        let larger = lower.max(total - lower);
        if larger < best {
            best = larger;
            cut = index + 1;
        }
    }
    let (lower, upper) = entries.split_at(cut);
    find_cuts(lower, offset, limit, cuts);
    cuts.push(offset + cut);
    find_cuts(upper, offset + cut, limit, cuts);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Geometry, MemoryDevice};
    use crate::disk::superblock::DiskVersion;
    use crate::kv::MountOptions;

    /// The last pair of a volume that moves pairs at every second compaction or so, when its turn has come.
    fn worn() -> (Volume<MemoryDevice>, Pair) {
        let settings = MountOptions::default().with_block_cycles(1).settings;
        let mut device = MemoryDevice::new(Geometry::new(512, 16).unwrap());
        Volume::format(&mut device, DiskVersion::V2_1).unwrap();
        let mut volume = Volume::mount(device, settings).unwrap();
        let address = volume.create_pair(&Contents::default()).unwrap();
        for _ in 0..volume.cycle() {
            let mut pair = volume.fetch(address).unwrap();
            if volume.is_worn(&pair) {
                return (volume, pair);
            }
            let contents = pair.contents.clone();
            pair.compact(&mut volume.medium, volume.version, contents)
                .unwrap();
        }
        panic!("its turn comes in each cycle");
    }

    #[test]
    fn a_pair_moves_for_wear_only_while_nothing_else_is_under_way() {
        let (volume, pair) = worn();
        assert!(volume.is_worn(&pair));
        let held_back: [fn(&mut Volume<MemoryDevice>); 4] = [
            |volume| volume.publishing = true,
            |volume| volume.global.orphans = true,
            |volume| volume.unfinished = true,
            |volume| volume.settings.block_cycles = None,
        ];
        for hold in held_back {
            let (mut volume, pair) = worn();
            hold(&mut volume);
            assert!(!volume.is_worn(&pair));
        }
    }

    #[test]
    fn a_pair_does_not_move_before_its_turn() {
        let (mut volume, mut pair) = worn();
        let contents = pair.contents.clone();
        pair.compact(&mut volume.medium, volume.version, contents)
            .unwrap();
        assert!(!volume.is_worn(&pair));
    }
}
