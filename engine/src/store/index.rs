//! An index in memory for what the format leaves linear: where in a dictionary a name would stand.
//!
//! For each dictionary it keeps some of the pairs of its chain, each with a name that no pair before it reaches. A
//! search starts at the last such pair whose name is not greater than the one looked for, and goes on along the chain
//! from there. So any selection of pairs is right, none at all included; a fuller one is faster. It fills as searches
//! walk along chains, and is thinned out where it would outgrow its bound.

use crate::device::BlockId;
use crate::disk::names;
use crate::disk::pointer::PairAddress;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Bytes that a fence takes beside its name: a vector, an address, and what the allocator needs for both.
const FENCE_SIZE: usize = 48;
/// Bytes that a dictionary takes beside its fences.
const DICTIONARY_SIZE: usize = 96;

/// The index of a store.
#[derive(Debug)]
pub(crate) struct Index {
    /// Bytes that it may take.
    bound: usize,
    /// Bytes that it takes, as estimated.
    size: usize,
    /// By the lower block of a dictionary's first pair.
    dictionaries: BTreeMap<BlockId, Dictionary>,
    /// Counts searches, to tell which dictionary has been searched longest ago.
    now: u64,
}

#[derive(Debug, Default)]
struct Dictionary {
    /// Ordered by name.
    fences: Vec<Fence>,
    last_used: u64,
}

/// Names from this one on stand in this pair or behind it.
#[derive(Debug)]
struct Fence {
    from: Vec<u8>,
    pair: PairAddress,
}

impl Index {
    /// An index that takes about `bound` bytes at most; none at all where that is 0.
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            bound,
            size: 0,
            dictionaries: BTreeMap::new(),
            now: 0,
        }
    }

    /// Where in the dictionary that starts at `head` to begin a search for `name`: `head` itself where nothing better
    /// is known.
    pub(crate) fn start(&mut self, head: PairAddress, name: &[u8]) -> PairAddress {
        self.now += 1;
        let Some(dictionary) = self.dictionaries.get_mut(&key(head)) else {
            return head;
        };
        dictionary.last_used = self.now;
        let behind = dictionary.position(name, true);
        match behind.checked_sub(1) {
            Some(index) => dictionary.fences[index].pair,
            None => head,
        }
    }

    /// A walk along the chain from `head` has come to `pair`, whose first name is `from`, behind smaller ones alone.
    pub(crate) fn note(&mut self, head: PairAddress, from: &[u8], pair: PairAddress) {
        let size = FENCE_SIZE + from.len();
        if size + DICTIONARY_SIZE > self.bound {
            return;
        }
        let dictionary = self.dictionaries.entry(key(head)).or_insert_with(|| {
            self.size += DICTIONARY_SIZE;
            Dictionary::default()
        });
        dictionary.last_used = self.now;
        let index = dictionary.position(from, false);
        let known = dictionary.fences.get(index..).and_then(|rest| rest.first());
        if known.is_some_and(|fence| fence.from == from) {
            return;
        }
        let fence = Fence {
            from: from.to_vec(),
            pair,
        };
        dictionary.fences.insert(index, fence);
        self.size += size;
        while self.size > self.bound {
            self.shrink();
        }
    }

    /// The pair is no longer where names are looked for.
    pub(crate) fn forget(&mut self, pair: PairAddress) {
        if let Some(dictionary) = self.dictionaries.remove(&key(pair)) {
            self.size -= dictionary.size();
        }
        for dictionary in self.dictionaries.values_mut() {
            let before = dictionary.size();
            dictionary.fences.retain(|fence| fence.pair != pair);
            self.size -= before - dictionary.size();
        }
    }

    /// Nothing is known any more.
    pub(crate) fn clear(&mut self) {
        self.dictionaries.clear();
        self.size = 0;
    }

    /// A pair that probably comes right before `pair` in its dictionary.
    pub(crate) fn before(&self, pair: PairAddress) -> Option<PairAddress> {
        self.dictionaries.values().find_map(|dictionary| {
            let fences = &dictionary.fences;
            let index = fences.iter().position(|fence| fence.pair == pair)?;
            Some(fences[index.checked_sub(1)?].pair)
        })
    }

    /// Gives up the dictionary searched longest ago; where there is but one, every other fence of it.
    fn shrink(&mut self) {
        if self.dictionaries.len() > 1 {
            let oldest = self
                .dictionaries
                .iter()
                .min_by_key(|(_, dictionary)| dictionary.last_used)
                .map(|(&key, _)| key);
            if let Some(dictionary) = oldest.and_then(|key| self.dictionaries.remove(&key)) {
                self.size -= dictionary.size();
            }
        } else if let Some(dictionary) = self.dictionaries.values_mut().next() {
            let mut keep = false;
            dictionary.fences.retain(|_| {
                keep = !keep;
                keep
            });
            self.size = dictionary.size();
            if dictionary.fences.len() < 2 {
                self.clear();
            }
        }
    }
}

impl Dictionary {
    /// How many fences come before `name`; with `or_at` one at that very name counts.
    fn position(&self, name: &[u8], or_at: bool) -> usize {
        self.fences.partition_point(|fence| {
            let order = names::compare(&fence.from, name);
            order.is_lt() || (or_at && order.is_eq())
        })
    }

    fn size(&self) -> usize {
        let names: usize = self.fences.iter().map(|fence| fence.from.len()).sum();
        DICTIONARY_SIZE + FENCE_SIZE * self.fences.len() + names
    }
}

fn key(head: PairAddress) -> BlockId {
    let [a, b] = head.blocks();
    a.min(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(n: u32) -> PairAddress {
        PairAddress::new(BlockId::new(2 * n), BlockId::new(2 * n + 1))
    }

    #[test]
    fn searches_start_at_the_last_fence_that_is_not_greater() {
        let mut index = Index::new(10_000);
        let head = pair(1);
        assert_eq!(index.start(head, b"x"), head);
        index.note(head, b"d", pair(2));
        index.note(head, b"m", pair(3));
        assert_eq!(index.start(head, b"c"), head);
        assert_eq!(index.start(head, b"d"), pair(2));
        // A longer name comes before its prefix.
        assert_eq!(index.start(head, b"mm"), pair(2));
        assert_eq!(index.start(head, b"z"), pair(3));
        assert_eq!(index.before(pair(3)), Some(pair(2)));
        index.forget(pair(2));
        assert_eq!(index.start(head, b"e"), head);
        index.forget(head);
        assert_eq!(index.start(head, b"z"), head);
        assert_eq!(index.size, 0);
    }

    #[test]
    fn keeps_within_its_bound() {
        for bound in [0, 100, 200, 1000, 5000] {
            let mut index = Index::new(bound);
            for dictionary in 0..5 {
                for n in 0..200u32 {
                    let name = alloc::format!("{n:05}");
                    index.note(
                        pair(1000 * dictionary),
                        name.as_bytes(),
                        pair(1000 * dictionary + n),
                    );
                    assert!(index.size <= bound);
                    let counted: usize = index.dictionaries.values().map(Dictionary::size).sum();
                    assert_eq!(index.size, counted);
                }
            }
        }
    }
}
