//! The device that records: it behaves as a device should and keeps every event.

use crate::guard::{Guard, Guarded};
use crate::medium::Medium;
use crate::phase::{Phase, PhaseMark};
use crate::trace::{Event, Image, Trace};
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry};

/// A device in memory that records each erase, program and sync, with marks for the steps of a workload between
/// them.
///
/// It refuses what the contract of [`BlockDevice`] forbids: ranges outside the device, programs that are not aligned
/// or that hit units whose bytes are not all erased, unless its [`Medium`] takes those.
///
/// ```
/// use cutpoint::disk::RecordingDisk;
/// use cutpoint_engine::device::{BlockDevice, BlockId, Geometry};
///
/// let mut disk = RecordingDisk::new(Geometry::new(512, 16)?, 0xff);
/// disk.start_operation(0);
/// disk.prog(BlockId::new(3), 0, b"hello")?;
/// disk.sync()?;
/// disk.end_operation(0);
/// let trace = disk.into_trace();
/// assert_eq!(trace.events().len(), 4);
/// assert_eq!(trace.writes(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RecordingDisk {
    guard: Guard,
    base: Image,
    bytes: Vec<u8>,
    events: Vec<Event>,
    /// By number of a write: its phase, where one was shown.
    phases: Vec<Option<Phase>>,
    mark: PhaseMark,
}

impl RecordingDisk {
    /// An erased device; erased bytes read as `erase_value`.
    pub fn new(geometry: Geometry, erase_value: u8) -> Self {
        Self::on(Image::Erased, geometry, erase_value)
    }

    /// A device that holds `image`, which was made for this geometry.
    pub fn on(image: Image, geometry: Geometry, erase_value: u8) -> Self {
        Self {
            guard: Guard::new(geometry, erase_value),
            bytes: image.to_vec(geometry, erase_value),
            base: image,
            events: Vec::new(),
            phases: Vec::new(),
            mark: PhaseMark::default(),
        }
    }

    /// The same, as a device of this kind; [`Medium::Flash`] unless set.
    #[must_use]
    pub fn with_medium(self, medium: Medium) -> Self {
        Self {
            guard: self.guard.with_medium(medium),
            ..self
        }
    }

    /// Marks that the step with this index is about to be called.
    pub fn start_operation(&mut self, index: u32) {
        self.events.push(Event::OperationStart(index));
    }

    /// Marks that the step with this index has returned.
    pub fn end_operation(&mut self, index: u32) {
        self.events.push(Event::OperationEnd(index));
    }

    /// What erased bytes read as.
    pub(crate) fn erase_value(&self) -> u8 {
        self.guard.erase_value()
    }

    /// The kind of device.
    pub(crate) fn medium(&self) -> Medium {
        self.guard.medium()
    }

    /// All bytes of the device as they are now.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many erases and programs have been recorded.
    pub fn writes(&self) -> u32 {
        self.phases.len() as u32
    }

    /// Where a subject is to show its phase, for [`phases`](Self::phases).
    pub fn phase_mark(&self) -> PhaseMark {
        self.mark.clone()
    }

    /// By number of each write recorded, the phase that was shown then.
    pub fn phases(&self) -> &[Option<Phase>] {
        &self.phases
    }

    /// What it held at first, and what was recorded.
    pub(crate) fn into_events(self) -> (Image, Vec<Event>) {
        (self.base, self.events)
    }

    /// What was recorded.
    pub fn into_trace(self) -> Trace {
        Trace::new(
            self.guard.geometry(),
            self.guard.erase_value(),
            self.base,
            self.events,
        )
        .with_medium(self.guard.medium())
    }

    fn start(&self, block: BlockId, offset: u32) -> usize {
        block.index() as usize * self.guard.geometry().block_size() as usize + offset as usize
    }
}

impl Guarded for RecordingDisk {
    fn guard(&mut self) -> &mut Guard {
        &mut self.guard
    }

    fn mark(&mut self, mark: Event) {
        self.events.push(mark);
    }
}

impl BlockDevice for RecordingDisk {
    fn geometry(&self) -> Geometry {
        self.guard.geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.guard.admit_read(block, offset, buffer.len())?;
        let start = self.start(block, offset);
        buffer.copy_from_slice(&self.bytes[start..start + buffer.len()]);
        Ok(())
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.guard.admit_prog(block, offset, data.len())?;
        let start = self.start(block, offset);
        let there = &mut self.bytes[start..start + data.len()];
        self.guard.program(block, offset, there, data)?;
        let data = (&*there).into();
        self.phases.push(self.mark.shown());
        self.events.push(Event::Prog {
            block,
            offset,
            data,
        });
        Ok(())
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.guard.admit_erase(block)?;
        let start = self.start(block, 0);
        let size = self.guard.geometry().block_size() as usize;
        self.bytes[start..start + size].fill(self.guard.erase_value());
        self.phases.push(self.mark.shown());
        self.events.push(Event::Erase { block });
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.guard.admit_sync()?;
        self.events.push(Event::Sync);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::BudgetExhausted;
    use cutpoint_engine::device::DeviceErrorKind;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn disk() -> RecordingDisk {
        let geometry = Geometry::new(128, 4).unwrap().with_prog_size(16).unwrap();
        RecordingDisk::new(geometry, 0xff)
    }

    #[test]
    fn refuses_misuse_records_none_of_it_and_remembers_the_first() {
        let mut disk = disk();
        let block = BlockId::new(1);
        disk.prog(block, 0, &[1; 16]).unwrap();
        assert_eq!(disk.guard().misuse(), None);
        let first = disk.prog(block, 0, &[1; 32]).unwrap_err();
        assert_eq!(first.kind, DeviceErrorKind::NotErased);
        let kind = |result: Result<(), DeviceError>| result.unwrap_err().kind;
        assert_eq!(
            kind(disk.prog(block, 8, &[1; 16])),
            DeviceErrorKind::Misaligned
        );
        assert_eq!(
            kind(disk.erase(BlockId::new(4))),
            DeviceErrorKind::OutOfRange
        );
        assert_eq!(
            kind(disk.read(block, 120, &mut [0; 9])),
            DeviceErrorKind::OutOfRange
        );
        assert_eq!(disk.guard().misuse(), Some(first));
        assert_eq!(disk.into_trace().events().len(), 1);
    }

    #[test]
    fn programs_again_what_was_erased() {
        let mut disk = disk();
        let block = BlockId::new(1);
        disk.prog(block, 0, &[1; 16]).unwrap();
        disk.erase(block).unwrap();
        disk.prog(block, 0, &[2; 16]).unwrap();
        let mut buffer = [0; 17];
        disk.read(block, 0, &mut buffer).unwrap();
        assert_eq!(buffer[..16], [2; 16]);
        assert_eq!(buffer[16], 0xff);
    }

    #[test]
    fn stops_a_caller_that_ignores_errors_once_the_budget_is_used_up() {
        let mut disk = disk();
        disk.guard().set_budget(10);
        let mut calls = 0_u32;
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            loop {
                // Misuse costs a call like any other: the loop below has no other way out.
                let _ = disk.erase(BlockId::new(99));
                calls += 1;
            }
        }))
        .map(|never: std::convert::Infallible| never)
        .unwrap_err();
        assert!(unwound.is::<BudgetExhausted>());
        assert_eq!(calls, 10);
    }
}
