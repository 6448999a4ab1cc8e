//! What a call changes: entries put, moved and removed, dictionaries made and taken off the list.
//!
//! Each method leaves the store, at every write, in a state that readers take for the one before or the one after;
//! what has to follow is announced in the global state.

use super::fault::Fault;
use super::pair::{Pair, behind_limit, entries_size, layout};
use super::tree::{Place, Slot};
use super::volume::Volume;
use super::write::check_move;
use crate::device::BlockDevice;
use crate::disk::contents::{Contents, Edit, Tail};
use crate::disk::entry::{Body, Entry};
use crate::disk::gstate::{Delta, GlobalState, PendingMove};
use crate::disk::pointer::PairAddress;
use crate::disk::tag::EntryId;
use crate::error::{Corruption, CorruptionKind};
use crate::key::Key;
use crate::phase::Phase;
use alloc::vec::Vec;

impl<D: BlockDevice> Volume<D> {
    /// Puts `entry` at `slot`, over the entry there if `over`, and takes the one at `source` away, all in one atomic
    /// step.
    pub(crate) fn put(
        &mut self,
        slot: Slot,
        over: bool,
        entry: Entry,
        source: Option<&Key>,
    ) -> Result<(), Fault> {
        if !over && source.is_none() && self.goes_behind(&slot, &entry) {
            let behind = Contents {
                entries: [entry.clone()].into(),
                tail: slot.pair.contents.tail,
                delta: Delta::default(),
            };
            let created = self.during(Phase::Continuation, |volume| volume.create_pair(&behind));
            match created {
                Ok(address) => {
                    self.newest = Some((address, EntryId::FIRST));
                    let edits = [Edit::SetTail(Tail::Hard(address))].into();
                    return self.during(Phase::Continuation, |volume| {
                        volume.commit(slot.pair, edits, volume.global)
                    });
                }
                // There may still be room in the pair itself.
                Err(Fault::NoSpace) => {}
                Err(fault) => return Err(fault),
            }
        }
        let mut edits = Vec::new();
        if over {
            edits.push(Edit::Delete(slot.id));
        } else {
            self.newest = Some((slot.pair.address(), slot.id));
        }
        edits.push(Edit::Insert(slot.id, entry));
        let after = self.take_away(source, &slot, !over, &mut edits, self.global)?;
        self.commit(slot.pair, edits, after)?;
        self.finish_move().or_else(Fault::unless_no_space)
    }

    /// Whether a new entry is better put into a new pair behind the slot's than into that one: it comes last in its
    /// dictionary, right behind the one that was put last, and the pair holds as much as a split would leave in it.
    /// Names that are set in ascending order so never make a pair split, and none is written twice. A name that just
    /// happens to be the greatest so far stays with the others: its pair might hold nothing else for long.
    fn goes_behind(&self, slot: &Slot, entry: &Entry) -> bool {
        let entries = &slot.pair.contents.entries;
        let in_order = self.newest.is_some_and(|(pair, id)| {
            pair == slot.pair.address() && id.index() + 1 == slot.id.index()
        });
        in_order
            && entries.len() > 1
            && slot.id.index() == entries.len()
            && !matches!(slot.pair.contents.tail, Tail::Hard(_))
            && entries_size(entries) + entry.encoded_size() > behind_limit(layout(&self.medium))
    }

    /// Puts a new dictionary at `slot` that holds the further `names` one within the other, and `leaf` in the last
    /// of them; takes the entry at `source` away; all in one atomic step. `key` is the whole key of what is put.
    pub(crate) fn put_branch(
        &mut self,
        key: &Key,
        slot: Slot,
        names: &[&[u8]],
        leaf: Option<Entry>,
        source: Option<&Key>,
    ) -> Result<(), Fault> {
        let last = self.last_pair(slot.pair.address())?;
        let (entry, head) = self.build_branch(names, leaf, last.contents.tail)?;
        if last.address() == slot.pair.address() {
            let tail = Edit::SetTail(Tail::Soft(head));
            let mut edits = Vec::from([Edit::Insert(slot.id, entry), tail]);
            let after = self.take_away(source, &slot, true, &mut edits, self.global)?;
            self.commit(slot.pair, edits, after)?;
            return self.finish_move().or_else(Fault::unless_no_space);
        }
        // The predecessor on the list is another pair than the entry's: two commits, and between them pairs on the
        // list that no entry leads to. The global state says so.
        let before = self.global;
        let announced = GlobalState {
            orphans: true,
            ..before
        };
        self.commit(last, [Edit::SetTail(Tail::Soft(head))].into(), announced)?;
        match self.show_branch(key, entry, source, before.orphans) {
            Ok(()) => self.finish_move().or_else(Fault::unless_no_space),
            // Nobody has seen the new pairs; the list forgets them again.
            Err(Fault::NoSpace) => self.repair().and(Err(Fault::NoSpace)),
            Err(fault) => Err(fault),
        }
    }

    /// Puts the entry that leads to pairs which are on the list already.
    fn show_branch(
        &mut self,
        key: &Key,
        entry: Entry,
        source: Option<&Key>,
        orphans: bool,
    ) -> Result<(), Fault> {
        // The list's change may have moved or split any pair, the one that the entry goes to included.
        let Place::Free(slot, _) = self.locate(key)? else {
            let kind = CorruptionKind::Unreachable;
            return Err(Corruption::at(self.root.blocks()[0], kind).into());
        };
        let mut edits = Vec::from([Edit::Insert(slot.id, entry)]);
        let shown = GlobalState {
            orphans,
            ..self.global
        };
        let after = self.take_away(source, &slot, true, &mut edits, shown)?;
        self.commit(slot.pair, edits, after)
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
        let mut below = leaf;
        let mut head = PairAddress::FIRST;
        for name in names.iter().rev() {
            let contents = Contents {
                entries: below.into_iter().collect(),
                tail,
                delta: Delta::default(),
            };
            head = self.create_pair(&contents)?;
            below = Some(Entry::new(name, Body::Dictionary(head)));
            tail = Tail::Soft(head);
        }
        // Callers name at least one dictionary.
        let shown = below.ok_or(Fault::NoSpace)?;
        Ok((shown, head))
    }

    /// Makes a commit to `slot`'s pair take the entry at `source` away: adds its deletion to the edits where it is
    /// in the same pair, else makes it the pending move of the state `after`, which is returned. `shifts` where the
    /// edits so far have made room for one more entry at the slot.
    fn take_away(
        &mut self,
        source: Option<&Key>,
        slot: &Slot,
        shifts: bool,
        edits: &mut Vec<Edit>,
        mut after: GlobalState,
    ) -> Result<GlobalState, Fault> {
        let Some(source) = source else {
            return Ok(after);
        };
        let Place::Found(found, _) = self.locate(source)? else {
            // The caller has just seen it.
            let block = slot.pair.block();
            return Err(Corruption::at(block, CorruptionKind::BadMove).into());
        };
        if found.pair.address() == slot.pair.address() {
            let shift = usize::from(shifts && slot.id <= found.id);
            let id = EntryId::new(found.id.index() + shift).ok_or(Fault::NoSpace)?;
            edits.push(Edit::Delete(id));
        } else {
            after.pending_move = Some(PendingMove {
                pair: found.pair.address(),
                id: found.id,
            });
        }
        Ok(after)
    }

    /// Deletes the entry that the pending move has taken away, if there is one.
    pub(crate) fn finish_move(&mut self) -> Result<(), Fault> {
        let Some(pending) = self.global.pending_move else {
            return Ok(());
        };
        let pair = self.fetch(pending.pair)?;
        check_move(&pair, pending.id)?;
        self.delete(Slot {
            pair,
            id: pending.id,
        })
    }

    /// Deletes the entry at `slot`; nothing else is pending then.
    ///
    /// A pair that becomes empty is dropped, unless it is the first of its dictionary: its predecessor then skips
    /// it, and that is the commit.
    pub(crate) fn delete(&mut self, slot: Slot) -> Result<(), Fault> {
        let after = GlobalState {
            pending_move: None,
            ..self.global
        };
        if let Some(predecessor) = self.predecessor_of_emptied(&slot)? {
            let contents = &slot.pair.contents;
            let skip = [Edit::SetTail(contents.tail), Edit::XorDelta(contents.delta)];
            self.index.forget(slot.pair.address());
            return self.during(Phase::HardtailDrop, |volume| {
                volume.commit(predecessor, skip.into(), after)
            });
        }
        self.commit(slot.pair, [Edit::Delete(slot.id)].into(), after)
    }

    /// Where the entry is the last of its pair and the pair is not the first of its dictionary: the pair before it. None
    /// where the list leads to that one at a place that it has left.
    pub(crate) fn predecessor_of_emptied(&mut self, slot: &Slot) -> Result<Option<Pair>, Fault> {
        if slot.pair.contents.entries.len() > 1 {
            return Ok(None);
        }
        let address = slot.pair.address();
        let leads_here = |pair: &Pair| pair.contents.tail == Tail::Hard(address);
        if let Some(before) = self.index.before(address)
            && !self.global.orphans
        {
            let pair = self.fetch(before)?;
            if leads_here(&pair) {
                return Ok(Some(pair));
            }
        }
        let Some(pair) = self.predecessor(address)?.filter(leads_here) else {
            return Ok(None);
        };
        // What the list says of dictionaries is not to be relied on while it may hold orphans: an entry that leads here
        // makes this a first pair all the same.
        if self.global.orphans {
            let links = self.links()?;
            if links.lead_to(address) || links.moved_from(pair.address()).is_some() {
                return Ok(None);
            }
        }
        Ok(Some(pair))
    }
}
