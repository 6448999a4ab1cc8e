//! Renaming.

use super::{Kind, Store, kind_of};
use crate::clock::Clock;
use crate::device::BlockDevice;
use crate::disk::entry::Entry;
use crate::error::Error;
use crate::key::Key;
use crate::store::tree::Place;

impl<D: BlockDevice, C: Clock> Store<D, C> {
    /// Moves what is under `source` to `dest`, with its attributes, in one atomic step; dictionaries above `dest` that
    /// do not exist are made in the same step.
    ///
    /// A value replaces a value. Where `dest` is a dictionary, `source` moves inside it under its own last segment,
    /// where only a value may replace a value. Renaming a key to itself does nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where there is nothing under `source`, [`Error::ValueExpected`] where it is a dictionary
    /// and `dest` a value, [`Error::RenameSourcePrefix`] where it is a dictionary and `dest` lies below it,
    /// [`Error::AlreadyPresent`] where its name is taken inside `dest`, [`Error::DictionaryExpected`] where a value
    /// stands above `dest`, [`Error::RootFixed`], [`Error::NameTooLong`], [`Error::NameNotAllowed`],
    /// [`Error::EntryTooLarge`], [`Error::NoSpace`]; [`Error::Corrupt`], [`Error::Device`], [`Error::ReadOnly`].
    pub fn rename(&mut self, source: &Key, dest: &Key) -> Result<(), Error> {
        self.mutate(|store| store.rename_entry(source, dest))
    }

    fn rename_entry(&mut self, source: &Key, dest: &Key) -> Result<(), Error> {
        let entry = match self.volume.locate(source)? {
            Place::Root => return Err(Error::RootFixed),
            Place::Free(..) | Place::Blocked(_) => return Err(Error::NotFound(source.clone())),
            Place::Found(_, entry) => entry,
        };
        if source == dest {
            return Ok(());
        }
        let kind = kind_of(&entry);
        if kind == Kind::Dictionary && dest.starts_with(source) {
            return Err(Error::RenameSourcePrefix {
                source: source.clone(),
                dest: dest.clone(),
            });
        }
        let inside = match self.volume.locate(dest)? {
            Place::Root => true,
            Place::Found(_, found) => kind_of(&found) == Kind::Dictionary,
            Place::Free(..) | Place::Blocked(_) => false,
        };
        let target = if inside {
            dest.child(&entry.name)
        } else {
            dest.clone()
        };
        if target == *source {
            return Ok(());
        }
        match self.volume.locate(&target)? {
            Place::Root => Err(Error::AlreadyPresent(target)),
            Place::Blocked(above) => Err(Error::DictionaryExpected(above)),
            Place::Found(slot, found) => {
                if kind_of(&found) == Kind::Dictionary || (inside && kind == Kind::Dictionary) {
                    return Err(Error::AlreadyPresent(target));
                }
                if kind == Kind::Dictionary {
                    return Err(Error::ValueExpected(source.clone()));
                }
                let entry = Entry {
                    name: found.name,
                    ..entry
                };
                self.check_fits(&target, &entry)?;
                Ok(self.volume.put(slot, true, entry, Some(source))?)
            }
            Place::Free(slot, names) => {
                self.check_names(&target, &names)?;
                let name = names.last().copied().unwrap_or_default().to_vec();
                let entry = Entry { name, ..entry };
                self.check_fits(&target, &entry)?;
                self.insert(&target, slot, &names, entry, Some(source))
            }
        }
    }
}
