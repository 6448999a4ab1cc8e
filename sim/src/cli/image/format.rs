use super::CliError;
use super::target::{DiskVersion, Target, culprit};
use clap::Args;
use cutpoint_engine::device::{FileDevice, FileDeviceError, Geometry};
use cutpoint_engine::{FormatOptions, Store};
use std::fmt::Display;
use std::path::PathBuf;
use std::{fs, io};

/// Make an image with an empty store
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image format store.img --block-size 4096 --block-count 64
  cutpoint image format nor.img --block-size 4096 --block-count 256 --prog-size 256
  cutpoint image format old.img --block-size 512 --block-count 64 --disk-version 2.0

Exit codes: 0 done, 2 bad usage or input.")]
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

pub(super) fn run(arguments: &Arguments) -> Result<(), CliError> {
    let geometry = Geometry::new(arguments.block_size, arguments.block_count)
        .and_then(|geometry| geometry.with_prog_size(arguments.prog_size))
        .map_err(|error| CliError::argument(culprit(&error), error))?;
    let failed = |error: &dyn Display| CliError::at(&arguments.path, error);
    let target = Target::at(&arguments.path, arguments.force)?;

    let mut device = tempfile::Builder::new()
        .prefix(".cutpoint-format-")
        .make_in(target.folder(), |path| {
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
    target.place(device)
}
