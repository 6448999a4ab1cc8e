//! What is mounted: the medium with what its superblock and global state say.

use super::allocator::Allocator;
use super::fault::Fault;
use super::index::Index;
use super::list::PairList;
use super::medium::Medium;
use super::pair::Pair;
use crate::device::{BlockDevice, Geometry};
use crate::disk::contents::{Contents, Tail};
use crate::disk::entry::{Body, Entry};
use crate::disk::gstate::{Delta, GlobalState};
use crate::disk::pointer::PairAddress;
use crate::disk::scan::Trust;
use crate::disk::superblock::{ATTR_MAX, DiskVersion, FILE_MAX, MAGIC, NAME_MAX, Superblock};
use crate::disk::tag::EntryId;
use crate::error::{Corruption, CorruptionKind, MountError};
#[cfg(feature = "phases")]
use crate::phase::Phases;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use core::num::NonZeroU32;

/// A mounted store, without keys.
#[derive(Debug)]
pub(crate) struct Volume<D> {
    pub(crate) medium: Medium<D>,
    pub(crate) version: DiskVersion,
    pub(crate) limits: Limits,
    /// The first pair of the root dictionary.
    pub(crate) root: PairAddress,
    /// The global state as it stands on the medium.
    pub(crate) global: GlobalState,
    /// The list may hold pairs without a parent, though the global state does not say so.
    pub(crate) unfinished: bool,
    /// The list leads to a place that a dictionary has left, and there was no room to say where it is now: until the
    /// repair has, no commit takes *orphans* out of the global state.
    pub(crate) lagging: bool,
    pub(crate) allocator: Allocator,
    pub(crate) index: Index,
    /// Where the newest entry was put: names that are set in ascending order go right behind it, one after the other.
    /// May be out of date; it only says where entries stand best.
    pub(crate) newest: Option<(PairAddress, EntryId)>,
    /// A commit is under way that says where a pair has moved to.
    pub(crate) publishing: bool,
    pub(crate) settings: Settings,
    #[cfg(feature = "phases")]
    pub(crate) phases: Phases,
}

/// The limits that the superblock states, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) name: u32,
    pub(crate) value: u32,
    pub(crate) attribute: u32,
}

/// What a walk along the list of pairs says of the store as a whole.
struct Survey {
    superblock: Superblock,
    root: PairAddress,
    global: GlobalState,
    /// The list holds a dictionary's first pair that no entry leads to.
    parentless: bool,
    /// The sum of all revision counts.
    revisions: u32,
}

/// What a volume is mounted with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Blocks that a search for free space looks at in one go.
    pub(crate) lookahead: u32,
    /// Bytes that the index of names may take.
    pub(crate) index: usize,
    /// Compactions of a pair after which it moves; none where the device levels wear.
    pub(crate) block_cycles: Option<NonZeroU32>,
    #[cfg(feature = "sabotage")]
    pub(crate) sabotage: Option<Sabotage>,
}

impl<D: BlockDevice> Volume<D> {
    /// Writes an empty store. Where the device holds one already, a power cut leaves the old one or the new one.
    pub(crate) fn format(device: D, version: DiskVersion) -> Result<(), Fault> {
        let mut medium = Medium::new(device);
        let geometry = medium.geometry();
        let (major, minor) = version.numbers();
        let superblock = Entry::superblock(Superblock {
            major,
            minor,
            block_size: geometry.block_size(),
            block_count: geometry.block_count(),
            name_max: NAME_MAX,
            file_max: FILE_MAX,
            attr_max: ATTR_MAX,
        });
        let contents = Contents {
            entries: vec![superblock],
            ..Contents::default()
        };
        // Both halves, the older one first: what counts until the first is complete is what counted before.
        let mut first = Pair::fetch_or_blank(&mut medium, PairAddress::FIRST)?;
        for _ in 0..2 {
            first.compact(&mut medium, version, contents.clone())?;
            medium.sync()?;
        }
        Ok(())
    }

    /// Reads the superblock and the global state. Writes nothing.
    pub(crate) fn mount(device: D, settings: Settings) -> Result<Self, MountError> {
        let mut medium = Medium::new(device);
        let survey = Survey::make(&mut medium, settings.trust())?;
        let version = check(&survey.superblock, medium.geometry())?;
        let geometry = medium.geometry();
        Ok(Self {
            medium,
            version,
            limits: Limits::of(&survey.superblock),
            root: survey.root,
            global: survey.global,
            unfinished: survey.parentless,
            lagging: false,
            // Starting elsewhere after each mount spreads wear; the revision counts are the only thing on the
            // medium that changes with use.
            allocator: Allocator::new(geometry, survey.revisions, settings.lookahead),
            index: Index::new(settings.index),
            newest: None,
            publishing: false,
            settings,
            #[cfg(feature = "phases")]
            phases: Phases::default(),
        })
    }

    pub(crate) fn geometry(&self) -> Geometry {
        self.medium.geometry()
    }

    pub(crate) fn fetch(&mut self, address: PairAddress) -> Result<Pair, Fault> {
        let trust = self.settings.trust();
        Pair::fetch(&mut self.medium, address, trust)
    }

    /// All pairs of the store.
    pub(crate) fn all_pairs(&self) -> PairList {
        PairList::all(self.geometry())
    }

    /// The pairs of the dictionary that starts at `head`.
    pub(crate) fn dictionary_pairs(&self, head: PairAddress) -> PairList {
        PairList::dictionary(head, self.geometry())
    }

    /// The next pair of a walk.
    pub(crate) fn next_pair(&mut self, list: &mut PairList) -> Result<Option<Pair>, Fault> {
        let trust = self.settings.trust();
        list.next(&mut self.medium, trust)
    }

    /// Reads again what the medium says of the store as a whole, after a device error has left it unknown.
    pub(crate) fn reload(&mut self) -> Result<(), MountError> {
        let survey = Survey::make(&mut self.medium, self.settings.trust())?;
        self.root = survey.root;
        self.global = survey.global;
        self.unfinished = survey.parentless;
        self.lagging = false;
        self.index.clear();
        Ok(())
    }
}

impl Settings {
    /// Whether commits count whose checksum is wrong.
    #[cfg(feature = "sabotage")]
    fn trust(&self) -> Trust {
        match self.sabotage {
            Some(Sabotage::IgnoreChecksums) => Trust::Blind,
            _ => Trust::Checked,
        }
    }

    /// Whether commits count whose checksum is wrong: never.
    #[cfg(not(feature = "sabotage"))]
    #[allow(
        clippy::unused_self,
        reason = "a build with deliberate faults asks the settings"
    )]
    fn trust(&self) -> Trust {
        Trust::Checked
    }
}

impl Survey {
    /// Walks the list of pairs; from the first superblock on, within the blocks that it states.
    fn make<D: BlockDevice>(medium: &mut Medium<D>, trust: Trust) -> Result<Self, MountError> {
        let first =
            Pair::fetch(medium, PairAddress::FIRST, trust).map_err(|fault| match fault {
                Fault::Corrupt(Corruption {
                    kind: CorruptionKind::NoValidCommit,
                    ..
                }) => MountError::NotFormatted,
                other => other.into(),
            })?;
        let superblock = superblock_of(&first).ok_or(MountError::NotFormatted)?;
        check(&superblock, medium.geometry())?;
        let geometry = medium
            .geometry()
            .with_block_count(superblock.block_count)
            .map_err(|_| MountError::Limit {
                limit: "block_count",
                value: superblock.block_count,
            })?;
        medium.restrict(geometry);

        let mut survey = Self {
            superblock,
            root: first.address(),
            global: GlobalState::default(),
            parentless: false,
            revisions: 0,
        };
        let mut delta = Delta::default();
        let mut linked = BTreeSet::new();
        let mut heads = Vec::new();
        let mut list = PairList::all(geometry);
        let mut of_superblocks = true;
        while let Some(pair) = list.next(medium, trust)? {
            // After an expansion the first pairs of the list, joined by hardtails, have a copy of the superblock each, and
            // the root starts at the last one.
            if let Some(superblock) = superblock_of(&pair) {
                if !of_superblocks {
                    let kind = if pair.address() == PairAddress::FIRST {
                        CorruptionKind::Cycle
                    } else {
                        CorruptionKind::MisplacedSuperblock
                    };
                    return Err(Corruption::at(pair.block(), kind).into());
                }
                check(&superblock, geometry)?;
                survey.superblock = superblock;
                survey.root = pair.address();
            }
            of_superblocks &=
                superblock_of(&pair).is_some() && matches!(pair.contents.tail, Tail::Hard(_));
            for entry in &pair.contents.entries {
                if let Body::Dictionary(address) = entry.body {
                    linked.extend(address.blocks());
                }
            }
            if let Tail::Soft(head) = pair.contents.tail {
                heads.push(head);
            }
            delta ^= pair.contents.delta;
            survey.revisions = survey.revisions.wrapping_add(pair.revision);
        }
        survey.parentless = heads
            .iter()
            .any(|head| !head.blocks().iter().all(|block| linked.contains(block)));
        survey.global = global_state(delta)?;
        Ok(survey)
    }
}

impl Limits {
    /// A limit of 0 stands for the format's own.
    fn of(superblock: &Superblock) -> Self {
        let limit = |stated, default| if stated == 0 { default } else { stated };
        Self {
            name: limit(superblock.name_max, NAME_MAX),
            value: limit(superblock.file_max, FILE_MAX),
            attribute: limit(superblock.attr_max, ATTR_MAX),
        }
    }
}

/// The superblock entry, which comes first in a pair that has one.
fn superblock_of(pair: &Pair) -> Option<Superblock> {
    let entry = pair.contents.entries.first()?;
    match &entry.body {
        Body::Superblock(superblock) if entry.name == MAGIC => Some(*superblock),
        _ => None,
    }
}

/// Checks the superblock against the device and the format's limits.
fn check(superblock: &Superblock, device: Geometry) -> Result<DiskVersion, MountError> {
    let Superblock { major, minor, .. } = *superblock;
    let version =
        DiskVersion::from_numbers(major, minor).ok_or(MountError::Version { major, minor })?;
    if superblock.block_size != device.block_size() {
        return Err(MountError::BlockSize {
            stated: superblock.block_size,
            device: device.block_size(),
        });
    }
    if superblock.block_count > device.block_count() {
        return Err(MountError::BlockCount {
            stated: superblock.block_count,
            device: device.block_count(),
        });
    }
    for (limit, value, max) in [
        ("name_max", superblock.name_max, NAME_MAX),
        ("file_max", superblock.file_max, FILE_MAX),
        ("attr_max", superblock.attr_max, ATTR_MAX),
    ] {
        if value > max {
            return Err(MountError::Limit { limit, value });
        }
    }
    Ok(version)
}

fn global_state(sum: Delta) -> Result<GlobalState, Fault> {
    let [block, _] = PairAddress::FIRST.blocks();
    sum.state()
        .ok_or_else(|| Corruption::at(block, CorruptionKind::BadMove).into())
}
