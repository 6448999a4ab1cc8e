//! The log of one metadata block, read apart from any store: for tools that look at single blocks, and for fuzzers.

use crate::disk::commit::{Layout, LogEnd, LogWriter};
use crate::disk::contents::Contents;
use crate::disk::pointer::u32_at;
use crate::disk::scan::{Progress, Scanner, Trust};
use crate::error::CorruptionKind;
use alloc::vec::Vec;

/// What the valid commits of a metadata block say together.
///
/// ```
/// use cutpoint_engine::device::{Geometry, MemoryDevice};
/// use cutpoint_engine::log::Log;
/// use cutpoint_engine::{FormatOptions, Store};
///
/// let mut device = MemoryDevice::new(Geometry::new(512, 16)?);
/// Store::format(&mut device, &FormatOptions::default())?;
/// let log = Log::read(&device.bytes()[..512], 512).unwrap().expect("the first block has a commit");
/// assert_eq!(log.entries(), 1, "the superblock");
/// assert_eq!(Log::read(&[0xff; 512], 512), Ok(None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Log {
    revision: u32,
    contents: Contents,
    end: LogEnd,
}

/// Equal where they say the same, in however many commits, and whatever stands behind them.
impl PartialEq for Log {
    fn eq(&self, other: &Self) -> bool {
        self.revision == other.revision && self.contents == other.contents
    }
}

impl Log {
    /// Reads the log of `block`, which is handed to the reader as it asks for more, `step` bytes or as many as it needs
    /// at a time; what it says does not hang on that. None where no commit is valid.
    ///
    /// # Errors
    ///
    /// A [`CorruptionKind`] where valid commits say what the format does not allow.
    pub fn read(block: &[u8], step: usize) -> Result<Option<Self>, CorruptionKind> {
        let Some(revision) = u32_at(block, 0) else {
            return Ok(None);
        };
        let mut scanner = Scanner::new(block.len(), Trust::Checked);
        let mut read = 0;
        while let Progress::Needs(length) = scanner.advance(&block[..read]) {
            read = length.max(read + step).min(block.len());
        }
        let log = scanner.into_contents(&block[..read])?;
        Ok(log.map(|(contents, end)| Self {
            revision,
            contents,
            end,
        }))
    }

    /// How many entries there are.
    pub fn entries(&self) -> usize {
        self.contents.entries.len()
    }

    /// Where the last valid commit ends, in bytes from the start of the block.
    pub fn end(&self) -> usize {
        self.end.offset
    }

    /// The same as the first and only commit of a block of `block_size` bytes; what follows it is left out. None where it
    /// does not fit.
    pub fn compacted(&self, block_size: usize) -> Option<Vec<u8>> {
        let layout = Layout {
            block_size,
            prog_size: 1,
        };
        let mut log = LogWriter::first(self.revision);
        self.contents.write(&mut log);
        let end = log.end(layout)?;
        let following = (end < block_size).then_some([0xff].as_slice());
        let (commit, _) = log.seal(end, layout.prog_size, following, true);
        Some(commit.bytes)
    }
}
