//! One metadata pair: fetched, appended to, compacted (SPEC.md, "Metadata pairs").

use super::fault::Fault;
use super::medium::{BlockPrefix, Medium, read_vec};
use crate::device::{BlockDevice, BlockId};
use crate::disk::commit::{FIRST_PREVIOUS, Layout, LogEnd, LogWriter, SHORT_END};
use crate::disk::contents::{Contents, Edit, MAX_ENTRIES};
use crate::disk::crc::checksum;
use crate::disk::entry::Entry;
use crate::disk::pointer::PairAddress;
use crate::disk::scan::{Progress, Scanner, Trust};
use crate::disk::superblock::DiskVersion;
use crate::error::{Corruption, CorruptionKind};
use alloc::vec::Vec;

/// A metadata pair as it stands on the medium.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    /// The block that holds the newest valid commit.
    current: BlockId,
    /// The other one, which the next compaction writes.
    spare: BlockId,
    pub(crate) revision: u32,
    pub(crate) contents: Contents,
    end: LogEnd,
}

impl Pair {
    pub(crate) fn address(&self) -> PairAddress {
        PairAddress::new(self.current, self.spare)
    }

    /// The block to name where the pair shows damage.
    pub(crate) fn block(&self) -> BlockId {
        self.current
    }

    /// Reads the pair at `address`: the block with the newer revision count, or the other one where that holds no
    /// valid commit.
    ///
    /// # Errors
    ///
    /// Corruption where the address is not one of a pair on this device, where neither block holds a valid commit,
    /// or where a valid one makes no sense. A device error that is not about one block's state.
    pub(crate) fn fetch<D: BlockDevice>(
        medium: &mut Medium<D>,
        address: PairAddress,
        trust: Trust,
    ) -> Result<Self, Fault> {
        let [a, b] = address.blocks();
        for target in [a, b] {
            if !medium.geometry().contains(target) {
                let kind = CorruptionKind::PointerOutOfRange { target };
                return Err(Corruption::at(target, kind).into());
            }
        }
        if a == b {
            return Err(Corruption::at(a, CorruptionKind::PairOfOneBlock).into());
        }
        let blocks = [a, b];
        let revisions = [read_revision(medium, a)?, read_revision(medium, b)?];
        for half in reading_order(blocks, revisions) {
            let (current, spare) = (blocks[half], blocks[1 - half]);
            let Some(revision) = revisions[half] else {
                continue;
            };
            if let Some((contents, end)) = scan_block(medium, current, trust)? {
                return Ok(Self {
                    current,
                    spare,
                    revision,
                    contents,
                    end,
                });
            }
        }
        Err(Corruption::at(a, CorruptionKind::NoValidCommit).into())
    }

    /// The pair at `address`, or a stand-in without contents where the blocks hold none: good for nothing but to be
    /// compacted.
    pub(crate) fn fetch_or_blank<D: BlockDevice>(
        medium: &mut Medium<D>,
        address: PairAddress,
    ) -> Result<Self, Fault> {
        match Self::fetch(medium, address, Trust::Checked) {
            Err(Fault::Corrupt(_)) => {}
            fetched => return fetched,
        }
        let [a, b] = address.blocks();
        let ra = read_revision(medium, a)?.unwrap_or(0);
        let rb = read_revision(medium, b)?.unwrap_or(0);
        let (current, revision, spare) = if is_newer(rb, ra) {
            (b, rb, a)
        } else {
            (a, ra, b)
        };
        Ok(Self {
            current,
            spare,
            revision,
            contents: Contents::default(),
            end: LogEnd {
                offset: 0,
                previous: FIRST_PREVIOUS,
                forward: None,
            },
        })
    }

    /// Programs a commit of `edits` behind the last one, to be made durable by the caller. False, and nothing written, where the
    /// pair has to be compacted first: the commit does not fit, or the bytes behind the last one cannot be trusted
    /// to be erased.
    pub(crate) fn append<D: BlockDevice>(
        &mut self,
        medium: &mut Medium<D>,
        version: DiskVersion,
        edits: &[Edit],
    ) -> Result<bool, Fault> {
        let layout = layout(medium);
        let mut contents = self.contents.clone();
        contents.edit(edits);
        // Only a compaction splits: a pair at the bound, and one that has grown too large.
        let grows = edits.iter().any(|edit| matches!(edit, Edit::Insert(..)));
        let crowded = entries_size(&contents.entries) > crowded_limit(layout);
        if contents.entries.len() >= MAX_ENTRIES || (grows && crowded) {
            return Ok(false);
        }
        let mut log = LogWriter::after(self.end.offset, self.end.previous);
        contents.write_edits(&self.contents, edits, &mut log);
        let Some(end) = log.end(layout) else {
            return Ok(false);
        };
        let Some(following) = self.erased_up_to(medium, layout, end)? else {
            return Ok(false);
        };
        let programmed = program(medium, self.current, log, end, layout, version, &following);
        self.end = match programmed {
            Err(fault) if fault.is_bad_block() => self.end_if_visible(medium)?.ok_or(fault)?,
            programmed => programmed?,
        };
        self.contents = contents;
        Ok(true)
    }

    /// Where the log ends in spite of a failed program, if it has become longer: a device can say that a commit has
    /// failed, and show it all the same. What readers see counts, or the commit would be made twice.
    fn end_if_visible<D: BlockDevice>(
        &self,
        medium: &mut Medium<D>,
    ) -> Result<Option<LogEnd>, Fault> {
        let seen = scan_block(medium, self.current, Trust::Checked)?;
        Ok(seen
            .map(|(_, end)| end)
            .filter(|end| end.offset > self.end.offset))
    }

    /// Writes `contents` as the only commit of the other block, with the next revision count, to be made durable by
    /// the caller, who has made sure that they fit.
    ///
    /// # Errors
    ///
    /// A device error of kind bad block where the other block takes no more writes; the pair is as it was then.
    pub(crate) fn compact<D: BlockDevice>(
        &mut self,
        medium: &mut Medium<D>,
        version: DiskVersion,
        contents: Contents,
    ) -> Result<(), Fault> {
        let spare = self.spare;
        match self.compact_to(medium, version, spare, contents.clone()) {
            // As for a commit that is appended: where the block shows it, readers take it.
            Err(fault) if fault.is_bad_block() => {
                let revision = self.next_revision();
                let is_newest = read_revision(medium, spare)? == Some(revision);
                match scan_block(medium, spare, Trust::Checked)? {
                    Some((_, end)) if is_newest => {
                        self.turn(spare, revision, contents, end);
                        Ok(())
                    }
                    _ => Err(fault),
                }
            }
            compacted => compacted,
        }
    }

    /// As [`compact`](Self::compact), to a block that takes the place of the other one: the pair has a new address
    /// then, and nothing leads to it yet.
    pub(crate) fn compact_to<D: BlockDevice>(
        &mut self,
        medium: &mut Medium<D>,
        version: DiskVersion,
        block: BlockId,
        contents: Contents,
    ) -> Result<(), Fault> {
        let revision = self.next_revision();
        let end = write_block(medium, version, block, revision, &contents)?;
        self.turn(block, revision, contents, end);
        Ok(())
    }

    /// The newest commit stands in `block` now.
    fn turn(&mut self, block: BlockId, revision: u32, contents: Contents, end: LogEnd) {
        self.spare = self.current;
        self.current = block;
        self.revision = revision;
        self.contents = contents;
        self.end = end;
    }

    /// The revision count of the next compaction.
    pub(crate) fn next_revision(&self) -> u32 {
        self.revision.wrapping_add(1)
    }

    /// The block that the next compaction writes.
    pub(crate) fn spare(&self) -> BlockId {
        self.spare
    }

    /// Writes `contents` to a new pair of blocks, with a revision count that is a multiple of `cycle`. Not made
    /// durable here: nothing points to it yet.
    ///
    /// # Errors
    ///
    /// A device error of kind bad block where the first block takes no writes.
    pub(crate) fn create<D: BlockDevice>(
        medium: &mut Medium<D>,
        version: DiskVersion,
        address: PairAddress,
        cycle: u32,
        contents: &Contents,
    ) -> Result<(), Fault> {
        let [current, spare] = address.blocks();
        // The spare block keeps what it held. The new revision count must be newer than the one that it happens to
        // show, or readers would look there first.
        let stale = read_revision(medium, spare)?.unwrap_or(0);
        let revision = stale.wrapping_add(1);
        let revision = revision.checked_next_multiple_of(cycle).unwrap_or(0);
        write_block(medium, version, current, revision, contents).map(drop)
    }

    /// What follows the place of a commit that may be programmed from the end of the log up to `end`; none where it may
    /// not be, as the bytes there cannot be trusted to be erased.
    fn erased_up_to<D: BlockDevice>(
        &self,
        medium: &mut Medium<D>,
        layout: Layout,
        end: usize,
    ) -> Result<Option<Following>, Fault> {
        let start = self.end.offset;
        let Some(forward) = self.end.forward else {
            return Ok(None);
        };
        let covered = forward.length as usize;
        if !start.is_multiple_of(layout.prog_size)
            || covered < layout.prog_size
            || covered > layout.block_size - start
        {
            return Ok(None);
        }
        let unit_end = end + layout.prog_size;
        let read_to = if unit_end <= layout.block_size {
            unit_end
        } else {
            end
        };
        let bytes = read_vec(medium, self.current, start, covered.max(read_to - start))?;
        if checksum(&bytes[..covered]) != forward.crc {
            return Ok(None);
        }
        // The checksum speaks of `covered` bytes alone. An interrupted program may have reached later units and left
        // these as they were, so the rest must look the same as they do.
        let erased = bytes[0];
        let is_erased = |bytes: &[u8]| bytes.iter().all(|&byte| byte == erased);
        if !is_erased(&bytes[..end - start]) {
            return Ok(None);
        }
        let unit = bytes[end - start..read_to - start].to_vec();
        Ok(Some(Following {
            is_erased: is_erased(&unit),
            unit,
        }))
    }
}

/// The program unit behind a commit.
struct Following {
    /// Its bytes; none where the block ends before it.
    unit: Vec<u8>,
    /// Whether it is erased. A forward checksum over what an interrupted program has left there would have the next
    /// commit programmed over it.
    is_erased: bool,
}

/// Bytes that these entries take in a compacted log.
pub(crate) fn entries_size(entries: &[Entry]) -> usize {
    entries.iter().map(Entry::encoded_size).sum()
}

/// Bytes that entries may take in a pair at most: the revision count, a tail, a share of the global state and the
/// commit's end must fit beside them.
pub(crate) fn hard_limit(block_size: usize) -> usize {
    block_size - 4 - Contents::OVERHEAD - SHORT_END
}

/// Bytes of entries from which on a pair splits when it is compacted: a little less than half the block. A compaction
/// writes them all again, and the fuller a pair, the sooner the next one comes.
pub(crate) fn soft_limit(layout: Layout) -> usize {
    share(layout, 15).min(hard_limit(layout.block_size))
}

/// Bytes of entries from which on a pair splits as soon as it grows, though its log has room: what is left in either
/// half is then well below [`soft_limit`], and so cheap to compact.
pub(crate) fn crowded_limit(layout: Layout) -> usize {
    share(layout, 19)
}

/// Bytes of entries from which on names that come in ascending order go on in a new pair: about what a split leaves.
pub(crate) fn behind_limit(layout: Layout) -> usize {
    share(layout, 10)
}

/// So many 32nds of a block, in bytes, up to whole program units: all of the block where it is a single unit, which
/// never has room for a second commit.
fn share(layout: Layout, parts: usize) -> usize {
    (layout.block_size * parts / 32).next_multiple_of(layout.prog_size)
}

/// The sizes that shape the medium's commits.
pub(crate) fn layout<D: BlockDevice>(medium: &Medium<D>) -> Layout {
    Layout {
        block_size: medium.geometry().block_size() as usize,
        prog_size: medium.geometry().prog_size() as usize,
    }
}

/// Whether revision count `a` is newer than `b`, in sequence arithmetic (SPEC.md, "Metadata pairs").
fn is_newer(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() > 0
}

/// In which order a pair's blocks are looked at, as indices: the one with the newer revision count first.
///
/// Revision counts half of all numbers apart, or the same, say nothing: no store writes such. Then it must not hang on the
/// order in which a pointer names the blocks which of them counts, as a commit can change that order.
pub(crate) fn reading_order(blocks: [BlockId; 2], revisions: [Option<u32>; 2]) -> [usize; 2] {
    let lower = usize::from(blocks[1] < blocks[0]);
    let [low, high] = [lower, 1 - lower];
    match (revisions[low], revisions[high]) {
        (Some(of_low), Some(of_high)) if is_newer(of_high, of_low) => [high, low],
        _ => [low, high],
    }
}

/// The first four bytes of a block; none where the block cannot be read, which the other one may make up for.
fn read_revision<D: BlockDevice>(
    medium: &mut Medium<D>,
    block: BlockId,
) -> Result<Option<u32>, Fault> {
    let mut bytes = [0; 4];
    match medium.read(block, 0, &mut bytes) {
        Ok(()) => Ok(Some(u32::from_le_bytes(bytes))),
        Err(error) if error.kind.is_unreadable_block() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn scan_block<D: BlockDevice>(
    medium: &mut Medium<D>,
    block: BlockId,
    trust: Trust,
) -> Result<Option<(Contents, LogEnd)>, Fault> {
    let mut prefix = BlockPrefix::new(block);
    let mut scanner = Scanner::new(medium.geometry().block_size() as usize, trust);
    while let Progress::Needs(length) = scanner.advance(prefix.bytes()) {
        match prefix.extend(medium, length) {
            Ok(()) => {}
            Err(error) if error.kind.is_unreadable_block() => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    scanner
        .into_contents(prefix.bytes())
        .map_err(|kind| Corruption::at(block, kind).into())
}

/// Erases `block` and programs `contents` as its only commit.
fn write_block<D: BlockDevice>(
    medium: &mut Medium<D>,
    version: DiskVersion,
    block: BlockId,
    revision: u32,
    contents: &Contents,
) -> Result<LogEnd, Fault> {
    let layout = layout(medium);
    let mut log = LogWriter::first(revision);
    contents.write(&mut log);
    // Callers keep to the limits above, and what keeps to them fits.
    let end = log.end(layout).ok_or(Fault::NoSpace)?;
    medium.erase(block)?;
    let unit = if end + layout.prog_size <= layout.block_size {
        read_vec(medium, block, end, layout.prog_size)?
    } else {
        Vec::new()
    };
    let following = Following {
        unit,
        is_erased: true,
    };
    program(medium, block, log, end, layout, version, &following)
}

/// Seals the commit and programs it, so that it is durable or lost as a whole.
fn program<D: BlockDevice>(
    medium: &mut Medium<D>,
    block: BlockId,
    log: LogWriter,
    end: usize,
    layout: Layout,
    version: DiskVersion,
    following: &Following,
) -> Result<LogEnd, Fault> {
    let unit = Some(following.unit.as_slice()).filter(|unit| !unit.is_empty());
    let forward_crc = version == DiskVersion::V2_1 && following.is_erased;
    let (commit, log_end) = log.seal(end, layout.prog_size, unit, forward_crc);
    medium.prog_verified(block, commit.start, &commit.bytes)?;
    Ok(log_end)
}
