//! The C littlefs over the engine's [`BlockDevice`]s.
//!
//! A thin, safe layer: one method for each C call. An error of the device comes back as the device gave it, a panic of
//! the device goes on where the C call was made, and each program, erase and sync that C asks for reaches the device.
//!
//! ```
//! use cutpoint_engine::device::{Geometry, MemoryDevice};
//! use cutpoint_littlefs_c::{Access, Config, Littlefs};
//!
//! let geometry = Geometry::new(512, 64)?;
//! let config = Config::for_geometry(geometry);
//! let mut device = MemoryDevice::new(geometry);
//! Littlefs::format(&mut device, &config)?;
//! let mut store = Littlefs::mount(&mut device, &config)?;
//! store.create_dir(c"/links")?;
//! let mut file = store.open(c"/links/home", Access::Replace)?;
//! file.write(b"https://mirage.io")?;
//! file.close()?;
//! assert_eq!(store.stat(c"/links/home")?.kind, cutpoint_littlefs_c::Kind::File { size: 17 });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Trust
//!
//! C's memory safety is C's own: this crate hands it buffers of the sizes that it was told and nothing that dies before
//! it, and checks the configuration, which C would only assert. That no image leads C astray is C's promise.
//!
//! [`BlockDevice`]: cutpoint_engine::device::BlockDevice

mod config;
mod error;
mod file;
mod link;
mod parts;
mod store;

pub use config::{Config, ConfigError};
pub use error::Error;
pub use file::{Access, File};
pub use store::{Entry, Kind, Littlefs, MAX_ATTRIBUTE, Metadata, version};
