//! Finishing what a power cut left, before the first write after a mount (SPEC.md, "Gstate").

use super::fault::Fault;
use super::links::Links;
use super::pair::Pair;
use super::volume::Volume;
use crate::device::BlockDevice;
use crate::disk::contents::{Edit, Tail};
use crate::disk::gstate::{Delta, GlobalState};
use crate::disk::pointer::PairAddress;
use crate::error::{Corruption, CorruptionKind};
use alloc::vec::Vec;

/// What is wrong with a place on the list.
enum Fix {
    /// The pair's tail leads to a dictionary that no entry leads to: what comes behind it, and its share of the global
    /// state.
    Drop(Pair, Tail, Delta),
    /// The pair's tail leads to where a dictionary was before it moved.
    Redirect(Pair, PairAddress),
}

impl<D: BlockDevice> Volume<D> {
    /// Does what the global state announces, and takes off the list what a removal has left on it without a word. Does
    /// nothing, and reads nothing, where there is nothing to do.
    ///
    /// Every step is a commit of its own that leaves a state from which the repair can start again.
    ///
    /// # Errors
    ///
    /// Corruption, before anything is changed, where the list is none that a power cut can leave.
    pub(crate) fn repair(&mut self) -> Result<(), Fault> {
        if self.global.orphans || self.unfinished || self.global.pending_move.is_some() {
            self.refuse_damage()?;
        }
        if self.global.orphans && self.global.pending_move.is_some() {
            // The move is finished in pairs that are looked for on the list: it must lead to the right ones.
            while let Some(fix @ Fix::Redirect(..)) = self.next_fix()? {
                self.index.clear();
                self.apply(fix)?;
            }
        }
        self.finish_move()?;
        if self.global.orphans || self.unfinished {
            // Each fix can uncover another: a dropped dictionary held the only entry that led to the next one.
            while let Some(fix) = self.next_fix()? {
                self.index.clear();
                self.apply(fix)?;
            }
        }
        self.lagging = false;
        if self.global.orphans {
            let root = self.fetch(self.root)?;
            let done = GlobalState {
                orphans: false,
                ..self.global
            };
            self.commit(root, Vec::new(), done)?;
        }
        self.unfinished = false;
        Ok(())
    }

    /// What a power cut cannot have left is not repaired: that could destroy what is still there.
    fn refuse_damage(&mut self) -> Result<(), Fault> {
        let links = self.links()?;
        let list = self.list_to_be(&links)?;
        match self.global.pending_move {
            Some(pending) if !list.contains(pending.pair) => {
                let [block, _] = pending.pair.blocks();
                Err(Corruption::at(block, CorruptionKind::BadMove).into())
            }
            _ => Ok(()),
        }
    }

    /// The first place on the list that needs one. Moved pairs come before orphans: until its new place is on the
    /// list, a moved dictionary looks like an orphan at the old one.
    fn next_fix(&mut self) -> Result<Option<Fix>, Fault> {
        let links = self.links()?;
        let mut orphan = None;
        let mut list = self.all_pairs();
        while let Some(pair) = self.next_pair(&mut list)? {
            let Tail::Soft(target) = pair.contents.tail else {
                continue;
            };
            if links.lead_to(target) {
                continue;
            }
            if let Some(moved) = links.moved_from(target) {
                return Ok(Some(Fix::Redirect(pair, moved)));
            }
            if orphan.is_none() {
                let (tail, delta) = self.behind(target, &links)?;
                orphan = Some(Fix::Drop(pair, tail, delta));
            }
        }
        Ok(orphan)
    }

    /// What follows the dictionary that starts at `orphan`, and its share of the global state. It ends, whatever its
    /// tails say, before a pair that an entry leads to: that is another dictionary.
    fn behind(&mut self, orphan: PairAddress, links: &Links) -> Result<(Tail, Delta), Fault> {
        let mut tail = Tail::End;
        let mut delta = Delta::default();
        let mut pairs = self.dictionary_pairs(orphan);
        while let Some(pair) = self.next_pair(&mut pairs)? {
            delta ^= pair.contents.delta;
            tail = pair.contents.tail;
            if let Tail::Hard(next) = tail
                && links.lead_to(next)
            {
                return Ok((Tail::Soft(next), delta));
            }
        }
        Ok((tail, delta))
    }

    fn apply(&mut self, fix: Fix) -> Result<(), Fault> {
        let (pair, edits) = match fix {
            Fix::Redirect(pair, moved) => (pair, [Edit::SetTail(Tail::Soft(moved))].into()),
            Fix::Drop(pair, tail, delta) => {
                let edits = [Edit::SetTail(tail), Edit::XorDelta(delta)];
                (pair, edits.into())
            }
        };
        self.commit(pair, edits, self.global)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Geometry, MemoryDevice};
    use crate::disk::contents::Contents;
    use crate::disk::entry::{Body, Entry};
    use crate::disk::gstate::PendingMove;
    use crate::disk::superblock::DiskVersion;
    use crate::disk::tag::EntryId;
    use crate::kv::MountOptions;

    /// No power cut leaves a move pending in a pair that is not on the list: to finish it could destroy what is there.
    #[test]
    fn a_move_that_is_pending_off_the_list_is_refused_and_nothing_is_changed() {
        let settings = MountOptions::default().settings;
        let mut device = MemoryDevice::new(Geometry::new(512, 16).unwrap());
        Volume::format(&mut device, DiskVersion::V2_1).unwrap();
        let mut volume = Volume::mount(&mut device, settings).unwrap();
        let contents = Contents {
            entries: [b"a", b"b"]
                .map(|name| Entry::new(name, Body::Inline(Vec::new())))
                .into(),
            ..Contents::default()
        };
        let off_list = volume.create_pair(&contents).unwrap();
        let root = volume.fetch(volume.root).unwrap();
        let pending = GlobalState {
            pending_move: Some(PendingMove {
                pair: off_list,
                id: EntryId::FIRST,
            }),
            ..GlobalState::default()
        };
        volume.commit(root, Vec::new(), pending).unwrap();
        drop(volume);
        let before = device.clone().into_image();
        let mut volume = Volume::mount(&mut device, settings).unwrap();
        assert_eq!(volume.global, pending);
        let [block, _] = off_list.blocks();
        let damage = Corruption::at(block, CorruptionKind::BadMove);
        assert_eq!(volume.repair(), Err(Fault::Corrupt(damage)));
        drop(volume);
        assert_eq!(device.into_image(), before);
    }
}
