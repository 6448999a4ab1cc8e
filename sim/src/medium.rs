//! What kinds of media there are under a store: what a program may go over, and what comes of it.

use crate::contract::{self, Contract};

/// The kind of medium that a subject is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Medium {
    /// Flash as the engine's [`BlockDevice`] describes it: what is programmed must have been erased.
    ///
    /// [`BlockDevice`]: cutpoint_engine::device::BlockDevice
    #[default]
    Flash,
    /// Flash that may be programmed again without an erase; a program can only clear bits, and leaves those that are
    /// set in both the old byte and the new one. Exact under contracts that keep the order of each block's writes.
    MultiwriteFlash,
    /// A disk: each sector can be written over, and nothing need be erased. A blank one reads as zeros.
    Disk,
}

impl Medium {
    /// What a blank medium reads as, where flash of the kind in question reads as `erased`.
    pub fn blank_value(self, erased: u8) -> u8 {
        match self {
            Self::Flash | Self::MultiwriteFlash => erased,
            Self::Disk => 0,
        }
    }

    /// The contracts that most devices of the kind keep: what a store is held against where nothing else is said.
    pub fn contracts(self) -> &'static [&'static Contract] {
        match self {
            Self::Flash | Self::MultiwriteFlash => &[&contract::PREFIX, &contract::NOR_FLASH],
            Self::Disk => &[&contract::PREFIX, &contract::SECTOR_512],
        }
    }
}
