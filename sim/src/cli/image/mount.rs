//! An image as a folder of the operating system's.

mod errno;
mod filesystem;
mod nodes;
mod tree;

use super::CliError;
use super::open::MutableImage;
use crate::cli::Outcome;
use clap::Args;
use cutpoint_engine::SystemClock;
use filesystem::{Job, Mounted, Owner};
use fuser::{Config, MountOption, Session};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use tree::Tree;

/// Show an image as a folder, to read and to change
///
/// The command runs until it is interrupted or the folder is unmounted. What is written to a file is kept in memory
/// until the file is synced or closed, and is then one change of the image, atomic and durable; all other changes are so
/// at once. Files belong to the image's owner, and no other can use the folder.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image mount store.img folder              until interrupted
  cutpoint image mount store.img folder --read-only  and others may read it, too

Exit codes: 0 done, 2 bad usage or input.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: MutableImage,
    /// The folder to mount the image on, best an empty one
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Let nothing be changed, and others read the image at the same time
    #[arg(long)]
    read_only: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let folder = &arguments.folder;
    let image = arguments.image.unchanged();
    let mounted = if arguments.read_only {
        image.mount()?
    } else {
        arguments.image.mount()?
    };
    let metadata = fs::metadata(image.path()).map_err(|error| image.error(error))?;
    let owner = Owner {
        uid: metadata.uid(),
        gid: metadata.gid(),
        read_only: arguments.read_only,
    };
    let mut config = Config::default();
    config.mount_options = vec![
        MountOption::FSName(image.name()),
        MountOption::Subtype("cutpoint".to_owned()),
        MountOption::DefaultPermissions,
        MountOption::NoAtime,
        if arguments.read_only {
            MountOption::RO
        } else {
            MountOption::RW
        },
    ];
    let (jobs, received) = mpsc::channel();
    if !folder.is_dir() {
        return Err(CliError::at(
            folder,
            "is no folder; make one to mount the image on",
        ));
    }
    let failed = |error| {
        let what = format!(
            "cannot be mounted on: {error}; it takes /dev/fuse, and fusermount3 for others than root"
        );
        CliError::at(folder, what)
    };
    let session = Session::new(Mounted::new(jobs.clone(), owner), folder, &config)
        .and_then(Session::spawn)
        .map_err(failed)?;
    let mut session = Some(session);
    ctrlc::set_handler(move || {
        let _ = jobs.send(Job::Stop);
    })
    .map_err(|error| CliError::argument("interrupts", error))?;
    writeln!(out, "{} is mounted on {}", image.name(), folder.display())?;
    // For those who wait for this line.
    out.flush()?;

    let mut tree = Tree::new(mounted.store.with_clock(SystemClock));
    for job in received {
        match job {
            Job::Answer(answer) => answer(&mut tree),
            Job::Unmounted => break,
            Job::Stop => {
                let Some(session) = session.take() else {
                    break;
                };
                // The kernel asks on while it unmounts.
                thread::spawn(move || {
                    if let Err(error) = session.umount_and_join() {
                        eprintln!(
                            "not unmounted: {error}; close what uses the folder and unmount it, or interrupt again"
                        );
                    }
                });
            }
        }
    }
    tree.flush_all().map_err(|error| {
        let error = io::Error::from_raw_os_error(error.into());
        image.error(format!("not all that was written is in it: {error}"))
    })?;
    Ok(Outcome::Clean)
}
