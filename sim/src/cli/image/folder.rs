//! A folder of the operating system's, as an image could hold it.

use super::CliError;
use cutpoint_engine::{Key, Timestamp};
use std::fs::{FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// A file or a folder.
#[derive(Debug)]
pub(super) struct Node {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its key in the image: the path from the top folder, which is the root.
    pub(super) key: Key,
    /// When it was last changed, where an image can hold that time.
    pub(super) modified: Option<Timestamp>,
    pub(super) kind: NodeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    Folder,
    File {
        /// In bytes.
        size: u64,
    },
}

/// The folder and all below it, folders before what they hold, names in the order of their bytes.
///
/// # Errors
///
/// What an image cannot hold: a symbolic link, a pipe, a socket, a device; and what cannot be looked at.
pub(super) fn read(folder: &Path) -> Result<Vec<Node>, CliError> {
    let metadata = folder
        .metadata()
        .map_err(|error| CliError::at(folder, error))?;
    if !metadata.is_dir() {
        return Err(CliError::at(folder, "is not a folder"));
    }
    WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(folder).to_owned();
                CliError::at(&path, io::Error::from(error))
            })?;
            let metadata = if entry.depth() == 0 {
                // A link is followed to the folder that is packed, and none within it.
                metadata.clone()
            } else {
                entry
                    .metadata()
                    .map_err(|error| CliError::at(entry.path(), io::Error::from(error)))?
            };
            node(folder, entry.path(), &metadata)
        })
        .collect()
}

fn node(folder: &Path, path: &Path, metadata: &Metadata) -> Result<Node, CliError> {
    let kind = match metadata.file_type() {
        kind if kind.is_dir() => NodeKind::Folder,
        kind if kind.is_file() => NodeKind::File {
            size: metadata.len(),
        },
        other => {
            let what = format!(
                "is {}; an image holds files and folders alone: remove it, or pack a copy without it",
                name_of(other)
            );
            return Err(CliError::at(path, what));
        }
    };
    let inside = path.strip_prefix(folder).unwrap_or(path);
    let key = inside
        .iter()
        .fold(Key::ROOT, |key, name| key.child(name.as_encoded_bytes()));
    Ok(Node {
        path: path.to_owned(),
        key,
        modified: metadata
            .modified()
            .ok()
            .and_then(Timestamp::from_system_time),
        kind,
    })
}

fn name_of(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_block_device() || kind.is_char_device() {
            return "a device";
        }
    }
    if kind.is_symlink() {
        "a symbolic link"
    } else {
        "a special file"
    }
}
