//! A folder of cases.

use super::{Case, CaseError, EXTENSION};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A folder of cases, sorted by name.
#[derive(Clone, Debug)]
pub struct Corpus {
    folder: PathBuf,
    images: PathBuf,
    cases: Vec<NamedCase>,
}

/// A case with the name that its file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCase {
    /// The file's name without its extension.
    pub name: String,
    /// The case.
    pub case: Case,
}

/// Why a case was not added to a corpus.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddError {
    /// The file is no case.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// The corpus has a case that does the same.
    #[error("the case '{0}' runs the same operations on the same device already")]
    Known(String),
    /// The corpus has another case, or another file beside one, under the name.
    #[error(
        "{0} is there already and is not the same; change the title of the case, or the name of its file"
    )]
    Taken(PathBuf),
    /// A file could not be written.
    #[error("cannot write {path}: {error}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
}

impl Corpus {
    /// All cases in this folder; the images of the corpus that they start from are in the folder `images`.
    ///
    /// # Errors
    ///
    /// [`CaseError`], of the folder or the first file that is no case.
    pub fn read(folder: &Path, images: &Path) -> Result<Self, CaseError> {
        let unread = |error: io::Error| CaseError {
            path: Some(folder.to_owned()),
            position: None,
            what: format!("cannot read the folder of cases: {error}"),
            remedy: "name one with --corpus DIR".into(),
        };
        let entries: Vec<_> = fs::read_dir(folder)
            .and_then(Iterator::collect)
            .map_err(unread)?;
        let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
        paths.retain(|path| path.extension().is_some_and(|found| found == EXTENSION));
        paths.sort();
        let cases = paths.iter().map(|path| {
            Ok(NamedCase {
                name: name_of(path),
                case: Case::read(path, images)?,
            })
        });
        Ok(Self {
            cases: cases.collect::<Result<_, CaseError>>()?,
            folder: folder.to_owned(),
            images: images.to_owned(),
        })
    }

    /// The cases, sorted by name.
    pub fn cases(&self) -> &[NamedCase] {
        &self.cases
    }

    /// The case of this name; none where there is none.
    pub fn case(&self, name: &str) -> Option<&NamedCase> {
        self.cases.iter().find(|case| case.name == name)
    }

    /// Copies the case in this file into the folder, in its canonical form and named for its title, with the files
    /// beside it. Returns where it is.
    ///
    /// # Errors
    ///
    /// [`AddError`]; the folder is then as it was, unless a file could not be written.
    pub fn add(&self, file: &Path) -> Result<PathBuf, AddError> {
        let case = Case::read(file, &self.images)?;
        if let Some(known) = self.cases.iter().find(|known| known.case.does_as(&case)) {
            return Err(AddError::Known(known.name.clone()));
        }
        let path = self
            .folder
            .join(slug(&case.title))
            .with_extension(EXTENSION);
        let text = case.to_string();
        let beside = case.files().into_iter();
        let mut files: Vec<(PathBuf, &[u8])> = beside
            .map(|(name, bytes)| (self.folder.join(name), bytes))
            .collect();
        files.push((path.clone(), text.as_bytes()));
        for (path, bytes) in &files {
            // A file that is the same may be shared; a case never is.
            if fs::read(path).is_ok_and(|there| there != *bytes) || path.is_dir() {
                return Err(AddError::Taken(path.clone()));
            }
        }
        for (path, bytes) in files {
            fs::write(&path, bytes).map_err(|error| AddError::Write { path, error })?;
        }
        Ok(path)
    }
}

impl Case {
    /// Whether the other one runs the same operations on the same.
    fn does_as(&self, other: &Self) -> bool {
        let parts = |case: &Self| (case.disk_version, case.block_cycles);
        self.start == other.start
            && self.operations == other.operations
            && parts(self) == parts(other)
    }
}

/// What a file is called without its extension.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The longest name that a title makes, in characters.
const SLUG_MAX: usize = 60;

/// The small letters and digits of a title, with hyphens between words.
fn slug(title: &str) -> String {
    let words = title
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut slug = String::new();
    for word in words {
        if slug.len() + 1 + word.len() > SLUG_MAX && !slug.is_empty() {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(&word.to_ascii_lowercase());
    }
    if slug.is_empty() { "case".into() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_makes_a_short_name() {
        assert_eq!(
            slug("A rename, cut in two: \"/a\" -> /b"),
            "a-rename-cut-in-two-a-b"
        );
        assert_eq!(slug("???"), "case");
        let long = slug(&"word ".repeat(30));
        assert!(long.len() <= SLUG_MAX && !long.ends_with('-'), "{long}");
    }
}
