//! The list of all metadata pairs, threaded through them by their tails (SPEC.md, "Tail").

use super::fault::Fault;
use super::medium::Medium;
use super::pair::Pair;
use crate::device::{BlockDevice, BlockId, Geometry};
use crate::disk::pointer::PairAddress;
use crate::disk::scan::Trust;
use crate::error::{Corruption, CorruptionKind};

/// How far along the list a walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    All,
    Dictionary,
}

/// A walk along the list. It ends even where the list leads back into itself.
#[derive(Debug)]
pub(crate) struct PairList {
    next: Option<PairAddress>,
    scope: Scope,
    /// How many more pairs can come before one must have come twice.
    left: u32,
    /// A block of the pair last visited.
    last: BlockId,
}

impl PairList {
    /// All pairs of the store.
    pub(crate) fn all(geometry: Geometry) -> Self {
        Self::starting(PairAddress::FIRST, Scope::All, geometry)
    }

    /// The pairs of the dictionary that starts at `head`.
    pub(crate) fn dictionary(head: PairAddress, geometry: Geometry) -> Self {
        Self::starting(head, Scope::Dictionary, geometry)
    }

    fn starting(head: PairAddress, scope: Scope, geometry: Geometry) -> Self {
        Self {
            next: Some(head),
            scope,
            left: geometry.block_count() / 2,
            last: head.blocks()[0],
        }
    }

    /// The next pair; none at the end.
    ///
    /// # Errors
    ///
    /// As [`Pair::fetch`], and corruption where the list is a cycle.
    pub(crate) fn next<D: BlockDevice>(
        &mut self,
        medium: &mut Medium<D>,
        trust: Trust,
    ) -> Result<Option<Pair>, Fault> {
        let Some(address) = self.next else {
            return Ok(None);
        };
        let Some(left) = self.left.checked_sub(1) else {
            return Err(Corruption::at(self.last, CorruptionKind::Cycle).into());
        };
        self.left = left;
        let pair = Pair::fetch(medium, address, trust).map_err(|fault| self.place(fault))?;
        self.last = pair.block();
        self.next = match self.scope {
            Scope::All => pair.contents.tail.next(),
            Scope::Dictionary => pair.contents.tail.next_in_dictionary(),
        };
        Ok(Some(pair))
    }

    /// A pointer that leads nowhere is damage of the pair that holds it.
    fn place(&self, fault: Fault) -> Fault {
        match fault {
            Fault::Corrupt(Corruption {
                kind: kind @ CorruptionKind::PointerOutOfRange { .. },
                ..
            }) => Corruption::at(self.last, kind).into(),
            other => other,
        }
    }
}
