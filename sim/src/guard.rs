//! What every simulated device checks on each call: the budget, and the rules of the [`BlockDevice`] contract.
//!
//! [`BlockDevice`]: cutpoint_engine::device::BlockDevice

use crate::medium::Medium;
use crate::trace::Event;
use cutpoint_engine::device::{BlockId, DeviceCall, DeviceError, DeviceErrorKind, Geometry};
use std::panic;
use std::thread;

/// The payload of the unwinding that stops a subject once it has used up its budget of device calls.
///
/// It is unwinding and not an error, so that a subject that ignores errors and tries again is stopped too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetExhausted;

/// Stands before a simulated device: spends the budget, refuses misuse, remembers the first.
#[derive(Clone, Debug)]
pub struct Guard {
    geometry: Geometry,
    erase_value: u8,
    medium: Medium,
    calls_left: u64,
    misuse: Option<DeviceError>,
    writes: u32,
}

impl Guard {
    /// A guard for a device of this geometry whose erased bytes read as `erase_value`, without a limit on calls.
    pub fn new(geometry: Geometry, erase_value: u8) -> Self {
        Self {
            geometry,
            erase_value,
            medium: Medium::Flash,
            calls_left: u64::MAX,
            misuse: None,
            writes: 0,
        }
    }

    /// The same, for a device of this kind; [`Medium::Flash`] unless set.
    #[must_use]
    pub fn with_medium(self, medium: Medium) -> Self {
        Self { medium, ..self }
    }

    /// The kind of device.
    pub fn medium(&self) -> Medium {
        self.medium
    }

    /// The sizes of the device.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// What erased bytes read as.
    pub fn erase_value(&self) -> u8 {
        self.erase_value
    }

    /// Allows `calls` device calls from now on; reads count too.
    pub fn set_budget(&mut self, calls: u64) {
        self.calls_left = calls;
    }

    /// The first call that broke the device's rules; none while all kept to them.
    pub fn misuse(&self) -> Option<DeviceError> {
        self.misuse
    }

    /// How many erases and programs were called for so far.
    pub(crate) fn writes(&self) -> u32 {
        self.writes
    }

    /// Lets a read through.
    pub(crate) fn admit_read(
        &mut self,
        block: BlockId,
        offset: u32,
        length: usize,
    ) -> Result<(), DeviceError> {
        self.admit(DeviceCall::Read, block, offset, length)
    }

    /// Lets an erase through.
    pub(crate) fn admit_erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.writes += 1;
        let length = self.geometry.block_size() as usize;
        self.admit(DeviceCall::Erase, block, 0, length)
    }

    /// Lets a program through as far as its range goes; [`program`](Self::program) follows.
    pub(crate) fn admit_prog(
        &mut self,
        block: BlockId,
        offset: u32,
        length: usize,
    ) -> Result<(), DeviceError> {
        self.writes += 1;
        self.admit(DeviceCall::Prog, block, offset, length)
    }

    /// Whether it matters what is there when something is programmed.
    pub(crate) fn programs_over_what_is_there(&self) -> bool {
        self.medium != Medium::Disk
    }

    /// Programs `data` over the bytes that are `there`, where the medium takes it.
    pub(crate) fn program(
        &mut self,
        block: BlockId,
        offset: u32,
        there: &mut [u8],
        data: &[u8],
    ) -> Result<(), DeviceError> {
        match self.medium {
            Medium::Flash if there.iter().any(|&byte| byte != self.erase_value) => {
                let kind = DeviceErrorKind::NotErased;
                return self.refuse(DeviceError::at(DeviceCall::Prog, block, offset, kind));
            }
            Medium::Flash | Medium::Disk => there.copy_from_slice(data),
            Medium::MultiwriteFlash => {
                for (byte, data) in there.iter_mut().zip(data) {
                    *byte &= data;
                }
            }
        }
        Ok(())
    }

    /// Lets a sync through.
    pub(crate) fn admit_sync(&mut self) -> Result<(), DeviceError> {
        self.spend(DeviceError::sync(DeviceErrorKind::Io(None)))
    }

    fn admit(
        &mut self,
        call: DeviceCall,
        block: BlockId,
        offset: u32,
        length: usize,
    ) -> Result<(), DeviceError> {
        self.spend(DeviceError::at(
            call,
            block,
            offset,
            DeviceErrorKind::Io(None),
        ))?;
        match self.geometry.check_range(call, block, offset, length) {
            Ok(()) => Ok(()),
            Err(error) => self.refuse(error),
        }
    }

    fn refuse(&mut self, error: DeviceError) -> Result<(), DeviceError> {
        self.misuse.get_or_insert(error);
        Err(error)
    }

    fn spend(&mut self, error_while_unwinding: DeviceError) -> Result<(), DeviceError> {
        match self.calls_left.checked_sub(1) {
            Some(left) => {
                self.calls_left = left;
                Ok(())
            }
            // A destructor that still calls the device must not unwind a second time: that would abort.
            None if thread::panicking() => Err(error_while_unwinding),
            None => panic::resume_unwind(Box::new(BudgetExhausted)),
        }
    }
}

/// A simulated device that has a [`Guard`].
pub trait Guarded {
    /// The guard.
    fn guard(&mut self) -> &mut Guard;

    /// Notes that a step begins or ends here, where the device keeps such marks.
    fn mark(&mut self, _mark: Event) {}
}
