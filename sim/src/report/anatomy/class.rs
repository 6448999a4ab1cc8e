//! The classes of blocks that maps tell apart, with how they are drawn.

use crate::anatomy::{Anatomy, Block, Use};
use anstyle::{AnsiColor, Style};

/// A class of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The block of a pair that counts.
    Metadata,
    /// The other one.
    Spare,
    /// A block of a pair that no dictionary holds.
    Parentless,
    Value,
    /// Free, with old bytes in it.
    Stale,
    Erased,
    Damaged,
    Beyond,
}

impl Class {
    /// All classes, in the order of the legend.
    pub(super) const ALL: [Self; 8] = [
        Self::Metadata,
        Self::Spare,
        Self::Parentless,
        Self::Value,
        Self::Stale,
        Self::Erased,
        Self::Damaged,
        Self::Beyond,
    ];

    /// The class of a block of the image.
    pub(super) fn of(anatomy: &Anatomy, block: &Block) -> Self {
        if block.damaged {
            return Self::Damaged;
        }
        match block.usage {
            Use::Metadata { pair, .. } if !anatomy.pairs[pair].held => Self::Parentless,
            Use::Metadata { current: true, .. } => Self::Metadata,
            Use::Metadata { current: false, .. } => Self::Spare,
            Use::Value { .. } => Self::Value,
            Use::Free { erased: true } => Self::Erased,
            Use::Free { erased: false } => Self::Stale,
            Use::Beyond => Self::Beyond,
        }
    }

    /// What a legend says.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Spare => "metadata, spare block of the pair",
            Self::Parentless => "metadata of no dictionary",
            Self::Value => "value",
            Self::Stale => "free, old bytes",
            Self::Erased => "free, erased",
            Self::Damaged => "damaged",
            Self::Beyond => "outside the store",
        }
    }

    /// Its cell on a terminal.
    pub(super) fn cell(self) -> char {
        match self {
            Self::Metadata => 'M',
            Self::Spare => 'm',
            Self::Parentless => 'o',
            Self::Value => 'v',
            Self::Stale => '-',
            Self::Erased => '.',
            Self::Damaged => '!',
            Self::Beyond => ' ',
        }
    }

    /// Its colour on a terminal.
    pub(super) fn style(self) -> Style {
        match self {
            Self::Metadata => AnsiColor::Blue.on_default().bold(),
            Self::Spare => AnsiColor::Cyan.on_default(),
            Self::Parentless => AnsiColor::Magenta.on_default().bold(),
            Self::Value => AnsiColor::Green.on_default(),
            Self::Stale | Self::Erased | Self::Beyond => Style::new().dimmed(),
            Self::Damaged => AnsiColor::Red.on_default().bold(),
        }
    }

    /// Its colour in a drawing; in the second shade for every other value, so that neighbours can be told apart.
    pub(super) fn fill(self, second: bool) -> &'static str {
        match self {
            Self::Metadata => "#2f5d8c",
            Self::Spare => "#9dbbd8",
            Self::Parentless => "#a05195",
            Self::Value if second => "#7fb77e",
            Self::Value => "#4f9360",
            Self::Stale => "#d9d4c7",
            Self::Erased => "#f4f1ea",
            Self::Damaged => "#d1495b",
            Self::Beyond => "none",
        }
    }
}
