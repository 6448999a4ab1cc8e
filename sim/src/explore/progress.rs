use std::sync::atomic::{AtomicU64, Ordering};

/// How far a sweep is, to be read from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    pub(super) parts: AtomicU64,
    pub(super) done: AtomicU64,
    pub(super) recoveries: AtomicU64,
}

impl Progress {
    /// How many parts the work has: crash states of the prefix model, epochs of others. 0 until the recording is done.
    /// Sweeps that share one add up.
    pub fn parts(&self) -> u64 {
        self.parts.load(Ordering::Relaxed)
    }

    /// How many of them are done.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// So many more parts are to be done.
    pub(crate) fn announce(&self, parts: u64) {
        self.parts.fetch_add(parts, Ordering::Relaxed);
    }

    /// So many more parts are done.
    pub(crate) fn parts_are_done(&self, parts: u64) {
        self.done.fetch_add(parts, Ordering::Relaxed);
    }

    /// How many recoveries have been run.
    pub fn recoveries(&self) -> u64 {
        self.recoveries.load(Ordering::Relaxed)
    }
}
