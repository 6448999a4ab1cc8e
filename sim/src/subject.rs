//! Engines under test: the traits they implement, and what they promise.
//!
//! # Testing an engine of one's own
//!
//! Implement [`Subject`] and [`Mounted`] for it and sweep a workload. Here is a store that keeps everything in block 0 and
//! rewrites it in place. Cut between the erase and the program, it has neither the old values nor the new ones:
//!
//! ```
//! use cutpoint::explore::Sweep;
//! use cutpoint::op::{Operation, Value};
//! use cutpoint::refusal::Refusal;
//! use cutpoint::subject::{Contents, Device, Health, Mounted, Promises, Subject, SubjectError};
//! use cutpoint::workload::Workload;
//! use cutpoint_engine::Key;
//! use cutpoint_engine::device::{BlockDevice, BlockId, Geometry};
//! use std::collections::BTreeMap;
//!
//! const BLOCK: BlockId = BlockId::new(0);
//! struct InPlace;
//! struct Opened { device: Device, values: BTreeMap<Key, Vec<u8>> }
//!
//! impl Subject for InPlace {
//!     fn name(&self) -> &str { "in-place" }
//!     fn promises(&self) -> Promises { Promises::default() }
//!     fn format(&self, mut device: Device) -> Result<(), SubjectError> { Ok(device.erase(BLOCK)?) }
//!     fn mount(&self, mut device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
//!         let mut block = [0; 512];
//!         device.read(BLOCK, 0, &mut block)?;
//!         let (mut values, mut rest) = (BTreeMap::new(), &block[..]);
//!         while let [1..255, ..] = rest {
//!             let (key, value) = rest[2..].split_at(rest[0].into());
//!             values.insert(Key::new(key), value[..rest[1].into()].to_vec());
//!             rest = &value[rest[1].into()..];
//!         }
//!         Ok(Box::new(Opened { device, values }))
//!     }
//! }
//!
//! impl Mounted for Opened {
//!     fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError> {
//!         match operation {
//!             Operation::Set { value, .. } if value.len() > 99 => return Err(Refusal::NoSpace.into()),
//!             Operation::Set { key, value } => self.values.insert(key.clone(), value.bytes().into()),
//!             Operation::Remove { key } => self.values.remove(key),
//!             _ => return Err(SubjectError::Other("not made for this".into())),
//!         };
//!         let mut block = Vec::new();
//!         for (key, value) in &self.values {
//!             let lengths = [key.as_bytes().len() as u8, value.len() as u8];
//!             block.extend([&lengths, key.as_bytes(), value].concat());
//!         }
//!         self.device.erase(BLOCK)?;
//!         Ok(self.device.prog(BLOCK, 0, &block)?)
//!     }
//!     fn contents(&mut self) -> Result<Contents, SubjectError> {
//!         Ok(Contents::of_values(self.values.clone()))
//!     }
//!     fn check(&mut self) -> Result<Health, SubjectError> { Ok(Health::default()) }
//! }
//!
//! let workload = Workload::new("overwrite", Geometry::new(512, 4)?)
//!     .then(Operation::set("/v", Value::literal("one")))
//!     .then(Operation::set("/v", Value::literal("two")));
//! let report = Sweep::new(&InPlace, &workload).run();
//! let found = report.first_violation().expect("the store loses its value");
//! assert_eq!(found.to_string(), "crash state 4: lost key: /v is missing; expected 3 B");
//! assert_eq!(found.violation.promise.to_string(), "every set is atomic");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod contents;
mod key_value;
mod promises;

pub use contents::{Contents, Entry, EntryNode, Health};
pub use key_value::{KeyValueStore, KeyValueSubject, KeyValues};
pub use promises::{BadBlocks, Checks, Durability, Intermediate, Promises, Times};

use crate::medium::Medium;
use crate::op::Operation;
use crate::phase::PhaseMark;
use crate::refusal::Refusal;
use cutpoint_engine::Timestamp;
use cutpoint_engine::device::{BlockDevice, DeviceError};
use thiserror::Error;

/// The device that a subject is given. The harness keeps a handle on what is behind it.
pub type Device = Box<dyn BlockDevice + Send>;

/// An engine under test. See the [module](self) for an example.
///
/// Its methods are called from several threads at once, each with a device of its own. What a subject does must hang
/// on the device and the calls alone: no clock, no randomness that is not seeded.
pub trait Subject: Sync {
    /// A short name, for reports and command lines.
    fn name(&self) -> &str;

    /// Its name with its version, for people; the [`name`](Self::name) alone where nothing else is said.
    fn full_name(&self) -> String {
        self.name().to_owned()
    }

    /// What it promises: it is judged against this.
    fn promises(&self) -> Promises;

    /// The kind of medium that it is made for: what is simulated under it.
    fn medium(&self) -> Medium {
        Medium::default()
    }

    /// Makes an empty store on the device.
    ///
    /// # Errors
    ///
    /// A [`SubjectError`] where it could not.
    fn format(&self, device: Device) -> Result<(), SubjectError>;

    /// Opens the store on the device.
    ///
    /// # Errors
    ///
    /// A [`SubjectError`] where there is none, or none that can be opened.
    fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError>;
}

/// An open store of a [`Subject`]. Dropping it unmounts it.
pub trait Mounted {
    /// Says what time it is, before each operation. Only stores that promise [`Times::Kept`] need it: what they set
    /// must bear this time, not a clock's.
    fn set_time(&mut self, _now: Timestamp) {}

    /// Has the store show on `mark` from now on what phase its writes are of. For figures of what has been cut only: a
    /// store without phases shows none.
    fn show_phases(&mut self, _mark: PhaseMark) {}

    /// Does what the operation says. [`Operation::Remount`] never comes here: the harness unmounts and mounts instead.
    ///
    /// # Errors
    ///
    /// [`SubjectError::Refused`] where the store says no and stays as it was; others where it failed.
    fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError>;

    /// Reads all that the store holds.
    ///
    /// # Errors
    ///
    /// A [`SubjectError`] where part of it cannot be read.
    fn contents(&mut self) -> Result<Contents, SubjectError>;

    /// Checks the store's own structure, as thoroughly as the engine can.
    ///
    /// # Errors
    ///
    /// A [`SubjectError`] where the check could not be done. What it found is no error but part of [`Health`].
    fn check(&mut self) -> Result<Health, SubjectError>;
}

/// Why a call on a subject did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SubjectError {
    /// The store said no and stayed as it was.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The store found something on the medium that must not be there.
    #[error("corrupt: {0}")]
    Corrupt(String),
    /// The device failed or refused a call.
    #[error("device error: {0}")]
    Device(DeviceError),
    /// There is no store on the device, or none of a kind that the engine knows.
    #[error("cannot be mounted: {0}")]
    Unmountable(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl From<DeviceError> for SubjectError {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

impl From<Refusal> for SubjectError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
