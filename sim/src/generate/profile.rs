use proptest::prelude::*;

/// What a random workload is mostly about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    /// A little of everything.
    Mixed,
    /// Many entries in few dictionaries, set and removed in any order, so that pairs split and are dropped.
    Splits,
    /// Renames within and across dictionaries, over what is there, of dictionaries too.
    Renames,
    /// A device so small that it fills up, and values of several blocks.
    Crowded,
    /// Mounted again and again: what the store has in memory is gone.
    Remounts,
}

/// Any of them.
pub(super) fn any() -> impl Strategy<Value = Profile> {
    prop_oneof![
        2 => Just(Profile::Mixed),
        2 => Just(Profile::Splits),
        2 => Just(Profile::Renames),
        2 => Just(Profile::Crowded),
        1 => Just(Profile::Remounts),
    ]
}

impl Profile {
    pub(super) fn block_count(self) -> BoxedStrategy<u32> {
        match self {
            Self::Crowded => (12..32_u32).boxed(),
            // A quarter of the others fill up, too.
            _ => prop_oneof![3 => Just(96_u32), 1 => 12..32_u32].boxed(),
        }
    }

    /// How often each kind of operation comes, in the order in which they are declared.
    pub(super) fn weights(self) -> [u32; 11] {
        match self {
            Self::Mixed => [8, 4, 3, 2, 4, 2, 3, 4, 2, 1, 2],
            Self::Splits => [20, 1, 1, 1, 2, 1, 6, 3, 1, 1, 1],
            Self::Renames => [8, 1, 1, 1, 2, 1, 2, 14, 3, 1, 1],
            Self::Crowded => [12, 5, 4, 3, 1, 1, 5, 3, 1, 1, 1],
            Self::Remounts => [8, 2, 2, 1, 3, 1, 3, 4, 2, 1, 8],
        }
    }
}
