//! Two states of a disk side by side: the blocks that differ, their logs decoded where they are metadata of a littlefs,
//! and the bytes that differ.

use crate::anatomy::{Anatomy, CommitState, Half, TagType, Use};
use crate::crash::{CrashState, CrashView};
use crate::report::anatomy::data;
use crate::trace::Trace;
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError};
use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::sync::Arc;

/// How many blocks are shown.
const BLOCKS: usize = 10;
/// How many lines of bytes are shown of a block, and of how many bytes each is.
const HEX_LINES: usize = 24;
const HEX_WIDTH: usize = 16;
/// How many lines of a log are shown.
const LOG_LINES: usize = 80;
/// How many equal lines are shown around those that differ.
const CONTEXT: usize = 2;
/// Larger devices are not taken apart, in bytes.
const LARGEST: u64 = 64 << 20;

/// Two states of a disk.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    title: &'static str,
    before: &'static str,
    after: &'static str,
    blocks: Vec<BlockChange>,
    /// How many blocks differ and are not shown.
    more: usize,
}

/// A block that differs.
#[derive(Debug, Serialize)]
struct BlockChange {
    block: u32,
    was: Option<String>,
    is: Option<String>,
    /// How many bytes differ.
    bytes: usize,
    log: Vec<LogLine>,
    hex: Vec<HexLine>,
    /// How many lines of bytes differ and are not shown.
    more: usize,
}

/// A line of a block's log.
#[derive(Clone, Debug, Default, Serialize)]
struct LogLine {
    /// `same`, `gone` (before only), `new` (after only), or `skipped`.
    change: &'static str,
    /// `commit`, `broken` (one that does not count) or `entry`.
    class: &'static str,
    offset: Option<u32>,
    what: String,
    id: Option<u16>,
    data: String,
    live: bool,
}

/// Some bytes of a block, before and after.
#[derive(Debug, Serialize)]
struct HexLine {
    offset: String,
    before: Vec<Run>,
    after: Vec<Run>,
    /// Equal lines were left out before it.
    gap: bool,
}

/// Bytes that all differ, or all do not.
#[derive(Debug, Serialize)]
struct Run {
    text: String,
    differs: bool,
}

/// What differs between two states of a trace; none where one is no state of the trace or cannot be read.
pub(super) fn compare(
    title: &'static str,
    trace: &Arc<Trace>,
    (before, one): (&'static str, &CrashState),
    (after, other): (&'static str, &CrashState),
) -> Option<Comparison> {
    let mut one = Side::new(trace, one).ok()?;
    let mut other = Side::new(trace, other).ok()?;
    let written = (0..trace.geometry().block_count()).map(BlockId::new);
    let written = written.filter(|&block| !trace.block_history(block).is_empty());
    let (mut blocks, mut more) = (Vec::new(), 0);
    for block in written {
        let (was, is) = (one.read(block).ok()?, other.read(block).ok()?);
        if was == is {
            continue;
        }
        if blocks.len() == BLOCKS {
            more += 1;
            continue;
        }
        let (hex, hidden) = hex_lines(&was, &is);
        blocks.push(BlockChange {
            block: block.index(),
            was: one.usage(block),
            is: other.usage(block),
            bytes: was.iter().zip(&is).filter(|(was, is)| was != is).count(),
            log: log_lines(&one.log(block), &other.log(block)),
            hex,
            more: hidden,
        });
    }
    Some(Comparison {
        title,
        before,
        after,
        blocks,
        more,
    })
}

/// One state of a disk.
struct Side {
    view: CrashView,
    /// Where there is a littlefs on it.
    anatomy: Option<Anatomy>,
}

/// The state is not of the trace, or cannot be read.
struct Unreadable;

impl Side {
    fn new(trace: &Arc<Trace>, state: &CrashState) -> Result<Self, Unreadable> {
        let view = CrashView::new(Arc::clone(trace), state.clone());
        let mut view = view.map_err(|_| Unreadable)?;
        let anatomy = if trace.geometry().capacity() <= LARGEST {
            Anatomy::of(&mut view)
                .ok()
                .filter(|anatomy| anatomy.pairs.iter().any(|pair| pair.entries.is_some()))
        } else {
            None
        };
        Ok(Self { view, anatomy })
    }

    fn read(&mut self, block: BlockId) -> Result<Vec<u8>, DeviceError> {
        let mut bytes = vec![0; self.view.geometry().block_size() as usize];
        self.view.read(block, 0, &mut bytes)?;
        Ok(bytes)
    }

    /// What the block is used for.
    fn usage(&self, block: BlockId) -> Option<String> {
        let anatomy = self.anatomy.as_ref()?;
        let shown = anatomy.blocks.get(block.index() as usize)?;
        let usage = match shown.usage {
            Use::Metadata { pair, current } => {
                let pair = anatomy.pairs.get(pair)?;
                let owner = match pair.node.and_then(|node| anatomy.tree.get(node)) {
                    Some(node) => format!("of {}/", node.path),
                    None if pair.held => "of the root".to_owned(),
                    None => "of no dictionary".to_owned(),
                };
                let role = if current { "counts" } else { "spare" };
                format!("metadata {owner}, {role}")
            }
            Use::Value { node, index } => {
                let path = &anatomy.tree.get(node)?.path;
                format!("part {} of the value {path}", index + 1)
            }
            Use::Free { erased: true } => "free, erased".to_owned(),
            Use::Free { erased: false } => "free, old bytes".to_owned(),
            Use::Beyond => "outside the store".to_owned(),
        };
        Some(if shown.damaged {
            format!("{usage}, damaged")
        } else {
            usage
        })
    }

    /// The lines of the block's log, where it is metadata.
    fn log(&self, block: BlockId) -> Vec<LogLine> {
        let halves = self.anatomy.iter().flat_map(|anatomy| &anatomy.pairs);
        let mut halves = halves.flat_map(|pair| &pair.halves);
        let half = halves.find(|half| half.block == block.index());
        half.map(lines_of).unwrap_or_default()
    }
}

fn lines_of(half: &Half) -> Vec<LogLine> {
    let mut lines = Vec::new();
    for commit in &half.commits {
        let crc = match (commit.state, commit.stored_crc, commit.computed_crc) {
            (CommitState::Valid, Some(crc), _) => format!("checksum {crc:08x}"),
            (CommitState::BadChecksum, Some(stored), Some(computed)) => {
                format!("does not count: checksum {stored:08x}, should be {computed:08x}")
            }
            _ => "does not count: it breaks off".to_owned(),
        };
        let valid = commit.state == CommitState::Valid;
        lines.push(LogLine {
            class: if valid { "commit" } else { "broken" },
            offset: Some(commit.offset),
            what: "commit".to_owned(),
            data: crc,
            ..LogLine::default()
        });
        // A checksum is told with its commit.
        let tags = commit.tags.iter();
        let tags = tags.filter(|tag| tag.kind != TagType::Checksum);
        lines.extend(tags.map(|tag| LogLine {
            class: "entry",
            offset: Some(tag.offset),
            what: tag.kind.name().to_owned(),
            id: tag.id,
            data: data(tag),
            live: tag.live,
            ..LogLine::default()
        }));
    }
    lines
}

/// The two logs as one list.
fn log_lines(was: &[LogLine], is: &[LogLine]) -> Vec<LogLine> {
    fn keys(lines: &[LogLine]) -> Vec<(Option<u32>, &str, Option<u16>, &str)> {
        let key = |line: &'_ LogLine| (line.offset, line.id);
        let text = lines
            .iter()
            .map(|line| (line.what.as_str(), line.data.as_str()));
        let places = lines.iter().map(key);
        places
            .zip(text)
            .map(|((offset, id), (what, data))| (offset, what, id, data))
            .collect()
    }
    let mut lines = Vec::new();
    let changed = |lines: &mut Vec<LogLine>, change, of: &[LogLine]| {
        let of = of.iter().cloned();
        lines.extend(of.map(|line| LogLine { change, ..line }));
    };
    for op in capture_diff_slices(Algorithm::Myers, &keys(was), &keys(is)) {
        if let DiffOp::Equal { new_index, len, .. } = op {
            let equal = &is[new_index..new_index + len];
            let skipped = len.saturating_sub(2 * CONTEXT);
            if skipped > 1 {
                changed(&mut lines, "same", &equal[..CONTEXT]);
                lines.push(LogLine {
                    change: "skipped",
                    what: format!("{skipped} more that are the same"),
                    ..LogLine::default()
                });
                changed(&mut lines, "same", &equal[len - CONTEXT..]);
            } else {
                changed(&mut lines, "same", equal);
            }
        } else {
            changed(&mut lines, "gone", &was[op.old_range()]);
            changed(&mut lines, "new", &is[op.new_range()]);
        }
    }
    let more = lines.len().saturating_sub(LOG_LINES);
    if more > 0 {
        lines.truncate(LOG_LINES);
        lines.push(LogLine {
            change: "skipped",
            what: format!("{more} more lines"),
            ..LogLine::default()
        });
    }
    lines
}

/// The lines of bytes that differ, and how many more there are.
fn hex_lines(was: &[u8], is: &[u8]) -> (Vec<HexLine>, usize) {
    let lines = was.chunks(HEX_WIDTH).zip(is.chunks(HEX_WIDTH)).enumerate();
    let differing = lines.filter(|(_, (was, is))| was != is);
    let (mut shown, mut more, mut next) = (Vec::new(), 0, 0);
    for (line, (was, is)) in differing {
        if shown.len() == HEX_LINES {
            more += 1;
            continue;
        }
        shown.push(HexLine {
            offset: format!("{:04x}", line * HEX_WIDTH),
            before: runs(was, is),
            after: runs(is, was),
            gap: line > next,
        });
        next = line + 1;
    }
    (shown, more)
}

/// The bytes of `these`, those that differ from `others` apart from those that do not.
fn runs(these: &[u8], others: &[u8]) -> Vec<Run> {
    let pairs: Vec<(u8, bool)> = these
        .iter()
        .zip(others)
        .map(|(&this, other)| (this, this != *other))
        .collect();
    let runs = pairs.chunk_by(|a, b| a.1 == b.1);
    runs.map(|run| {
        let bytes = run.iter().map(|(byte, _)| format!("{byte:02x}"));
        Run {
            text: bytes.collect::<Vec<_>>().join(" "),
            differs: run[0].1,
        }
    })
    .collect()
}
