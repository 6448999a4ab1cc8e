use super::Open;
use crate::crash::tear::Tear;
use crate::crash::write::Write;
use crate::crash::{CrashState, Fate, Flaw};
use crate::trace::Event;
use cutpoint_engine::device::BlockId;
use num_bigint::BigUint;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The writes between two completed syncs, and what may have become of them.
///
/// They fall into chains that have nothing to do with each other: what reached the medium of one chain says nothing about
/// the others. Which chains there are is the contract's [`Order`](crate::contract::Order).
#[derive(Debug)]
pub struct Epoch {
    /// The writes before it, all of them durable.
    pub(super) before: u32,
    pub(super) erase_value: u8,
    pub(super) block_size: u32,
    pub(super) writes: Vec<EpochWrite>,
    pub(super) chains: Vec<Chain>,
    /// By block, the chains that write to it, the newest first.
    pub(super) by_block: BTreeMap<BlockId, Vec<usize>>,
    pub(super) windows: Windows,
    /// The state in which all is lost belongs to an epoch before this one.
    pub(super) follows: bool,
}

#[derive(Debug)]
pub(super) struct EpochWrite {
    pub(super) number: u32,
    pub(super) event: Event,
    /// The cut before it.
    pub(super) cut: usize,
}

/// Writes that reach the medium in this order.
#[derive(Debug)]
pub(super) struct Chain {
    /// Places in the epoch's list of writes.
    pub(super) writes: Vec<usize>,
    /// What may have become of them.
    pub(super) values: Vec<ChainValue>,
}

/// The first writes of a chain reached the medium, so many; of the next one a part did, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChainValue {
    pub(super) whole: usize,
    pub(super) tear: Option<Tear>,
}

/// Which cuts leave a state.
#[derive(Clone, Copy, Debug)]
pub(super) enum Windows {
    /// Those before the next write. `start`: the first that leaves the state in which all is lost; `end`: the last that
    /// leaves the one in which nothing is.
    UntilNext { start: usize, end: usize },
    /// All from its last write on to `end`, where the epoch ends.
    UntilSync { start: usize, end: usize },
}

impl Windows {
    /// The first and the last of the epoch's cuts.
    pub(super) fn ends(self) -> (usize, usize) {
        let (Self::UntilNext { start, end } | Self::UntilSync { start, end }) = self;
        (start, end)
    }
}

impl Epoch {
    /// How many crash states are counted in this epoch.
    pub fn states(&self) -> BigUint {
        let all: BigUint = self.chains.iter().map(|chain| chain.values.len()).product();
        all - u32::from(self.follows)
    }

    /// How many writes came before it; they are durable.
    pub fn before(&self) -> u32 {
        self.before
    }

    /// How many writes there are up to its end, those before it included.
    pub fn end(&self) -> u32 {
        self.before + self.len() as u32
    }

    /// How many writes there are.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    pub(super) fn write(&self, place: usize) -> Write<'_> {
        let EpochWrite { number, event, .. } = &self.writes[place];
        match Write::of(*number, event, self.block_size, self.erase_value) {
            Some(write) => write,
            None => unreachable!("only writes are in an epoch"),
        }
    }

    /// The window of the state where this epoch has it.
    pub(super) fn window_of(self: &Arc<Self>, state: &CrashState) -> Option<(usize, usize)> {
        let first = self.before;
        let inside = |&(write, _): &(u32, Flaw)| write >= first;
        let next = first + self.writes.len() as u32;
        if state.issued() < first || state.issued() > next || !state.flaws().iter().all(inside) {
            return None;
        }
        let mut open = Open::all(self);
        for (chain, left) in self.chains.iter().zip(&mut open.left) {
            left.retain(|&value| {
                let fates =
                    (0..chain.writes.len()).map(|place| chain.values[value as usize].fate(place));
                let numbers = chain.writes.iter().map(|&place| self.writes[place].number);
                fates
                    .zip(numbers)
                    .all(|(fate, number)| fate == state.fate(number))
            });
            if left.is_empty() {
                return None;
            }
        }
        Some(open.window())
    }
}

impl ChainValue {
    /// The fate of the chain's write at `place`.
    pub(super) fn fate(self, place: usize) -> Fate {
        match self.tear {
            _ if place < self.whole => Fate::Persisted,
            Some(tear) if place == self.whole => Fate::Torn(tear),
            _ => Fate::Lost,
        }
    }

    /// How many of the chain's writes left anything on the medium.
    pub(super) fn touched(self) -> usize {
        self.whole + usize::from(self.tear.is_some())
    }
}
