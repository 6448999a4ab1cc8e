//! A key-value store on a block device, on the littlefs v2 on-disk format: `no_std`, no `unsafe`, every call atomic
//! and durable.
//!
//! [`Store`] is the way in; its documentation says what it promises. Storage is anything that implements
//! [`device::BlockDevice`].
//!
//! From the ground up: [`device`] is the only way to storage; `disk` encodes and decodes what stands on it, without
//! touching it; `store` keeps metadata pairs, the list and the tree they form, free space and values, and finishes
//! what a power cut left; [`Store`] makes keys and dictionaries of that, and [`check`] looks for damage. [`inspect`]
//! shows the encoding itself to those who take images apart.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod check;
mod clock;
pub mod device;
mod disk;
pub mod error;
pub mod inspect;
mod key;
mod kv;
#[cfg(feature = "log")]
pub mod log;
#[cfg_attr(
    not(feature = "phases"),
    allow(
        unreachable_pub,
        reason = "without the feature, phases are named and not told"
    )
)]
mod phase;
mod probe;
#[cfg(feature = "sabotage")]
mod sabotage;
mod store;

#[cfg(feature = "std")]
pub use clock::SystemClock;
pub use clock::{Clock, NoClock, Timestamp};
pub use disk::superblock::DiskVersion;
pub use error::{Error, MountError};
pub use key::Key;
pub use kv::{Attribute, FormatOptions, Info, Item, Kind, MountOptions, Node, Stat, Store, Usage};
#[cfg(feature = "phases")]
pub use phase::{Phase, Place};
pub use probe::probe_block_size;
#[cfg(feature = "sabotage")]
pub use sabotage::Sabotage;
