//! The place of an image that is about to be made.

use super::CliError;
use super::open::regular_file;
use clap::ValueEnum;
use cutpoint_engine::device::{FileDeviceError, GeometryError};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Where a new image goes, and what stands there so far. The image is made in a file beside it and put in place when
/// all is done: a command that fails leaves what was there.
#[derive(Debug)]
pub(super) struct Target {
    /// The image's place, behind symbolic links where there are any.
    path: PathBuf,
    /// Whether an image there is replaced.
    force: bool,
    /// Holds the lock of the image that is there, so that it is not taken away from a process that has it open.
    _lock: Option<File>,
}

impl Target {
    /// The place `path`, where nothing must stand unless `force` has it replaced.
    pub(super) fn at(path: &Path, force: bool) -> Result<Self, CliError> {
        if !fs::exists(path).map_err(|error| CliError::at(path, error))? {
            return Ok(Self {
                path: path.to_owned(),
                force,
                _lock: None,
            });
        }
        regular_file(path)?;
        if !force {
            return Err(CliError::at(path, "exists already; --force replaces it"));
        }
        let real = path
            .canonicalize()
            .map_err(|error| CliError::at(path, error))?;
        let file = File::open(&real).map_err(|error| CliError::at(path, error))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => CliError::at(path, FileDeviceError::Locked),
            TryLockError::Error(error) => CliError::at(path, error),
        })?;
        Ok(Self {
            path: real,
            force,
            _lock: Some(file),
        })
    }

    /// The folder that the image is made in.
    pub(super) fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    /// Whether the image's place is in `folder` or below it.
    pub(super) fn is_inside(&self, folder: &Path) -> bool {
        match (self.folder().canonicalize(), folder.canonicalize()) {
            (Ok(mine), Ok(folder)) => mine.starts_with(folder),
            // Where one of them does not exist, what is done next says so.
            _ => false,
        }
    }

    /// Puts the finished image in its place.
    pub(super) fn place<F>(&self, image: NamedTempFile<F>) -> Result<(), CliError> {
        let placed = if self.force {
            image.persist(&self.path)
        } else {
            image.persist_noclobber(&self.path)
        };
        let failed = |error| CliError::at(&self.path, error);
        placed.map(drop).map_err(|error| failed(error.error))
    }
}

/// The folder that holds `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The argument that a geometry fails on.
pub(super) fn culprit(error: &GeometryError) -> &'static str {
    match error {
        GeometryError::BlockCount(_) => "--block-count",
        GeometryError::ProgSize { .. } => "--prog-size",
        _ => "--block-size",
    }
}

/// A version of the on-disk format, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DiskVersion {
    #[value(name = "2.0")]
    V2_0,
    #[value(name = "2.1")]
    V2_1,
}

impl From<DiskVersion> for cutpoint_engine::DiskVersion {
    fn from(version: DiskVersion) -> Self {
        match version {
            DiskVersion::V2_0 => Self::V2_0,
            DiskVersion::V2_1 => Self::V2_1,
        }
    }
}
