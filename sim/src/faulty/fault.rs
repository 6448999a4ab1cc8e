use cutpoint_engine::device::DeviceErrorKind;
use std::fmt;

/// A fault of a device: what goes wrong, and at which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// What goes wrong.
    pub class: FaultClass,
    /// At which call of the kind that the class is about, counted from 0. Of [`FaultClass::WearsOut`], how many erases
    /// each block takes; of [`FaultClass::RunsOut`], how many blocks there are.
    pub at: u64,
}

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FaultClass {
    /// A program is refused, and nothing of it has reached the medium.
    ProgRefused(Trouble, Lasting),
    /// A program is said to have failed when half of its units are on the medium.
    ProgTorn(Trouble),
    /// A program is said to have failed when all of it is on the medium.
    ProgDenied(Trouble),
    /// A program puts a byte on the medium that differs from what it was given, and says nothing.
    ProgSpoilt(Lasting),
    /// An erase is refused, and the block is as it was.
    EraseRefused(Trouble, Lasting),
    /// A read is refused.
    ReadRefused(Trouble, Lasting),
    /// A sync is refused.
    SyncRefused,
    /// Each block is bad for good once it has been erased so many times.
    WearsOut,
    /// Only so many blocks take writes, those that are written first; all others are bad for good. To a store that looks
    /// for another block in the place of a bad one, there is no space at this allocation of a block that it has not
    /// written before, nor at a later one.
    RunsOut,
}

/// What a device says of a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// It is the block alone: bad, or unreadable.
    Block,
    /// It is the device: an input or output error.
    Device,
}

/// For how long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lasting {
    /// For this call; the next one succeeds.
    Once,
    /// For all further calls of its kind on the same block. A block that refuses programs or erases refuses both.
    ForGood,
}

impl FaultClass {
    /// All classes that are tried. A block that cannot be read for good is not among them: what was in it is gone, and a
    /// store cannot always tell; that is a matter of decay.
    pub const ALL: [Self; 20] = {
        use Lasting::{ForGood, Once};
        use Trouble::{Block, Device};
        [
            Self::ProgRefused(Block, Once),
            Self::ProgRefused(Block, ForGood),
            Self::ProgRefused(Device, Once),
            Self::ProgRefused(Device, ForGood),
            Self::ProgTorn(Block),
            Self::ProgTorn(Device),
            Self::ProgDenied(Block),
            Self::ProgDenied(Device),
            Self::ProgSpoilt(Once),
            Self::ProgSpoilt(ForGood),
            Self::EraseRefused(Block, Once),
            Self::EraseRefused(Block, ForGood),
            Self::EraseRefused(Device, Once),
            Self::EraseRefused(Device, ForGood),
            Self::ReadRefused(Device, Once),
            Self::ReadRefused(Block, Once),
            Self::ReadRefused(Device, ForGood),
            Self::SyncRefused,
            Self::WearsOut,
            Self::RunsOut,
        ]
    };

    /// Whether it is one block's alone, so that a store can use another in its place.
    pub fn is_of_a_block(self) -> bool {
        match self {
            Self::ProgRefused(trouble, _)
            | Self::ProgTorn(trouble)
            | Self::ProgDenied(trouble)
            | Self::EraseRefused(trouble, _)
            | Self::ReadRefused(trouble, _) => trouble == Trouble::Block,
            Self::ProgSpoilt(_) | Self::WearsOut | Self::RunsOut => true,
            Self::SyncRefused => false,
        }
    }

    /// Whether what is on the medium cannot be read any more.
    pub fn loses_what_was_written(self) -> bool {
        matches!(self, Self::ReadRefused(_, Lasting::ForGood))
    }

    /// For how long it lasts.
    pub fn lasting(self) -> Lasting {
        match self {
            Self::ProgRefused(_, lasting)
            | Self::ProgSpoilt(lasting)
            | Self::EraseRefused(_, lasting)
            | Self::ReadRefused(_, lasting) => lasting,
            Self::ProgTorn(_) | Self::ProgDenied(_) | Self::SyncRefused => Lasting::Once,
            Self::WearsOut | Self::RunsOut => Lasting::ForGood,
        }
    }
}

impl Trouble {
    /// What a refused program or erase returns.
    pub(super) fn of_write(self) -> DeviceErrorKind {
        match self {
            Self::Block => DeviceErrorKind::BadBlock,
            Self::Device => DeviceErrorKind::Io(None),
        }
    }

    /// What a refused read returns.
    pub(super) fn of_read(self) -> DeviceErrorKind {
        match self {
            Self::Block => DeviceErrorKind::Unreadable,
            Self::Device => DeviceErrorKind::Io(None),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Block => "bad block",
            Self::Device => "input/output error",
        })
    }
}

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Once => "once",
            Self::ForGood => "for good",
        })
    }
}
