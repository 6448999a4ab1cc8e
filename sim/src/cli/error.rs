use crate::case::CaseError;
use crate::run::{MergeError, RunError};
use std::fmt::Display;
use std::io;
use std::path::Path;
use thiserror::Error;

/// Why a command could not do what it was asked, as the one line that the user gets. Exit code 2.
#[derive(Debug, Error)]
pub(super) enum CliError {
    /// Something given on the command line is wrong or cannot be used.
    #[error("{place}: {what}")]
    Input {
        /// The file or the argument that it is about.
        place: String,
        /// What is wrong there, and what to do where that is not plain.
        what: String,
    },
    /// A case could not be read.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// The folder of a run could not be written or read.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Runs could not be merged.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// The result could not be printed. A bare [`io::Error`] in a command is always one of its writer: errors of
    /// files are placed with [`CliError::at`].
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    /// The exit code of every such error.
    pub(super) const EXIT_CODE: u8 = 2;

    /// `what` is wrong with the file at `path`.
    pub(super) fn at(path: &Path, what: impl Display) -> Self {
        Self::Input {
            place: path.display().to_string(),
            what: what.to_string(),
        }
    }

    /// `what` is wrong with the argument or stream called `name`.
    pub(super) fn argument(name: &str, what: impl Display) -> Self {
        Self::Input {
            place: name.to_owned(),
            what: what.to_string(),
        }
    }
}
