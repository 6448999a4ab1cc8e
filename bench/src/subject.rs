//! The sides: one interface over the engine and the C littlefs, thin enough to add nothing to what is measured.

pub(crate) mod engine;
#[cfg(feature = "littlefs-c")]
#[allow(unsafe_code, reason = "C is called through its raw bindings")]
pub(crate) mod littlefs;

use crate::ram::Ram;

/// Which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Side {
    /// The C littlefs.
    C,
    /// The engine.
    Engine,
}

/// A call that summarises a whole dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Summary {
    LastModified,
    Digest,
}

/// A store under measurement. An error of any call ends the run: there is nothing to measure then.
pub(crate) trait Subject: Sized {
    /// A key in the form that the calls take, made before the clock runs.
    type Key;

    fn key(path: &str) -> Self::Key;
    /// An empty store on the device.
    fn format(ram: Ram) -> Ram;
    fn mount(ram: Ram) -> Self;
    fn unmount(self) -> Ram;
    fn create_dictionary(&mut self, key: &Self::Key);
    /// Makes or replaces a value.
    fn set(&mut self, key: &Self::Key, value: &[u8]);
    /// Adds `part` behind the `size` bytes of a value.
    fn append(&mut self, key: &Self::Key, size: u32, part: &[u8]);
    /// Adds `value` to an empty value in parts of `part` bytes. A side that can keep the value open does, and makes it
    /// durable once, at the end.
    fn append_through(&mut self, key: &Self::Key, value: &[u8], part: usize);
    fn exists(&mut self, key: &Self::Key) -> bool;
    /// Fills `buffer` from `offset` on; says how many bytes the value had.
    fn read_at(&mut self, key: &Self::Key, offset: u32, buffer: &mut [u8]) -> usize;
    /// Fills `buffer` with a value in parts of `part` bytes. A side that can keep the value open does.
    fn read_through(&mut self, key: &Self::Key, buffer: &mut [u8], part: usize) -> usize;
    /// Lists a dictionary; says how many entries it has.
    fn list(&mut self, key: &Self::Key) -> usize;
    fn remove(&mut self, key: &Self::Key);
    /// Summarises a dictionary. False where the side has no such call.
    fn summarise(&mut self, key: &Self::Key, summary: Summary) -> bool;
}
