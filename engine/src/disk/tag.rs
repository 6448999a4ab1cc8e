//! Tags, the 32-bit descriptions of everything in a metadata block (SPEC.md, "Metadata tags").
//!
//! On disk a tag is big-endian and XORed with the tag before it; see [`super::scan`] and [`super::commit`].

/// The bit that marks a tag as not one: unwritten storage reads as such.
const INVALID: u32 = 0x8000_0000;
/// The id of tags that belong to no entry.
const NO_ID: u16 = 0x3ff;
/// The length that says that what the tag describes is gone.
const DELETED: u16 = 0x3ff;

/// The longest data that one tag can describe, in bytes.
pub const MAX_LENGTH: usize = 0x3fe;

/// The place of an entry in its pair, from 0, in the order of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(u16);

impl EntryId {
    /// The first entry of a pair.
    pub(crate) const FIRST: Self = Self(0);

    /// Where an index is one that the format can express: below 0x3ff.
    pub(crate) fn new(index: usize) -> Option<Self> {
        (index < usize::from(NO_ID)).then_some(Self(index as u16))
    }

    /// The place as an index.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The place as the number on disk.
    pub fn number(self) -> u16 {
        self.0
    }
}

/// How long a tag's data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many bytes follow the tag, at most [`MAX_LENGTH`].
    Bytes(u16),
    /// What the tag describes is deleted; no bytes follow.
    Deleted,
}

/// What kind of thing a name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// A value.
    Value,
    /// A dictionary.
    Dictionary,
    /// The store itself.
    Superblock,
}

/// How the thing behind an entry is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StructKind {
    /// A pointer to a dictionary's first pair.
    Dictionary,
    /// A value in the log itself.
    Inline,
    /// A pointer to a value's last block, and its size.
    Ctz,
}

/// Whether the next pair on the list belongs to the same dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailKind {
    /// It belongs to another dictionary, or the list ends.
    Soft,
    /// It belongs to the same dictionary.
    Hard,
}

/// What a tag describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagKind {
    /// An entry's name.
    Name(NameKind),
    /// Makes room for an entry.
    Create,
    /// Removes an entry.
    Delete,
    /// What stands behind an entry's name.
    Struct(StructKind),
    /// A user attribute of this type.
    Attribute(u8),
    /// What follows the pair on the list of all pairs.
    Tail(TailKind),
    /// The pair's share of the global state.
    GlobalState,
    /// The end of a commit. `flip` is the valid bit that unwritten storage behind the commit would show.
    CommitCrc {
        /// The valid bit.
        flip: bool,
    },
    /// The checksum of the erased bytes behind the commit.
    ForwardCrc,
    /// A type that the format does not assign.
    Unknown,
}

/// A parsed tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// What it describes.
    pub kind: TagKind,
    /// The entry it belongs to, if any.
    pub id: Option<EntryId>,
    /// How long its data is.
    pub length: Length,
}

impl Tag {
    /// A tag of `kind` for entry `id` with `length` bytes of data; `length` is at most [`MAX_LENGTH`].
    pub(crate) fn new(kind: TagKind, id: Option<EntryId>, length: usize) -> Self {
        debug_assert!(length <= MAX_LENGTH);
        Self {
            kind,
            id,
            length: Length::Bytes(length as u16),
        }
    }

    /// A tag that says that what `kind` describes on entry `id` is gone.
    pub(crate) fn deletion(kind: TagKind, id: EntryId) -> Self {
        Self {
            kind,
            id: Some(id),
            length: Length::Deleted,
        }
    }

    /// The tag that `bits` hold, already freed of the XOR; none where the valid bit says that there is no tag.
    pub(crate) fn decode(bits: u32) -> Option<Self> {
        if bits & INVALID != 0 {
            return None;
        }
        let id = (bits >> 10 & 0x3ff) as u16;
        let length = (bits & 0x3ff) as u16;
        Some(Self {
            kind: TagKind::decode((bits >> 20) as u16),
            id: EntryId::new(usize::from(id)),
            length: if length == DELETED {
                Length::Deleted
            } else {
                Length::Bytes(length)
            },
        })
    }

    /// The 32 bits of the tag, before the XOR.
    pub(crate) fn encode(self) -> u32 {
        let id = self.id.map_or(NO_ID, |id| id.0);
        let length = match self.length {
            Length::Bytes(length) => length,
            Length::Deleted => DELETED,
        };
        u32::from(self.kind.encode()) << 20 | u32::from(id) << 10 | u32::from(length)
    }

    /// How many bytes of data follow the tag.
    pub fn data_length(self) -> usize {
        match self.length {
            Length::Bytes(length) => usize::from(length),
            Length::Deleted => 0,
        }
    }
}

impl TagKind {
    fn decode(bits: u16) -> Self {
        match bits {
            0x001 => Self::Name(NameKind::Value),
            0x002 => Self::Name(NameKind::Dictionary),
            0x0ff => Self::Name(NameKind::Superblock),
            0x401 => Self::Create,
            0x4ff => Self::Delete,
            0x200 => Self::Struct(StructKind::Dictionary),
            0x201 => Self::Struct(StructKind::Inline),
            0x202 => Self::Struct(StructKind::Ctz),
            0x300..=0x3ff => Self::Attribute(bits as u8),
            0x600 => Self::Tail(TailKind::Soft),
            0x601 => Self::Tail(TailKind::Hard),
            0x7ff => Self::GlobalState,
            // Half of the chunk's values are CRC tags; only the lowest bit has a meaning so far.
            0x500..=0x57f => Self::CommitCrc {
                flip: bits & 1 != 0,
            },
            0x5ff => Self::ForwardCrc,
            _ => Self::Unknown,
        }
    }

    fn encode(self) -> u16 {
        match self {
            Self::Name(NameKind::Value) => 0x001,
            Self::Name(NameKind::Dictionary) => 0x002,
            Self::Name(NameKind::Superblock) => 0x0ff,
            Self::Create => 0x401,
            Self::Delete => 0x4ff,
            Self::Struct(StructKind::Dictionary) => 0x200,
            Self::Struct(StructKind::Inline) => 0x201,
            Self::Struct(StructKind::Ctz) => 0x202,
            Self::Attribute(kind) => 0x300 | u16::from(kind),
            Self::Tail(TailKind::Soft) => 0x600,
            Self::Tail(TailKind::Hard) => 0x601,
            Self::GlobalState => 0x7ff,
            Self::CommitCrc { flip } => 0x500 | u16::from(flip),
            Self::ForwardCrc => 0x5ff,
            // Never written: a tag of no assigned type.
            Self::Unknown => 0x000,
        }
    }

    /// Whether the tag ends a commit.
    pub(crate) fn is_commit_crc(self) -> bool {
        matches!(self, Self::CommitCrc { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn examples_of_the_specification() {
        let name = Tag::decode(0x0ff0_0008).unwrap();
        assert_eq!(name.kind, TagKind::Name(NameKind::Superblock));
        assert_eq!((name.id, name.data_length()), (EntryId::new(0), 8));
        let deleted = Tag::decode(0x3740_0fff).unwrap();
        assert_eq!(deleted.kind, TagKind::Attribute(0x74));
        assert_eq!(
            (deleted.id, deleted.length),
            (EntryId::new(3), Length::Deleted)
        );
        let crc = Tag::decode(0x501f_fc04).unwrap();
        assert_eq!(crc.kind, TagKind::CommitCrc { flip: true });
        assert_eq!(crc.id, None);
        assert_eq!(Tag::decode(0xffff_ffff), None);
        // Not a commit's CRC, though of the same abstract type.
        assert_eq!(Tag::decode(0x5fff_fc08).unwrap().kind, TagKind::ForwardCrc);
    }

    proptest! {
        #[test]
        fn decoding_and_encoding_are_inverse(
            type3 in prop_oneof![
                prop::sample::select(vec![
                    0x001, 0x002, 0x0ff, 0x401, 0x4ff, 0x200, 0x201, 0x202, 0x600, 0x601, 0x7ff,
                    0x500, 0x501, 0x5ff,
                ]),
                0x300u32..0x400,
            ],
            rest in 0u32..1 << 20,
        ) {
            let bits = type3 << 20 | rest;
            let tag = Tag::decode(bits).unwrap();
            prop_assert_ne!(tag.kind, TagKind::Unknown);
            prop_assert_eq!(tag.encode(), bits);
        }
    }
}
