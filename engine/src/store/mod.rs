//! The store below the level of keys: pairs, the list and the tree they form, space, values, writes, repair.
//!
//! From the ground up: [`medium`] and [`fault`]; [`pair`]; [`list`]; [`volume`], which is what is mounted; then what
//! it can do: [`tree`] finds entries, [`file`] reads and writes values, [`space`] finds free blocks, [`write`]
//! changes what the pairs hold, [`repair`] finishes what a power cut left.

pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod list;
pub(crate) mod medium;
pub(crate) mod pair;
pub(crate) mod repair;
pub(crate) mod space;
pub(crate) mod tree;
pub(crate) mod volume;
pub(crate) mod write;
