use super::CliError;
use super::open::regular_file;
use clap::{Args, ValueEnum};
use cutpoint_engine::device::{FileDevice, FileDeviceError, Geometry, GeometryError};
use cutpoint_engine::{FormatOptions, Store};
use std::fmt::Display;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Make an image with an empty store
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The image file to make
    #[arg(value_name = "IMAGE")]
    path: PathBuf,
    /// Bytes in a block
    #[arg(long, value_name = "BYTES")]
    block_size: u32,
    /// Blocks in the image
    #[arg(long, value_name = "BLOCKS")]
    block_count: u32,
    /// Bytes in a program unit of the device that the image is for
    #[arg(long, value_name = "BYTES", default_value_t = 1)]
    prog_size: u32,
    /// Version of the on-disk format
    #[arg(long, value_enum, default_value_t = DiskVersion::V2_1)]
    disk_version: DiskVersion,
    /// Replace the image that is there
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DiskVersion {
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

/// Formats into a new file beside the image and puts it in place when all is done: a format that fails leaves what
/// was there.
pub(super) fn run(arguments: &Arguments) -> Result<(), CliError> {
    let geometry = Geometry::new(arguments.block_size, arguments.block_count)
        .and_then(|geometry| geometry.with_prog_size(arguments.prog_size))
        .map_err(|error| CliError::argument(culprit(&error), error))?;
    let failed = |error: &dyn Display| CliError::at(&arguments.path, error);
    let replaced = Replaced::at(&arguments.path, arguments.force)?;

    let mut device = tempfile::Builder::new()
        .prefix(".cutpoint-format-")
        .make_in(directory_of(&replaced.path), |path| {
            FileDevice::create(path, geometry).map_err(|error| {
                // Where the disk is full, a part of the file is there.
                let _ = fs::remove_file(path);
                match error {
                    FileDeviceError::Io(error) => error,
                    other => io::Error::other(other),
                }
            })
        })
        .map_err(|error| failed(&error))?;
    let options = FormatOptions::default().with_version(arguments.disk_version.into());
    Store::format(device.as_file_mut(), &options).map_err(|error| failed(&error))?;
    let placed = if arguments.force {
        device.persist(&replaced.path)
    } else {
        device.persist_noclobber(&replaced.path)
    };
    placed.map(drop).map_err(|error| failed(&error.error))
}

/// The argument that a geometry fails on.
fn culprit(error: &GeometryError) -> &'static str {
    match error {
        GeometryError::BlockCount(_) => "--block-count",
        GeometryError::ProgSize { .. } => "--prog-size",
        _ => "--block-size",
    }
}

/// What stands at the image's place before the format.
struct Replaced {
    /// The image's place, behind symbolic links where there are any.
    path: PathBuf,
    /// Holds the lock of the image that is there, so that it is not taken away from a process that has it open.
    _lock: Option<File>,
}

impl Replaced {
    fn at(path: &Path, force: bool) -> Result<Self, CliError> {
        if !fs::exists(path).map_err(|error| CliError::at(path, error))? {
            return Ok(Self {
                path: path.to_owned(),
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
            _lock: Some(file),
        })
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
