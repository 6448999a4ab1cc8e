use super::write::Write;
use super::{CrashState, Fate, Flaw};
use crate::guard::{Guard, Guarded};
use crate::trace::{Blocks, Event, Image, Trace};
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use thiserror::Error;

/// A device that shows one crash state of a trace and takes further writes.
///
/// It is a view, not a copy: a read looks up the trace's writes of the block; what is written afterwards goes to
/// copies of single blocks. Making one costs the same for any trace and any device.
///
/// ```
/// use cutpoint::crash::{CrashState, CrashView};
/// use cutpoint::disk::RecordingDisk;
/// use cutpoint_engine::device::{BlockDevice, BlockId, Geometry};
/// use std::sync::Arc;
///
/// let block = BlockId::new(3);
/// let mut disk = RecordingDisk::new(Geometry::new(512, 16)?, 0xff);
/// disk.prog(block, 0, b"before")?;
/// disk.erase(block)?;
/// let trace = Arc::new(disk.into_trace());
///
/// let mut buffer = [0; 6];
/// let mut view = CrashView::new(Arc::clone(&trace), CrashState::prefix(1))?;
/// view.read(block, 0, &mut buffer)?;
/// assert_eq!(&buffer, b"before", "the erase did not happen");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CrashView {
    trace: Arc<Trace>,
    state: CrashState,
    guard: Guard,
    /// Blocks written since, whole. Never iterated over, so its order reaches no result.
    written: HashMap<BlockId, Box<[u8]>>,
}

/// A crash state names writes that its trace does not have, or tears one into units that it does not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("crash state {state} is not in this trace of {writes} writes")]
pub struct StateNotInTrace {
    /// The state.
    pub state: CrashState,
    /// The writes of the trace.
    pub writes: u32,
}

impl CrashView {
    /// A device that shows `state` of `trace`.
    ///
    /// # Errors
    ///
    /// [`StateNotInTrace`] where the trace is shorter.
    pub fn new(trace: Arc<Trace>, state: CrashState) -> Result<Self, StateNotInTrace> {
        if !is_of(&state, &trace) {
            let writes = trace.writes();
            return Err(StateNotInTrace { state, writes });
        }
        Ok(Self {
            guard: Guard::new(trace.geometry(), trace.erase_value()).with_medium(trace.medium()),
            trace,
            state,
            written: HashMap::new(),
        })
    }

    /// The state that the view showed at first.
    pub fn state(&self) -> &CrashState {
        &self.state
    }

    /// All bytes of the state that the view showed at first.
    pub fn image(&self) -> Image {
        let trace = &self.trace;
        let geometry = trace.geometry();
        let mut bytes = trace.image().to_vec(geometry, trace.erase_value());
        let blocks = bytes.chunks_exact_mut(geometry.block_size() as usize);
        for (block, bytes) in (0..).map(BlockId::new).zip(blocks) {
            if !trace.block_history(block).is_empty() {
                self.resolve(block, 0, bytes);
            }
        }
        Image::Bytes(bytes.into())
    }

    /// The same, with the blocks that the trace has not written shared with the image that it began on.
    pub(crate) fn blocks(&self) -> Blocks {
        let trace = &self.trace;
        let base = Blocks::of(trace.image(), trace.geometry(), trace.erase_value());
        self.blocks_over(&base, 0)
    }

    /// The same, sharing what it can with `base`, which is what the first `durable` writes leave: of these none is lost or
    /// torn.
    pub(crate) fn blocks_over(&self, base: &Blocks, durable: u32) -> Blocks {
        let open = durable..self.state.issued();
        let written = open.filter_map(|write| self.trace.write(write)?.written_block());
        let written: BTreeSet<BlockId> = written.collect();
        written.into_iter().fold(base.clone(), |image, block| {
            image.with(block, |bytes| self.resolve(block, 0, bytes))
        })
    }

    /// Fills `buffer` with what the trace's writes left there.
    fn resolve(&self, block: BlockId, offset: u32, buffer: &mut [u8]) {
        let state = &self.state;
        resolve(
            &self.trace,
            state.issued(),
            block,
            offset,
            buffer,
            |write| state.fate(write),
        );
    }

    /// Makes the block's own copy, where there is none.
    fn own(&mut self, block: BlockId) {
        if !self.written.contains_key(&block) {
            let mut bytes = vec![0; self.guard.geometry().block_size() as usize].into_boxed_slice();
            self.resolve(block, 0, &mut bytes);
            self.written.insert(block, bytes);
        }
    }
}

/// Whether the trace has all the writes that the state names, and they can be left as it says.
fn is_of(state: &CrashState, trace: &Trace) -> bool {
    let fits = |&(number, flaw): &(u32, Flaw)| match flaw {
        Flaw::Lost => true,
        Flaw::Torn(tear) => trace.write(number).is_some_and(|event| {
            let block_size = trace.geometry().block_size();
            Write::of(number, event, block_size, trace.erase_value())
                .is_some_and(|write| write.can_be(tear))
        }),
    };
    state.then().is_none() && state.issued() <= trace.writes() && state.flaws().iter().all(fits)
}

/// Fills `buffer` with what the first `issued` writes of the trace left there, each with its fate.
pub(super) fn resolve(
    trace: &Trace,
    issued: u32,
    block: BlockId,
    offset: u32,
    buffer: &mut [u8],
    fate: impl Fn(u32) -> Fate,
) {
    let history = trace.block_history(block);
    let issued = &history[..history.partition_point(|write| write.number < issued)];
    // What came before an erase that reached the medium whole does not show.
    let mut erase = issued.last().and_then(|last| last.erase);
    while let Some(place) = erase
        && fate(issued[place as usize].number) != Fate::Persisted
    {
        erase = place
            .checked_sub(1)
            .and_then(|before| issued[before as usize].erase);
    }
    let since = if let Some(erase) = erase {
        buffer.fill(trace.erase_value());
        &issued[erase as usize + 1..]
    } else {
        let place = (block, offset);
        let (geometry, erase_value) = (trace.geometry(), trace.erase_value());
        trace.image().read(geometry, erase_value, place, buffer);
        issued
    };
    for write in since {
        let event = &trace.events()[write.event as usize];
        let fate = fate(write.number);
        if let (
            Event::Prog {
                offset: start,
                data,
                ..
            },
            Fate::Persisted,
        ) = (event, fate)
        {
            lay_over(buffer, offset as usize, data, *start as usize);
            continue;
        }
        let block_size = trace.geometry().block_size();
        if let Some(write) = Write::of(write.number, event, block_size, trace.erase_value()) {
            write.change(fate, offset, buffer.len(), |place, byte| {
                buffer[place] = byte;
            });
        }
    }
}

/// Copies the part of `data`, which begins at `data_start`, that falls into `buffer`, which begins at `start`.
fn lay_over(buffer: &mut [u8], start: usize, data: &[u8], data_start: usize) {
    let from = start.max(data_start);
    let to = (start + buffer.len()).min(data_start + data.len());
    if from < to {
        buffer[from - start..to - start].copy_from_slice(&data[from - data_start..to - data_start]);
    }
}

impl Guarded for CrashView {
    fn guard(&mut self) -> &mut Guard {
        &mut self.guard
    }
}

impl BlockDevice for CrashView {
    fn geometry(&self) -> Geometry {
        self.guard.geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.guard.admit_read(block, offset, buffer.len())?;
        match self.written.get(&block) {
            Some(bytes) => {
                let start = offset as usize;
                buffer.copy_from_slice(&bytes[start..start + buffer.len()]);
            }
            None => self.resolve(block, offset, buffer),
        }
        Ok(())
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.guard.admit_prog(block, offset, data.len())?;
        self.own(block);
        let start = offset as usize;
        let there = &mut self.written.entry(block).or_default()[start..start + data.len()];
        self.guard.program(block, offset, there, data)
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.guard.admit_erase(block)?;
        let size = self.guard.geometry().block_size() as usize;
        let erased = vec![self.guard.erase_value(); size].into_boxed_slice();
        self.written.insert(block, erased);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.guard.admit_sync()
    }
}

#[cfg(test)]
mod tests;
