//! The store of the tutorial: a log of records in a file, which is written anew when it has grown.

use cutpoint::files::{File, Files};
use cutpoint::subject::{KeyValueStore, KeyValues, SubjectError};
use std::collections::BTreeMap;

/// How many bytes the log may have before it is written anew.
const LIMIT: u64 = 4096;

const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// Keys and values, the newest record of each key.
pub(crate) struct Log {
    files: Files,
    file: File,
    end: u64,
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Whether it is the version at the end of the tutorial, or the one at its beginning.
    fixed: bool,
}

impl Log {
    /// Opens the log, or makes an empty one. A record that does not fit its checksum was cut, and ends it.
    pub(crate) fn open(files: Files, fixed: bool) -> Result<Self, SubjectError> {
        let file = files.open("log")?;
        let mut bytes = vec![0; file.len()? as usize];
        file.read(0, &mut bytes)?;
        let mut log = Self {
            files,
            file,
            end: 0,
            values: BTreeMap::new(),
            fixed,
        };
        while let Some((key, value, length)) = parse(&bytes[log.end as usize..]) {
            match value {
                Some(value) => log.values.insert(key, value),
                None => log.values.remove(&key),
            };
            log.end += length;
        }
        Ok(log)
    }

    fn append(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), SubjectError> {
        let record = record(key, value);
        self.file.write(self.end, &record)?;
        self.file.sync()?;
        self.end += record.len() as u64;
        match value {
            Some(value) => self.values.insert(key.into(), value.into()),
            None => self.values.remove(key),
        };
        if self.end > LIMIT {
            self.compact()?;
        }
        Ok(())
    }

    /// Writes what is there into a new file, and puts that in the place of the log.
    fn compact(&mut self) -> Result<(), SubjectError> {
        self.files.remove("log.new")?;
        let new = self.files.open("log.new")?;
        let records = self
            .values
            .iter()
            .map(|(key, value)| record(key, Some(value)));
        let bytes = records.collect::<Vec<_>>().concat();
        new.write(0, &bytes)?;
        if self.fixed {
            new.sync()?;
        }
        self.files.rename("log.new", "log")?;
        self.files.sync()?;
        self.file = self.files.open("log")?;
        self.end = bytes.len() as u64;
        Ok(())
    }
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

/// A checksum of the rest, the length of the key, whether a value follows, the length of that, and both.
fn record(key: &[u8], value: Option<&[u8]>) -> Vec<u8> {
    let mut rest = vec![key.len() as u8, u8::from(value.is_some())];
    rest.extend((value.unwrap_or_default().len() as u32).to_le_bytes());
    rest.extend(key);
    rest.extend(value.unwrap_or_default());
    let mut record = CRC.checksum(&rest).to_le_bytes().to_vec();
    record.extend(rest);
    record
}

/// The key and the value of the first record, and how long it is.
fn parse(bytes: &[u8]) -> Option<(Vec<u8>, Option<Vec<u8>>, u64)> {
    let (checksum, rest) = bytes.split_first_chunk()?;
    let (&[key, is_set, a, b, c, d], behind) = rest.split_first_chunk()?;
    let value = u32::from_le_bytes([a, b, c, d]) as usize;
    let (key, behind) = behind.split_at_checked(key.into())?;
    let (value, _) = behind.split_at_checked(value)?;
    let length = 6 + key.len() + value.len();
    let whole = CRC.checksum(&rest[..length]) == u32::from_le_bytes(*checksum);
    whole.then(|| {
        let value = (is_set == 1).then(|| value.to_vec());
        (key.to_vec(), value, 4 + length as u64)
    })
}
