use super::{Entry, Header, Line, SCHEMA, Totals};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

const LINES: &str = "run.jsonl";
const SUMMARY: &str = "summary.txt";
const CASES: &str = "cases";

/// Why the folder of a run could not be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The file system says no.
    #[error("{path}: {source}", path = .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// A line is not what stands there in a run.
    #[error("{path}:{line}: {what}", path = .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// There is a run in the folder already, and not one to go on with.
    #[error("{path}: {what}", path = .path.display())]
    Occupied {
        /// The file.
        path: PathBuf,
        /// Why.
        what: &'static str,
    },
}

impl RunError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// Reads a run, entry by entry: the memory that it takes does not grow with the run.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    lines: BufReader<File>,
    header: Header,
    /// Of the line read last.
    number: u64,
    /// The length of all whole lines read so far but the totals, in bytes.
    good: u64,
    last_index: Option<u64>,
    totals: Option<Totals>,
    ended: bool,
}

impl Reader {
    /// Opens the run in `folder` and reads its header.
    ///
    /// # Errors
    ///
    /// There is none, or its first line is no header of the [`SCHEMA`] that this version reads.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        let path = folder.join(LINES);
        let file = File::open(&path).map_err(RunError::io(&path))?;
        let mut lines = BufReader::new(file);
        let mut text = String::new();
        let read = lines.read_line(&mut text).map_err(RunError::io(&path))?;
        let refused = |what: String| RunError::Line {
            path: path.clone(),
            line: 1,
            what,
        };
        let header = match serde_json::from_str(&text) {
            Ok(Line::Header(header)) if text.ends_with('\n') => header,
            Err(error) => return Err(refused(format!("no header of a run: {error}"))),
            Ok(_) => return Err(refused("no header of a run".into())),
        };
        if header.schema != SCHEMA {
            return Err(refused(format!(
                "a run of schema {}; this version reads {SCHEMA}",
                header.schema
            )));
        }
        Ok(Self {
            path,
            lines,
            header,
            number: 1,
            good: read as u64,
            last_index: None,
            totals: None,
            ended: false,
        })
    }

    /// What was asked for.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The totals that stand at the end of a run that was not cut short; none before all entries have been read.
    pub fn totals(&self) -> Option<&Totals> {
        self.totals.as_ref()
    }

    fn next_entry(&mut self) -> Result<Option<Entry>, RunError> {
        let mut text = String::new();
        let read = self.lines.read_line(&mut text);
        // A cut in the middle of a character is one in the middle of a line.
        let read = match read {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => 0,
            read => read.map_err(RunError::io(&self.path))?,
        };
        if read == 0 || !text.ends_with('\n') {
            return Ok(None);
        }
        self.number += 1;
        match serde_json::from_str(&text) {
            Ok(Line::Entry(entry)) if self.last_index.is_none_or(|last| last < entry.index) => {
                self.good += read as u64;
                self.last_index = Some(entry.index);
                Ok(Some(*entry))
            }
            Ok(Line::Totals(totals)) => {
                self.totals = Some(totals);
                Ok(None)
            }
            Ok(Line::Entry(_)) => Err(self.refused("the entry's index does not ascend".into())),
            Ok(Line::Header(_)) => Err(self.refused("a second header".into())),
            // What a file system makes of the blocks of a file that a power cut met.
            Err(_) if text.trim_matches(['\0', '\n']).is_empty() => Ok(None),
            Err(error) => Err(self.refused(error.to_string())),
        }
    }

    fn refused(&self, what: String) -> RunError {
        RunError::Line {
            path: self.path.clone(),
            line: self.number,
            what,
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Entry, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_entry().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

/// Writes a run, entry by entry, and keeps its totals.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    path: PathBuf,
    lines: File,
    totals: Totals,
    last_index: Option<u64>,
}

impl Writer {
    /// Begins a run in `folder`, which is made where it is missing.
    ///
    /// # Errors
    ///
    /// There is a run in it already, or those of the file system.
    pub fn create(folder: &Path, header: &Header) -> Result<Self, RunError> {
        let path = folder.join(LINES);
        let cases = folder.join(CASES);
        fs::create_dir_all(&cases).map_err(RunError::io(&cases))?;
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let lines = match file {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let what = "there is a run already; give another folder, or remove this one";
                return Err(RunError::Occupied { path, what });
            }
            file => file.map_err(RunError::io(&path))?,
        };
        let mut writer = Self {
            folder: folder.to_owned(),
            path,
            lines,
            totals: Totals::default(),
            last_index: None,
        };
        writer.write(&Line::Header(header.clone()))?;
        writer.sync()?;
        // So that the file is in its folder after a power cut, too.
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
        Ok(writer)
    }

    /// Goes on with the run in `folder`, behind its last whole entry.
    ///
    /// # Errors
    ///
    /// There is no run in it, or one of another configuration or shard, or those of the file system.
    pub fn resume(folder: &Path, header: &Header) -> Result<Self, RunError> {
        let mut reader = Reader::open(folder)?;
        let there = reader.header();
        let path = folder.join(LINES);
        if there.hash != header.hash || there.shard != header.shard || there.count != header.count {
            let what = "the run in it is of another command line or version; only the same one goes on with it";
            return Err(RunError::Occupied { path, what });
        }
        let mut totals = Totals::default();
        for entry in reader.by_ref() {
            totals.add(&entry?);
        }
        let file = OpenOptions::new().append(true).open(&path);
        let lines = file.map_err(RunError::io(&path))?;
        lines.set_len(reader.good).map_err(RunError::io(&path))?;
        Ok(Self {
            folder: folder.to_owned(),
            path,
            lines,
            totals,
            last_index: reader.last_index,
        })
    }

    /// The sums over the entries so far.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The index of the last entry; none where there is none yet.
    pub fn last_index(&self) -> Option<u64> {
        self.last_index
    }

    /// Adds an entry, and the small cases that are new with it. Of a cause that an earlier entry has, a small case is left
    /// out.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    ///
    /// # Panics
    ///
    /// Where the entry's index is not above that of the one before.
    pub fn push(&mut self, mut entry: Entry) -> Result<(), RunError> {
        assert!(self.last_index < Some(entry.index), "{}", entry.index);
        let mut written: Vec<String> = Vec::new();
        for finding in &mut entry.findings {
            let causes = &self.totals.causes;
            if causes.iter().any(|known| known.cause == finding.cause) {
                finding.minimal = None;
            }
            let Some(minimal) = &finding.minimal else {
                continue;
            };
            let name = minimal.cause.file_name();
            let mut known = causes.iter().filter_map(|known| known.case.as_ref());
            if !written.contains(&name) && known.all(|known| *known != name) {
                let path = self.folder.join(CASES).join(&name);
                fs::write(&path, &minimal.text).map_err(RunError::io(&path))?;
                written.push(name);
            }
        }
        self.totals.add(&entry);
        self.last_index = Some(entry.index);
        self.write(&Line::Entry(Box::new(entry)))
    }

    /// Sees to it that all entries so far survive a power cut.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn sync(&mut self) -> Result<(), RunError> {
        self.lines.sync_data().map_err(RunError::io(&self.path))
    }

    /// Ends the run: with the totals where it `is_complete`, and with the summary for people in any case.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn finish(mut self, is_complete: bool, summary: &str) -> Result<Totals, RunError> {
        if is_complete {
            let totals = Line::Totals(self.totals.clone());
            self.write(&totals)?;
        }
        self.sync()?;
        let path = self.folder.join(SUMMARY);
        fs::write(&path, summary).map_err(RunError::io(&path))?;
        Ok(self.totals)
    }

    fn write(&mut self, line: &Line) -> Result<(), RunError> {
        let text = serde_json::to_string(line).map_err(io::Error::from);
        // In one call, so that a line is there or not, as far as this hangs on the process alone.
        text.and_then(|text| self.lines.write_all(format!("{text}\n").as_bytes()))
            .map_err(RunError::io(&self.path))
    }
}
