use super::{Entry, Header, Reader, RunError, Shard};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why runs could not be merged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MergeError {
    /// One of them could not be read, or the merged one not be written.
    #[error(transparent)]
    Run(#[from] RunError),
    /// They are not parts of one whole.
    #[error("{path}: not of the same command line and version as {first}", path = .path.display(), first = .first.display())]
    Different {
        /// One of them.
        path: PathBuf,
        /// The first of them.
        first: PathBuf,
    },
    /// Shards are missing.
    #[error("of {of} shards {missing} missing: {}", list(.numbers), missing = if .numbers.len() == 1 { "1 is" } else { "some are" })]
    Missing {
        /// How many there should be.
        of: u32,
        /// Those that are not there.
        numbers: Vec<u32>,
    },
    /// A shard was cut short.
    #[error("{path}: cut short; go on with it first (--resume)", path = .path.display())]
    CutShort {
        /// It.
        path: PathBuf,
    },
    /// Two of them say different things of the same entry.
    #[error("{path}: entry {index} is not what another run has", path = .path.display())]
    Disagree {
        /// One of them.
        path: PathBuf,
        /// The entry.
        index: u64,
    },
}

fn list(numbers: &[u32]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    numbers.join(", ")
}

/// The parts of a run, to be joined: in any order, and each as often as one likes.
#[derive(Debug)]
pub struct Parts {
    parts: Vec<Part>,
    header: Header,
}

#[derive(Debug)]
struct Part {
    folder: PathBuf,
    reader: Reader,
    next: Option<Entry>,
}

impl Part {
    fn advance(&mut self) -> Result<(), MergeError> {
        self.next = self.reader.next().transpose()?;
        Ok(())
    }
}

impl Parts {
    /// The runs in these folders.
    ///
    /// # Errors
    ///
    /// One cannot be read or was cut short, they are not parts of one whole, or some are missing.
    pub fn open<P: AsRef<Path>>(folders: impl IntoIterator<Item = P>) -> Result<Self, MergeError> {
        let mut parts = Vec::new();
        for folder in folders {
            let folder = folder.as_ref().to_owned();
            // Once to its end, so that nothing is begun with one that is not whole.
            let mut whole = Reader::open(&folder)?;
            whole.by_ref().try_for_each(|entry| entry.map(drop))?;
            if whole.totals().is_none() {
                return Err(MergeError::CutShort { path: folder });
            }
            let reader = Reader::open(&folder)?;
            let mut part = Part {
                folder,
                reader,
                next: None,
            };
            part.advance()?;
            parts.push(part);
        }
        let Some(first) = parts.first() else {
            let numbers = Vec::new();
            return Err(MergeError::Missing { of: 0, numbers });
        };
        let header = first.reader.header().clone();
        let like = |header: &Header| {
            let of = header.shard.unwrap_or(Shard::WHOLE).of();
            (header.hash.clone(), header.count, of)
        };
        let mut numbers = Vec::new();
        for part in &parts {
            if like(part.reader.header()) != like(&header) {
                let (path, first) = (part.folder.clone(), first.folder.clone());
                return Err(MergeError::Different { path, first });
            }
            let shard = part.reader.header().shard.unwrap_or(Shard::WHOLE);
            numbers.push(shard.number());
        }
        let of = header.shard.unwrap_or(Shard::WHOLE).of();
        let missing = (1..=of).filter(|number| !numbers.contains(number));
        let missing: Vec<u32> = missing.collect();
        if !missing.is_empty() {
            let numbers = missing;
            return Err(MergeError::Missing { of, numbers });
        }
        let header = Header {
            shard: None,
            ..header
        };
        Ok(Self { parts, header })
    }

    /// The header of the whole.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Hands all entries to `take`, in order, each once.
    ///
    /// # Errors
    ///
    /// A part cannot be read, two disagree, or those of `take`.
    pub fn join(
        mut self,
        mut take: impl FnMut(Entry) -> Result<(), RunError>,
    ) -> Result<(), MergeError> {
        loop {
            let indices = self
                .parts
                .iter()
                .filter_map(|part| Some(part.next.as_ref()?.index));
            let Some(index) = indices.min() else {
                break;
            };
            let mut joined: Option<Entry> = None;
            for part in &mut self.parts {
                let Some(entry) = part.next.take_if(|entry| entry.index == index) else {
                    continue;
                };
                part.advance()?;
                match &mut joined {
                    None => joined = Some(entry),
                    Some(one) => {
                        if !one.agrees_with(&entry) {
                            let path = part.folder.clone();
                            return Err(MergeError::Disagree { path, index });
                        }
                        one.take_cases_of(entry);
                    }
                }
            }
            if let Some(entry) = joined {
                take(entry)?;
            }
        }
        Ok(())
    }
}

impl Entry {
    /// Whether both say the same, small cases left aside: which entry has them hangs on what a run saw before.
    fn agrees_with(&self, other: &Self) -> bool {
        let causes = |entry: &Self| -> Vec<_> {
            let findings = entry.findings.iter();
            findings.map(|finding| finding.cause.clone()).collect()
        };
        self.report == other.report && causes(self) == causes(other)
    }

    fn take_cases_of(&mut self, other: Self) {
        for (mine, others) in self.findings.iter_mut().zip(other.findings) {
            mine.minimal = mine.minimal.take().or(others.minimal);
        }
    }
}
