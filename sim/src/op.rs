//! Operations: the calls that a workload makes on a subject.

mod value;

pub use value::Value;

use cutpoint_engine::Key;
use std::fmt;

/// One call on the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Creates or replaces a value; missing dictionaries are made on the way.
    Set {
        /// Where.
        key: Key,
        /// What it holds afterwards.
        value: Value,
    },
    /// Removes a value or an empty dictionary; nothing happens where there is neither.
    Remove {
        /// Which.
        key: Key,
    },
    /// Moves a value or a dictionary with all it holds.
    Rename {
        /// From where.
        source: Key,
        /// To where; into it, where it is a dictionary.
        dest: Key,
    },
    /// Makes an empty dictionary; missing ones are made on the way.
    CreateDictionary {
        /// Where.
        key: Key,
    },
    /// Makes everything that has returned durable. A store that promises this for every call has nothing to do.
    Sync,
    /// Unmounts and mounts again.
    Remount,
}

impl Operation {
    /// Sets `key` to these bytes.
    pub fn set(key: &str, value: Value) -> Self {
        let key = Key::new(key);
        Self::Set { key, value }
    }

    /// Removes `key`.
    pub fn remove(key: &str) -> Self {
        let key = Key::new(key);
        Self::Remove { key }
    }

    /// Moves `source` to `dest`.
    pub fn rename(source: &str, dest: &str) -> Self {
        Self::Rename {
            source: Key::new(source),
            dest: Key::new(dest),
        }
    }

    /// Makes the dictionary `key`.
    pub fn create_dictionary(key: &str) -> Self {
        let key = Key::new(key);
        Self::CreateDictionary { key }
    }

    /// Its kind.
    pub fn kind(&self) -> OperationKind {
        match self {
            Self::Set { .. } => OperationKind::Set,
            Self::Remove { .. } => OperationKind::Remove,
            Self::Rename { .. } => OperationKind::Rename,
            Self::CreateDictionary { .. } => OperationKind::CreateDictionary,
            Self::Sync => OperationKind::Sync,
            Self::Remount => OperationKind::Remount,
        }
    }

    /// The keys that it names: none, one, or source and destination.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        let (first, second) = match self {
            Self::Set { key, .. } | Self::Remove { key } | Self::CreateDictionary { key } => {
                (Some(key), None)
            }
            Self::Rename { source, dest } => (Some(source), Some(dest)),
            Self::Sync | Self::Remount => (None, None),
        };
        first.into_iter().chain(second)
    }
}

/// Short and readable: `set /d/k007 32 B`, `rename /a -> /b`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.kind();
        match self {
            Self::Set { key, value } => write!(f, "{name} {key} {} B", value.len()),
            Self::Remove { key } | Self::CreateDictionary { key } => write!(f, "{name} {key}"),
            Self::Rename { source, dest } => write!(f, "{name} {source} -> {dest}"),
            Self::Sync | Self::Remount => name.fmt(f),
        }
    }
}

/// The kinds of [`Operation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// [`Operation::Set`].
    Set,
    /// [`Operation::Remove`].
    Remove,
    /// [`Operation::Rename`].
    Rename,
    /// [`Operation::CreateDictionary`].
    CreateDictionary,
    /// [`Operation::Sync`].
    Sync,
    /// [`Operation::Remount`].
    Remount,
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set => "set",
            Self::Remove => "remove",
            Self::Rename => "rename",
            Self::CreateDictionary => "create",
            Self::Sync => "sync",
            Self::Remount => "remount",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_short() {
        let printed: Vec<_> = [
            Operation::set("/d/k007", Value::generated(32, 7)),
            Operation::remove("d"),
            Operation::rename("/a", "/b"),
            Operation::create_dictionary("/e/f"),
            Operation::Remount,
        ]
        .iter()
        .map(Operation::to_string)
        .collect();
        assert_eq!(
            printed,
            [
                "set /d/k007 32 B",
                "remove /d",
                "rename /a -> /b",
                "create /e/f",
                "remount"
            ]
        );
    }
}
