//! What a metadata pair holds, decoded, and the edits that commits are made of.

use super::commit::LogWriter;
use super::entry::{Body, Entry, TAG_SIZE};
use super::gstate::Delta;
use super::pointer::{NULL_POINTER, PairAddress};
use super::tag::{EntryId, Tag, TagKind, TailKind};
use alloc::vec::Vec;

/// A pair with so many entries splits when it can, whatever room is left; the C littlefs has the same bound.
pub(crate) const MAX_ENTRIES: usize = 0xff;

/// What follows a pair on the list of all pairs (SPEC.md, "Tail").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tail {
    /// The list ends.
    #[default]
    End,
    /// The next dictionary's first pair.
    Soft(PairAddress),
    /// The next pair of the same dictionary.
    Hard(PairAddress),
}

impl Tail {
    /// The next pair on the list.
    pub fn next(self) -> Option<PairAddress> {
        match self {
            Self::End => None,
            Self::Soft(pair) | Self::Hard(pair) => Some(pair),
        }
    }

    /// The next pair of the same dictionary.
    pub fn next_in_dictionary(self) -> Option<PairAddress> {
        match self {
            Self::Hard(pair) => Some(pair),
            Self::End | Self::Soft(_) => None,
        }
    }

    fn write(self, log: &mut LogWriter) {
        let (kind, pointer) = match self {
            Self::End => (TailKind::Soft, NULL_POINTER),
            Self::Soft(pair) => (TailKind::Soft, pair.encode()),
            Self::Hard(pair) => (TailKind::Hard, pair.encode()),
        };
        log.push(Tag::new(TagKind::Tail(kind), None, pointer.len()), &pointer);
    }
}

/// What a pair holds: the newest state that its log describes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The entries; an entry's id is its index.
    pub entries: Vec<Entry>,
    /// What follows the pair on the list of all pairs.
    pub tail: Tail,
    /// The pair's share of the global state.
    pub delta: Delta,
}

/// One change of a pair's contents. Commits are made of these; each reader sees all of a commit's or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// Puts an entry at this id; those from there on move up.
    Insert(EntryId, Entry),
    /// Removes the entry; those behind it move down.
    Delete(EntryId),
    /// Gives the entry another body; name and attributes stay.
    Replace(EntryId, Body),
    /// Sets the entry's attribute of this type.
    SetAttribute(EntryId, u8, Vec<u8>),
    /// Removes the entry's attribute of this type.
    RemoveAttribute(EntryId, u8),
    SetTail(Tail),
    /// Changes the pair's share of the global state by so much: the state itself, or, where the share is that of a
    /// pair that the same commit takes off the list, nothing but where it stands.
    XorDelta(Delta),
}

impl Contents {
    /// Bytes of a compacted log beside the entries, the revision count and the commit's end: a tail and a share of the
    /// global state. They always count, so that a pair that fits can still be given either.
    pub(crate) const OVERHEAD: usize = TAG_SIZE + PairAddress::SIZE + TAG_SIZE + Delta::SIZE;

    /// Makes the edits, one after the other.
    pub(crate) fn edit(&mut self, edits: &[Edit]) {
        for edit in edits {
            match edit {
                Edit::Insert(id, entry) => self.entries.insert(id.index(), entry.clone()),
                Edit::Delete(id) => drop(self.entries.remove(id.index())),
                Edit::Replace(id, body) => self.entries[id.index()].body = body.clone(),
                Edit::SetAttribute(id, kind, data) => {
                    self.entries[id.index()]
                        .attributes
                        .insert(*kind, data.clone());
                }
                Edit::RemoveAttribute(id, kind) => {
                    self.entries[id.index()].attributes.remove(*kind);
                }
                Edit::SetTail(tail) => self.tail = *tail,
                Edit::XorDelta(delta) => self.delta ^= *delta,
            }
        }
    }

    /// Writes all of the contents, as a compacted log has them.
    pub(crate) fn write(&self, log: &mut LogWriter) {
        for (index, entry) in self.entries.iter().enumerate() {
            if let Some(id) = EntryId::new(index) {
                entry.write(id, log);
            }
        }
        if self.tail != Tail::End {
            self.tail.write(log);
        }
        if !self.delta.is_zero() {
            self.write_delta(log);
        }
    }

    /// Writes the tags that lead a reader from `before` to these contents, which `edits` have made of it.
    pub(crate) fn write_edits(&self, before: &Self, edits: &[Edit], log: &mut LogWriter) {
        for edit in edits {
            match edit {
                Edit::Insert(id, entry) => {
                    log.push(Tag::new(TagKind::Create, Some(*id), 0), &[]);
                    entry.write(*id, log);
                }
                Edit::Delete(id) => log.push(Tag::new(TagKind::Delete, Some(*id), 0), &[]),
                Edit::Replace(id, body) => body.write(*id, log),
                Edit::SetAttribute(id, kind, data) => {
                    let kind = TagKind::Attribute(*kind);
                    log.push(Tag::new(kind, Some(*id), data.len()), data);
                }
                Edit::RemoveAttribute(id, kind) => {
                    log.push(Tag::deletion(TagKind::Attribute(*kind), *id), &[]);
                }
                Edit::SetTail(tail) => tail.write(log),
                Edit::XorDelta(_) => {}
            }
        }
        // A delta replaces the pair's older one, so the sum of all edits is written once.
        if self.delta != before.delta {
            self.write_delta(log);
        }
    }

    fn write_delta(&self, log: &mut LogWriter) {
        let delta = self.delta.encode();
        log.push(Tag::new(TagKind::GlobalState, None, delta.len()), &delta);
    }
}
