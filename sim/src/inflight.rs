//! What each worker is at, on disk: it names the culprit where a subject takes the whole process down.
//!
//! A panic or a loop that calls the device is caught. An abort, a stack overflow or a loop that calls nothing is not:
//! afterwards, or meanwhile from another process, [`read`] tells which crash states were being recovered from.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of a record: one short line, written over the last one in a single call.
const RECORD_SIZE: usize = 256;
const PREFIX: &str = "worker-";

/// A directory with a small file for each worker.
///
/// ```
/// use cutpoint::inflight::{self, Inflight};
///
/// let dir = tempfile::tempdir()?;
/// let inflight = Inflight::create(dir.path(), 1)?;
/// let note = inflight.note("split-ascending-512", "crash state 117");
/// // Read this after a crash; here, while the work still goes on.
/// let records = inflight::read(dir.path())?;
/// assert_eq!(records[0].place, "crash state 117");
/// drop(note);
/// assert!(inflight::read(dir.path())?.is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Inflight {
    slots: Vec<Slot>,
    error: Mutex<Option<io::Error>>,
}

#[derive(Debug)]
struct Slot {
    path: PathBuf,
    file: Mutex<File>,
}

impl Inflight {
    /// Makes the files below `dir`, for `workers` threads and the one that started them; `dir` is made where it is
    /// missing. Records of an earlier run are overwritten: [`read`] them first.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn create(dir: &Path, workers: usize) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let slots = (0..=workers)
            .map(|worker| {
                let path = dir.join(format!("{PREFIX}{worker}"));
                let file = OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .open(&path)?;
                Ok(Slot {
                    path,
                    file: Mutex::new(file),
                })
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            slots,
            error: Mutex::new(None),
        })
    }

    /// Notes that the calling thread works on `place` of `workload`, until the note is dropped.
    ///
    /// A file that cannot be written is no reason to stop: [`error`](Self::error) tells of it afterwards.
    pub fn note(&self, workload: &str, place: &str) -> Note<'_> {
        let worker = rayon::current_thread_index().map_or(0, |index| index + 1);
        // More threads than were announced share files: a record may be lost, but is never wrong.
        let slot = &self.slots[worker % self.slots.len()];
        let mut record = format!("{workload}\t{place}\n").into_bytes();
        record.truncate(RECORD_SIZE);
        record.resize(RECORD_SIZE, b' ');
        self.write(slot, &record);
        Note {
            inflight: self,
            slot,
        }
    }

    /// The first error met when writing, if there was one. Taken out: the next call tells of later ones.
    pub fn error(&self) -> Option<io::Error> {
        lock(&self.error).take()
    }

    fn write(&self, slot: &Slot, record: &[u8]) {
        let mut file = lock(&slot.file);
        let written = file.rewind().and_then(|()| file.write_all(record));
        if let Err(error) = written {
            lock(&self.error).get_or_insert(error);
        }
    }
}

impl Drop for Inflight {
    fn drop(&mut self) {
        for slot in &self.slots {
            // One that stays holds a blank record, which reads as none.
            let _ = fs::remove_file(&slot.path);
        }
    }
}

/// A record that stands until this is dropped.
#[derive(Debug)]
#[must_use = "the record is cleared when this is dropped"]
pub struct Note<'a> {
    inflight: &'a Inflight,
    slot: &'a Slot,
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        self.inflight.write(self.slot, &[b' '; RECORD_SIZE]);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a worker was at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InflightRecord {
    /// The workload's name.
    pub workload: String,
    /// The place: `recording`, or `crash state` and its id.
    pub place: String,
}

/// The records that stand below `dir`, in the order of the workers' file names; none where there is no such directory.
///
/// # Errors
///
/// Those of the file system.
pub fn read(dir: &Path) -> io::Result<Vec<InflightRecord>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with(PREFIX)) {
            paths.push(path);
        }
    }
    paths.sort();
    let mut records = Vec::new();
    for path in paths {
        let text = fs::read(&path)?;
        let text = String::from_utf8_lossy(&text);
        if let Some((workload, place)) = text.trim_end().split_once('\t') {
            records.push(InflightRecord {
                workload: workload.to_owned(),
                place: place.to_owned(),
            });
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorter_record_leaves_nothing_of_a_longer_one() {
        let dir = tempfile::tempdir().unwrap();
        let inflight = Inflight::create(dir.path(), 2).unwrap();
        let first = inflight.note("a-long-name-of-a-workload", "crash state 1234567");
        std::mem::forget(first);
        let second = inflight.note("w", "recording");
        let record = InflightRecord {
            workload: "w".into(),
            place: "recording".into(),
        };
        assert_eq!(read(dir.path()).unwrap(), [record]);
        drop(second);
        assert_eq!(read(dir.path()).unwrap(), []);
        assert!(inflight.error().is_none());
        drop(inflight);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn no_directory_holds_no_records() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(&dir.path().join("none")).unwrap(), []);
    }
}
