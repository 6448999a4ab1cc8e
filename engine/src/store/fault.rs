//! What can go wrong below the level of keys.

use crate::device::DeviceError;
use crate::error::{Corruption, Error, MountError};

/// An error that knows no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Corrupt(Corruption),
    Device(DeviceError),
    /// No free blocks are left.
    NoSpace,
}

impl Fault {
    /// Whether one block alone is the trouble.
    pub(crate) fn is_bad_block(self) -> bool {
        matches!(self, Self::Device(error) if error.kind.is_bad_block())
    }

    /// Lets a lack of room pass where what was to be done is visible already, and what has to follow is announced: a
    /// later call can do that.
    pub(crate) fn unless_no_space(self) -> Result<(), Self> {
        match self {
            Self::NoSpace => Ok(()),
            fault => Err(fault),
        }
    }
}

impl From<Corruption> for Fault {
    fn from(corruption: Corruption) -> Self {
        Self::Corrupt(corruption)
    }
}

impl From<DeviceError> for Fault {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Corrupt(corruption) => Self::Corrupt(corruption),
            Fault::Device(error) => Self::Device(error),
            Fault::NoSpace => Self::NoSpace,
        }
    }
}

impl From<Fault> for MountError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Corrupt(corruption) => Self::Corrupt(corruption),
            Fault::Device(error) => Self::Device(error),
            // Mounting allocates nothing.
            Fault::NoSpace => Self::NotFormatted,
        }
    }
}
