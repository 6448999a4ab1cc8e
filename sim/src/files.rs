//! Files on a simulated disk, for stores that are made for files.
//!
//! [`Files`] is a small file system on a [`Device`]: what a store writes to a [`File`] reaches the harness as writes of
//! sectors, and a power cut leaves of them what the contract allows.
//!
//! # The model
//!
//! What files guarantee in a power cut differs from one file system to the next. This is what is simulated, close to a
//! file system with a journal for what is not data:
//!
//! - **Bytes** are written in place, in whole units of the device's program size (the sector): the rest of a unit is read
//!   and written again with the same bytes, and can be torn with them. A write that crosses a block of the device is one
//!   device call for each block. Whether blocks keep their order, and what is left of a torn write, the contract says.
//! - **Names, lengths and places** are in a table that is written whole and behind the bytes that it is about: after a cut
//!   it is there as some call left it, no older than the last completed sync. Under contracts that reorder, a length can be
//!   there without its bytes, which then read as zeros, and bytes without their length, which then do not show.
//! - **Blocks are used once**: what was removed or cut off does not come back in another file. A device must be large
//!   enough for all that is ever written to new places; past it, calls fail with [`FileError::Full`].
//! - **A sync** of any file makes everything durable, the table too. That is more than POSIX promises, which asks for the
//!   directory to be synced for a new name; it is what ext4 and its like do.
//!
//! ```
//! use cutpoint::disk::RecordingDisk;
//! use cutpoint::files::Files;
//! use cutpoint::medium::Medium;
//! use cutpoint_engine::device::Geometry;
//!
//! let disk = RecordingDisk::new(Geometry::new(512, 64)?, 0).with_medium(Medium::Disk);
//! let files = Files::mount(Box::new(disk))?;
//! let log = files.open("log")?;
//! log.write(0, b"one")?;
//! log.write(1000, b"two")?;
//! log.sync()?;
//! let mut buffer = [0; 4];
//! log.read(999, &mut buffer)?;
//! assert_eq!((&buffer, log.len()?), (b"\0two", 1003));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod table;
mod volume;

use crate::refusal::Refusal;
use crate::subject::{Device, SubjectError};
use cutpoint_engine::device::DeviceError;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thiserror::Error;
use volume::Volume;

/// A small file system on a device; a handle, cheap to clone. See the [module](self) for what it models.
#[derive(Clone)]
pub struct Files(Arc<Mutex<Volume>>);

impl Files {
    /// The files on a device; none where it is blank.
    ///
    /// # Errors
    ///
    /// [`FileError::TooSmall`] where the device has no blocks beside those of the table, else [`FileError::Device`].
    pub fn mount(device: Device) -> Result<Self, FileError> {
        Ok(Self(Arc::new(Mutex::new(Volume::mount(device)?))))
    }

    /// The file of this name; an empty one is made where there is none. It need not be closed.
    ///
    /// # Errors
    ///
    /// [`FileError::Device`] or [`FileError::Full`] where it could not be made.
    pub fn open(&self, name: &str) -> Result<File, FileError> {
        self.lock().create(name)?;
        Ok(File {
            files: self.clone(),
            name: name.into(),
        })
    }

    /// Whether there is a file of this name.
    pub fn exists(&self, name: &str) -> bool {
        self.lock().length(name).is_some()
    }

    /// Removes a file; nothing happens where there is none.
    ///
    /// # Errors
    ///
    /// [`FileError::Device`].
    pub fn remove(&self, name: &str) -> Result<(), FileError> {
        self.lock().remove(name)
    }

    /// Gives a file another name, in the place of a file that has it: in one step, before or after which a cut falls.
    ///
    /// # Errors
    ///
    /// [`FileError::NotFound`] where there is none to rename, else [`FileError::Device`].
    pub fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        self.lock().rename(from, to)
    }

    /// Makes everything durable that was done to any file.
    ///
    /// # Errors
    ///
    /// [`FileError::Device`].
    pub fn sync(&self) -> Result<(), FileError> {
        self.lock().sync()
    }

    fn lock(&self) -> MutexGuard<'_, Volume> {
        // A store stopped by its budget unwinds through the lock, and its device is not used again.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Files").finish_non_exhaustive()
    }
}

/// A file of [`Files`], addressed by bytes. All calls fail with [`FileError::NotFound`] once it is removed.
#[derive(Clone, Debug)]
pub struct File {
    files: Files,
    name: Box<str>,
}

impl File {
    /// How many bytes it has.
    ///
    /// # Errors
    ///
    /// [`FileError::NotFound`].
    pub fn len(&self) -> Result<u64, FileError> {
        let length = self.files.lock().length(&self.name);
        length.ok_or_else(|| FileError::NotFound(self.name.clone()))
    }

    /// Whether it has no bytes.
    ///
    /// # Errors
    ///
    /// As [`len`](Self::len).
    pub fn is_empty(&self) -> Result<bool, FileError> {
        Ok(self.len()? == 0)
    }

    /// Fills `buffer` from byte `offset` on.
    ///
    /// # Errors
    ///
    /// [`FileError::PastEnd`] where the file is shorter, else [`FileError::Device`].
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FileError> {
        self.files.lock().read(&self.name, offset, buffer)
    }

    /// Writes `data` at byte `offset`. A file that is shorter grows, with zeros in between.
    ///
    /// # Errors
    ///
    /// [`FileError::Full`], else [`FileError::Device`]: part of it may be written then.
    pub fn write(&self, offset: u64, data: &[u8]) -> Result<(), FileError> {
        self.files.lock().write(&self.name, offset, data)
    }

    /// Cuts the file to `length` bytes, or lengthens it by zeros.
    ///
    /// # Errors
    ///
    /// [`FileError::Full`], else [`FileError::Device`].
    pub fn set_len(&self, length: u64) -> Result<(), FileError> {
        self.files.lock().set_length(&self.name, length)
    }

    /// Makes durable what was done to it, and to all other files.
    ///
    /// # Errors
    ///
    /// [`FileError::Device`].
    pub fn sync(&self) -> Result<(), FileError> {
        self.files.sync()
    }
}

/// Why a call on files failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FileError {
    /// There is no such file.
    #[error("there is no file {0}")]
    NotFound(Box<str>),
    /// The bytes lie behind the end of the file.
    #[error("{length} bytes at {offset} lie behind the end of {file}")]
    PastEnd {
        /// The file.
        file: Box<str>,
        /// From which byte on.
        offset: u64,
        /// How many.
        length: usize,
    },
    /// All blocks have been used, or the table has outgrown its block.
    #[error("the simulated disk is full: each block is used once, give the workload more")]
    Full,
    /// The device has too few blocks.
    #[error("the device has too few blocks: three are for the table")]
    TooSmall,
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

impl From<FileError> for SubjectError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Device(error) => Self::Device(error),
            FileError::Full => Self::Refused(Refusal::NoSpace),
            error => Self::Other(error.to_string()),
        }
    }
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        let kind = match error {
            FileError::NotFound(_) => io::ErrorKind::NotFound,
            FileError::PastEnd { .. } => io::ErrorKind::UnexpectedEof,
            FileError::Full => io::ErrorKind::StorageFull,
            FileError::TooSmall | FileError::Device(_) => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests;
