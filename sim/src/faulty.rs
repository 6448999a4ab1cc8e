//! Devices that fail: a call refused, a program spoilt without a word, blocks that wear out.

mod disk;
mod fault;

pub use disk::FaultyDisk;
pub use fault::{Fault, FaultClass, Lasting, Trouble};
