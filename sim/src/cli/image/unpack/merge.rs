//! A folder moves into one that is there.

use crate::cli::CliError;
use std::fs::{self, FileType};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Moves all that is in `made` to the same place in `folder`, on the same file system: what is missing there comes whole,
/// a file takes the place of a file or a link. Symbolic links in `folder` are replaced and never followed.
///
/// # Errors
///
/// A file where a folder belongs, or the other way round: nothing has been moved then. Where the operating system
/// refuses a move, what came before it is moved.
pub(super) fn merge(made: &Path, folder: &Path) -> Result<(), CliError> {
    for (from, to) in moves(made, folder)? {
        fs::rename(&from, &to).map_err(|error| CliError::at(&to, error))?;
    }
    Ok(())
}

/// From where to where.
fn moves(made: &Path, folder: &Path) -> Result<Vec<(PathBuf, PathBuf)>, CliError> {
    let mut moves = Vec::new();
    let mut entries = WalkDir::new(made)
        .min_depth(1)
        .sort_by_file_name()
        .into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(|error| CliError::at(folder, io::Error::from(error)))?;
        let inside = entry.path().strip_prefix(made).unwrap_or(entry.path());
        let to = folder.join(inside);
        let there = match fs::symlink_metadata(&to) {
            Ok(metadata) => Some(metadata.file_type()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(CliError::at(&to, error)),
        };
        match (entry.file_type().is_dir(), there) {
            (true, Some(there)) if there.is_dir() => continue,
            (true, Some(_)) => {
                return Err(in_the_way(&to, "is no folder, but is one in the image"));
            }
            (false, Some(there)) if !replaceable(there) => {
                return Err(in_the_way(&to, "is no file, but is one in the image"));
            }
            (true, None) => entries.skip_current_dir(),
            (false, _) => {}
        }
        moves.push((entry.into_path(), to));
    }
    Ok(moves)
}

/// Whether a file may take its place.
fn replaceable(there: FileType) -> bool {
    there.is_file() || there.is_symlink()
}

fn in_the_way(path: &Path, what: &str) -> CliError {
    CliError::at(path, format!("{what}; remove it, or unpack elsewhere"))
}
