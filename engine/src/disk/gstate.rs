//! Global state: a few words spread over all pairs as deltas whose XOR is the state (SPEC.md, "Gstate" and "Move
//! state").

use super::pointer::{PairAddress, u32_at};
use super::tag::EntryId;
use core::ops::{BitXor, BitXorAssign};

/// The bit that says that the tail list may hold orphans.
const ORPHANS: u32 = 0x8000_0000;
/// The type and id of a pending move; the low ten bits are padding.
const MOVE: u32 = 0x7fff_fc00;
/// The type of a move: the source is to be deleted.
const MOVE_TYPE: u32 = 0x4ff0_0000;

/// What every reader and the first writer after a mount must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct GlobalState {
    /// The tail list may hold pairs without a parent, or a pair that has moved.
    pub orphans: bool,
    /// An entry that counts as deleted, and is to be deleted before anything else is written.
    pub pending_move: Option<PendingMove>,
}

/// The source of a move that has reached its destination, or of a removal that has been decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingMove {
    /// The pair that holds the entry.
    pub pair: PairAddress,
    /// The entry's place in the pair.
    pub id: EntryId,
}

/// A pair's share of the global state, or a change of the state: XORed, shares add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Delta([u32; 3]);

impl Delta {
    /// Encoded size, in bytes.
    pub const SIZE: usize = 12;

    /// Whether it changes nothing.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// The delta in the first 12 bytes of `bytes`; none where there are fewer.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self([
            u32_at(bytes, 0)? & (ORPHANS | MOVE),
            u32_at(bytes, 4)?,
            u32_at(bytes, 8)?,
        ]))
    }

    /// Its bytes on disk.
    pub fn encode(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        for (target, word) in bytes.chunks_exact_mut(4).zip(self.0) {
            target.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// The state that this delta is, taken as the sum of all; none where its move is of no known type.
    pub fn state(self) -> Option<GlobalState> {
        let [tag, a, b] = self.0;
        let pending_move = if tag & MOVE == 0 {
            None
        } else if tag & 0x7ff0_0000 == MOVE_TYPE {
            Some(PendingMove {
                pair: PairAddress::new(
                    crate::device::BlockId::new(a),
                    crate::device::BlockId::new(b),
                ),
                id: EntryId::new((tag >> 10 & 0x3ff) as usize)?,
            })
        } else {
            return None;
        };
        Some(GlobalState {
            orphans: tag & ORPHANS != 0,
            pending_move,
        })
    }
}

impl GlobalState {
    /// The delta that leads from the zero state to this one.
    pub(crate) fn delta(self) -> Delta {
        let orphans = if self.orphans { ORPHANS } else { 0 };
        match self.pending_move {
            None => Delta([orphans, 0, 0]),
            Some(PendingMove { pair, id }) => {
                let [a, b] = pair.blocks();
                let tag = orphans | MOVE_TYPE | u32::from(id.number()) << 10;
                Delta([tag, a.index(), b.index()])
            }
        }
    }
}

impl BitXor for Delta {
    type Output = Self;

    fn bitxor(mut self, other: Self) -> Self {
        self ^= other;
        self
    }
}

impl BitXorAssign for Delta {
    fn bitxor_assign(&mut self, other: Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word ^= other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::BlockId;

    #[test]
    fn states_and_deltas_are_inverse() {
        let pair = PairAddress::new(BlockId::new(63), BlockId::new(2));
        for orphans in [false, true] {
            for id in [None, Some(0), Some(1022)] {
                let pending_move = id.map(|id| PendingMove {
                    pair,
                    id: EntryId::new(id).unwrap(),
                });
                let state = GlobalState {
                    orphans,
                    pending_move,
                };
                let delta = state.delta();
                assert_eq!(delta.state(), Some(state));
                assert_eq!(Delta::decode(&delta.encode()), Some(delta));
                assert!((delta ^ delta).is_zero());
            }
        }
    }

    #[test]
    fn a_move_of_unknown_type_is_no_state() {
        assert_eq!(Delta([0x1230_0000, 1, 2]).state(), None);
    }
}
