use std::fmt;
use std::path::PathBuf;
use thiserror::Error;

/// What is wrong with the text of a case, where, and what to do about it. It prints as
/// `cases/rename.kdl:7:12: 'lenght' is no property of 'set'; there are length, seed, byte, file`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct CaseError {
    /// The file, where the text is from one.
    pub path: Option<PathBuf>,
    /// Where in the text; none where the file as a whole could not be read.
    pub position: Option<Position>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl CaseError {
    /// The same, of the text in this file.
    #[must_use]
    pub fn in_file(self, path: impl Into<PathBuf>) -> Self {
        Self {
            path: Some(path.into()),
            ..self
        }
    }
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}:", path.display())?;
        }
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}:")?;
        }
        if self.path.is_some() || self.position.is_some() {
            f.write_str(" ")?;
        }
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in it, in characters, from 1.
    pub column: u32,
}
