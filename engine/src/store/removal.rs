//! Removing dictionaries with all they hold.

use super::fault::Fault;
use super::tree::Slot;
use super::volume::Volume;
use crate::device::{BlockDevice, BlockId};
use crate::disk::contents::{Edit, Tail};
use crate::disk::entry::Body;
use crate::disk::gstate::{Delta, GlobalState, PendingMove};
use crate::disk::pointer::PairAddress;
use crate::error::{Corruption, CorruptionKind};
use crate::phase::Phase;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// The pairs of a dictionary and of all dictionaries below it.
#[derive(Debug, Default)]
struct Doomed {
    blocks: BTreeSet<BlockId>,
    /// First pairs of dictionaries that have more than one.
    split: Vec<PairAddress>,
}

/// Doomed pairs that follow each other on the list.
#[derive(Debug)]
struct Run {
    /// The pair before them, which stays.
    predecessor: PairAddress,
    /// They themselves.
    pairs: Vec<PairAddress>,
    /// What follows them.
    tail: Tail,
    /// Their share of the global state.
    delta: Delta,
}

impl<D: BlockDevice> Volume<D> {
    /// Removes the entry at `slot`, which leads to the dictionary that starts at `head`, with all that the dictionary
    /// holds, in one atomic step.
    ///
    /// That step is a commit to the pair before the dictionary's on the list, which skips them, takes over their share
    /// of the global state and takes the entry away. Pairs that were moved into the dictionary from elsewhere stand
    /// elsewhere on the list. They come off it afterwards; after a power cut, repair finds them without a parent.
    pub(crate) fn remove_dictionary(
        &mut self,
        slot: &Slot,
        head: PairAddress,
    ) -> Result<(), Fault> {
        let mut doomed = self.doomed(head)?;
        let runs = self.runs(&doomed)?;
        let Some(main) = runs.iter().find(|run| run.pairs.contains(&head)) else {
            let kind = CorruptionKind::NotOnList;
            return Err(Corruption::at(head.blocks()[0], kind).into());
        };
        let before = self.global;
        let after = GlobalState {
            // The C littlefs's repair drops a pair without a parent, but splices the rest of a split dictionary into
            // another one: of split ones it must not be told.
            orphans: before.orphans || (runs.len() > 1 && !doomed.has_split_outside(main)),
            pending_move: Some(PendingMove {
                pair: slot.pair.address(),
                id: slot.id,
            }),
        };
        self.unfinished |= runs.len() > 1;
        let mut skip = Vec::from([Edit::SetTail(main.tail), Edit::XorDelta(main.delta)]);
        doomed.forget(main);
        for &pair in runs.iter().flat_map(|run| &run.pairs) {
            self.index.forget(pair);
        }
        let emptied = if main.predecessor == slot.pair.address() {
            self.predecessor_of_emptied(slot)?
        } else {
            None
        };
        if let Some(predecessor) = emptied {
            self.index.forget(slot.pair.address());
            skip.push(Edit::XorDelta(slot.pair.contents.delta));
            let after = GlobalState {
                pending_move: None,
                ..after
            };
            self.during(Phase::HardtailDrop, |volume| {
                volume.commit(predecessor, skip, after)
            })?;
        } else {
            let predecessor = self.fetch(main.predecessor)?;
            self.commit(predecessor, skip, after)?;
        }
        let finished = self.finish_move();
        finished
            .and_then(|()| self.unlink(doomed, before.orphans))
            .or_else(Fault::unless_no_space)
    }

    /// Takes doomed pairs that nothing leads to any more off the list; then nothing is announced but what was.
    fn unlink(&mut self, mut doomed: Doomed, orphans: bool) -> Result<(), Fault> {
        while !doomed.blocks.is_empty() {
            // Each commit may move other pairs, so the list is looked at afresh.
            let Some(run) = self.runs(&doomed)?.pop() else {
                break;
            };
            doomed.forget(&run);
            let predecessor = self.fetch(run.predecessor)?;
            let skip = Vec::from([Edit::SetTail(run.tail), Edit::XorDelta(run.delta)]);
            self.commit(predecessor, skip, self.global)?;
        }
        if self.global.orphans != orphans && !self.lagging {
            let root = self.fetch(self.root)?;
            let after = GlobalState {
                orphans,
                ..self.global
            };
            self.commit(root, Vec::new(), after)?;
        }
        self.unfinished = false;
        Ok(())
    }

    /// Finds the pairs of the dictionary that starts at `head` and of all below it.
    fn doomed(&mut self, head: PairAddress) -> Result<Doomed, Fault> {
        let mut doomed = Doomed::default();
        let mut open = Vec::from([head]);
        while let Some(head) = open.pop() {
            let mut pairs = self.dictionary_pairs(head);
            let mut count = 0;
            while let Some(pair) = self.next_pair(&mut pairs)? {
                for block in pair.address().blocks() {
                    if !doomed.blocks.insert(block) {
                        return Err(Corruption::at(block, CorruptionKind::DictionaryCycle).into());
                    }
                }
                for (_, entry) in self.visible_entries(&pair) {
                    if let Body::Dictionary(below) = entry.body {
                        open.push(below);
                    }
                }
                count += 1;
            }
            if count > 1 {
                doomed.split.push(head);
            }
        }
        Ok(doomed)
    }

    /// The doomed pairs as they stand on the list.
    fn runs(&mut self, doomed: &Doomed) -> Result<Vec<Run>, Fault> {
        let mut runs: Vec<Run> = Vec::new();
        let mut predecessor = PairAddress::FIRST;
        let mut list = self.all_pairs();
        let mut open = false;
        while let Some(pair) = self.next_pair(&mut list)? {
            let address = pair.address();
            if !doomed.holds(address) {
                predecessor = address;
                open = false;
                continue;
            }
            if !open {
                runs.push(Run {
                    predecessor,
                    pairs: Vec::new(),
                    tail: Tail::End,
                    delta: Delta::default(),
                });
                open = true;
            }
            if let Some(run) = runs.last_mut() {
                run.pairs.push(address);
                run.tail = pair.contents.tail;
                run.delta ^= pair.contents.delta;
            }
        }
        Ok(runs)
    }
}

impl Doomed {
    fn holds(&self, pair: PairAddress) -> bool {
        pair.blocks()
            .iter()
            .all(|block| self.blocks.contains(block))
    }

    /// The run is about to come off the list: its blocks are free then, and may soon be somebody else's.
    fn forget(&mut self, run: &Run) {
        for pair in &run.pairs {
            for block in pair.blocks() {
                self.blocks.remove(&block);
            }
        }
    }

    /// Whether a split dictionary stands outside `run`.
    fn has_split_outside(&self, run: &Run) -> bool {
        self.split.iter().any(|head| !run.pairs.contains(head))
    }
}
