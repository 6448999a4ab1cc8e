//! From an image's path to a mounted store, or to the line that says why not.

use super::CliError;
use crate::anatomy::Anatomy;
use clap::Args;
use cutpoint_engine::device::FileDevice;
use cutpoint_engine::{Error, Key, MountError, MountOptions, Store, probe_block_size};
use std::ffi::OsString;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// An image that is looked at and stays as it is.
#[derive(Debug, Args)]
pub(super) struct Image {
    /// The image file
    #[arg(id = "image", value_name = "IMAGE")]
    path: PathBuf,
    /// Bytes in a block, where the superblock cannot tell
    #[arg(long, value_name = "BYTES")]
    block_size: Option<u32>,
}

/// An image that is changed.
#[derive(Debug, Args)]
pub(super) struct MutableImage {
    #[command(flatten)]
    image: Image,
    /// Bytes in a program unit of the device that the image is for
    #[arg(long, value_name = "BYTES", default_value_t = 1)]
    prog_size: u32,
}

impl Image {
    /// Mounts the image for reading; the file is opened read-only and other readers are let in.
    pub(super) fn mount(&self) -> Result<Mounted, CliError> {
        let block_size = self.block_size()?;
        let device = FileDevice::open_read_only(&self.path, block_size)
            .map_err(|error| self.error(error))?;
        self.mounted(device)
    }

    /// Takes the image apart, whether it mounts or not; the file is opened read-only and other readers are let in.
    pub(super) fn anatomy(&self) -> Result<Anatomy, CliError> {
        let block_size = self.block_size()?;
        let mut device = FileDevice::open_read_only(&self.path, block_size)
            .map_err(|error| self.error(error))?;
        Anatomy::of(&mut device).map_err(|error| self.error(error))
    }

    /// Where the image is.
    #[cfg(feature = "fuse")]
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The image's name for people, without the folders above it.
    pub(super) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    fn mounted(&self, device: FileDevice) -> Result<Mounted, CliError> {
        let store =
            Store::mount(device, &MountOptions::default()).map_err(|error| self.error(error))?;
        Ok(Mounted {
            path: self.path.clone(),
            store,
        })
    }

    /// `what` is wrong with this image.
    pub(super) fn error(&self, what: impl Display) -> CliError {
        CliError::at(&self.path, what)
    }

    /// The block size that was given, or else the superblock's.
    fn block_size(&self) -> Result<u32, CliError> {
        regular_file(&self.path)?;
        if let Some(given) = self.block_size {
            return Ok(given);
        }
        let mut file = File::open(&self.path).map_err(|error| self.error(error))?;
        let mut failure = None;
        let found = probe_block_size(|offset, buffer| {
            let read = file
                .seek(SeekFrom::Start(offset))
                .and_then(|_| file.read_exact(buffer));
            match read {
                Ok(()) => true,
                Err(error) => {
                    // The end of the file is an answer, not a failure.
                    if error.kind() != ErrorKind::UnexpectedEof {
                        failure = Some(error);
                    }
                    false
                }
            }
        });
        match failure {
            Some(error) => Err(self.error(error)),
            None => found.ok_or_else(|| self.error(MountError::NotFormatted)),
        }
    }
}

impl MutableImage {
    /// The image, for those that leave it as it is.
    #[cfg(feature = "fuse")]
    pub(super) fn unchanged(&self) -> &Image {
        &self.image
    }

    /// Mounts the image for writing; nobody else may have it open.
    pub(super) fn mount(&self) -> Result<Mounted, CliError> {
        let image = &self.image;
        let block_size = image.block_size()?;
        let device = FileDevice::open(&image.path, block_size)
            .map_err(|error| image.error(error))?
            .with_prog_size(self.prog_size)
            .map_err(|error| CliError::argument("--prog-size", error))?;
        image.mounted(device)
    }
}

/// Refuses what is there and is no file that could be an image: a directory, a pipe, a device.
pub(super) fn regular_file(path: &Path) -> Result<(), CliError> {
    let metadata = fs::metadata(path).map_err(|error| CliError::at(path, error))?;
    if metadata.is_dir() {
        return Err(CliError::at(path, "is a directory, not an image file"));
    }
    if !metadata.is_file() {
        return Err(CliError::at(path, "is not a regular file"));
    }
    Ok(())
}

/// A store, and where its image is.
#[derive(Debug)]
pub(super) struct Mounted {
    path: PathBuf,
    /// The store in the image.
    pub(super) store: Store<FileDevice>,
}

impl Mounted {
    /// Runs `call` on the store; its error names the image.
    pub(super) fn call<T>(
        &mut self,
        call: impl FnOnce(&mut Store<FileDevice>) -> Result<T, Error>,
    ) -> Result<T, CliError> {
        call(&mut self.store).map_err(|error| CliError::at(&self.path, error))
    }

    /// Fails where there is nothing under `key`, for commands whose engine call would take that as done.
    pub(super) fn require(&mut self, key: &Key) -> Result<(), CliError> {
        self.call(|store| match store.exists(key)? {
            Some(_) => Ok(()),
            None => Err(Error::NotFound(key.clone())),
        })
    }
}

/// A path argument as a key: bytes are bytes, whether they are UTF-8 or not.
pub(super) fn key(path: &OsString) -> Key {
    Key::new(path.as_encoded_bytes())
}
