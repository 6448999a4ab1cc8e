//! Finding entries: by key from the root, by name in a dictionary; and a pair's predecessor on the list.

use super::fault::Fault;
use super::pair::Pair;
use super::volume::Volume;
use crate::device::BlockDevice;
use crate::disk::entry::{Body, Entry};
use crate::disk::names;
use crate::disk::pointer::PairAddress;
use crate::disk::tag::EntryId;
use crate::key::Key;
use alloc::vec::Vec;

/// A place in a pair: of an entry, or for one.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) pair: Pair,
    pub(crate) id: EntryId,
}

impl Slot {
    /// The entry at the place, where there is one.
    pub(crate) fn entry(&self) -> Option<&Entry> {
        self.pair.contents.entries.get(self.id.index())
    }
}

/// Where a name stands.
#[derive(Clone, Debug)]
pub(crate) enum Lookup {
    /// Here.
    Found(Slot, Entry),
    /// Nowhere; it would go here.
    Free(Slot),
}

/// Where a key leads.
#[derive(Clone, Debug)]
pub(crate) enum Place<'k> {
    Root,
    /// To this entry.
    Found(Slot, Entry),
    /// To nothing; the first of the names (one at least) would go to the slot, the others below it.
    Free(Slot, Vec<&'k [u8]>),
    /// To nothing, since this key above it is a value.
    Blocked(Key),
}

impl<D: BlockDevice> Volume<D> {
    /// Follows `key` from the root.
    pub(crate) fn locate<'k>(&mut self, key: &'k Key) -> Result<Place<'k>, Fault> {
        let mut names = key.segments().peekable();
        let mut above = Key::ROOT;
        let mut head = self.root;
        while let Some(name) = names.next() {
            let (slot, entry) = match self.lookup(head, name)? {
                Lookup::Found(slot, entry) => (slot, entry),
                Lookup::Free(slot) => {
                    let missing = core::iter::once(name).chain(names).collect();
                    return Ok(Place::Free(slot, missing));
                }
            };
            if names.peek().is_none() {
                return Ok(Place::Found(slot, entry));
            }
            above = above.child(name);
            let Body::Dictionary(below) = entry.body else {
                return Ok(Place::Blocked(above));
            };
            head = below;
        }
        Ok(Place::Root)
    }

    /// Looks `name` up in the dictionary that starts at `head`. An entry that a pending move has taken away is not
    /// found.
    pub(crate) fn lookup(&mut self, head: PairAddress, name: &[u8]) -> Result<Lookup, Fault> {
        let start = self.index.start(head, name);
        let mut pairs = self.dictionary_pairs(start);
        let mut last: Option<Pair> = None;
        while let Some(pair) = self.next_pair(&mut pairs)? {
            self.note(head, last.as_ref(), &pair);
            // Names ascend along the chain: behind a greater one the rest of it need not be read.
            let reached = self
                .visible_entries(&pair)
                .map(|(id, entry)| (id, entry, names::compare(&entry.name, name)))
                .find(|(.., order)| order.is_ge());
            if let Some((id, entry, order)) = reached {
                let found = order.is_eq().then(|| entry.clone());
                let slot = Slot { pair, id };
                return Ok(match found {
                    Some(entry) => Lookup::Found(slot, entry),
                    None => Lookup::Free(slot),
                });
            }
            last = Some(pair);
        }
        // A chain has at least its head, or fetching that has failed.
        let pair = match last {
            Some(pair) => pair,
            None => self.fetch(head)?,
        };
        let end = EntryId::new(pair.contents.entries.len()).ok_or(Fault::NoSpace)?;
        Ok(Lookup::Free(Slot { pair, id: end }))
    }

    /// Tells the index that a walk along the chain from `head` has come from `previous` to `pair`.
    fn note(&mut self, head: PairAddress, previous: Option<&Pair>, pair: &Pair) {
        let last = previous.and_then(|pair| pair.contents.entries.last());
        let first = pair.contents.entries.first();
        // Only where names ascend from pair to pair, which a foreign image may not keep to, does it make sense.
        if let (Some(last), Some(first)) = (last, first)
            && names::compare(&last.name, &first.name).is_lt()
        {
            self.index.note(head, &first.name, pair.address());
        }
    }

    /// The entries of a pair that a user sees, with their ids.
    pub(crate) fn visible_entries<'p>(
        &self,
        pair: &'p Pair,
    ) -> impl Iterator<Item = (EntryId, &'p Entry)> + use<'p, D> {
        let hidden = self
            .global
            .pending_move
            .filter(|pending| pending.pair == pair.address())
            .map(|pending| pending.id);
        let entries = pair.contents.entries.iter().enumerate();
        entries.filter_map(move |(index, entry)| {
            let id = EntryId::new(index)?;
            (entry.is_listed() && Some(id) != hidden).then_some((id, entry))
        })
    }

    /// The last pair of the dictionary that holds the pair at `from`.
    pub(crate) fn last_pair(&mut self, from: PairAddress) -> Result<Pair, Fault> {
        let mut last = self.fetch(from)?;
        let mut pairs = self.dictionary_pairs(from);
        while let Some(pair) = self.next_pair(&mut pairs)? {
            last = pair;
        }
        Ok(last)
    }

    /// The pair whose tail leads to `target`; none where the list does not hold it.
    pub(crate) fn predecessor(&mut self, target: PairAddress) -> Result<Option<Pair>, Fault> {
        let mut list = self.all_pairs();
        while let Some(pair) = self.next_pair(&mut list)? {
            if pair.contents.tail.next() == Some(target) {
                return Ok(Some(pair));
            }
        }
        Ok(None)
    }

    /// The pair and id of the entry that leads to the dictionary at `head`; none where there is none.
    pub(crate) fn parent(&mut self, head: PairAddress) -> Result<Option<(Pair, EntryId)>, Fault> {
        if self.global.orphans {
            let Some((address, id)) = self.links()?.find(head) else {
                return Ok(None);
            };
            return Ok(Some((self.fetch(address)?, id)));
        }
        let mut list = self.all_pairs();
        while let Some(pair) = self.next_pair(&mut list)? {
            let id = self
                .visible_entries(&pair)
                .find(|(_, entry)| entry.body == Body::Dictionary(head))
                .map(|(id, _)| id);
            if let Some(id) = id {
                return Ok(Some((pair, id)));
            }
        }
        Ok(None)
    }
}
