//! [redb](https://docs.rs/redb), a database in one file, as a subject: its storage backend over a simulated file.

use cutpoint::files::{File, Files};
use cutpoint::subject::{KeyValueStore, KeyValueSubject, KeyValues, SubjectError};
use cutpoint::workload::Workload;
use cutpoint::workload::key_value::key_values;
use cutpoint_engine::device::Geometry;
use redb::{Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};
use std::fmt::Display;
use std::io;

/// Its name with the version.
pub const NAME: &str = "redb 4.6.0";

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("values");
const FILE: &str = "store.redb";

/// How redb commits.
#[derive(Clone, Copy, Debug)]
pub enum Commit {
    /// In one phase, with checksums: the default.
    OnePhase,
    /// In two phases.
    TwoPhase,
}

/// redb as a subject: one write transaction for each operation, committed with immediate durability.
pub fn subject(commit: Commit) -> KeyValueSubject {
    let name = match commit {
        Commit::OnePhase => "redb",
        Commit::TwoPhase => "redb-2pc",
    };
    KeyValueSubject::on_files(name, move |files| Store::open(&files, commit))
        .with_full_name(NAME)
        // redb makes no database of a file whose creation was cut: whoever finds one removes it.
        .formatted_by(move |device| {
            let files = Files::mount(device)?;
            files.remove(FILE)?;
            Store::open(&files, commit).map(drop)
        })
}

/// The disk that it runs on: blocks of the page cache's size, sectors of 512 bytes.
///
/// # Panics
///
/// Never: the sizes fit.
pub fn disk() -> Geometry {
    let disk = Geometry::new(4096, 2048).expect("a good size");
    disk.with_prog_size(512).expect("it divides the block")
}

/// What is run.
pub fn workloads() -> Vec<Workload> {
    key_values(disk())
}

struct Store {
    database: Database,
    commit: Commit,
}

impl Store {
    fn open(files: &Files, commit: Commit) -> Result<Self, SubjectError> {
        let file = files.open(FILE)?;
        let database = Database::builder()
            .set_cache_size(1 << 20)
            .create_with_backend(Backend(file))
            .map_err(|error| SubjectError::Unmountable(error.to_string()))?;
        Ok(Self { database, commit })
    }

    fn write(
        &self,
        change: impl FnOnce(&mut redb::Table<'_, &[u8], &[u8]>) -> Result<(), redb::StorageError>,
    ) -> Result<(), SubjectError> {
        let mut transaction = self.database.begin_write().map_err(failed)?;
        transaction.set_two_phase_commit(matches!(self.commit, Commit::TwoPhase));
        let mut table = transaction.open_table(TABLE).map_err(failed)?;
        change(&mut table).map_err(failed)?;
        drop(table);
        transaction.commit().map_err(failed)
    }
}

impl KeyValueStore for Store {
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), SubjectError> {
        self.write(|table| table.insert(key, value).map(drop))
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), SubjectError> {
        self.write(|table| table.remove(key).map(drop))
    }

    fn entries(&mut self) -> Result<KeyValues, SubjectError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let table = match transaction.open_table(TABLE) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let entries = table.iter().map_err(failed)?;
        entries
            .map(|entry| {
                let (key, value) = entry.map_err(failed)?;
                Ok((key.value().to_vec(), value.value().to_vec()))
            })
            .collect()
    }

    fn check(&mut self) -> Result<Vec<String>, SubjectError> {
        match self.database.check_integrity() {
            Ok(true) => Ok(Vec::new()),
            Ok(false) => Ok(vec!["check_integrity had to repair the database".into()]),
            Err(error) => Ok(vec![error.to_string()]),
        }
    }
}

fn failed(error: impl Display) -> SubjectError {
    SubjectError::Other(error.to_string())
}

/// A simulated file as storage of redb.
#[derive(Debug)]
struct Backend(File);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len()?)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        Ok(self.0.read(offset, out)?)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        Ok(self.0.set_len(length)?)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(self.0.sync()?)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        Ok(self.0.write(offset, data)?)
    }
}
