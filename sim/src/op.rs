//! Operations: the calls that a workload makes on a subject.

mod time;
mod value;

pub use time::time_of;
pub use value::Value;

use cutpoint_engine::Key;
use std::fmt;

/// One call on the subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Creates or replaces a value; missing dictionaries are made on the way.
    Set {
        /// Where.
        key: Key,
        /// What it holds afterwards.
        value: Value,
    },
    /// Puts bytes into a value from an offset on, or at its end where it is shorter; what is before and behind them
    /// stays. Where there is no value, they are all of a new one, and missing dictionaries are made on the way.
    SetPartial {
        /// Where.
        key: Key,
        /// From which byte of the value on.
        offset: u32,
        /// What is put there. Nothing happens, to the time neither, where it is empty and there is a value.
        value: Value,
    },
    /// Cuts a value, or lengthens it by zero bytes. Nothing happens, to the time neither, where it has the size.
    Truncate {
        /// Which.
        key: Key,
        /// How many bytes it has afterwards.
        size: u32,
    },
    /// Makes a new value of zero bytes; missing dictionaries are made on the way.
    Allocate {
        /// Where.
        key: Key,
        /// How many bytes it has.
        size: u32,
    },
    /// Sets an attribute of a value, a dictionary or the root.
    SetAttribute {
        /// Of what.
        key: Key,
        /// Which: its type.
        kind: u8,
        /// What it holds afterwards.
        data: Value,
    },
    /// Removes an attribute; nothing happens where there is none of this type.
    RemoveAttribute {
        /// Of what.
        key: Key,
        /// Which: its type.
        kind: u8,
    },
    /// Removes a value, or a dictionary with all it holds; nothing happens where there is neither.
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

    /// Puts these bytes into `key` from `offset` on.
    pub fn set_partial(key: &str, offset: u32, value: Value) -> Self {
        let key = Key::new(key);
        Self::SetPartial { key, offset, value }
    }

    /// Cuts or lengthens `key` to `size` bytes.
    pub fn truncate(key: &str, size: u32) -> Self {
        let key = Key::new(key);
        Self::Truncate { key, size }
    }

    /// Makes `key` a value of `size` zero bytes.
    pub fn allocate(key: &str, size: u32) -> Self {
        let key = Key::new(key);
        Self::Allocate { key, size }
    }

    /// Sets the attribute `kind` of `key` to these bytes.
    pub fn set_attribute(key: &str, kind: u8, data: Value) -> Self {
        let key = Key::new(key);
        Self::SetAttribute { key, kind, data }
    }

    /// Removes the attribute `kind` of `key`.
    pub fn remove_attribute(key: &str, kind: u8) -> Self {
        let key = Key::new(key);
        Self::RemoveAttribute { key, kind }
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
            Self::SetPartial { .. } => OperationKind::SetPartial,
            Self::Truncate { .. } => OperationKind::Truncate,
            Self::Allocate { .. } => OperationKind::Allocate,
            Self::SetAttribute { .. } => OperationKind::SetAttribute,
            Self::RemoveAttribute { .. } => OperationKind::RemoveAttribute,
            Self::Remove { .. } => OperationKind::Remove,
            Self::Rename { .. } => OperationKind::Rename,
            Self::CreateDictionary { .. } => OperationKind::CreateDictionary,
            Self::Sync => OperationKind::Sync,
            Self::Remount => OperationKind::Remount,
        }
    }

    /// The bytes that it writes, where it is given some.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Set { value, .. }
            | Self::SetPartial { value, .. }
            | Self::SetAttribute { data: value, .. } => Some(value),
            _ => None,
        }
    }

    /// The keys that it names: none, one, or source and destination.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        let (first, second) = match self {
            Self::Set { key, .. }
            | Self::SetPartial { key, .. }
            | Self::Truncate { key, .. }
            | Self::Allocate { key, .. }
            | Self::SetAttribute { key, .. }
            | Self::RemoveAttribute { key, .. }
            | Self::Remove { key }
            | Self::CreateDictionary { key } => (Some(key), None),
            Self::Rename { source, dest } => (Some(source), Some(dest)),
            Self::Sync | Self::Remount => (None, None),
        };
        first.into_iter().chain(second)
    }
}

/// Short and readable: `set /d/k007 32 B`, `set-partial /a at 100 32 B`, `rename /a -> /b`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.kind();
        match self {
            Self::Set { key, value } => write!(f, "{name} {key} {} B", value.len()),
            Self::SetPartial { key, offset, value } => {
                write!(f, "{name} {key} at {offset} {} B", value.len())
            }
            Self::Truncate { key, size } => write!(f, "{name} {key} to {size} B"),
            Self::Allocate { key, size } => write!(f, "{name} {key} {size} B"),
            Self::SetAttribute { key, kind, data } => {
                write!(f, "{name} {key} {kind:#04x} {} B", data.len())
            }
            Self::RemoveAttribute { key, kind } => write!(f, "{name} {key} {kind:#04x}"),
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
    /// [`Operation::SetPartial`].
    SetPartial,
    /// [`Operation::Truncate`].
    Truncate,
    /// [`Operation::Allocate`].
    Allocate,
    /// [`Operation::SetAttribute`].
    SetAttribute,
    /// [`Operation::RemoveAttribute`].
    RemoveAttribute,
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

impl OperationKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Set,
        Self::SetPartial,
        Self::Truncate,
        Self::Allocate,
        Self::SetAttribute,
        Self::RemoveAttribute,
        Self::Remove,
        Self::Rename,
        Self::CreateDictionary,
        Self::Sync,
        Self::Remount,
    ];
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set => "set",
            Self::SetPartial => "set-partial",
            Self::Truncate => "truncate",
            Self::Allocate => "allocate",
            Self::SetAttribute => "set-attribute",
            Self::RemoveAttribute => "remove-attribute",
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
            Operation::set_partial("/a", 100, Value::literal("xyz")),
            Operation::truncate("/a", 7),
            Operation::allocate("/z", 600),
            Operation::set_attribute("/", 0x41, Value::literal("att")),
            Operation::remove_attribute("/d", 7),
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
                "set-partial /a at 100 3 B",
                "truncate /a to 7 B",
                "allocate /z 600 B",
                "set-attribute / 0x41 3 B",
                "remove-attribute /d 0x07",
                "remove /d",
                "rename /a -> /b",
                "create /e/f",
                "remount"
            ]
        );
    }
}
