//! Commits, written (SPEC.md, "Metadata blocks" and "CRC tag").

use super::crc::checksum;
use super::pointer::encode_words;
use super::tag::{MAX_LENGTH, Tag, TagKind};
use alloc::vec::Vec;

/// What a tag is XORed with at the start of a block.
pub(crate) const FIRST_PREVIOUS: u32 = 0xffff_ffff;

/// Bytes of a forward checksum and a checksum with their tags: what the end of a commit needs where another commit
/// can follow.
const FULL_END: usize = 20;
/// Bytes of a checksum with its tag: what the end of a commit needs at the end of a block.
pub(crate) const SHORT_END: usize = 8;

/// The sizes that shape a commit, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) block_size: usize,
    pub(crate) prog_size: usize,
}

/// The end of a log: where, and what a writer must know to go on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogEnd {
    /// The offset behind the last valid commit.
    pub(crate) offset: usize,
    /// What the next tag is XORed with.
    pub(crate) previous: u32,
    /// The checksum that says whether the bytes from `offset` on are still erased. None where the last commit has
    /// none, or where something after it shows that a commit was begun.
    pub(crate) forward: Option<ForwardCrc>,
}

/// A checksum of the erased bytes behind a commit (SPEC.md, "FCRC tag").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForwardCrc {
    /// How many bytes it covers.
    pub length: u32,
    /// The checksum of the erased bytes.
    pub crc: u32,
}

/// A commit in the making.
pub(crate) struct LogWriter {
    /// Where in the block the commit starts.
    start: usize,
    bytes: Vec<u8>,
    previous: u32,
}

/// A commit ready to be programmed.
pub(crate) struct SealedCommit {
    /// Where in the block it starts.
    pub(crate) start: usize,
    /// Its bytes, whole program units; units that would hold nothing but padding are left out.
    pub(crate) bytes: Vec<u8>,
}

impl LogWriter {
    /// The first commit of a block, which starts with the revision count.
    pub(crate) fn first(revision: u32) -> Self {
        Self {
            start: 0,
            bytes: revision.to_le_bytes().to_vec(),
            previous: FIRST_PREVIOUS,
        }
    }

    /// A further commit at `start`, behind one whose last tag was `previous`.
    pub(crate) fn after(start: usize, previous: u32) -> Self {
        Self {
            start,
            bytes: Vec::new(),
            previous,
        }
    }

    /// Appends a tag and its data, which is as long as the tag says.
    pub(crate) fn push(&mut self, tag: Tag, data: &[u8]) {
        debug_assert_eq!(tag.data_length(), data.len());
        self.push_bits(tag.encode(), data);
    }

    fn push_bits(&mut self, tag: u32, data: &[u8]) {
        self.bytes
            .extend_from_slice(&(tag ^ self.previous).to_be_bytes());
        self.bytes.extend_from_slice(data);
        self.previous = tag;
    }

    fn offset(&self) -> usize {
        self.start + self.bytes.len()
    }

    /// Where the commit ends once sealed: the start of the next one. None where it does not fit the block.
    pub(crate) fn end(&self, layout: Layout) -> Option<usize> {
        let Layout {
            block_size,
            prog_size,
        } = layout;
        if self.offset() + SHORT_END > block_size {
            return None;
        }
        let needed = (self.offset() + FULL_END).min(block_size);
        Some(needed.next_multiple_of(prog_size))
    }

    /// Closes the commit with its checksums, so that it ends at `end`, which [`end`](Self::end) has said.
    ///
    /// `following` is what now stands in the first program unit behind `end`; none where the block ends before it.
    /// The checksum tag tells readers which valid bit to expect of it, and with `forward_crc` (disk version 2.1) a
    /// checksum lets them see whether it is still erased. Also returns the log's new end.
    pub(crate) fn seal(
        mut self,
        end: usize,
        prog_size: usize,
        following: Option<&[u8]>,
        forward_crc: bool,
    ) -> (SealedCommit, LogEnd) {
        let mut checked = 0;
        let mut forward = None;
        // One tag cannot describe more than MAX_LENGTH bytes of padding: further ones, each the end of a commit of
        // its own, carry the rest. The last needs room for the forward checksum before it.
        while end - (self.offset() + 4) > MAX_LENGTH {
            let length = MAX_LENGTH.min(end - FULL_END - (self.offset() + 4));
            self.close(&mut checked, length, false);
        }
        if let (Some(unit), true) = (following, forward_crc) {
            let (length, crc) = (unit.len() as u32, checksum(unit));
            let check = encode_words([length, crc]);
            forward = Some(ForwardCrc { length, crc });
            self.push(Tag::new(TagKind::ForwardCrc, None, check.len()), &check);
        }
        // An unwritten tag must come out invalid: the next tag's valid bit is flipped where the storage would show
        // a valid one.
        let flip = following.is_some_and(|unit| unit.first().is_some_and(|&byte| byte < 0x80));
        let length = end - (self.offset() + 4);
        let used = self.bytes.len() + SHORT_END;
        self.close(&mut checked, length, flip);
        let log_end = LogEnd {
            offset: self.offset(),
            previous: self.previous,
            forward,
        };
        // Units of padding alone are not worth a program.
        self.bytes.truncate(used.next_multiple_of(prog_size));
        let commit = SealedCommit {
            start: self.start,
            bytes: self.bytes,
        };
        (commit, log_end)
    }

    /// Appends a CRC tag over the bytes from `checked` on, padded to `length` bytes.
    fn close(&mut self, checked: &mut usize, length: usize, flip: bool) {
        let tag = Tag::new(TagKind::CommitCrc { flip }, None, length);
        // The tag itself is checked, its data is not.
        self.push_bits(tag.encode(), &[]);
        let crc = checksum(&self.bytes[*checked..]);
        self.bytes.extend_from_slice(&crc.to_le_bytes());
        let padded = self.bytes.len() + (length - 4);
        self.bytes.resize(padded, 0xff);
        self.previous ^= u32::from(flip) << 31;
        *checked = self.bytes.len();
    }
}
