//! The public store: keys, dictionaries, promises.

mod attributes;
mod change;
mod met;
mod read;
mod rename;
mod types;

pub use types::{Attribute, FormatOptions, Info, Item, Kind, MountOptions, Node, Stat, Usage};

use crate::clock::{Clock, NoClock};
use crate::device::{BlockDevice, BlockId};
use crate::disk::entry::{Attributes, Body, Entry};
use crate::disk::names;
use crate::disk::pointer::PairAddress;
use crate::disk::tag::EntryId;
use crate::error::{Corruption, CorruptionKind, Error, MountError};
use crate::key::Key;
use crate::phase::Phase;
#[cfg(feature = "phases")]
use crate::phase::Phases;
use crate::store::volume::Volume;
use alloc::vec::Vec;

/// A mounted key-value store.
///
/// # Promises
///
/// - Every mutating call is atomic: after a power cut the store shows the state before the call or after it.
/// - Every mutating call that has returned is durable.
/// - Mounting writes nothing. What a power cut left is repaired before the first write after it.
/// - An error that the store finds itself leaves it as it was. After a device error the medium holds the state
///   before the call or after it, and the store takes no more changes until it is mounted again.
/// - No bytes on the medium make a call panic or run for ever.
///
/// ```
/// use cutpoint_engine::device::{Geometry, MemoryDevice};
/// use cutpoint_engine::{FormatOptions, Key, Kind, MountOptions, Store};
///
/// let mut device = MemoryDevice::new(Geometry::new(512, 64)?);
/// Store::format(&mut device, &FormatOptions::default())?;
///
/// let mut store = Store::mount(&mut device, &MountOptions::default())?;
/// store.set(&Key::new("/links/home"), b"https://mirage.io")?;
/// assert_eq!(store.get(&Key::new("/links/home"))?, b"https://mirage.io");
/// assert_eq!(store.exists(&Key::new("/links"))?, Some(Kind::Dictionary));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Store<D, C = NoClock> {
    volume: Volume<D>,
    clock: C,
    /// The value that was read last: reading on in it does not look it up again.
    last_read: Option<(Key, Entry)>,
    /// A device error has left the state of the medium unknown.
    undecided: bool,
}

impl<D: BlockDevice> Store<D> {
    /// Makes an empty store on the device. A store that is there is lost; a power cut leaves the old one or the new
    /// one, or, where there was none, none or the new one.
    ///
    /// # Errors
    ///
    /// [`Error::Device`].
    pub fn format(device: D, options: &FormatOptions) -> Result<(), Error> {
        Ok(Volume::format(device, options.version)?)
    }

    /// Mounts the store on the device, without a clock. Reads all metadata once; writes nothing.
    ///
    /// A `&mut` reference to a device is a device too, for those who want to keep it.
    ///
    /// # Errors
    ///
    /// [`MountError`]: no store there, one of another version or size, damage, or a device error.
    pub fn mount(device: D, options: &MountOptions) -> Result<Self, MountError> {
        Ok(Self {
            volume: Volume::mount(device, options.settings)?,
            clock: NoClock,
            last_read: None,
            undecided: false,
        })
    }
}

impl<D: BlockDevice, C: Clock> Store<D, C> {
    /// The same store, taking the time at which values are set from `clock`.
    ///
    /// ```
    /// use cutpoint_engine::device::{Geometry, MemoryDevice};
    /// use cutpoint_engine::{FormatOptions, Key, MountOptions, Store, Timestamp};
    ///
    /// let mut device = MemoryDevice::new(Geometry::new(512, 64)?);
    /// Store::format(&mut device, &FormatOptions::default())?;
    /// let noon = Timestamp::from_unix(1_646_395_200, 0);
    /// let mut store = Store::mount(device, &MountOptions::default())?.with_clock(move || noon);
    /// store.set(&Key::new("/lunch"), b"soup")?;
    /// assert_eq!(store.last_modified(&Key::new("/lunch"))?, noon);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_clock<N: Clock>(self, clock: N) -> Store<D, N> {
        Store {
            volume: self.volume,
            clock,
            last_read: self.last_read,
            undecided: self.undecided,
        }
    }

    /// From now on tells `listener` which phase of its work the store turns to, and when it has none: each write is of
    /// the phase told last. It then reads a little more, to tell which pair of a dictionary it is at.
    ///
    /// ```
    /// use cutpoint_engine::device::{Geometry, MemoryDevice};
    /// use cutpoint_engine::{FormatOptions, Key, MountOptions, Phase, Store};
    /// use std::cell::RefCell;
    /// use std::rc::Rc;
    ///
    /// let mut device = MemoryDevice::new(Geometry::new(512, 64)?);
    /// Store::format(&mut device, &FormatOptions::default())?;
    /// let told = Rc::new(RefCell::new(Vec::new()));
    /// let heard = Rc::clone(&told);
    /// let mut store = Store::mount(&mut device, &MountOptions::default())?;
    /// store.tell_phases(move |phase| heard.borrow_mut().extend(phase));
    /// store.set(&Key::new("/large"), &[7; 600])?;
    /// assert_eq!(*told.borrow(), [Phase::Repair, Phase::Values, Phase::Commit]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "phases")]
    pub fn tell_phases(&mut self, listener: impl FnMut(Option<Phase>) + 'static) {
        self.volume.phases = Phases::told_to(listener);
    }

    /// Ends the use of the store and hands the device back. Nothing is written: every call that has returned is
    /// durable already.
    pub fn unmount(self) -> D {
        self.volume.medium.into_device()
    }

    /// What the superblock says of the store.
    pub fn info(&self) -> Info {
        let limits = self.volume.limits;
        Info {
            version: self.volume.version,
            geometry: self.volume.geometry(),
            name_max: limits.name,
            value_max: limits.value,
            attribute_max: limits.attribute,
        }
    }

    /// Runs a call that changes the store: repairs first what a power cut left, and remembers device errors.
    fn mutate(&mut self, call: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        if self.undecided {
            return Err(Error::ReadOnly);
        }
        self.last_read = None;
        self.volume.allocator.begin();
        let result = self
            .volume
            .during(Phase::Repair, Volume::repair)
            .map_err(Error::from)
            .and_then(|()| call(self));
        if let Err(Error::Device(_)) = result {
            self.undecided = true;
            // What is readable stays readable: a commit that has reached the medium after all may have changed what
            // readers must honour. Where that cannot be read either, what was known is the best guess.
            let _ = self.volume.reload();
        }
        result
    }

    /// Checks names that are to be written; they are the last segments of `key`.
    fn check_names(&self, key: &Key, names: &[&[u8]]) -> Result<(), Error> {
        let limit = self.volume.limits.name;
        for name in names {
            if name.len() > limit as usize {
                return Err(Error::NameTooLong {
                    key: key.clone(),
                    limit,
                });
            }
            if !names::is_allowed(name) {
                return Err(Error::NameNotAllowed(key.clone()));
            }
            let dictionary = Entry::new(name, Body::Dictionary(PairAddress::FIRST));
            self.check_fits(key, &dictionary)?;
        }
        Ok(())
    }

    fn check_fits(&self, key: &Key, entry: &Entry) -> Result<(), Error> {
        if self.volume.fits(entry) {
            Ok(())
        } else {
            Err(Error::EntryTooLarge(key.clone()))
        }
    }
}

fn kind_of(entry: &Entry) -> Kind {
    match entry.body {
        Body::Dictionary(_) => Kind::Dictionary,
        Body::Superblock(_) | Body::Inline(_) | Body::Ctz(_) => Kind::Value,
    }
}

fn public(attributes: &Attributes) -> Vec<Attribute> {
    attributes
        .iter()
        .map(|(kind, data)| Attribute {
            kind,
            data: data.to_vec(),
        })
        .collect()
}

/// The error for a place that holds no entry of a user's although one was expected there.
fn not_an_entry(block: BlockId, id: EntryId) -> Error {
    let id = id.number();
    Corruption::at(block, CorruptionKind::IncompleteEntry { id }).into()
}
