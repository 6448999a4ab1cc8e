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
        let (commit, log_end) = writer.seal(
            end,
            self.layout.prog_size,
            following.as_deref(),
            self.forward_crc,
        );
        let programmed = commit.start + commit.bytes.len();
        assert!(programmed <= end && programmed.is_multiple_of(self.layout.prog_size));
        assert_eq!(log_end.offset, end);
        self.block[commit.start..programmed].copy_from_slice(&commit.bytes);
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
    let (commit, _) = writer.seal(end, layout.prog_size, None, false);
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
    let (commit, _) = writer.seal(end, layout.prog_size, None, false);
    let mut block = commit.bytes;
    block.resize(128, 0xff);
    assert_eq!(scan(&block), Err(CorruptionKind::IncompleteEntry { id: 0 }));
}
