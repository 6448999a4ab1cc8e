//! What a kind of device guarantees about the writes that a power cut meets, as data.
//!
//! A contract says which crash states exist: what may be missing of the writes since the last completed sync, and what
//! is left of a write that the cut interrupted. Three of them are crash models pure and simple ([`PREFIX`], [`TORN`],
//! [`REORDER`]); the others stand for kinds of devices, with where each fact is from.

mod builtin;

pub use builtin::{
    ALL, EMMC, EMMC_UNTOLD, MODELS, NAND_PAGE, NOR_FLASH, NVME_AWU, ORDERED, PREFIX, REORDER,
    SD_NO_FLUSH, SECTOR_512, TORN, by_name,
};

use cutpoint_engine::device::Geometry;

/// What a kind of device guarantees. All reads return the newest issued bytes until the power is cut, and a write
/// changes nothing but its own units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    /// A short name, for command lines and reports.
    pub name: &'static str,
    /// What it stands for, in a line.
    pub about: &'static str,
    /// In which order the writes of an epoch reach the medium.
    pub order: Order,
    /// Whether the store is told where erases can change places with programs ([`Geometry::erase_unordered`]).
    pub told: bool,
    /// What an interrupted program leaves.
    pub program: Tearing,
    /// What an interrupted erase leaves.
    pub erase: Tearing,
    /// Whether what was written before a completed sync is on the medium.
    pub sync: Sync,
    /// Where each of these facts is from.
    pub sources: &'static [&'static str],
}

/// In which order the writes of an epoch reach the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they were issued.
    Issued,
    /// Those of one block as they were issued; those of different blocks in any order.
    PerBlock,
    /// In any: an erase may be lost though a later program of that block is not.
    Any,
}

/// Whether a completed sync can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// It can: a completed sync closes the epoch.
    Trusted,
    /// It does nothing: all that was ever written is one epoch.
    Ignored,
}

/// What an interrupted write leaves of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tearing {
    /// All of it, or nothing.
    Whole,
    /// Some of its units, each of them old or new.
    Units {
        /// How large a unit is.
        unit: Unit,
        /// Which sets of units are tried.
        sets: Sets,
        /// Whether the unit that the cut met may hold anything.
        noise: bool,
        /// Whether an interrupted erase may have zeroed the end of the block first.
        zeroed_tail: bool,
    },
}

/// The size of the units of which each is old or new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// The device's program size.
    Program,
    /// This many bytes. Units lie at multiples of it in the block.
    Bytes(u32),
    /// A block divided by this number.
    PartOfBlock(u32),
}

impl Unit {
    /// How many bytes that is on a device of these sizes: at least 1, at most a block.
    pub fn bytes(self, geometry: Geometry) -> u32 {
        let bytes = match self {
            Self::Program => geometry.prog_size(),
            Self::Bytes(bytes) => bytes,
            Self::PartOfBlock(parts) => geometry.block_size() / parts.max(1),
        };
        bytes.clamp(1, geometry.block_size())
    }
}

/// Which sets of the units of a torn write are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sets {
    /// By class: each run from the front, each run from the back, and all but each single unit.
    Classes,
    /// Every set, for writes of at most this many units; of longer ones by class.
    All {
        /// The most units; at most 16.
        up_to: u32,
    },
}

impl Contract {
    /// A device of these sizes that says what the contract says of it: where erases and programs of one block can change
    /// their order, [`Geometry::erase_unordered`].
    pub fn device(&self, geometry: Geometry) -> Geometry {
        let erase_unordered = self.order == Order::Any && self.told;
        geometry.with_erase_unordered(erase_unordered || geometry.erase_unordered())
    }

    /// Whether it makes a difference when syncs are issued: writes between two of them may change places, and a completed
    /// one can be trusted.
    pub fn heeds_syncs(&self) -> bool {
        self.order != Order::Issued && self.sync == Sync::Trusted
    }

    /// Whether every crash state that the contract allows is in the space that is explored. Where it is not, what was
    /// torn was tried by class.
    pub fn is_exhaustive(&self) -> bool {
        self.program == Tearing::Whole && self.erase == Tearing::Whole
    }
}
