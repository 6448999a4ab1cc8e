use super::{Contents, Device, Health, Mounted, Promises, Subject, SubjectError};
use crate::files::Files;
use crate::medium::Medium;
use crate::nor_flash::SimulatedNorFlash;
use crate::op::Operation;
use cutpoint_engine::Key;
use std::fmt;

/// Keys with their values.
pub type KeyValues = Vec<(Vec<u8>, Vec<u8>)>;

/// An open store of keys and values, as far as the harness needs to know one: what to implement for a store that is not
/// its own. [`KeyValueSubject`] makes a subject of it.
///
/// Keys are those of the workload's operations. Keep to keys of one segment, such as `/a`: `/links/home` stands in a
/// dictionary, which the model expects to be there still once all that was in it is removed.
pub trait KeyValueStore {
    /// Sets `key` to `value`, in the place of what was there.
    ///
    /// # Errors
    ///
    /// [`SubjectError::Refused`] where the store says no and stays as it was; others where it failed.
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), SubjectError>;

    /// Removes `key`. Nothing happens, and nothing is wrong, where it is not there.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    fn remove(&mut self, key: &[u8]) -> Result<(), SubjectError>;

    /// All keys with their values, in any order.
    ///
    /// # Errors
    ///
    /// A [`SubjectError`] where part of it cannot be read.
    fn entries(&mut self) -> Result<KeyValues, SubjectError>;

    /// Makes durable what has returned. For stores that promise [`Durability::OnSync`](super::Durability::OnSync); others
    /// have nothing to do.
    ///
    /// # Errors
    ///
    /// A [`SubjectError`] where it failed.
    fn sync(&mut self) -> Result<(), SubjectError> {
        Ok(())
    }

    /// What the store's own check finds damaged, each with its place; nothing where it is sound or has no check.
    ///
    /// # Errors
    ///
    /// A [`SubjectError`] where the check could not be done.
    fn check(&mut self) -> Result<Vec<String>, SubjectError> {
        Ok(Vec::new())
    }
}

type Open = dyn Fn(Device) -> Result<Box<dyn KeyValueStore>, SubjectError> + Send + Sync;
type Format = dyn Fn(Device) -> Result<(), SubjectError> + Send + Sync;

/// A [`Subject`] from a few lines: a name, what the store stands on, and how it is opened.
///
/// Opening must make the store where there is none, as most stores do; where making one is a call of its own, say it with
/// [`formatted_by`](Self::formatted_by). What the store promises is [`Promises::default`] until
/// [`promising`](Self::promising) says otherwise.
///
/// A log of `key=value` lines in a file; the last line of a key counts:
///
/// ```
/// use cutpoint::files::File;
/// use cutpoint::subject::{KeyValueStore, KeyValueSubject, KeyValues, SubjectError};
/// use std::collections::BTreeMap;
///
/// struct Lines { file: File, values: BTreeMap<Vec<u8>, Vec<u8>> }
///
/// impl Lines {
///     fn open(file: File) -> Result<Self, SubjectError> {
///         let mut bytes = vec![0; file.len()? as usize];
///         file.read(0, &mut bytes)?;
///         let lines = bytes.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
///         let mut values = BTreeMap::new();
///         for line in lines {
///             let mut parts = line[..line.len() - 1].splitn(2, |&byte| byte == b'=');
///             if let (Some(key), Some(value)) = (parts.next(), parts.next()) {
///                 values.insert(key.to_vec(), value.to_vec());
///             }
///         }
///         Ok(Self { file, values })
///     }
/// }
///
/// impl KeyValueStore for Lines {
///     fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), SubjectError> {
///         let line = [key, b"=", value, b"\n"].concat();
///         self.file.write(self.file.len()?, &line)?;
///         self.values.insert(key.to_vec(), value.to_vec());
///         Ok(self.file.sync()?)
///     }
///     fn remove(&mut self, _key: &[u8]) -> Result<(), SubjectError> {
///         Err(SubjectError::Other("lines stay".into()))
///     }
///     fn entries(&mut self) -> Result<KeyValues, SubjectError> {
///         Ok(self.values.clone().into_iter().collect())
///     }
/// }
///
/// let subject = KeyValueSubject::on_file("lines", Lines::open);
/// # use cutpoint::subject::Subject;
/// # assert_eq!(subject.name(), "lines");
/// ```
///
/// [`check`](crate::check()) tests such a subject.
pub struct KeyValueSubject {
    name: String,
    full_name: Option<String>,
    promises: Promises,
    medium: Medium,
    open: Box<Open>,
    format: Option<Box<Format>>,
}

impl KeyValueSubject {
    /// A store on a block device: erase, program, sync.
    pub fn on_device<S: KeyValueStore + 'static>(
        name: impl Into<String>,
        open: impl Fn(Device) -> Result<S, SubjectError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            full_name: None,
            promises: Promises::default(),
            medium: Medium::Flash,
            open: Box::new(move |device| Ok(Box::new(open(device)?))),
            format: None,
        }
    }

    /// A store on NOR flash behind the traits of `embedded-storage`, with words of `WRITE` bytes and sectors of `ERASE`
    /// bytes; workloads must have these. For one that needs `MultiwriteNorFlash`, add
    /// [`on_medium`](Self::on_medium) with [`Medium::MultiwriteFlash`].
    pub fn on_nor_flash<const WRITE: usize, const ERASE: usize, S: KeyValueStore + 'static>(
        name: impl Into<String>,
        open: impl Fn(SimulatedNorFlash<WRITE, ERASE>) -> Result<S, SubjectError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self::on_device(name, move |device| open(SimulatedNorFlash::new(device)?))
    }

    /// A store on several files.
    pub fn on_files<S: KeyValueStore + 'static>(
        name: impl Into<String>,
        open: impl Fn(Files) -> Result<S, SubjectError> + Send + Sync + 'static,
    ) -> Self {
        Self::on_device(name, move |device| open(Files::mount(device)?)).on_medium(Medium::Disk)
    }

    /// A store on one file, which is there, empty at first.
    pub fn on_file<S: KeyValueStore + 'static>(
        name: impl Into<String>,
        open: impl Fn(crate::files::File) -> Result<S, SubjectError> + Send + Sync + 'static,
    ) -> Self {
        Self::on_files(name, move |files| open(files.open("store")?))
    }

    /// The same, with this name for people, version and all.
    #[must_use]
    pub fn with_full_name(self, full_name: impl Into<String>) -> Self {
        Self {
            full_name: Some(full_name.into()),
            ..self
        }
    }

    /// The same, with these promises.
    #[must_use]
    pub fn promising(self, promises: Promises) -> Self {
        Self { promises, ..self }
    }

    /// The same, on a medium of this kind.
    #[must_use]
    pub fn on_medium(self, medium: Medium) -> Self {
        Self { medium, ..self }
    }

    /// The same, with a call of its own that makes an empty store on a device.
    #[must_use]
    pub fn formatted_by(
        self,
        format: impl Fn(Device) -> Result<(), SubjectError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            format: Some(Box::new(format)),
            ..self
        }
    }
}

impl fmt::Debug for KeyValueSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyValueSubject")
            .field("name", &self.name)
            .field("medium", &self.medium)
            .finish_non_exhaustive()
    }
}

impl Subject for KeyValueSubject {
    fn name(&self) -> &str {
        &self.name
    }

    fn full_name(&self) -> String {
        let full_name = self.full_name.as_ref();
        full_name.unwrap_or(&self.name).clone()
    }

    fn promises(&self) -> Promises {
        self.promises.clone()
    }

    fn medium(&self) -> Medium {
        self.medium
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        match &self.format {
            Some(format) => format(device),
            None => (self.open)(device).map(drop),
        }
    }

    fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        Ok(Box::new(Opened((self.open)(device)?)))
    }
}

struct Opened(Box<dyn KeyValueStore>);

impl Mounted for Opened {
    fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError> {
        match operation {
            Operation::Set { key, value } => self.0.set(key.as_bytes(), &value.bytes()),
            Operation::Remove { key } => self.0.remove(key.as_bytes()),
            Operation::Sync => self.0.sync(),
            other => Err(SubjectError::Other(format!(
                "a store of keys and values alone knows no {}: leave it out of the workload",
                other.kind()
            ))),
        }
    }

    fn contents(&mut self) -> Result<Contents, SubjectError> {
        let entries = self.0.entries()?.into_iter();
        Ok(Contents::of_values(
            entries.map(|(key, value)| (Key::new(key), value)),
        ))
    }

    fn check(&mut self) -> Result<Health, SubjectError> {
        Ok(Health {
            damage: self.0.check()?,
            repair_pending: false,
        })
    }
}
