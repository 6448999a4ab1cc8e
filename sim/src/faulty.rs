//! Devices that fail: a call refused, a program spoilt without a word, blocks that wear out or run out.

mod disk;
mod fault;
mod id;

pub use disk::FaultyDisk;
pub use fault::{Fault, FaultClass, Lasting, Trouble};
pub use id::{NoSuchClass, ParseFaultError};
