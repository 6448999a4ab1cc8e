//! Changing what the pairs hold: commits with their compactions and splits, new dictionaries, removals, moves.
//!
//! Each method here leaves the store, at every write, in a state that readers take for the one before or the one
//! after; what has to follow is announced in the global state.

use super::fault::Fault;
use super::pair::{Pair, hard_limit, layout, soft_limit};
use super::tree::{Lookup, Slot};
use super::volume::Volume;
use crate::device::BlockDevice;
use crate::disk::contents::{Contents, Edit, MAX_ENTRIES, Tail};
use crate::disk::entry::{Body, Entry};
use crate::disk::gstate::{Delta, GlobalState, PendingMove};
use crate::disk::pointer::PairAddress;
use crate::disk::tag::EntryId;
use crate::error::{Corruption, CorruptionKind};
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use alloc::vec;
use alloc::vec::Vec;

/// An entry that goes away in the same step in which another one comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// The first pair of its dictionary.
    pub(crate) dictionary: PairAddress,
    pub(crate) name: &'a [u8],
}

impl<D: BlockDevice> Volume<D> {
    /// Makes the edits in one atomic, durable step: appended to the pair's log, or with the log compacted, or with
    /// the pair split.
    ///
    /// # Errors
    ///
    /// No space, before anything is written. Device errors.
    pub(crate) fn commit(&mut self, mut pair: Pair, edits: &[Edit]) -> Result<(), Fault> {
        // What the commit refers to must be durable before it is.
        self.medium.sync()?;
        if !pair.append(&mut self.medium, self.version, edits)? {
            let mut contents = pair.contents.clone();
            contents.edit(edits);
            self.rewrite(pair, contents)?;
        }
        self.medium.sync()?;
        let mut global = self.global.delta();
        for edit in edits {
            if let Edit::ChangeGlobal(change) = edit {
                global ^= *change;
            }
        }
        if let Some(global) = global.state() {
            self.global = global;
        }
        Ok(())
    }

    /// Compacts the pair to these contents; where they are more than half a block, moves the upper part into new
    /// pairs first.
    ///
    /// The new pairs are complete and durable before the one commit that leads to them, which is the compaction.
    fn rewrite(&mut self, mut pair: Pair, mut contents: Contents) -> Result<(), Fault> {
        let layout = layout(&self.medium);
        let mut starts = Vec::new();
        split(&contents.entries, 0, soft_limit(layout), &mut starts);
        let new_pairs = starts.iter().map(|_| self.allocate_pair()).collect();
        let new_pairs: Vec<PairAddress> = match new_pairs {
            // Without room to split, the whole block will do.
            Err(Fault::NoSpace)
                if entries_size(&contents.entries) <= hard_limit(layout.block_size) =>
            {
                Vec::new()
            }
            other => other?,
        };
        for (&address, &start) in new_pairs.iter().zip(&starts).rev() {
            let upper = Contents {
                entries: contents.entries.split_off(start),
                tail: contents.tail,
                delta: Delta::default(),
            };
            Pair::create(&mut self.medium, self.version, address, &upper)?;
            contents.tail = Tail::Hard(address);
        }
        self.medium.sync()?;
        #[cfg(feature = "sabotage")]
        if self.sabotage == Some(Sabotage::LoseHardtail)
            && new_pairs.is_empty()
            && matches!(contents.tail, Tail::Hard(_))
        {
            contents.tail = Tail::End;
        }
        pair.compact(&mut self.medium, self.version, contents)
    }

    /// Puts `entry` at `slot`, over the entry there if `over`, and takes `source` away, all in one atomic step.
    pub(crate) fn put(
        &mut self,
        slot: Slot,
        over: bool,
        entry: Entry,
        source: Option<Source<'_>>,
    ) -> Result<(), Fault> {
        let mut edits = Vec::new();
        if over {
            edits.push(Edit::Delete(slot.id));
        }
        edits.push(Edit::Insert(slot.id, entry));
        self.take_away(source, &slot, !over, &mut edits)?;
        self.commit(slot.pair, &edits)?;
        self.finish_move()
    }

    /// Puts a new dictionary at `slot` that holds the further `names` one within the other, and `leaf` in the last
    /// of them; takes `source` away; all in one atomic step.
    pub(crate) fn put_branch(
        &mut self,
        mut slot: Slot,
        names: &[&[u8]],
        leaf: Option<Entry>,
        source: Option<Source<'_>>,
    ) -> Result<(), Fault> {
        let last = self.chain(slot.pair.address())?.last;
        let (entry, head) = self.build_branch(names, leaf, last.contents.tail)?;
        let mut edits = vec![Edit::Insert(slot.id, entry)];
        if last.address() == slot.pair.address() {
            edits.push(Edit::SetTail(Tail::Soft(head)));
            self.take_away(source, &slot, true, &mut edits)?;
            self.commit(slot.pair, &edits)?;
            return self.finish_move();
        }
        // The predecessor on the list is another pair than the entry's: two commits, and between them pairs on the
        // list that no entry leads to. The global state says so.
        let announced = GlobalState {
            orphans: true,
            ..self.global
        };
        let announce = announced.delta() ^ self.global.delta();
        let link = [
            Edit::SetTail(Tail::Soft(head)),
            Edit::ChangeGlobal(announce),
        ];
        self.commit(last, &link)?;
        let shown = self
            .take_away(source, &slot, true, &mut edits)
            .and_then(|()| {
                edits.push(Edit::ChangeGlobal(announce));
                slot.pair = self.fetch(slot.pair.address())?;
                self.commit(slot.pair, &edits)
            });
        match shown {
            Ok(()) => self.finish_move(),
            // Nobody has seen the new pairs; the list forgets them again.
            Err(Fault::NoSpace) => self.repair().and(Err(Fault::NoSpace)),
            Err(fault) => Err(fault),
        }
    }

    /// Writes the pairs of a branch, which nothing leads to yet, and says which entry shows it and where it starts.
    ///
    /// On the list they stand parents first: a repair that finds them without an entry drops the first, with it the
    /// only entry that leads to the second, and so on.
    fn build_branch(
        &mut self,
        names: &[&[u8]],
        leaf: Option<Entry>,
        mut tail: Tail,
    ) -> Result<(Entry, PairAddress), Fault> {
        let addresses = names
            .iter()
            .map(|_| self.allocate_pair())
            .collect::<Result<Vec<_>, _>>()?;
        let mut below = leaf;
        let mut head = PairAddress::FIRST;
        for (name, &address) in names.iter().zip(&addresses).rev() {
            let contents = Contents {
                entries: below.into_iter().collect(),
                tail,
                delta: Delta::default(),
            };
            Pair::create(&mut self.medium, self.version, address, &contents)?;
            below = Some(Entry::new(name, Body::Dictionary(address)));
            tail = Tail::Soft(address);
            head = address;
        }
        // Callers name at least one dictionary.
        let shown = below.ok_or(Fault::NoSpace)?;
        Ok((shown, head))
    }

    /// Adds to the edits of a commit to `slot`'s pair what takes `source` away with it: its deletion where it is in
    /// the same pair, else a pending move. `shifts` where the edits so far have made room for one more entry at the
    /// slot.
    fn take_away(
        &mut self,
        source: Option<Source<'_>>,
        slot: &Slot,
        shifts: bool,
        edits: &mut Vec<Edit>,
    ) -> Result<(), Fault> {
        let Some(Source { dictionary, name }) = source else {
            return Ok(());
        };
        let Lookup::Found(found, _) = self.lookup(dictionary, name)? else {
            // The caller has just seen it.
            let block = slot.pair.block();
            return Err(Corruption::at(block, CorruptionKind::BadMove).into());
        };
        if found.pair.address() == slot.pair.address() {
            let shift = usize::from(shifts && slot.id <= found.id);
            let id = EntryId::new(found.id.index() + shift).ok_or(Fault::NoSpace)?;
            edits.push(Edit::Delete(id));
        } else {
            let pending = PendingMove {
                pair: found.pair.address(),
                id: found.id,
            };
            edits.push(Edit::ChangeGlobal(self.move_change(Some(pending))));
        }
        Ok(())
    }

    /// The change of the global state that makes `pending` its pending move.
    fn move_change(&self, pending: Option<PendingMove>) -> Delta {
        let state = GlobalState {
            pending_move: pending,
            ..self.global
        };
        state.delta() ^ self.global.delta()
    }

    /// Deletes the entry that the pending move has taken away, if there is one.
    pub(crate) fn finish_move(&mut self) -> Result<(), Fault> {
        let Some(pending) = self.global.pending_move else {
            return Ok(());
        };
        let pair = self.fetch(pending.pair)?;
        let slot = Slot {
            pair,
            id: pending.id,
        };
        if !slot.entry().is_some_and(Entry::is_listed) {
            return Err(Corruption::at(slot.pair.block(), CorruptionKind::BadMove).into());
        }
        let done = self.move_change(None);
        self.delete(slot, None, done)
    }

    /// Removes the entry of a value.
    pub(crate) fn remove_entry(&mut self, slot: Slot) -> Result<(), Fault> {
        self.delete(slot, None, Delta::default())
    }

    /// Removes the entry at `slot` together with the empty dictionary that it leads to, in one atomic step.
    pub(crate) fn remove_dictionary(&mut self, slot: Slot, head: PairAddress) -> Result<(), Fault> {
        let chain = self.chain(head)?;
        let Some(predecessor) = self.predecessor(head)? else {
            let kind = CorruptionKind::NotOnList;
            return Err(Corruption::at(head.blocks()[0], kind).into());
        };
        let unlink = Unlink {
            tail: chain.last.contents.tail,
            delta: chain.delta,
        };
        if predecessor.address() == slot.pair.address() {
            return self.delete(slot, Some(unlink), Delta::default());
        }
        // The commit that takes the pairs off the list also takes the entry away.
        let pending = PendingMove {
            pair: slot.pair.address(),
            id: slot.id,
        };
        let edits = [
            Edit::SetTail(unlink.tail),
            Edit::AdoptDelta(unlink.delta),
            Edit::ChangeGlobal(self.move_change(Some(pending))),
        ];
        self.commit(predecessor, &edits)?;
        self.finish_move()
    }

    /// Deletes an entry, in the same commit takes what follows its pair off the list, and changes the global state.
    ///
    /// A pair that becomes empty is dropped, unless it is the first of its dictionary: its predecessor then skips
    /// it, and that is the commit.
    fn delete(&mut self, slot: Slot, unlink: Option<Unlink>, change: Delta) -> Result<(), Fault> {
        let contents = &slot.pair.contents;
        let predecessor = if contents.entries.len() == 1 {
            self.predecessor_in_dictionary(slot.pair.address())?
        } else {
            None
        };
        let (pair, mut edits) = if let Some(predecessor) = predecessor {
            let tail = unlink.map_or(contents.tail, |unlink| unlink.tail);
            let edits = vec![Edit::SetTail(tail), Edit::AdoptDelta(contents.delta)];
            (predecessor, edits)
        } else {
            let mut edits = vec![Edit::Delete(slot.id)];
            edits.extend(unlink.map(|unlink| Edit::SetTail(unlink.tail)));
            (slot.pair, edits)
        };
        edits.extend(unlink.map(|unlink| Edit::AdoptDelta(unlink.delta)));
        if !change.is_zero() {
            edits.push(Edit::ChangeGlobal(change));
        }
        self.commit(pair, &edits)
    }

    /// Whether an entry fits a pair at all.
    pub(crate) fn fits(&self, entry: &Entry) -> bool {
        entry.encoded_size() <= hard_limit(self.geometry().block_size() as usize)
    }
}

/// Pairs that a commit takes off the list: those that its pair's tail led to.
#[derive(Clone, Copy, Debug)]
struct Unlink {
    /// What follows them.
    tail: Tail,
    /// Their share of the global state.
    delta: Delta,
}

fn entries_size(entries: &[Entry]) -> usize {
    entries.iter().map(Entry::encoded_size).sum()
}

/// Adds to `starts`, in ascending order, the indices at which `entries` are cut so that each part takes at most
/// `limit` bytes or is a single entry. Indices count from `offset`.
fn split(entries: &[Entry], offset: usize, limit: usize, starts: &mut Vec<usize>) {
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
    split(lower, offset, limit, starts);
    starts.push(offset + cut);
    split(upper, offset + cut, limit, starts);
}
