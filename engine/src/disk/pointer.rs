//! Pointers to metadata pairs (SPEC.md, "Metadata pairs", "Dir struct" and "Tail").

use crate::device::BlockId;
use core::fmt;

/// The two blocks of a metadata pair, in no particular order.
#[derive(Clone, Copy, Debug)]
pub struct PairAddress([BlockId; 2]);

impl PairAddress {
    /// The pair that every store starts from.
    pub const FIRST: Self = Self([BlockId::new(0), BlockId::new(1)]);

    /// Encoded size, in bytes.
    pub(crate) const SIZE: usize = 8;

    pub(crate) const fn new(a: BlockId, b: BlockId) -> Self {
        Self([a, b])
    }

    /// The two blocks, as they stand in the pointer.
    pub fn blocks(self) -> [BlockId; 2] {
        self.0
    }

    /// Whether the two share a block: a pair that moved keeps one block of its old self.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.0.iter().any(|block| other.0.contains(block))
    }

    /// The pointer in the first 8 bytes of `bytes`; none for the null pointer, or where there are fewer bytes.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let a = u32_at(bytes, 0)?;
        let b = u32_at(bytes, 4)?;
        (a != u32::MAX && b != u32::MAX).then_some(Self([BlockId::new(a), BlockId::new(b)]))
    }

    pub(crate) fn encode(self) -> [u8; Self::SIZE] {
        encode_words([self.0[0].index(), self.0[1].index()])
    }
}

/// Equal where they name the same two blocks.
impl PartialEq for PairAddress {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || (self.0[0] == other.0[1] && self.0[1] == other.0[0])
    }
}

impl Eq for PairAddress {}

impl fmt::Display for PairAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}, {}}}", self.0[0], self.0[1])
    }
}

/// The null pointer, as it is written for the end of the list.
pub(crate) const NULL_POINTER: [u8; PairAddress::SIZE] = [0xff; PairAddress::SIZE];

/// The little-endian word at `offset`, where there are enough bytes.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let word = bytes.get(offset..offset.checked_add(4)?)?;
    Some(u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
}

/// Two words, little-endian.
pub(crate) fn encode_words([a, b]: [u32; 2]) -> [u8; 8] {
    let (a, b) = (a.to_le_bytes(), b.to_le_bytes());
    [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_have_no_order() {
        let pair = |a, b| PairAddress::new(BlockId::new(a), BlockId::new(b));
        assert_eq!(pair(3, 4), pair(4, 3));
        assert_ne!(pair(3, 4), pair(3, 5));
        assert!(pair(3, 4).overlaps(pair(5, 3)));
        assert!(!pair(3, 4).overlaps(pair(5, 6)));
        assert_eq!(PairAddress::decode(&pair(3, 4).encode()), Some(pair(3, 4)));
        assert_eq!(PairAddress::decode(&NULL_POINTER), None);
        assert_eq!(PairAddress::decode(&[0; 7]), None);
    }
}
