//! Commits, read: the log of one block, from its start to the first tag that is none.
//!
//! The scanner is fed with the bytes of the block as far as they have been read and says how many it needs to go
//! on, so that no more of a block is read than its log takes.

use super::commit::{FIRST_PREVIOUS, ForwardCrc, LogEnd};
use super::contents::{Contents, Tail};
use super::crc::checksum;
use super::entry::{Attributes, Body, Entry, TAG_SIZE};
use super::gstate::Delta;
use super::pointer::{PairAddress, u32_at};
use super::tag::{EntryId, Length, NameKind, StructKind, Tag, TagKind, TailKind};
use crate::error::CorruptionKind;
use alloc::vec::Vec;
use core::mem;
use core::ops::Range;

/// How far a scan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// So many bytes from the start of the block are needed to go on.
    Needs(usize),
    /// The log has ended.
    Done,
}

/// Whether commits with a wrong checksum count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Only commits with the right checksum count.
    Checked,
    /// A deliberate fault: every commit counts.
    #[cfg(feature = "sabotage")]
    Blind,
}

/// Hears what a scan meets, for those who show a log and not only what it says in the end.
pub(crate) trait Observer {
    /// A tag with all its data, at this offset.
    fn tag(&mut self, offset: usize, tag: Tag);

    /// The checksum of the tag heard last, which ends a commit: the one that is stored, and the one that the commit has.
    fn checksum(&mut self, stored: u32, computed: u32);
}

/// Nobody listens.
impl Observer for () {
    fn tag(&mut self, _: usize, _: Tag) {}

    fn checksum(&mut self, _: u32, _: u32) {}
}

/// Reads the log of one block.
pub(crate) struct Scanner<O = ()> {
    block_size: usize,
    trust: Trust,
    /// Where the next tag stands.
    offset: usize,
    previous: u32,
    /// Where the commit that is being read starts.
    commit_start: usize,
    /// The tags of that commit so far, with where their data stands.
    commit: Vec<(Tag, u32, usize)>,
    forward: Option<ForwardCrc>,
    /// The state after the last valid commit.
    drafts: Drafts,
    end: Option<LogEnd>,
    observer: O,
}

impl Scanner {
    /// A scanner at the start of a block of `block_size` bytes.
    pub(crate) fn new(block_size: usize, trust: Trust) -> Self {
        Self::observed(block_size, trust, ())
    }
}

impl<O: Observer> Scanner<O> {
    /// As [`new`](Scanner::new), with somebody who listens.
    pub(crate) fn observed(block_size: usize, trust: Trust, observer: O) -> Self {
        Self {
            block_size,
            trust,
            offset: 4,
            previous: FIRST_PREVIOUS,
            commit_start: 0,
            commit: Vec::new(),
            forward: None,
            drafts: Drafts::default(),
            end: None,
            observer,
        }
    }

    /// Goes on with `bytes`, the block's first bytes, as many as have been read.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> Progress {
        loop {
            let data = self.offset + TAG_SIZE;
            if data > self.block_size {
                return self.finish(self.commit.is_empty());
            }
            let Some(stored) = bytes.get(self.offset..data) else {
                return Progress::Needs(data);
            };
            let bits =
                u32::from_be_bytes([stored[0], stored[1], stored[2], stored[3]]) ^ self.previous;
            let Some(tag) = Tag::decode(bits) else {
                return self.finish(self.commit.is_empty());
            };
            let next = data + tag.data_length();
            if next > self.block_size {
                return self.finish(false);
            }
            // Padding is not read: of a commit's end only the checksum is needed.
            let needed = if tag.kind.is_commit_crc() {
                data + 4
            } else {
                next
            };
            if needed > next {
                return self.finish(false);
            }
            if bytes.len() < needed {
                return Progress::Needs(needed);
            }
            self.previous = bits;
            self.offset = next;
            self.observer.tag(data - TAG_SIZE, tag);
            match tag.kind {
                TagKind::CommitCrc { flip } => {
                    let crc = checksum(&bytes[self.commit_start..data]);
                    let stored = u32_at(bytes, data);
                    if let Some(stored) = stored {
                        self.observer.checksum(stored, crc);
                    }
                    if self.trust == Trust::Checked && stored != Some(crc) {
                        return self.finish(false);
                    }
                    self.previous ^= u32::from(flip) << 31;
                    self.accept();
                }
                TagKind::ForwardCrc => {
                    if let (Some(length), Some(crc)) = (
                        u32_at(&bytes[..next], data),
                        u32_at(&bytes[..next], data + 4),
                    ) {
                        self.forward = Some(ForwardCrc { length, crc });
                    }
                }
                _ => self.commit.push((tag, bits, data)),
            }
        }
    }

    /// The commit just read is valid: its tags count.
    fn accept(&mut self) {
        for (tag, bits, data) in self.commit.drain(..) {
            self.drafts.apply(tag, bits, data);
        }
        self.end = Some(LogEnd {
            offset: self.offset,
            previous: self.previous,
            forward: self.forward.take(),
        });
        self.commit_start = self.offset;
    }

    /// The log has ended; `untouched` where what follows the last commit does not look like the start of another.
    fn finish(&mut self, untouched: bool) -> Progress {
        if let (Some(end), false) = (&mut self.end, untouched) {
            end.forward = None;
        }
        Progress::Done
    }

    /// Who has listened.
    pub(crate) fn observer(&self) -> &O {
        &self.observer
    }

    /// The end of the log so far; none before the first valid commit.
    pub(crate) fn end(&self) -> Option<LogEnd> {
        self.end
    }

    /// Where the tags stand whose data make up what the log says.
    pub(crate) fn live_tags(&self) -> impl Iterator<Item = usize> {
        self.drafts.live_data().map(|data| data - TAG_SIZE)
    }

    /// What the log says, once the scan is done: none where no commit is valid.
    ///
    /// # Errors
    ///
    /// A [`CorruptionKind`] where valid commits say what the format does not allow.
    pub(crate) fn into_contents(
        mut self,
        bytes: &[u8],
    ) -> Result<Option<(Contents, LogEnd)>, CorruptionKind> {
        let Some(end) = self.end else {
            return Ok(None);
        };
        let contents = mem::take(&mut self.drafts).finish(bytes)?;
        Ok(Some((contents, end)))
    }
}

/// Contents in the making: where in the block each part of them stands.
#[derive(Default)]
struct Drafts {
    entries: Vec<Draft>,
    tail: Option<(TailKind, Range<usize>)>,
    delta: Option<Range<usize>>,
    /// The first tag that had no meaning where it stood.
    damage: Option<CorruptionKind>,
}

#[derive(Clone, Default)]
struct Draft {
    name: Option<(NameKind, Range<usize>)>,
    structure: Option<(StructKind, Range<usize>)>,
    attributes: Vec<(u8, Range<usize>)>,
}

impl Drafts {
    fn apply(&mut self, tag: Tag, bits: u32, data: usize) {
        if self.try_apply(tag, data).is_none() && self.damage.is_none() {
            self.damage = Some(CorruptionKind::BadTag {
                tag: bits,
                offset: (data - TAG_SIZE) as u32,
            });
        }
    }

    fn try_apply(&mut self, tag: Tag, data: usize) -> Option<()> {
        let range = data..data + tag.data_length();
        let present = matches!(tag.length, Length::Bytes(_));
        match tag.kind {
            TagKind::Create => {
                let index = tag.id?.index();
                if index > self.entries.len() {
                    return None;
                }
                self.entries.insert(index, Draft::default());
            }
            TagKind::Delete => {
                let index = tag.id?.index();
                if index >= self.entries.len() {
                    return None;
                }
                self.entries.remove(index);
            }
            TagKind::Name(kind) if present => {
                // A compacted log has no create tags: a name alone makes an entry, in whatever order they come.
                let index = tag.id?.index();
                if index >= self.entries.len() {
                    self.entries.resize(index + 1, Draft::default());
                }
                self.entries[index].name = Some((kind, range));
            }
            TagKind::Struct(kind) if present => {
                self.draft(tag.id?)?.structure = Some((kind, range));
            }
            TagKind::Attribute(kind) => {
                let attributes = &mut self.draft(tag.id?)?.attributes;
                attributes.retain(|(other, _)| *other != kind);
                if present {
                    attributes.push((kind, range));
                }
            }
            TagKind::Tail(kind) if present => self.tail = Some((kind, range)),
            TagKind::GlobalState if present => self.delta = Some(range),
            // A type that the format does not assign is skipped; a known one without data has no meaning.
            TagKind::Unknown => {}
            _ => return None,
        }
        Some(())
    }

    fn draft(&mut self, id: EntryId) -> Option<&mut Draft> {
        self.entries.get_mut(id.index())
    }

    /// Where the data stand that count.
    fn live_data(&self) -> impl Iterator<Item = usize> {
        let of_entries = self.entries.iter().flat_map(|draft| {
            let name = draft.name.iter().map(|(_, range)| range.start);
            let structure = draft.structure.iter().map(|(_, range)| range.start);
            let attributes = draft.attributes.iter().map(|(_, range)| range.start);
            name.chain(structure).chain(attributes)
        });
        let tail = self.tail.iter().map(|(_, range)| range.start);
        let delta = self.delta.iter().map(|range| range.start);
        of_entries.chain(tail).chain(delta)
    }

    fn finish(self, bytes: &[u8]) -> Result<Contents, CorruptionKind> {
        if let Some(damage) = self.damage {
            return Err(damage);
        }
        let mut entries = Vec::with_capacity(self.entries.len());
        for (id, draft) in self.entries.into_iter().enumerate() {
            let entry = draft
                .finish(bytes)
                .ok_or(CorruptionKind::IncompleteEntry { id: id as u16 })?;
            entries.push(entry);
        }
        let tail = match self.tail {
            None => Tail::End,
            Some((kind, range)) => decode_tail(kind, &bytes[range.clone()])
                .ok_or_else(|| bad_tag(bytes, range.start))?,
        };
        let delta = match self.delta {
            None => Delta::default(),
            Some(range) => {
                Delta::decode(&bytes[range.clone()]).ok_or_else(|| bad_tag(bytes, range.start))?
            }
        };
        Ok(Contents {
            entries,
            tail,
            delta,
        })
    }
}

/// A tag whose data, at `data`, makes no sense; the tag is shown as it is stored.
fn bad_tag(bytes: &[u8], data: usize) -> CorruptionKind {
    let offset = data - TAG_SIZE;
    let tag = [
        bytes[offset],
        bytes[offset + 1],
        bytes[offset + 2],
        bytes[offset + 3],
    ];
    CorruptionKind::BadTag {
        tag: u32::from_be_bytes(tag),
        offset: offset as u32,
    }
}

impl Draft {
    fn finish(self, bytes: &[u8]) -> Option<Entry> {
        let (name_kind, name) = self.name?;
        let (struct_kind, structure) = self.structure?;
        let mut attributes = Attributes::default();
        for (kind, range) in self.attributes {
            attributes.insert(kind, bytes[range].to_vec());
        }
        Some(Entry {
            name: bytes[name].to_vec(),
            body: Body::decode(name_kind, struct_kind, &bytes[structure])?,
            attributes,
        })
    }
}

fn decode_tail(kind: TailKind, data: &[u8]) -> Option<Tail> {
    let pointer = data.get(..PairAddress::SIZE)?;
    match (kind, PairAddress::decode(pointer)) {
        (TailKind::Soft, None) => Some(Tail::End),
        (TailKind::Soft, Some(pair)) => Some(Tail::Soft(pair)),
        (TailKind::Hard, Some(pair)) => Some(Tail::Hard(pair)),
        (TailKind::Hard, None) => None,
    }
}

#[cfg(test)]
mod tests;
