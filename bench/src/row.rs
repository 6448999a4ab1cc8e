//! The rows of the comparison: what is done to what.

use crate::subject::Summary;
use std::fmt;

/// Keys in a dictionary.
const KEYS: [u32; 4] = [10, 100, 1000, 4000];
/// Bytes of a large value.
const SIZES: [u32; 2] = [64 << 10, 1 << 20];

/// An order of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Order {
    /// That of their names.
    Sorted,
    /// A fixed random one.
    Shuffled,
}

/// What is done to the keys of a dictionary of 32-byte values. Numbers are per key, those of a mount and of a summary
/// per call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyOperation {
    Create,
    LookupHit,
    LookupMiss,
    /// The whole value into the caller's buffer.
    Get,
    Overwrite,
    List,
    Remove(Order),
    /// Of the device that the dictionary fills.
    Mount,
    Summary(Summary),
}

/// What is done with a large value. Numbers are per value, or per part where it goes in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueOperation {
    WriteWhole,
    ReadWhole,
    /// Each part a call of its own: C opens, seeks, reads, closes.
    ReadParts,
    /// C keeps the file open.
    ReadPartsOpen,
    /// Each part a call of its own at the end of the value, durable when it returns: C opens, appends, closes.
    AppendParts,
    /// C keeps the file open, and nothing of it is durable before it is closed.
    AppendPartsOpen,
}

/// Which of the random orders, from 0: where the order decides what a side does, it should not be chance that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Draw(pub(crate) u32);

/// Keys that a row is run on in all, about, in further random orders of the same keys.
const DRAWN: u32 = 4000;
/// The most orders.
const MAX_DRAWS: u32 = 16;

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Keys {
        operation: KeyOperation,
        count: u32,
        created: Order,
    },
    Value {
        operation: ValueOperation,
        size: u32,
    },
}

/// What is on the device before a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Start {
    /// An empty dictionary.
    Empty,
    /// The dictionary with so many keys.
    Filled(u32, Order),
    /// A value of so many bytes.
    Value(u32),
}

impl Row {
    /// All rows, in the order in which they are shown.
    pub(crate) fn all() -> Vec<Self> {
        let operations = [
            KeyOperation::Create,
            KeyOperation::LookupHit,
            KeyOperation::LookupMiss,
            KeyOperation::Get,
            KeyOperation::Overwrite,
            KeyOperation::List,
            KeyOperation::Remove(Order::Sorted),
            KeyOperation::Remove(Order::Shuffled),
            KeyOperation::Mount,
            KeyOperation::Summary(Summary::LastModified),
            KeyOperation::Summary(Summary::Digest),
        ];
        let mut rows = Vec::new();
        for operation in operations {
            for created in [Order::Sorted, Order::Shuffled] {
                rows.extend(KEYS.map(|count| Self::Keys {
                    operation,
                    count,
                    created,
                }));
            }
        }
        for operation in [
            ValueOperation::WriteWhole,
            ValueOperation::ReadWhole,
            ValueOperation::ReadParts,
            ValueOperation::ReadPartsOpen,
            ValueOperation::AppendParts,
            ValueOperation::AppendPartsOpen,
        ] {
            rows.extend(SIZES.map(|size| Self::Value { operation, size }));
        }
        rows
    }

    pub(crate) fn start(self) -> Start {
        match self {
            Self::Keys {
                operation: KeyOperation::Create,
                ..
            } => Start::Empty,
            Self::Keys { count, created, .. } => Start::Filled(count, created),
            Self::Value { operation, size } => match operation {
                ValueOperation::WriteWhole => Start::Empty,
                ValueOperation::AppendParts | ValueOperation::AppendPartsOpen => Start::Value(0),
                ValueOperation::ReadWhole
                | ValueOperation::ReadParts
                | ValueOperation::ReadPartsOpen => Start::Value(size),
            },
        }
    }

    /// The random orders that a run takes one after the other; one where it takes none.
    pub(crate) fn draws(self) -> impl Iterator<Item = Draw> {
        let draws = match self {
            Self::Keys {
                operation,
                count,
                created,
            } if created == Order::Shuffled || operation.changes_in_random_order() => {
                (DRAWN / count).clamp(1, MAX_DRAWS)
            }
            _ => 1,
        };
        (0..draws).map(Draw)
    }

    /// Whether C has such a call.
    pub(crate) fn has_c(self) -> bool {
        let summary = matches!(
            self,
            Self::Keys {
                operation: KeyOperation::Summary(_),
                ..
            }
        );
        !summary
    }

    /// Whether the row takes C long and is not one of those that targets about growth need.
    pub(crate) fn is_slow(self) -> bool {
        match self {
            Self::Keys {
                operation,
                count: 4000,
                ..
            } => !matches!(
                operation,
                KeyOperation::LookupHit | KeyOperation::LookupMiss | KeyOperation::Summary(_)
            ),
            _ => false,
        }
    }

    /// Whether C may do less here than the engine does, and the row is for information.
    pub(crate) fn is_uneven(self) -> bool {
        matches!(
            self,
            Self::Value {
                operation: ValueOperation::AppendPartsOpen,
                ..
            }
        )
    }
}

impl KeyOperation {
    fn changes_in_random_order(self) -> bool {
        matches!(self, Self::Overwrite | Self::Remove(Order::Shuffled))
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sorted => "sorted",
            Self::Shuffled => "shuffled",
        })
    }
}

impl fmt::Display for KeyOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::LookupHit => "lookup-hit",
            Self::LookupMiss => "lookup-miss",
            Self::Get => "get",
            Self::Overwrite => "overwrite",
            Self::List => "list",
            Self::Remove(Order::Sorted) => "remove-sorted",
            Self::Remove(Order::Shuffled) => "remove-shuffled",
            Self::Mount => "mount",
            Self::Summary(Summary::LastModified) => "last-modified",
            Self::Summary(Summary::Digest) => "digest",
        })
    }
}

impl fmt::Display for ValueOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WriteWhole => "write-whole",
            Self::ReadWhole => "read-whole",
            Self::ReadParts => "read-parts",
            Self::ReadPartsOpen => "read-parts-c-open",
            Self::AppendParts => "append-parts",
            Self::AppendPartsOpen => "append-parts-c-open",
        })
    }
}

/// The row's name: `lookup-hit/1000/sorted`, the order being that in which the keys were created;
/// `write-whole/64KiB`.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys {
                operation,
                count,
                created,
            } => write!(f, "{operation}/{count}/{created}"),
            Self::Value { operation, size } => write!(f, "{operation}/{}KiB", size >> 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique() {
        let rows = Row::all();
        let names: BTreeSet<String> = rows.iter().map(Row::to_string).collect();
        assert_eq!(names.len(), rows.len());
    }
}
