//! The encoding, for those who take images apart: the log of a block with each of its tags, not only what it says in the
//! end.
//!
//! A [`Log`] is read by the scanner that every mount uses: what it says is what the store takes. Nothing here touches a
//! device, and nothing is trusted: any bytes are a block.
//!
//! ```
//! use cutpoint_engine::device::{Geometry, MemoryDevice};
//! use cutpoint_engine::inspect::{Body, Log};
//! use cutpoint_engine::{FormatOptions, Store};
//!
//! let mut device = MemoryDevice::new(Geometry::new(512, 16)?);
//! Store::format(&mut device, &FormatOptions::default())?;
//! let log = Log::read(&device.bytes()[..512]);
//! assert!(log.commits[0].is_valid());
//! let contents = log.contents.expect("no damage").expect("a valid commit");
//! assert!(matches!(contents.entries[0].body, Body::Superblock(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use crate::disk::commit::ForwardCrc;
pub use crate::disk::contents::{Contents, Tail};
pub use crate::disk::entry::{Attributes, Body, CtzStruct, Entry};
pub use crate::disk::gstate::{Delta, GlobalState, PendingMove};
pub use crate::disk::pointer::PairAddress;
pub use crate::disk::superblock::{MAGIC, Superblock};
pub use crate::disk::tag::{
    EntryId, Length, MAX_LENGTH, NameKind, StructKind, Tag, TagKind, TailKind,
};

use crate::device::BlockId;
use crate::disk::crc::checksum;
use crate::disk::ctz;
use crate::disk::pointer::u32_at;
use crate::disk::scan::{Observer, Progress, Scanner, Trust};
use crate::error::CorruptionKind;
use crate::store::pair::reading_order;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

/// The log of one block (SPEC.md, "Metadata blocks").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The revision count: of a pair's blocks, the one with the newer count is read first.
    pub revision: u32,
    /// All commits up to the first that does not count, which is the last one here.
    pub commits: Vec<Commit>,
    /// The offset behind the last valid commit, in bytes; 0 where there is none.
    pub end: u32,
    /// What is known of the bytes behind the last valid commit.
    pub rest: Rest,
    /// What the valid commits say; none where there is none.
    pub contents: Result<Option<Contents>, CorruptionKind>,
}

/// One commit of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Where it starts, in bytes from the start of the block. The first one counts the revision count as its own.
    pub start: u32,
    /// Where it ends, padding included, or where it breaks off.
    pub end: u32,
    /// Its tags, that of the checksum included.
    pub tags: Vec<LoggedTag>,
    /// The checksums; none where the commit breaks off before it has one.
    pub checksum: Option<Checksum>,
}

/// The checksum of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// The one that is stored.
    pub stored: u32,
    /// The one that the commit's bytes have.
    pub computed: u32,
}

/// A tag of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedTag {
    /// Where it stands, in bytes from the start of the block; its data follow after 4 bytes.
    pub offset: u32,
    /// What it says.
    pub tag: Tag,
    /// Whether its data are part of what the log says in the end: nothing later has replaced or removed them.
    pub live: bool,
}

/// What is known of the bytes behind a log's last valid commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing: the last commit has no forward checksum, or what follows looks like a commit that was begun. The next
    /// commit compacts the pair.
    Unknown,
    /// They match the last commit's forward checksum: they are erased, and the next commit can go there.
    Erased(ForwardCrc),
    /// They do not match it: something has been written there.
    Written(ForwardCrc),
}

impl Commit {
    /// Whether the commit counts: it is whole, with the right checksum.
    pub fn is_valid(&self) -> bool {
        self.checksum
            .is_some_and(|checksum| checksum.stored == checksum.computed)
    }
}

impl Log {
    /// The log in `block`, a whole block of any content.
    pub fn read(block: &[u8]) -> Self {
        let mut scanner = Scanner::observed(block.len(), Trust::Checked, Listener::default());
        // All the bytes are there: the scanner can only need more where they are fewer than those of a tag.
        let _: Progress = scanner.advance(block);
        let live: BTreeSet<usize> = scanner.live_tags().collect();
        let commits = scanner.observer().commits(&live);
        let end = scanner.end();
        let rest = end.and_then(|end| {
            let forward = end.forward?;
            let behind = end.offset.checked_add(forward.length as usize);
            let covered = behind.and_then(|behind| block.get(end.offset..behind))?;
            Some(if checksum(covered) == forward.crc {
                Rest::Erased(forward)
            } else {
                Rest::Written(forward)
            })
        });
        Self {
            revision: u32_at(block, 0).unwrap_or(0),
            commits,
            end: end.map_or(0, |end| end.offset as u32),
            rest: rest.unwrap_or(Rest::Unknown),
            contents: scanner
                .into_contents(block)
                .map(|contents| contents.map(|(contents, _)| contents)),
        }
    }

    /// Which of a pair's two blocks counts, 0 or 1: the one with the newer revision count, or the other one where that
    /// has no valid commit; none where neither has. A log is none where its block cannot be read.
    pub fn current(blocks: [BlockId; 2], halves: [Option<&Self>; 2]) -> Option<usize> {
        let revisions = halves.map(|log| log.map(|log| log.revision));
        let counts = |log: &Self| log.commits.first().is_some_and(Commit::is_valid);
        let mut order = reading_order(blocks, revisions).into_iter();
        order.find(|&half| halves[half].is_some_and(counts))
    }
}

/// Keeps what a scan meets, by commit.
#[derive(Default)]
struct Listener {
    done: Vec<(Vec<(usize, Tag)>, Checksum)>,
    open: Vec<(usize, Tag)>,
}

impl Observer for Listener {
    fn tag(&mut self, offset: usize, tag: Tag) {
        self.open.push((offset, tag));
    }

    fn checksum(&mut self, stored: u32, computed: u32) {
        self.done
            .push((mem::take(&mut self.open), Checksum { stored, computed }));
    }
}

impl Listener {
    fn commits(&self, live: &BTreeSet<usize>) -> Vec<Commit> {
        let done = self
            .done
            .iter()
            .map(|(tags, checksum)| (tags, Some(*checksum)));
        let open = (!self.open.is_empty()).then_some((&self.open, None));
        let mut start = 0;
        let mut commits = vec![];
        for (tags, checksum) in done.chain(open) {
            let end = tags.last().map_or(start, |(offset, tag)| {
                (offset + crate::disk::entry::TAG_SIZE + tag.data_length()) as u32
            });
            let tags = tags.iter().map(|&(offset, tag)| LoggedTag {
                offset: offset as u32,
                tag,
                live: live.contains(&offset),
            });
            commits.push(Commit {
                start,
                end,
                tags: tags.collect(),
                checksum,
            });
            start = end;
        }
        commits
    }
}

/// How many blocks a value of `size` bytes takes that does not stand in the log, in blocks of `block_size` bytes (at
/// least 128; SPEC.md, "CTZ struct").
pub fn value_block_count(size: u32, block_size: u32) -> u32 {
    ctz::block_count(size, block_size)
}

/// How many pointers the block with this index in a value begins with, 4 bytes each: the k-th leads to the block 2^k
/// before it.
pub fn value_pointer_count(index: u32) -> u32 {
    ctz::pointer_count(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Geometry, MemoryDevice};
    use crate::{FormatOptions, Key, MountOptions, Store};

    /// The newer root block of a store in which a value has been set twice.
    fn block() -> Vec<u8> {
        let mut device = MemoryDevice::new(Geometry::new(512, 16).unwrap());
        Store::format(&mut device, &FormatOptions::default()).unwrap();
        let mut store = Store::mount(&mut device, &MountOptions::default()).unwrap();
        store.set(&Key::new("/key"), b"old").unwrap();
        store.set(&Key::new("/key"), b"new").unwrap();
        let image = device.into_image();
        let [a, b] = [&image[..512], &image[512..1024]];
        let logs = [Log::read(a), Log::read(b)];
        let current = Log::current(
            PairAddress::FIRST.blocks(),
            [Some(&logs[0]), Some(&logs[1])],
        );
        [a, b][current.unwrap()].to_vec()
    }

    fn inline(log: &Log) -> Vec<bool> {
        let tags = log.commits.iter().flat_map(|commit| &commit.tags);
        tags.filter(|tag| {
            tag.tag.kind == TagKind::Struct(StructKind::Inline)
                && tag.tag.id != Some(EntryId::FIRST)
        })
        .map(|tag| tag.live)
        .collect()
    }

    #[test]
    fn what_was_replaced_is_not_live() {
        let log = Log::read(&block());
        assert_eq!(log.commits.len(), 3);
        assert!(log.commits.iter().all(Commit::is_valid));
        assert_eq!(inline(&log), [false, true]);
        assert!(matches!(log.rest, Rest::Erased(_)));
        assert_eq!(log.end, log.commits[2].end);
    }

    #[test]
    fn a_spoilt_commit_is_shown_and_does_not_count() {
        let mut block = block();
        let last = Log::read(&block).commits[2].clone();
        block[last.tags[0].offset as usize + 4] ^= 1;
        let log = Log::read(&block);
        assert_eq!(log.commits.len(), 3);
        assert!(!log.commits[2].is_valid());
        assert_eq!(inline(&log), [true, false]);
        assert_eq!(log.end, last.start);
        assert_eq!(log.rest, Rest::Unknown);
    }

    #[test]
    fn any_bytes_are_a_block() {
        for length in 0..40 {
            for fill in [0, 0x50, 0xff] {
                let log = Log::read(&vec![fill; length]);
                assert_eq!(log.contents, Ok(None), "{length} bytes {fill:#x}");
            }
        }
    }
}
