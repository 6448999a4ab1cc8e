use core::fmt;

/// The address of a block on a device: its index from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(u32);

impl BlockId {
    /// The block with this index. Whether it exists is the [`Geometry`](super::Geometry)'s to say.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The index, from 0.
    pub const fn index(self) -> u32 {
        self.0
    }
}

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
