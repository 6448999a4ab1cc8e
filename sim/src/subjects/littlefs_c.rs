mod check;

use crate::model::Attributes;
use crate::op::{Operation, Value};
use crate::refusal::Refusal;
use crate::subject::{
    BadBlocks, Checks, Contents, Device, Entry, EntryNode, Health, Intermediate, Mounted, Promises,
    Subject, SubjectError,
};
use cutpoint_engine::Key;
use cutpoint_engine::device::{BlockDevice, Geometry};
use cutpoint_littlefs_c::{Access, Config, Error, File, Kind, Littlefs, MAX_ATTRIBUTE};
use std::collections::BTreeSet;
use std::ffi::{CStr, CString};

/// The C littlefs, with the settings of [`Config::for_geometry`].
///
/// C has calls for files and empty directories. What an [`Operation`] asks for beyond that is made of several, and
/// undone where a later one of them is refused; the states between are among its promises:
///
/// - dictionaries on the way are made one by one ([`Intermediate::DictionariesMade`]);
/// - a new file is made empty and then written ([`Intermediate::ValueEmpty`]): C commits its name when it is opened and
///   what it holds when it is closed;
/// - a dictionary that holds something is emptied first ([`Intermediate::RemovedInPart`]).
///
/// All else is atomic, and durable when the call returns, as C's documentation says. It keeps no times.
///
/// C cannot list the attributes of a file: only those of the types that are looked for are seen.
///
/// C mounts without a write and repairs before the first change. What it shows until then may lack an entry that is
/// there (`docs/interop.md`): [`repairing_on_mount`](Self::repairing_on_mount) leaves that out of sight.
#[derive(Clone, Debug, Default)]
pub struct LittlefsCSubject {
    attribute_kinds: BTreeSet<u8>,
    repairs_on_mount: bool,
    cache_size: Option<u32>,
}

impl LittlefsCSubject {
    /// The C littlefs, looking for attributes of these types alone. Each costs a look-up for each key.
    pub fn looking_for(attribute_kinds: impl IntoIterator<Item = u8>) -> Self {
        Self {
            attribute_kinds: attribute_kinds.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The same, with caches of so many bytes: smaller ones make C write in smaller programs, between which the power
    /// can be cut. Where that does not fit the device, it cannot be formatted nor mounted.
    #[must_use]
    pub fn with_cache_size(self, bytes: u32) -> Self {
        Self {
            cache_size: Some(bytes),
            ..self
        }
    }

    fn config(&self, geometry: Geometry) -> Config {
        let config = Config::for_geometry(geometry);
        Config {
            cache_size: self.cache_size.unwrap_or(config.cache_size),
            ..config
        }
    }

    /// The same, with C's repair forced as part of each mount.
    #[must_use]
    pub fn repairing_on_mount(self) -> Self {
        Self {
            repairs_on_mount: true,
            ..self
        }
    }
}

impl Subject for LittlefsCSubject {
    fn name(&self) -> &'static str {
        "littlefs-c"
    }

    fn full_name(&self) -> String {
        cutpoint_littlefs_c::version()
    }

    fn promises(&self) -> Promises {
        Promises {
            intermediates: vec![
                Intermediate::DictionariesMade,
                Intermediate::ValueEmpty,
                Intermediate::RemovedInPart,
            ],
            bad_blocks: BadBlocks::ReplacedBeyond(2),
            checks: Checks::LittlefsCommits,
            ..Promises::default()
        }
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        let config = self.config(device.geometry());
        Littlefs::format(device, &config).map_err(of_error)
    }

    fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        let geometry = device.geometry();
        let config = self.config(geometry);
        let mut store = Littlefs::mount(device, &config).map_err(|error| match error {
            Error::Invalid => SubjectError::Unmountable("it is of another size or version".into()),
            error => of_error(error),
        })?;
        if self.repairs_on_mount {
            store.repair().map_err(of_error)?;
        }
        Ok(Box::new(MountedC {
            store,
            attribute_kinds: self.attribute_kinds.iter().copied().collect(),
            block_count: geometry.block_count(),
        }))
    }
}

struct MountedC {
    store: Littlefs<Device>,
    attribute_kinds: Vec<u8>,
    block_count: u32,
}

impl Mounted for MountedC {
    fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError> {
        match operation {
            Operation::Set { key, value } => {
                self.value_at(key)?;
                self.write(key, Access::Replace, |file| file.write(&value.bytes()))
            }
            Operation::SetPartial { key, offset, value } => self.set_partial(key, *offset, value),
            Operation::Truncate { key, size } => match self.value_at(key)? {
                None => Err(Refusal::NotFound.into()),
                Some(now) if now == *size => Ok(()),
                Some(_) => self.write(key, Access::Write, |file| file.truncate(*size)),
            },
            Operation::Allocate { key, size } => match self.value_at(key)? {
                Some(_) => Err(Refusal::AlreadyPresent.into()),
                None => self.write(key, Access::Replace, |file| file.truncate(*size)),
            },
            Operation::SetAttribute { key, kind, data } => {
                if data.len() > MAX_ATTRIBUTE && self.node_at(key)?.is_some() {
                    return Err(Refusal::Unsupported.into());
                }
                let set = self.store.set_attribute(&path(key)?, *kind, &data.bytes());
                set.map_err(|error| self.of_error(error))
            }
            Operation::RemoveAttribute { key, kind } => {
                let removed = self.store.remove_attribute(&path(key)?, *kind);
                removed.map_err(|error| self.of_error(error))
            }
            Operation::Remove { key } => self.remove(key),
            Operation::Rename { source, dest } => self.rename(source, dest),
            Operation::CreateDictionary { key } => match self.node_at(key)? {
                Some(_) => Err(Refusal::AlreadyPresent.into()),
                None => self.with_parents(key, |this| {
                    let made = this.store.create_dir(&path(key)?);
                    made.map_err(|error| this.of_error(error))
                }),
            },
            // Every file is closed when its call returns.
            Operation::Sync | Operation::Remount => Ok(()),
        }
    }

    fn contents(&mut self) -> Result<Contents, SubjectError> {
        let mut entries = Vec::new();
        self.walk(&Key::ROOT, &mut |this, key, kind| {
            let node = match kind {
                Kind::Directory => EntryNode::Dictionary,
                Kind::File { size } => EntryNode::Value(this.read(&key, size)?),
            };
            entries.push(Entry {
                attributes: this.attributes(&key)?,
                key,
                node,
            });
            Ok(())
        })?;
        let root = self.attributes(&Key::ROOT)?;
        Ok(Contents::new(entries, root))
    }

    fn check(&mut self) -> Result<Health, SubjectError> {
        self.check_structure()
    }
}

impl MountedC {
    fn set_partial(&mut self, key: &Key, offset: u32, value: &Value) -> Result<(), SubjectError> {
        let size = match self.value_at(key)? {
            Some(_) if value.is_empty() => return Ok(()),
            Some(size) => size,
            None => 0,
        };
        let access = if size == 0 {
            Access::Replace
        } else {
            Access::Write
        };
        self.write(key, access, |file| {
            file.seek(offset.min(size))?;
            file.write(&value.bytes())
        })
    }

    /// Opens a value, changes it with `change`, and makes that durable. A value that is made for it, and dictionaries
    /// on the way, are removed again where it is refused.
    fn write(
        &mut self,
        key: &Key,
        access: Access,
        change: impl FnOnce(&mut File<'_, Device>) -> Result<(), Error>,
    ) -> Result<(), SubjectError> {
        let is_new = self.node_at(key)?.is_none();
        let path = path(key)?;
        self.with_parents(key, |this| {
            let mut is_made = false;
            let written = this.store.open(&path, access).and_then(|mut file| {
                is_made = is_new;
                change(&mut file)?;
                file.close()
            });
            written.map_err(|error| {
                let refused = this.of_error(error);
                if is_made {
                    this.undone(refused, &path)
                } else {
                    refused
                }
            })
        })
    }

    /// Makes the dictionaries that are missing above `key`, and then does `call`. Where that is refused, they are
    /// removed again.
    fn with_parents(
        &mut self,
        key: &Key,
        call: impl FnOnce(&mut Self) -> Result<(), SubjectError>,
    ) -> Result<(), SubjectError> {
        let mut missing = Vec::new();
        let mut above = key.parent();
        while let Some(dictionary) = above.filter(|dictionary| !dictionary.is_root()) {
            if self.node_at(&dictionary)?.is_some() {
                break;
            }
            missing.push(path(&dictionary)?);
            above = dictionary.parent();
        }
        let mut made = Vec::new();
        let mut outcome = Ok(());
        for dictionary in missing.iter().rev() {
            if let Err(error) = self.store.create_dir(dictionary) {
                outcome = Err(self.of_error(error));
                break;
            }
            made.push(dictionary);
        }
        let done = outcome.and_then(|()| call(self));
        done.map_err(|refused| {
            let made = made.iter().rev();
            made.fold(refused, |refused, dictionary| {
                self.undone(refused, dictionary)
            })
        })
    }

    /// Removes what was made before something was refused; other errors leave everything as it is.
    fn undone(&mut self, error: SubjectError, made: &CStr) -> SubjectError {
        if !matches!(error, SubjectError::Refused(_)) {
            return error;
        }
        match self.store.remove(made) {
            Ok(()) => error,
            Err(why) => {
                let made = made.to_string_lossy();
                SubjectError::Other(format!("{error}, and {made} stays behind: {why}"))
            }
        }
    }

    fn remove(&mut self, key: &Key) -> Result<(), SubjectError> {
        if key.is_root() {
            return Err(Refusal::RootFixed.into());
        }
        let kind = match self.node_at(key) {
            Ok(Some(kind)) => kind,
            Ok(None) | Err(SubjectError::Refused(Refusal::DictionaryExpected)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut going = vec![key.clone()];
        if kind == Kind::Directory {
            self.walk(key, &mut |_, key, _| {
                going.push(key);
                Ok(())
            })?;
        }
        going.sort_unstable();
        for key in going.iter().rev() {
            let removed = self.store.remove(&path(key)?);
            removed.map_err(|error| self.of_error(error))?;
        }
        Ok(())
    }

    fn rename(&mut self, source: &Key, dest: &Key) -> Result<(), SubjectError> {
        let Some(name) = source.name() else {
            return Err(Refusal::RootFixed.into());
        };
        let kind = match self.node_at(source) {
            Ok(Some(kind)) => kind,
            Ok(None) | Err(SubjectError::Refused(Refusal::DictionaryExpected)) => {
                return Err(Refusal::NotFound.into());
            }
            Err(error) => return Err(error),
        };
        let moves_dictionary = kind == Kind::Directory;
        if source == dest {
            return Ok(());
        }
        if moves_dictionary && dest.starts_with(source) {
            return Err(Refusal::RenameSourcePrefix.into());
        }
        let dest = match self.node_at(dest)? {
            Some(Kind::Directory) => {
                let inside = dest.child(name);
                let there = self.node_at(&inside)?;
                if inside == *source {
                    return Ok(());
                }
                // C would put a dictionary in the place of an empty one.
                if there.is_some_and(|there| moves_dictionary || there == Kind::Directory) {
                    return Err(Refusal::AlreadyPresent.into());
                }
                inside
            }
            Some(Kind::File { .. }) if moves_dictionary => {
                return Err(Refusal::ValueExpected.into());
            }
            _ => dest.clone(),
        };
        let (from, to) = (path(source)?, path(&dest)?);
        self.with_parents(&dest, |this| {
            let moved = this.store.rename(&from, &to);
            moved.map_err(|error| this.of_error(error))
        })
    }

    /// What stands under `key`; none where there is nothing.
    fn node_at(&mut self, key: &Key) -> Result<Option<Kind>, SubjectError> {
        match self.store.stat(&path(key)?) {
            Ok(metadata) => Ok(Some(metadata.kind)),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(of_error(error)),
        }
    }

    /// The size of the value under `key`; none where there is nothing.
    fn value_at(&mut self, key: &Key) -> Result<Option<u32>, SubjectError> {
        match self.node_at(key)? {
            Some(Kind::File { size }) => Ok(Some(size)),
            Some(Kind::Directory) => Err(Refusal::ValueExpected.into()),
            None => Ok(None),
        }
    }

    fn read(&mut self, key: &Key, size: u32) -> Result<Vec<u8>, SubjectError> {
        let mut bytes = vec![0; size as usize];
        let mut file = self
            .store
            .open(&path(key)?, Access::Read)
            .map_err(of_error)?;
        let got = file.read(&mut bytes).map_err(of_error)?;
        if got != bytes.len() {
            return Err(SubjectError::Corrupt(format!(
                "{key} ends after {got} of {size} bytes"
            )));
        }
        Ok(bytes)
    }

    fn attributes(&mut self, key: &Key) -> Result<Attributes, SubjectError> {
        let mut attributes = Attributes::new();
        let path = path(key)?;
        for &kind in &self.attribute_kinds {
            if let Some(data) = self.store.attribute(&path, kind).map_err(of_error)? {
                attributes.insert(kind, data);
            }
        }
        Ok(attributes)
    }

    /// Visits everything below `dictionary`. Its own stack is on the heap: directories may lead in a circle, which ends
    /// with the budget of device calls.
    fn walk(
        &mut self,
        dictionary: &Key,
        visit: &mut dyn FnMut(&mut Self, Key, Kind) -> Result<(), SubjectError>,
    ) -> Result<(), SubjectError> {
        let mut dictionaries = vec![dictionary.clone()];
        while let Some(dictionary) = dictionaries.pop() {
            for entry in self.store.list(&path(&dictionary)?).map_err(of_error)? {
                let key = dictionary.child(entry.name);
                if entry.kind == Kind::Directory {
                    dictionaries.push(key.clone());
                }
                visit(self, key, entry.kind)?;
            }
        }
        Ok(())
    }

    /// As [`of_error`], for calls that need room. C says so where the device is full, and where an entry is too large
    /// for its pair; of a name, that it is too long. The free blocks tell which it is.
    fn of_error(&mut self, error: Error) -> SubjectError {
        match error {
            Error::NoSpace | Error::NameTooLong => match self.store.used_blocks() {
                Ok(used) if used + ROOM_TO_SPLIT <= self.block_count => Refusal::Unsupported.into(),
                _ => Refusal::NoSpace.into(),
            },
            error => of_error(error),
        }
    }
}

/// Blocks that C needs free to split a pair or to make a dictionary, and for a block of the value: where there are as
/// many, it is not for want of room that it says no.
const ROOM_TO_SPLIT: u32 = 4;

fn path(key: &Key) -> Result<CString, SubjectError> {
    let has_c_meaning = |segment: &[u8]| segment == b"." || segment == b"..";
    if key
        .as_bytes()
        .split(|&byte| byte == b'/')
        .any(has_c_meaning)
    {
        return Err(Refusal::Unsupported.into());
    }
    CString::new(key.as_bytes()).map_err(|_| Refusal::Unsupported.into())
}

fn of_error(error: Error) -> SubjectError {
    SubjectError::Refused(match error {
        Error::NotFound => Refusal::NotFound,
        Error::NotADirectory => Refusal::DictionaryExpected,
        Error::IsADirectory => Refusal::ValueExpected,
        Error::AlreadyPresent => Refusal::AlreadyPresent,
        Error::NoSpace => Refusal::NoSpace,
        Error::NameTooLong | Error::FileTooLarge => Refusal::Unsupported,
        Error::Device(error) => return SubjectError::Device(error),
        Error::Corrupt => return SubjectError::Corrupt("C says so, and not where".into()),
        other => return SubjectError::Other(other.to_string()),
    })
}
