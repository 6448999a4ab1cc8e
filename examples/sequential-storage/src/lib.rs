//! The map of [sequential-storage](https://docs.rs/sequential-storage), keys and values on raw NOR flash, as a subject.

use cutpoint::contract::{Contract, NOR_FLASH, Tearing};
use cutpoint::medium::Medium;
use cutpoint::nor_flash::{SimulatedFlashError, SimulatedNorFlash};
use cutpoint::refusal::Refusal;
use cutpoint::subject::{KeyValueStore, KeyValueSubject, KeyValues, Promises, SubjectError};
use cutpoint_engine::device::Geometry;
use embassy_embedded_hal::adapter::BlockingAsync;
use embassy_futures::block_on;
use sequential_storage::Error;
use sequential_storage::cache::{self, Cache};
use sequential_storage::map::{MapConfig, MapStorage};
use std::collections::BTreeSet;

/// Its name with the version.
pub const NAME: &str = "sequential-storage 8.0.2, map";

/// Bytes in a word of the flash.
pub const WORD: usize = 4;
/// Bytes in a sector of the flash.
pub const SECTOR: usize = 1024;
const SECTORS: u32 = 4;
/// The longest value that is promised: an item must fit into a sector, with its key and its header.
const LONGEST: usize = 512;

type Flash = BlockingAsync<SimulatedNorFlash<WORD, SECTOR>>;
type Map =
    MapStorage<Vec<u8>, Flash, Cache<cache::Uncached, cache::Uncached, cache::Uncached, Vec<u8>>>;

/// How keys are removed.
#[derive(Clone, Copy, Debug)]
pub enum Removal {
    /// `remove_item`, which writes words a second time: for flash that takes that.
    MarkItems,
    /// A last item without a value, as its documentation proposes for other flash.
    StoreNone,
}

/// How what is there is listed.
#[derive(Clone, Copy, Debug)]
pub enum Listing {
    /// `fetch_all_items`.
    Direct,
    /// `fetch_item` before it, for a key that is not there: that repairs what a power cut left, where the other says that
    /// it is corrupted.
    AfterRepair,
}

/// [`NOR_FLASH`], but that an erase is whole or not there at all.
pub static WHOLE_ERASES: Contract = Contract {
    name: "nor-flash-whole-erases",
    about: "as nor-flash, and no erase is interrupted",
    erase: Tearing::Whole,
    ..NOR_FLASH
};

/// The map as a subject.
pub fn subject(removal: Removal, listing: Listing) -> KeyValueSubject {
    let (name, medium) = match removal {
        Removal::MarkItems => ("sequential-storage", Medium::MultiwriteFlash),
        Removal::StoreNone => ("sequential-storage-none", Medium::Flash),
    };
    KeyValueSubject::on_nor_flash(name, move |flash| Ok(Store::new(flash, removal, listing)))
        .with_full_name(NAME)
        .on_medium(medium)
        .promising(Promises {
            value_bytes: LONGEST as u64,
            ..Promises::default()
        })
}

/// The flash that it runs on.
///
/// # Panics
///
/// Never: the sizes fit.
pub fn flash() -> Geometry {
    let flash = Geometry::new(SECTOR as u32, SECTORS).expect("a good size");
    flash
        .with_prog_size(WORD as u32)
        .expect("it divides the sector")
}

struct Store {
    map: Map,
    removal: Removal,
    listing: Listing,
    buffer: Vec<u8>,
}

impl Store {
    fn new(flash: SimulatedNorFlash<WORD, SECTOR>, removal: Removal, listing: Listing) -> Self {
        let config = MapConfig::new(0..SECTORS * SECTOR as u32);
        Self {
            map: MapStorage::new(BlockingAsync::new(flash), config, Cache::new_uncached()),
            removal,
            listing,
            buffer: vec![0; SECTOR],
        }
    }
}

impl KeyValueStore for Store {
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), SubjectError> {
        let (key, value) = (key.to_vec(), Some(value));
        let stored = self.map.store_item(&mut self.buffer, &key, &value);
        block_on(stored).map_err(failed)
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), SubjectError> {
        let key = key.to_vec();
        match self.removal {
            Removal::MarkItems => block_on(self.map.remove_item(&mut self.buffer, &key)),
            Removal::StoreNone => {
                let none: Option<&[u8]> = None;
                block_on(self.map.store_item(&mut self.buffer, &key, &none))
            }
        }
        .map_err(failed)
    }

    /// The newest value of each key that any item is about, asked for one by one as an application would.
    fn entries(&mut self) -> Result<KeyValues, SubjectError> {
        if matches!(self.listing, Listing::AfterRepair) {
            let absent = b"absent".to_vec();
            let item = self
                .map
                .fetch_item::<Option<&[u8]>>(&mut self.buffer, &absent);
            block_on(item).map_err(failed)?;
        }
        let mut keys = BTreeSet::new();
        let items = self.map.fetch_all_items(&mut self.buffer);
        let mut items = block_on(items).map_err(failed)?;
        let mut buffer = vec![0; SECTOR];
        loop {
            let next = block_on(items.next::<Option<&[u8]>>(&mut buffer)).map_err(failed)?;
            let Some((key, _)) = next else { break };
            keys.insert(key);
        }
        let mut entries = Vec::new();
        for key in keys {
            let value = self.map.fetch_item::<Option<&[u8]>>(&mut self.buffer, &key);
            if let Some(Some(value)) = block_on(value).map_err(failed)? {
                entries.push((key, value.to_vec()));
            }
        }
        Ok(entries)
    }
}

fn failed(error: Error<SimulatedFlashError>) -> SubjectError {
    match error {
        Error::Storage { value, .. } => value.into(),
        Error::FullStorage => Refusal::NoSpace.into(),
        Error::ItemTooBig => Refusal::Unsupported.into(),
        Error::Corrupted { .. } => SubjectError::Corrupt("the map says so".into()),
        error => SubjectError::Other(format!("{error:?}")),
    }
}
