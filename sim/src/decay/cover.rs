//! What a format can tell of the bytes of a sound image.

use super::{Damage, Unit};
use crate::anatomy::{Anatomy, CommitState, Half};
use crate::disk::RecordingDisk;
use crate::subject::Checks;
use cutpoint_engine::Key;
use cutpoint_engine::device::BlockId;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Bytes of the tag of a commit's checksum and of the checksum itself: what follows is padding.
const TAG_AND_CHECKSUM: u32 = 8;

/// What a format can tell of each byte of an image.
#[derive(Debug)]
pub(super) enum Cover {
    /// Nothing.
    Nothing,
    /// All there is.
    Everything,
    /// Commits behind checksums, and values without any.
    Commits {
        /// The bytes under a checksum, by block and commit.
        sealed: BTreeMap<BlockId, Vec<Range<u32>>>,
        /// The keys of the values that a block is of.
        values: BTreeMap<BlockId, BTreeSet<Key>>,
    },
}

/// What a store may show of a damaged image, beside what it shows of the sound one and errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Excuse {
    /// Anything.
    All,
    /// What the model held earlier.
    Older,
    /// What it shows where this block ends so early.
    AsIfCut(BlockId, u32),
    /// Other bytes in these values.
    Values(BTreeSet<Key>),
    /// Nothing: there is no content in these bytes.
    None,
}

impl Cover {
    /// That of the sound image on `disk`.
    pub(super) fn of(checks: Checks, mut disk: RecordingDisk) -> Self {
        match checks {
            Checks::Nothing => return Self::Nothing,
            Checks::Everything => return Self::Everything,
            Checks::LittlefsCommits => {}
        }
        let anatomy = match Anatomy::of(&mut disk) {
            Ok(anatomy) => anatomy,
            Err(error) => unreachable!("{error}, of a device that fails no read"),
        };
        let mut sealed = BTreeMap::new();
        for half in anatomy.pairs.iter().flat_map(|pair| &pair.halves) {
            sealed.insert(BlockId::new(half.block), sealed_in(half));
        }
        let mut values: BTreeMap<BlockId, BTreeSet<Key>> = BTreeMap::new();
        for node in &anatomy.tree {
            for &block in &node.blocks {
                let keys = values.entry(BlockId::new(block)).or_default();
                keys.insert(Key::new(&node.path_hex));
            }
        }
        Self::Commits { sealed, values }
    }

    /// What a store may show of the image with this damage.
    pub(super) fn excuse(&self, damage: Damage) -> Excuse {
        let block = damage.block();
        let (sealed, values) = match self {
            Self::Nothing if damage.is_told_by_the_device() => return Excuse::None,
            Self::Nothing => return Excuse::All,
            Self::Everything => return Excuse::Older,
            Self::Commits { sealed, values } => (sealed, values),
        };
        let bytes = match damage {
            Damage::Flip { bit, .. } => {
                let offset = (bit / 8) as u32;
                offset..offset + 1
            }
            Damage::Garbled(Unit { offset, length, .. })
            | Damage::UnreadableUnit(Unit { offset, length, .. }) => offset..offset + length,
            Damage::Unreadable(_) => 0..u32::MAX,
        };
        if let Some(commits) = sealed.get(&block) {
            let met = |commit: &&Range<u32>| commit.start < bytes.end && bytes.start < commit.end;
            return commits
                .iter()
                .find(met)
                .map_or(Excuse::None, |commit| Excuse::AsIfCut(block, commit.start));
        }
        match values.get(&block) {
            // What the device refuses to read is told.
            Some(_) if damage.is_told_by_the_device() => Excuse::None,
            Some(keys) => Excuse::Values(keys.clone()),
            None => Excuse::None,
        }
    }
}

/// The bytes under the checksums of a block's commits.
fn sealed_in(half: &Half) -> Vec<Range<u32>> {
    let valid = |commit: &&crate::anatomy::Commit| commit.state == CommitState::Valid;
    let commits = half.commits.iter().filter(valid);
    commits
        .filter_map(|commit| {
            let checksum = commit.tags.last()?;
            Some(commit.offset..checksum.offset + TAG_AND_CHECKSUM)
        })
        .collect()
}
