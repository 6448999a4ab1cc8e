//! A folder becomes an image.

mod fit;
mod packing;

use super::CliError;
use super::target::{DiskVersion, Target, culprit};
use clap::Args;
use cutpoint_engine::FormatOptions;
use cutpoint_engine::device::{BlockDevice, Geometry};
use packing::Packing;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

/// Make an image of a folder and all it holds
///
/// Files become values, folders dictionaries, names stay the bytes that they are. The time at which each was last
/// changed is kept; owners and permissions are not. A symbolic link, a pipe, a socket or a device is refused before
/// anything is written. The same folder makes the same image, byte for byte.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image pack site.img site                    as small as can be
  cutpoint image pack site.img site --block-count 256  with room for changes
  cutpoint image pack site.img site --block-size 512 --prog-size 16 --force

Exit codes: 0 done, 2 bad usage or input.")]
pub(in crate::cli) struct Arguments {
    /// The image file to make
    #[arg(value_name = "IMAGE")]
    path: PathBuf,
    /// The folder to pack
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Bytes in a block: the size that the device erases at a time
    #[arg(long, value_name = "BYTES", default_value_t = 4096)]
    block_size: u32,
    /// Blocks in the image; without it, as few as the folder fits in, which leaves no room for changes
    #[arg(long, value_name = "BLOCKS")]
    block_count: Option<u32>,
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

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<(), CliError> {
    let geometry = Geometry::new(arguments.block_size, arguments.block_count.unwrap_or(2))
        .and_then(|geometry| geometry.with_prog_size(arguments.prog_size))
        .map_err(|error| CliError::argument(culprit(&error), error))?;
    let target = Target::at(&arguments.path, arguments.force)?;
    if target.is_inside(&arguments.folder) {
        let what = "lies in the folder that is packed; make it elsewhere";
        return Err(CliError::at(&arguments.path, what));
    }
    let options = FormatOptions::default().with_version(arguments.disk_version.into());
    let packing = Packing::of(&arguments.folder, options)?;
    let packed = match arguments.block_count {
        Some(count) => packing.onto(geometry)?.ok_or_else(|| {
            let what = format!(
                "does not fit {count} blocks of {} bytes; without --block-count the image gets as many as it needs",
                arguments.block_size
            );
            CliError::at(&arguments.folder, what)
        })?,
        None => fit::smallest(packing.least_blocks(geometry), |count| {
            let geometry = geometry
                .with_block_count(count)
                .map_err(|error| CliError::at(&arguments.folder, error))?;
            packing.onto(geometry)
        })?,
    };

    let failed = |error: io::Error| CliError::at(&arguments.path, error);
    let mut file = tempfile::Builder::new()
        .prefix(".cutpoint-pack-")
        .make_in(target.folder(), |path| File::create_new(path))
        .map_err(failed)?;
    file.write_all(packed.device.bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    target.place(file)?;
    writeln!(
        out,
        "{packing}; {} blocks of {} bytes, {} in use",
        packed.device.geometry().block_count(),
        arguments.block_size,
        packed.used,
    )?;
    Ok(())
}
