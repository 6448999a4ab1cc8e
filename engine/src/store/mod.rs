//! The store below the level of keys: pairs, the list and the tree they form, space, values, writes, repair.
//!
//! From the ground up: [`medium`] and [`fault`]; [`pair`]; [`list`]; [`index`] and [`allocator`]; [`volume`], which is
//! what is mounted; then what it can do: [`space`] tells what is in use, [`file`] reads and writes values, [`tree`] and
//! [`links`] find entries, [`write`] makes commits, [`change`] and [`removal`] put, move and remove entries, [`repair`]
//! finishes what a power cut left.

pub(crate) mod allocator;
pub(crate) mod change;
pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod index;
pub(crate) mod links;
pub(crate) mod list;
pub(crate) mod medium;
pub(crate) mod pair;
pub(crate) mod removal;
pub(crate) mod repair;
pub(crate) mod space;
pub(crate) mod tree;
pub(crate) mod volume;
pub(crate) mod write;
