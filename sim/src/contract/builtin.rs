use super::{Contract, Order, Sets, Sync, Tearing, Unit};
use std::sync::LazyLock;

/// Tearing by class, in units of `unit`.
const fn units(unit: Unit, noise: bool, zeroed_tail: bool) -> Tearing {
    Tearing::Units {
        unit,
        sets: Sets::Classes,
        noise,
        zeroed_tail,
    }
}

/// Writes reach the medium whole and in the order they were issued.
pub const PREFIX: Contract = Contract {
    name: "prefix",
    about: "all writes before the cut, whole and in order",
    order: Order::Issued,
    told: true,
    program: Tearing::Whole,
    erase: Tearing::Whole,
    sync: Sync::Trusted,
    sources: &["a model, no device"],
};

/// As [`PREFIX`], and the last write reached the medium in part.
pub const TORN: Contract = Contract {
    name: "torn",
    about: "as prefix, and the last write in part, by program units",
    program: units(Unit::Program, true, true),
    erase: units(Unit::PartOfBlock(8), true, true),
    ..PREFIX
};

/// Of the writes since the last sync any may be missing, in the order of each block.
pub const REORDER: Contract = Contract {
    name: "reorder",
    about: "of the writes since the last sync any, each block's in order",
    order: Order::PerBlock,
    ..PREFIX
};

/// NOR flash behind a driver that waits for each operation.
pub const NOR_FLASH: Contract = Contract {
    name: "nor-flash",
    about: "NOR flash: programs and erases in order, an interrupted one leaves noise",
    order: Order::Issued,
    told: true,
    program: units(Unit::Program, true, false),
    erase: units(Unit::PartOfBlock(8), true, true),
    sync: Sync::Trusted,
    sources: &[
        "an interrupted erase may leave a zeroed tail behind an intact start: linux-mtd, July 2009 (Spansion S29GL)",
        "an interrupted program leaves bits that are neither old nor new: littlefs issue 245 (W25Q)",
    ],
};

/// Raw NAND flash: a page is written in one go.
pub const NAND_PAGE: Contract = Contract {
    name: "nand-page",
    about: "raw NAND: pages in order; the page that the cut met holds anything",
    order: Order::Issued,
    told: true,
    program: units(Unit::Bytes(2048), true, false),
    erase: units(Unit::Bytes(2048), true, false),
    sync: Sync::Trusted,
    sources: &[
        "interrupted programs and erases leave unstable bits: linux-mtd, October 2011 (UBI)",
    ],
};

/// eMMC with a write cache and write reliability set.
pub const EMMC: Contract = Contract {
    name: "emmc",
    about: "eMMC: sectors of 512 bytes old or new, in any order since the last flush",
    order: Order::Any,
    told: true,
    program: units(Unit::Bytes(512), false, false),
    erase: units(Unit::Bytes(512), false, false),
    sync: Sync::Trusted,
    sources: &[
        "JEDEC eMMC, Reliable Write: the old data stays until the new is programmed, by sectors of 512 bytes",
    ],
};

/// As [`EMMC`], behind a driver that keeps to itself that erases can be lost.
pub const EMMC_UNTOLD: Contract = Contract {
    name: "emmc-untold",
    about: "as emmc, and the store is not told that an erase can be lost",
    told: false,
    ..EMMC
};

/// An SD card: it has no flush that can be relied on.
pub const SD_NO_FLUSH: Contract = Contract {
    name: "sd-no-flush",
    about: "SD card: as emmc, and a sync guarantees nothing",
    sync: Sync::Ignored,
    sources: &[
        "cards lose writes that they reported as done up to 1.6 s before the power went: OLPC, tests of SD cards",
    ],
    ..EMMC
};

/// A drive on the `NVMe` interface with an atomic write unit of 4 KiB.
pub const NVME_AWU: Contract = Contract {
    name: "nvme-awu",
    about: "NVMe: units of 4096 bytes whole, in any order since the last flush",
    order: Order::Any,
    told: true,
    program: units(Unit::Bytes(4096), false, false),
    erase: units(Unit::Bytes(4096), false, false),
    sync: Sync::Trusted,
    sources: &["NVM Express base specification: AWUPF, atomic write unit power fail; Flush"],
};

/// Sectors of 512 bytes behind a write-back cache.
pub const SECTOR_512: Contract = Contract {
    name: "sector-512",
    about: "sectors of 512 bytes old or new; each block's writes in order",
    order: Order::PerBlock,
    told: true,
    program: units(Unit::Bytes(512), false, false),
    erase: units(Unit::Bytes(512), false, false),
    sync: Sync::Trusted,
    sources: &["what most databases assume of a disk: SQLite's IOCAP_ATOMIC512"],
};

/// A device that writes whole blocks in order: what is promised to those who ask for no more.
pub const ORDERED: Contract = Contract {
    name: "ordered",
    about: "a battery-backed or synchronous device: whole writes in order",
    sources: &["without a volatile cache a flush is no operation: Linux, writeback_cache_control"],
    ..PREFIX
};

/// Those that are crash models and no devices.
pub const MODELS: [&Contract; 3] = [&PREFIX, &TORN, &REORDER];

/// All of them, in the order in which they are listed.
pub const ALL: [&Contract; 11] = [
    &PREFIX,
    &TORN,
    &REORDER,
    &ORDERED,
    &NOR_FLASH,
    &NAND_PAGE,
    &SECTOR_512,
    &EMMC,
    &EMMC_UNTOLD,
    &NVME_AWU,
    &SD_NO_FLUSH,
];

/// Of all that tear writes: the same with every set of units. Each is made once.
static WITH_ALL_SETS: LazyLock<Vec<Contract>> = LazyLock::new(|| {
    let tearing = ALL.into_iter().filter(|contract| !contract.is_exhaustive());
    tearing
        .map(|contract| Contract {
            name: format!("{}-all-sets", contract.name).leak(),
            program: contract.program.with_all_sets(),
            erase: contract.erase.with_all_sets(),
            ..*contract
        })
        .collect()
});

/// The contract of this name, be it one of [`ALL`] or one of those [with all sets](Contract::with_all_sets).
pub fn by_name(name: &str) -> Option<&'static Contract> {
    let mut all = ALL.into_iter().chain(WITH_ALL_SETS.iter());
    all.find(|contract| contract.name == name)
}

impl Contract {
    /// The same, with every set of the units of a torn write, for writes of up to 16 units, and a name that ends in
    /// `-all-sets`. One that tears no writes stays what it is, and so does one that is not [built in](ALL).
    #[must_use]
    pub fn with_all_sets(&'static self) -> &'static Self {
        by_name(&format!("{}-all-sets", self.name)).unwrap_or(self)
    }
}

impl Tearing {
    fn with_all_sets(self) -> Self {
        match self {
            Self::Whole => Self::Whole,
            Self::Units {
                unit,
                noise,
                zeroed_tail,
                ..
            } => Self::Units {
                unit,
                sets: Sets::All { up_to: 16 },
                noise,
                zeroed_tail,
            },
        }
    }
}
