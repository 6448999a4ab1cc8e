//! What the store is at when it writes, for those who want to know what a power cut has hit.

use crate::device::BlockDevice;
#[cfg(feature = "phases")]
use crate::disk::contents::Tail;
use crate::store::fault::Fault;
use crate::store::pair::Pair;
use crate::store::volume::Volume;
#[cfg(feature = "phases")]
use alloc::boxed::Box;
use core::fmt;

/// What a write of the store is part of.
///
/// Work that brings about other work gives it its name: a commit that tells of a pair's new place is part of the
/// relocation. Where several names fit, the innermost one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    not(feature = "phases"),
    allow(
        dead_code,
        reason = "without the feature, phases are named and not told"
    )
)]
#[non_exhaustive]
pub enum Phase {
    /// A commit goes behind the last one of its pair.
    Commit,
    /// A pair is written anew, as its log has no room.
    Compaction,
    /// A pair at this place is written as two or more.
    Split(Place),
    /// A new pair takes an entry behind all others of its dictionary.
    Continuation,
    /// Dictionaries are made.
    Branch,
    /// A pair that has become empty leaves its dictionary.
    HardtailDrop,
    /// A pair at this place moves to another block.
    Relocation(Place),
    /// A pair is split, and what stays of it moves to another block.
    SplitRelocation,
    /// The root moves out of the first pair, which keeps the superblock.
    Expansion,
    /// The blocks of a value are written.
    Values,
    /// What a power cut has left is finished: a move, a redirection, pairs without a parent taken off the list.
    Repair,
    /// A dictionary is removed with all it holds.
    Removal,
}

/// Where a pair stands in its dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    not(feature = "phases"),
    allow(
        dead_code,
        reason = "without the feature, phases are named and not told"
    )
)]
pub enum Place {
    /// It is the first of the root.
    Root,
    /// It is the first of another dictionary, perhaps its only one.
    First,
    /// Others stand before it and behind it.
    Middle,
    /// Others stand before it alone.
    Last,
}

impl Phase {
    /// Its name, as reports print it.
    #[cfg_attr(
        not(feature = "phases"),
        allow(
            dead_code,
            reason = "without the feature, phases are named and not told"
        )
    )]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Compaction => "compaction",
            Self::Split(Place::Root) => "split of the root",
            Self::Split(Place::First) => "split of a first pair",
            Self::Split(Place::Middle) => "split of a middle pair",
            Self::Split(Place::Last) => "split of a last pair",
            Self::Continuation => "continuation",
            Self::Branch => "new dictionaries",
            Self::HardtailDrop => "hardtail drop",
            Self::Relocation(Place::Root) => "relocation of the root",
            Self::Relocation(Place::First) => "relocation of a first pair",
            Self::Relocation(Place::Middle) => "relocation of a middle pair",
            Self::Relocation(Place::Last) => "relocation of a last pair",
            Self::SplitRelocation => "relocation of a split pair",
            Self::Expansion => "superblock expansion",
            Self::Values => "value blocks",
            Self::Repair => "repair",
            Self::Removal => "removal",
        }
    }

    /// Whether it is but the way in which work is written that has a name of its own.
    #[cfg(feature = "phases")]
    const fn is_plain(self) -> bool {
        matches!(self, Self::Commit | Self::Compaction)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The phase of what is written, and who is told of it.
#[cfg(feature = "phases")]
#[derive(Default)]
pub(crate) struct Phases {
    now: Option<Phase>,
    listener: Option<Box<dyn FnMut(Option<Phase>)>>,
}

#[cfg(feature = "phases")]
impl Phases {
    pub(crate) fn told_to(listener: impl FnMut(Option<Phase>) + 'static) -> Self {
        Self {
            now: None,
            listener: Some(Box::new(listener)),
        }
    }

    fn turn_to(&mut self, phase: Option<Phase>) {
        if self.now != phase {
            self.now = phase;
            if let Some(listener) = &mut self.listener {
                listener(phase);
            }
        }
    }
}

#[cfg(feature = "phases")]
impl fmt::Debug for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Phases").field(&self.now).finish()
    }
}

impl<D: BlockDevice> Volume<D> {
    /// Does `work` in a phase, within the one that it is called in.
    #[cfg(feature = "phases")]
    pub(crate) fn during<R>(&mut self, phase: Phase, work: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.phases.now;
        if outer.is_none() || !phase.is_plain() {
            self.phases.turn_to(Some(phase));
        }
        let result = work(self);
        self.phases.turn_to(outer);
        result
    }

    /// Does `work`: nobody is told of phases.
    #[cfg(not(feature = "phases"))]
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "it stands for nothing but the call in it"
    )]
    pub(crate) fn during<R>(&mut self, _phase: Phase, work: impl FnOnce(&mut Self) -> R) -> R {
        work(self)
    }

    /// Where the pair stands in its dictionary. Reads the list for that, but only where somebody is told of phases; where
    /// nobody is, it may say anything.
    #[cfg(feature = "phases")]
    pub(crate) fn place_of(&mut self, pair: &Pair) -> Result<Place, Fault> {
        let address = pair.address();
        if self.phases.listener.is_none() || address == self.root {
            return Ok(Place::Root);
        }
        let before = self.predecessor(address)?;
        let is_first = before.is_none_or(|before| !matches!(before.contents.tail, Tail::Hard(_)));
        Ok(match pair.contents.tail {
            _ if is_first => Place::First,
            Tail::Hard(_) => Place::Middle,
            Tail::Soft(_) | Tail::End => Place::Last,
        })
    }

    /// Some place: nobody is told of phases.
    #[cfg(not(feature = "phases"))]
    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "a build with phases reads the list here"
    )]
    pub(crate) fn place_of(&mut self, _pair: &Pair) -> Result<Place, Fault> {
        Ok(Place::Root)
    }
}
