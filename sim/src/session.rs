//! A subject at work on a device that the harness keeps: each call isolated, budgeted, and its misuse seen.

use crate::guard::Guarded;
use crate::isolate::{Stopped, isolated};
use crate::op::Operation;
use crate::phase::PhaseMark;
use crate::shared::Shared;
use crate::subject::{Contents, Device, Health, Mounted, Subject, SubjectError};
use cutpoint_engine::Timestamp;
use cutpoint_engine::device::{BlockDevice, DeviceError, Geometry};
use std::fmt;

/// How a call on a subject went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It returned an error.
    Error(SubjectError),
    /// It did not return.
    Stopped(Stopped),
    /// It broke the rules of the device, whatever it returned.
    Misuse(DeviceError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Stopped(Stopped::Panicked(message)) => write!(f, "panicked: {message}"),
            Self::Stopped(Stopped::BudgetExhausted) => {
                f.write_str("used up its budget of device calls")
            }
            Self::Misuse(error) => write!(f, "misused the device: {error}"),
        }
    }
}

/// The number of device calls that a subject may make in one call on it, where nothing else is said: enough to read
/// the whole device byte by byte. It grows with the device and with nothing else.
pub fn default_budget(geometry: Geometry) -> u64 {
    100_000 + geometry.capacity()
}

/// A subject and its device.
pub(crate) struct Session<'a, T> {
    subject: &'a dyn Subject,
    disk: Shared<T>,
    budget: u64,
    mounted: Option<Box<dyn Mounted>>,
    mark: Option<PhaseMark>,
}

impl<'a, T: BlockDevice + Guarded + Send + 'static> Session<'a, T> {
    pub(crate) fn new(subject: &'a dyn Subject, disk: T, budget: u64) -> Self {
        Self::over(subject, Shared::new(disk), budget)
    }

    /// A session on a device that another has had.
    pub(crate) fn over(subject: &'a dyn Subject, disk: Shared<T>, budget: u64) -> Self {
        Self {
            subject,
            disk,
            budget,
            mounted: None,
            mark: None,
        }
    }

    pub(crate) fn subject(&self) -> &'a dyn Subject {
        self.subject
    }

    /// The device calls that each call on the subject may make.
    pub(crate) fn budget(&self) -> u64 {
        self.budget
    }

    /// The same, with the subject showing its phases on `mark`.
    pub(crate) fn with_phases(mut self, mark: PhaseMark) -> Self {
        self.mark = Some(mark);
        self
    }

    /// The handle on the device.
    pub(crate) fn disk(&self) -> &Shared<T> {
        &self.disk
    }

    pub(crate) fn format(&mut self) -> Result<(), Failure> {
        let (subject, device) = (self.subject, self.device());
        self.call(|_| subject.format(device))
    }

    pub(crate) fn mount(&mut self) -> Result<(), Failure> {
        let (subject, device) = (self.subject, self.device());
        let mark = self.mark.clone();
        let mounted = self.call(|_| {
            let mut mounted = subject.mount(device)?;
            if let Some(mark) = mark {
                mounted.show_phases(mark);
            }
            Ok(mounted)
        })?;
        self.mounted = Some(mounted);
        Ok(())
    }

    pub(crate) fn unmount(&mut self) -> Result<(), Failure> {
        let mounted = self.mounted.take();
        self.call(|_| {
            drop(mounted);
            Ok(())
        })
    }

    pub(crate) fn remount(&mut self) -> Result<(), Failure> {
        self.unmount()?;
        self.mount()
    }

    /// Does what the operation says; it is `now`.
    pub(crate) fn apply(&mut self, operation: &Operation, now: Timestamp) -> Result<(), Failure> {
        match operation {
            Operation::Remount => self.remount(),
            _ => self.call_mounted(|mounted| {
                mounted.set_time(now);
                mounted.apply(operation)
            }),
        }
    }

    pub(crate) fn contents(&mut self) -> Result<Contents, Failure> {
        self.call_mounted(|mounted| mounted.contents())
    }

    pub(crate) fn check(&mut self) -> Result<Health, Failure> {
        self.call_mounted(|mounted| mounted.check())
    }

    fn device(&self) -> Device {
        Box::new(self.disk.clone())
    }

    fn call_mounted<R>(
        &mut self,
        call: impl FnOnce(&mut dyn Mounted) -> Result<R, SubjectError>,
    ) -> Result<R, Failure> {
        self.call(|mounted| match mounted {
            Some(mounted) => call(&mut **mounted),
            None => Err(SubjectError::Other("the store is not mounted".into())),
        })
    }

    fn call<R>(
        &mut self,
        call: impl FnOnce(&mut Option<Box<dyn Mounted>>) -> Result<R, SubjectError>,
    ) -> Result<R, Failure> {
        let budget = self.budget;
        self.disk.with(|disk| disk.guard().set_budget(budget));
        let outcome = isolated(|| call(&mut self.mounted));
        // The misuse is the cause, and what the subject made of the refusal an effect.
        if let Some(misuse) = self.disk.with(|disk| disk.guard().misuse()) {
            return Err(Failure::Misuse(misuse));
        }
        outcome.map_err(Failure::Stopped)?.map_err(Failure::Error)
    }
}

impl<T> Drop for Session<'_, T> {
    fn drop(&mut self) {
        // A destructor of the subject that panics has no say any more.
        let mounted = self.mounted.take();
        let _ = isolated(|| drop(mounted));
    }
}
