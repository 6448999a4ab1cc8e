//! The workloads that come with the harness, each in three block sizes.
//!
//! A name is a group and a block size: `split-ascending-512`.

mod attributes;
mod full;
mod nested;
mod partial;
mod removal;
mod rename;
mod sizes;
mod split;
mod wear;

use super::Workload;
use crate::op::Operation;
use cutpoint_engine::device::{Geometry, GeometryError};
use std::fmt;
use thiserror::Error;

/// The block sizes that each group comes in, in bytes.
pub const BLOCK_SIZES: [u32; 3] = [128, 512, 4096];

/// What a group of built-in workloads is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// A dictionary is filled until it has split several times, with names in ascending order.
    SplitAscending,
    /// The same in descending order.
    SplitDescending,
    /// The same in a shuffled order.
    SplitShuffled,
    /// Dictionaries in dictionaries, made on the way, emptied and removed.
    Nested,
    /// Dictionaries removed with all they hold, split ones and moved ones among them.
    Removal,
    /// Values that grow and shrink over the boundaries of the format.
    Sizes,
    /// Values made of zeros, changed in part, cut and lengthened over the boundaries of the format.
    Partial,
    /// Attributes of values, dictionaries and the root, up to sizes at which pairs split.
    Attributes,
    /// Renames within and across dictionaries, over existing keys, of dictionaries.
    Rename,
    /// A small device is filled until it has no room, freed and filled again.
    Full,
    /// Pairs move for the sake of wear, split ones among them, and the root leaves the first pair.
    Wear,
}

impl Group {
    /// All groups.
    pub const ALL: [Self; 11] = [
        Self::SplitAscending,
        Self::SplitDescending,
        Self::SplitShuffled,
        Self::Nested,
        Self::Removal,
        Self::Sizes,
        Self::Partial,
        Self::Attributes,
        Self::Rename,
        Self::Full,
        Self::Wear,
    ];

    /// What it is about, in one line.
    pub fn description(self) -> &'static str {
        match self {
            Self::SplitAscending => "fill a dictionary until it splits, names ascending",
            Self::SplitDescending => "fill a dictionary until it splits, names descending",
            Self::SplitShuffled => "fill a dictionary until it splits, names shuffled",
            Self::Nested => "dictionaries in dictionaries, made on the way, emptied and removed",
            Self::Removal => "dictionaries removed with all they hold, split ones and moved ones",
            Self::Sizes => "values growing and shrinking over the boundaries of the format",
            Self::Partial => "values changed in part, cut and lengthened over the same boundaries",
            Self::Attributes => "attributes of values, dictionaries and the root, small and large",
            Self::Rename => {
                "renames within and across dictionaries, over existing keys, of dictionaries"
            }
            Self::Full => "fill a small device, free it, fill it again",
            Self::Wear => "pairs that move for the sake of wear, and the root out of the first one",
        }
    }

    /// The workload of this group with blocks of `block_size` bytes.
    ///
    /// # Errors
    ///
    /// [`GeometryError`] where no device has such blocks.
    pub fn workload(self, block_size: u32) -> Result<Workload, GeometryError> {
        let (block_count, operations) = match self {
            Self::SplitAscending => (roomy(block_size), split::ascending(block_size)),
            Self::SplitDescending => (roomy(block_size), split::descending(block_size)),
            Self::SplitShuffled => (roomy(block_size), split::shuffled(block_size)),
            Self::Nested => (roomy(block_size), nested::operations(block_size)),
            Self::Removal => (roomy(block_size), removal::operations(block_size)),
            Self::Sizes => (roomy(block_size), sizes::operations(block_size)),
            Self::Partial => (roomy(block_size), partial::operations(block_size)),
            Self::Attributes => (roomy(block_size), attributes::operations(block_size)),
            Self::Rename => (roomy(block_size), rename::operations(block_size)),
            Self::Full => (full::block_count(block_size), full::operations(block_size)),
            Self::Wear => (roomy(block_size), wear::operations(block_size)),
        };
        let prog_size = match self {
            Self::Wear => wear::prog_size(block_size),
            _ => prog_size(block_size),
        };
        let geometry = Geometry::new(block_size, block_count)?.with_prog_size(prog_size)?;
        let workload = Workload::new(format!("{self}-{block_size}"), geometry).then_all(operations);
        Ok(match self {
            Self::Wear => workload.with_block_cycles(wear::BLOCK_CYCLES),
            _ => workload,
        })
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SplitAscending => "split-ascending",
            Self::SplitDescending => "split-descending",
            Self::SplitShuffled => "split-shuffled",
            Self::Nested => "nested",
            Self::Removal => "removal",
            Self::Sizes => "sizes",
            Self::Partial => "partial",
            Self::Attributes => "attributes",
            Self::Rename => "rename",
            Self::Full => "full",
            Self::Wear => "wear",
        })
    }
}

/// A name that no built-in workload has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no built-in workload '{0}'; the groups are split, {groups}", groups = group_names())]
pub struct UnknownBuiltin(String);

fn group_names() -> String {
    Group::ALL.map(|group| group.to_string()).join(", ")
}

/// All built-in workloads, by group and block size.
pub fn builtins() -> Vec<Workload> {
    Group::ALL
        .iter()
        .flat_map(|group| BLOCK_SIZES.iter().map(|&size| (*group, size)))
        .filter_map(|(group, size)| group.workload(size).ok())
        .collect()
}

/// The built-in workload with this name.
///
/// # Errors
///
/// [`UnknownBuiltin`] where there is none.
pub fn builtin(name: &str) -> Result<Workload, UnknownBuiltin> {
    builtins()
        .into_iter()
        .find(|workload| workload.name() == name)
        .ok_or_else(|| UnknownBuiltin(name.to_owned()))
}

/// The built-in workloads that `name` stands for: one by its full name, those of a group, those of several groups
/// whose names begin with it and a dash (`split`), or those of every group (`all`).
///
/// # Errors
///
/// [`UnknownBuiltin`] where there are none.
pub fn select(name: &str) -> Result<Vec<Workload>, UnknownBuiltin> {
    let mut selected = builtins();
    selected.retain(|workload| {
        let rest = workload.name().strip_prefix(name);
        name == "all" || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    if selected.is_empty() {
        Err(UnknownBuiltin(name.to_owned()))
    } else {
        Ok(selected)
    }
}

/// Blocks of a device on which no workload but [`Group::Full`] comes near the end.
fn roomy(block_size: u32) -> u32 {
    match block_size {
        ..=256 => 256,
        257..=2048 => 128,
        _ => 64,
    }
}

/// Program sizes as devices with such blocks have them: small pages, and the 256 bytes of NOR flash.
fn prog_size(block_size: u32) -> u32 {
    match block_size {
        ..=256 => 1,
        257..=2048 => 16,
        _ => 256,
    }
}

/// A length of values that fit into their directory entries, so large that few entries fill a pair.
pub(super) fn inline_length(block_size: u32) -> u32 {
    block_size * 3 / 32
}

/// Sets `key` to a generated value of `length` bytes; the seed is its place among the operations, so that no two
/// values are alike.
fn push_set(operations: &mut Vec<Operation>, key: &str, length: u32) {
    let seed = operations.len() as u64;
    operations.push(Operation::set(
        key,
        crate::op::Value::generated(length, seed),
    ));
}

#[cfg(test)]
mod tests;
