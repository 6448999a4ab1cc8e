//! What a device saw: the events of one run, in order, and quick ways to ask them.

mod blocks;
mod fingerprint;
mod image;
mod syncs;

pub use blocks::Blocks;
pub use fingerprint::Fingerprint;
pub use image::{Image, ImageLengthError};
pub use syncs::{NoSuchSync, SyncPoint, Syncs};

use crate::medium::Medium;
use cutpoint_engine::device::{BlockId, Geometry};

/// One thing that happened on the device, or a mark that says which step of the workload ran meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A block was erased.
    Erase {
        /// The block.
        block: BlockId,
    },
    /// Units of a block were programmed in one device call.
    Prog {
        /// The block.
        block: BlockId,
        /// Where the data begins in the block, in bytes.
        offset: u32,
        /// What was programmed.
        data: Box<[u8]>,
    },
    /// A sync completed.
    Sync,
    /// The step with this index was about to be called.
    OperationStart(u32),
    /// The step with this index had returned.
    OperationEnd(u32),
}

impl Event {
    /// The block that the event writes: of an erase or a program; none for the others.
    pub fn written_block(&self) -> Option<BlockId> {
        match self {
            Self::Erase { block } | Self::Prog { block, .. } => Some(*block),
            Self::Sync | Self::OperationStart(_) | Self::OperationEnd(_) => None,
        }
    }
}

/// One write (an erase or a program) as the history of its block lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockWrite {
    /// The write's number: writes are counted from 0 over the whole trace, in the order they were issued.
    pub number: u32,
    /// The index of its event.
    pub event: u32,
    /// Where in the history of the block the last erase up to this write stands; none where the block has not been
    /// erased, so that what it held at the start shows between the programs.
    pub erase: Option<u32>,
}

/// How many of each event a trace holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct EventCounts {
    /// Erases.
    pub erases: u32,
    /// Programs.
    pub progs: u32,
    /// Completed syncs.
    pub syncs: u32,
    /// Bytes programmed.
    pub bytes: u64,
}

impl EventCounts {
    /// Erases and programs together.
    pub fn writes(&self) -> u32 {
        self.erases + self.progs
    }
}

/// The recorded events of one run of a workload, with the image they began on.
///
/// A trace does not change once made; crash states are views of it ([`CrashView`](crate::crash::CrashView)).
#[derive(Debug)]
pub struct Trace {
    geometry: Geometry,
    erase_value: u8,
    medium: Medium,
    image: Image,
    events: Vec<Event>,
    /// By block: its writes in the order they were issued.
    blocks: Vec<Vec<BlockWrite>>,
    /// By number of a write: the index of its event.
    writes: Vec<u32>,
    counts: EventCounts,
}

impl Trace {
    /// A trace of `events` on a device of this `geometry` that held `image` at the start and whose erased bytes read
    /// as `erase_value`.
    ///
    /// # Panics
    ///
    /// Where an event lies outside the geometry; devices refuse such calls before they record them.
    pub fn new(geometry: Geometry, erase_value: u8, image: Image, events: Vec<Event>) -> Self {
        let mut blocks: Vec<Vec<BlockWrite>> = vec![Vec::new(); geometry.block_count() as usize];
        let mut writes = Vec::new();
        let mut counts = EventCounts::default();
        for (index, event) in events.iter().enumerate() {
            let number = counts.writes();
            match event {
                Event::Erase { .. } => counts.erases += 1,
                Event::Prog { data, .. } => {
                    counts.progs += 1;
                    counts.bytes += data.len() as u64;
                }
                Event::Sync => counts.syncs += 1,
                Event::OperationStart(_) | Event::OperationEnd(_) => {}
            }
            if let Some(block) = event.written_block() {
                writes.push(index as u32);
                let history = &mut blocks[block.index() as usize];
                let erase = match event {
                    Event::Erase { .. } => Some(history.len() as u32),
                    _ => history.last().and_then(|last| last.erase),
                };
                history.push(BlockWrite {
                    number,
                    event: index as u32,
                    erase,
                });
            }
        }
        Self {
            geometry,
            erase_value,
            medium: Medium::Flash,
            image,
            events,
            blocks,
            writes,
            counts,
        }
    }

    /// The sizes of the device.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// What erased bytes read as.
    pub fn erase_value(&self) -> u8 {
        self.erase_value
    }

    /// The same, of a device of this kind; [`Medium::Flash`] unless set.
    #[must_use]
    pub fn with_medium(self, medium: Medium) -> Self {
        Self { medium, ..self }
    }

    /// The kind of device.
    pub fn medium(&self) -> Medium {
        self.medium
    }

    /// What the device held before the first event.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// All events, in the order they happened.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How many of each event there are.
    pub fn counts(&self) -> EventCounts {
        self.counts
    }

    /// The write with this number: an erase or a program; none where there are fewer.
    pub fn write(&self, number: u32) -> Option<&Event> {
        let event = self.writes.get(number as usize)?;
        self.events.get(*event as usize)
    }

    /// By number of a write, the index of its event.
    pub fn write_events(&self) -> &[u32] {
        &self.writes
    }

    /// The number of writes: erases and programs.
    pub fn writes(&self) -> u32 {
        self.counts.writes()
    }

    /// The step that issued the write with this number; none between two steps, or where there is no such write.
    pub fn step_of(&self, write: u32) -> Option<u32> {
        let event = *self.writes.get(write as usize)?;
        let before = self.events[..event as usize].iter().rev();
        let mut marks = before.filter_map(|event| match event {
            Event::OperationStart(step) => Some(Some(*step)),
            Event::OperationEnd(_) => Some(None),
            Event::Erase { .. } | Event::Prog { .. } | Event::Sync => None,
        });
        marks.next().flatten()
    }

    /// How many writes were issued before the step with this index was called; all of them where it was not.
    pub fn writes_before(&self, step: u32) -> u32 {
        let start = Event::OperationStart(step);
        let before = self.events.iter().take_while(|event| **event != start);
        before
            .filter(|event| event.written_block().is_some())
            .count() as u32
    }

    /// The syncs, in order.
    pub fn syncs(&self) -> Vec<SyncPoint> {
        SyncPoint::all(&self.events)
    }

    /// The writes of `block`, in the order they were issued; empty for a block outside the device.
    pub fn block_history(&self, block: BlockId) -> &[BlockWrite] {
        self.blocks
            .get(block.index() as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// The 128-bit name of this trace: equal for equal geometry, starting image and events, and otherwise different
    /// for all practical purposes.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prog(block: u32, offset: u32, data: &[u8]) -> Event {
        Event::Prog {
            block: BlockId::new(block),
            offset,
            data: data.into(),
        }
    }

    fn trace(events: Vec<Event>) -> Trace {
        Trace::new(Geometry::new(128, 4).unwrap(), 0xff, Image::Erased, events)
    }

    #[test]
    fn history_counts_writes_over_the_whole_trace_and_knows_the_last_erase() {
        let block = BlockId::new(1);
        let trace = trace(vec![
            Event::OperationStart(0),
            prog(1, 0, &[1]),
            prog(2, 0, &[2, 2]),
            Event::Sync,
            Event::Erase { block },
            prog(1, 4, &[3]),
        ]);
        let history: Vec<_> = trace
            .block_history(block)
            .iter()
            .map(|write| (write.number, write.event, write.erase))
            .collect();
        assert_eq!(history, [(0, 1, None), (2, 4, Some(1)), (3, 5, Some(1))]);
        assert_eq!(trace.block_history(BlockId::new(9)), []);
        assert_eq!(
            trace.counts(),
            EventCounts {
                erases: 1,
                progs: 3,
                syncs: 1,
                bytes: 4
            }
        );
    }

    #[test]
    fn fingerprint_tells_traces_apart() {
        let one = || vec![prog(1, 0, &[1, 2])];
        let fingerprint = trace(one()).fingerprint();
        assert_eq!(fingerprint, trace(one()).fingerprint());
        let others = [
            trace(vec![prog(1, 0, &[1]), prog(1, 1, &[2])]),
            trace(vec![prog(1, 0, &[1, 3])]),
            trace(vec![prog(2, 0, &[1, 2])]),
            trace(vec![prog(1, 0, &[1, 2]), Event::Sync]),
            trace(vec![prog(1, 0, &[1, 2]), Event::OperationStart(0)]),
            Trace::new(Geometry::new(128, 5).unwrap(), 0xff, Image::Erased, one()),
            Trace::new(Geometry::new(128, 4).unwrap(), 0x00, Image::Erased, one()),
        ];
        for other in others {
            assert_ne!(fingerprint, other.fingerprint(), "{other:?}");
        }
    }
}
