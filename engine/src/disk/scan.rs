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

/// Reads the log of one block.
pub(crate) struct Scanner {
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
}

impl Scanner {
    /// A scanner at the start of a block of `block_size` bytes.
    pub(crate) fn new(block_size: usize, trust: Trust) -> Self {
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
            match tag.kind {
                TagKind::CommitCrc { flip } => {
                    let crc = checksum(&bytes[self.commit_start..data]);
                    if self.trust == Trust::Checked && u32_at(bytes, data) != Some(crc) {
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
mod tests {
    use super::*;
    use crate::device::BlockId;
    use crate::disk::commit::{Layout, LogWriter};
    use crate::disk::contents::Edit;
    use crate::disk::entry::CtzStruct;
    use alloc::vec;
    use proptest::prelude::*;

    /// Reads the log of `block`, fed byte by byte as it asks for more.
    fn scan(block: &[u8]) -> Result<Option<(Contents, LogEnd)>, CorruptionKind> {
        let mut scanner = Scanner::new(block.len(), Trust::Checked);
        let mut fed = 0;
        while let Progress::Needs(length) = scanner.advance(&block[..fed]) {
            assert!(
                length > fed && length <= block.len(),
                "asks for {length} after {fed}"
            );
            fed = length;
        }
        scanner.into_contents(&block[..fed])
    }

    /// A block that commits are written to one after the other.
    struct Log {
        block: Vec<u8>,
        layout: Layout,
        forward_crc: bool,
        end: LogEnd,
        contents: Contents,
    }

    impl Log {
        fn new(layout: Layout, erased: u8, forward_crc: bool, contents: &Contents) -> Option<Self> {
            let mut log = Self {
                block: vec![erased; layout.block_size],
                layout,
                forward_crc,
                end: LogEnd {
                    offset: 0,
                    previous: FIRST_PREVIOUS,
                    forward: None,
                },
                contents: contents.clone(),
            };
            let mut writer = LogWriter::first(7);
            contents.write(&mut writer);
            log.program(writer).then_some(log)
        }

        fn append(&mut self, edits: &[Edit]) -> bool {
            let mut contents = self.contents.clone();
            contents.edit(edits);
            let mut writer = LogWriter::after(self.end.offset, self.end.previous);
            contents.write_edits(&self.contents, edits, &mut writer);
            let written = self.program(writer);
            if written {
                self.contents = contents;
            }
            written
        }

        fn program(&mut self, writer: LogWriter) -> bool {
            let Some(end) = writer.end(self.layout) else {
                return false;
            };
            let following = self
                .block
                .get(end..end + self.layout.prog_size)
                .map(<[u8]>::to_vec);
            let (commit, log_end) = writer.seal(end, following.as_deref(), self.forward_crc);
            assert_eq!(
                commit.start + commit.bytes.len(),
                end,
                "whole program units"
            );
            assert_eq!(log_end.offset, end);
            self.block[commit.start..end].copy_from_slice(&commit.bytes);
            self.end = log_end;
            true
        }
    }

    fn entry() -> impl Strategy<Value = Entry> {
        let body = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..30).prop_map(Body::Inline),
            any::<(u32, u32)>().prop_map(|(head, size)| Body::Ctz(CtzStruct {
                head: BlockId::new(head),
                size
            })),
            (0..9u32, 9..20u32).prop_map(|(a, b)| {
                Body::Dictionary(PairAddress::new(BlockId::new(a), BlockId::new(b)))
            }),
        ];
        let attribute = (any::<u8>(), prop::collection::vec(any::<u8>(), 0..20));
        (
            prop::collection::vec(any::<u8>(), 1..12),
            body,
            prop::collection::vec(attribute, 0..3),
        )
            .prop_map(|(name, body, list)| {
                let mut attributes = Attributes::default();
                for (kind, data) in list {
                    attributes.insert(kind, data);
                }
                Entry {
                    name,
                    body,
                    attributes,
                }
            })
    }

    /// An edit that fits contents with `count` entries is made of this and the count.
    fn edit() -> impl Strategy<Value = (u8, prop::sample::Index, Entry, [u32; 3])> {
        (
            0..6u8,
            any::<prop::sample::Index>(),
            entry(),
            any::<[u32; 3]>(),
        )
    }

    fn fit(
        count: usize,
        (kind, index, entry, words): (u8, prop::sample::Index, Entry, [u32; 3]),
    ) -> Edit {
        let insert = EntryId::new(index.index(count + 1)).unwrap();
        let present = (count > 0).then(|| EntryId::new(index.index(count)).unwrap());
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&words[0].to_le_bytes());
        bytes[4..8].copy_from_slice(&words[1].to_le_bytes());
        let delta = Delta::decode(&bytes).unwrap();
        match (kind, present) {
            (0, Some(id)) => Edit::Delete(id),
            // Only a body of the same kind may replace one; inline for inline is what tests know of.
            (1, Some(_)) | (2, _) => Edit::SetTail(Tail::Hard(PairAddress::FIRST)),
            (3, _) => Edit::XorDelta(delta),
            (4, _) => Edit::SetTail(Tail::End),
            _ => Edit::Insert(insert, entry),
        }
    }

    proptest! {
        #[test]
        fn reads_back_what_is_written(
            layout in prop::sample::select(vec![
                (128, 1), (128, 16), (512, 16), (512, 128), (4096, 1), (4096, 256), (4096, 2048),
            ]),
            erased in prop::sample::select(vec![0xffu8, 0x00, 0x5a, 0x80]),
            forward_crc: bool,
            first in prop::collection::vec(entry(), 0..2),
            commits in prop::collection::vec(prop::collection::vec(edit(), 1..4), 0..12),
        ) {
            let layout = Layout { block_size: layout.0, prog_size: layout.1 };
            let contents = Contents { entries: first, ..Contents::default() };
            let Some(mut log) = Log::new(layout, erased, forward_crc, &contents) else {
                return Ok(());
            };
            for commit in commits {
                let mut count = log.contents.entries.len();
                let edits: Vec<Edit> = commit
                    .into_iter()
                    .map(|parts| {
                        let edit = fit(count, parts);
                        match edit {
                            Edit::Insert(..) => count += 1,
                            Edit::Delete(_) => count -= 1,
                            _ => {}
                        }
                        edit
                    })
                    .collect();
                let before = (log.contents.clone(), log.end, log.block.clone());
                if !log.append(&edits) {
                    break;
                }
                let (contents, end) = scan(&log.block).unwrap().unwrap();
                prop_assert_eq!(&contents, &log.contents);
                prop_assert_eq!(end, log.end);

                // A commit whose checksum or contents are spoilt does not count; those before it do.
                let mut spoilt = log.block.clone();
                spoilt[before.1.offset + 5] ^= 0x10;
                let (contents, end) = scan(&spoilt).unwrap().unwrap();
                prop_assert_eq!(&contents, &before.0);
                prop_assert_eq!(end.offset, before.1.offset);
                prop_assert_eq!(end.forward, None, "a commit was begun");
            }
        }

        #[test]
        fn arbitrary_bytes_are_no_log_or_one_that_ends(
            mut block in prop::collection::vec(any::<u8>(), 128..600),
            checksum_at in any::<prop::sample::Index>(),
        ) {
            let _ = scan(&block);
            // And with a commit that is valid in all but its meaning.
            let end = 4 + checksum_at.index(100);
            let tag = u32::from_be_bytes([block[4], block[5], block[6], block[7]]);
            block[4] = ((tag >> 24) as u8) | 0x80;
            let crc = checksum(&block[..end]);
            block[end..end + 4].copy_from_slice(&crc.to_le_bytes());
            let _ = scan(&block);
        }
    }

    #[test]
    fn gaps_in_a_compacted_log_may_be_filled_later() {
        let mut writer = LogWriter::first(1);
        let id = |index| EntryId::new(index).unwrap();
        let second = Entry::new(b"b", Body::Inline(b"2".to_vec()));
        let first = Entry::new(b"a", Body::Inline(b"1".to_vec()));
        second.write(id(1), &mut writer);
        first.write(id(0), &mut writer);
        let layout = Layout {
            block_size: 128,
            prog_size: 1,
        };
        let end = writer.end(layout).unwrap();
        let (commit, _) = writer.seal(end, None, false);
        let mut block = commit.bytes;
        block.resize(128, 0xff);
        let (contents, _) = scan(&block).unwrap().unwrap();
        assert_eq!(contents.entries, [first, second]);
    }

    #[test]
    fn an_entry_without_a_name_is_damage() {
        let mut writer = LogWriter::first(1);
        Entry::new(b"b", Body::Inline(Vec::new())).write(EntryId::new(1).unwrap(), &mut writer);
        let layout = Layout {
            block_size: 128,
            prog_size: 1,
        };
        let end = writer.end(layout).unwrap();
        let (commit, _) = writer.seal(end, None, false);
        let mut block = commit.bytes;
        block.resize(128, 0xff);
        assert_eq!(scan(&block), Err(CorruptionKind::IncompleteEntry { id: 0 }));
    }
}
