//! Deliberate faults, so that tests can prove that a harness catches them.

/// A fault that a store is mounted with. Each breaks one promise of the engine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sabotage {
    /// The commit of a new value reaches the device before the blocks it points to.
    CommitBeforeData,
    /// Commits count whatever their checksum says.
    IgnoreChecksums,
    /// A compaction forgets that the dictionary goes on in another pair.
    LoseHardtail,
    /// The blocks of a value that is about to be replaced are taken for the new one.
    FreeEarly,
}
