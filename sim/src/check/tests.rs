use super::*;
use crate::contract::{EMMC, PREFIX, SECTOR_512};
use crate::files::File;
use crate::op::{Operation, Value};
use crate::subject::{KeyValueStore, KeyValueSubject, KeyValues, SubjectError};
use std::collections::BTreeMap;

/// A log in a file: each record is a length and the text of a key and a value. Where `seal` is set, a checksum follows;
/// where `sync` is, each record is synced.
struct Log {
    file: File,
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    end: u64,
    seal: bool,
    sync: bool,
}

impl Log {
    fn open(file: File, seal: bool, sync: bool) -> Result<Self, SubjectError> {
        let mut bytes = vec![0; file.len()? as usize];
        file.read(0, &mut bytes)?;
        let (mut values, mut end) = (BTreeMap::new(), 0);
        while let Some((text, rest)) = record(&bytes[end..], seal) {
            let (key, value): (_, Option<_>) = serde_json::from_slice(text)
                .map_err(|error| SubjectError::Corrupt(error.to_string()))?;
            match value {
                Some(value) => values.insert(key, value),
                None => values.remove(&key),
            };
            end = bytes.len() - rest.len();
        }
        Ok(Self {
            file,
            values,
            end: end as u64,
            seal,
            sync,
        })
    }

    fn append(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), SubjectError> {
        let text = serde_json::to_vec(&(key, value))
            .map_err(|error| SubjectError::Other(error.to_string()))?;
        let mut record = (text.len() as u32).to_le_bytes().to_vec();
        record.extend(&text);
        if self.seal {
            record.extend(xxhash_rust::xxh3::xxh3_64(&text).to_le_bytes());
        }
        self.file.write(self.end, &record)?;
        self.end += record.len() as u64;
        match value {
            Some(value) => self.values.insert(key.into(), value.into()),
            None => self.values.remove(key),
        };
        if self.sync {
            self.file.sync()?;
        }
        Ok(())
    }
}

/// The text of the first record, and what follows it.
fn record(bytes: &[u8], seal: bool) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (text, rest) = rest.split_at_checked(length).filter(|_| length > 0)?;
    if !seal {
        return Some((text, rest));
    }
    let (checksum, rest) = rest.split_first_chunk()?;
    (u64::from_le_bytes(*checksum) == xxhash_rust::xxh3::xxh3_64(text)).then_some((text, rest))
}

impl KeyValueStore for Log {
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), SubjectError> {
        self.append(key, Some(value))
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), SubjectError> {
        self.append(key, None)
    }

    fn entries(&mut self) -> Result<KeyValues, SubjectError> {
        Ok(self.values.clone().into_iter().collect())
    }
}

fn log(name: &str, seal: bool, sync: bool) -> KeyValueSubject {
    KeyValueSubject::on_file(name, move |file| Log::open(file, seal, sync))
}

fn disk() -> Geometry {
    let geometry = Geometry::new(1024, 128).unwrap();
    geometry.with_prog_size(128).unwrap()
}

#[test]
fn a_sealed_and_synced_log_is_clean_on_disks_that_reorder() {
    let subject = log("sealed", true, true);
    let outcome = check(&subject, disk())
        .under(&[&PREFIX, &SECTOR_512, &EMMC])
        .outcome();
    assert!(outcome.is_clean(), "{outcome}");
    let names: Vec<_> = outcome
        .sweeps()
        .iter()
        .map(|sweep| &sweep.workload)
        .collect();
    assert_eq!(
        names[..4],
        ["overwrite", "overwrite", "overwrite", "removal"]
    );
    assert!(outcome.sweeps().iter().all(SweepReport::is_complete));
}

#[test]
fn a_log_without_a_checksum_is_caught_where_writes_tear() {
    let subject = log("unsealed", false, true);
    let workload =
        Workload::new("one", disk()).then(Operation::set("/a", Value::generated(900, 1)));
    let outcome = check(&subject, disk()).workload(workload).outcome();
    insta::with_settings!({snapshot_path => "../../../reports", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("check-unsealed-log", outcome);
    });
}

#[test]
fn a_log_without_a_sync_is_caught_where_writes_are_held_back() {
    let subject = log("unsynced", true, false);
    let workload = Workload::new("two", disk())
        .then(Operation::set("/a", Value::literal("1")))
        .then(Operation::set("/b", Value::literal("2")));
    let check = check(&subject, disk()).workload(workload);
    let prefix = check.clone().under(&[&PREFIX]).outcome();
    assert!(prefix.is_clean(), "{prefix}");
    let outcome = check.under(&[&SECTOR_512]).outcome();
    assert!(!outcome.is_clean());
}

#[test]
fn what_a_failure_names_can_be_replayed_and_nothing_else() {
    let subject = log("unsealed", false, true);
    let workload =
        Workload::new("a b", disk()).then(Operation::set("/a", Value::generated(900, 1)));
    let check = check(&subject, disk()).workload(workload);
    let outcome = check.outcome();
    let found = outcome.sweeps()[1].first_violation().unwrap();
    let Some(id) = found
        .place
        .to_string()
        .strip_prefix("crash state ")
        .map(str::to_owned)
    else {
        unreachable!("it shows on a crash state");
    };
    let replayed = check.replay(&format!("a b sector-512 {id}")).unwrap();
    assert!(!replayed.clean);
    assert!(outcome.to_string().contains(&replayed.text));
    assert!(check.replay("a b sector-512 0").unwrap().clean);
    let wrong = |named: &str| check.replay(named).unwrap_err().to_string();
    assert_eq!(wrong("b prefix 0"), "the test has no workload b");
    assert_eq!(wrong("a b prefixes 0"), "there is no contract prefixes");
    assert_eq!(
        wrong("prefix 0"),
        "a workload, a contract and a state's id are needed, as in 'overwrite prefix 17'"
    );
    assert_eq!(
        wrong("a b prefix 99"),
        "workload a b has no crash state 99: its last one is 6"
    );
}
