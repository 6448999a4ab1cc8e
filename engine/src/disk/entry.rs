//! Entries: what a metadata pair holds for each name (SPEC.md, "Metadata types").

use super::commit::LogWriter;
use super::pointer::{PairAddress, encode_words, u32_at};
use super::superblock::{MAGIC, Superblock};
use super::tag::{EntryId, NameKind, StructKind, Tag, TagKind};
use crate::device::BlockId;
use alloc::vec::Vec;

/// Bytes of a tag on disk.
pub(crate) const TAG_SIZE: usize = 4;

/// One name and what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, without those of the dictionaries above it.
    pub name: Vec<u8>,
    /// What stands behind it.
    pub body: Body,
    /// The user attributes.
    pub attributes: Attributes,
}

/// What stands behind a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Not a name of a user's: the store's own description.
    Superblock(Superblock),
    /// A dictionary that starts at this pair.
    Dictionary(PairAddress),
    /// A value in blocks of its own.
    Ctz(CtzStruct),
    /// A short value in the entry itself.
    Inline(Vec<u8>),
}

/// A value in blocks of its own: a CTZ skip-list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CtzStruct {
    /// The last block.
    pub head: BlockId,
    /// Bytes of the value.
    pub size: u32,
}

impl CtzStruct {
    /// Encoded size, in bytes.
    pub(crate) const SIZE: usize = 8;

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            head: BlockId::new(u32_at(bytes, 0)?),
            size: u32_at(bytes, 4)?,
        })
    }

    pub(crate) fn encode(self) -> [u8; Self::SIZE] {
        encode_words([self.head.index(), self.size])
    }
}

/// User attributes, one per type, ordered by type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(Vec<(u8, Vec<u8>)>);

impl Attributes {
    /// The attributes' types and data, by type.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.0.iter().map(|(kind, data)| (*kind, data.as_slice()))
    }

    /// Sets the attribute of type `kind`.
    pub(crate) fn insert(&mut self, kind: u8, data: Vec<u8>) {
        match self.0.binary_search_by_key(&kind, |(kind, _)| *kind) {
            Ok(index) => self.0[index].1 = data,
            Err(index) => self.0.insert(index, (kind, data)),
        }
    }

    /// Removes the attribute of type `kind`; says whether there was one.
    pub(crate) fn remove(&mut self, kind: u8) -> bool {
        let before = self.0.len();
        self.0.retain(|(other, _)| *other != kind);
        self.0.len() < before
    }

    /// The attribute of type `kind`.
    pub(crate) fn get(&self, kind: u8) -> Option<&[u8]> {
        let index = self.0.binary_search_by_key(&kind, |(kind, _)| *kind).ok()?;
        Some(&self.0[index].1)
    }

    fn encoded_size(&self) -> usize {
        self.0.iter().map(|(_, data)| TAG_SIZE + data.len()).sum()
    }
}

impl Entry {
    /// The superblock entry of a store.
    pub(crate) fn superblock(superblock: Superblock) -> Self {
        Self {
            name: MAGIC.to_vec(),
            body: Body::Superblock(superblock),
            attributes: Attributes::default(),
        }
    }

    /// An entry without attributes.
    pub(crate) fn new(name: &[u8], body: Body) -> Self {
        Self {
            name: name.to_vec(),
            body,
            attributes: Attributes::default(),
        }
    }

    /// Bytes of the entry in a compacted log.
    pub(crate) fn encoded_size(&self) -> usize {
        TAG_SIZE
            + self.name.len()
            + TAG_SIZE
            + self.body.encoded_size()
            + self.attributes.encoded_size()
    }

    /// Whether a user sees it under a name: all but the superblock entry.
    pub(crate) fn is_listed(&self) -> bool {
        !matches!(self.body, Body::Superblock(_))
    }

    /// Writes the tags that make up the entry; the name first, as the format wants it.
    pub(crate) fn write(&self, id: EntryId, log: &mut LogWriter) {
        let kind = TagKind::Name(self.body.name_kind());
        log.push(Tag::new(kind, Some(id), self.name.len()), &self.name);
        self.body.write(id, log);
        for (kind, data) in self.attributes.iter() {
            log.push(
                Tag::new(TagKind::Attribute(kind), Some(id), data.len()),
                data,
            );
        }
    }
}

impl Body {
    fn encoded_size(&self) -> usize {
        match self {
            Self::Superblock(_) => Superblock::SIZE,
            Self::Dictionary(_) => PairAddress::SIZE,
            Self::Ctz(_) => CtzStruct::SIZE,
            Self::Inline(data) => data.len(),
        }
    }

    fn name_kind(&self) -> NameKind {
        match self {
            Self::Superblock(_) => NameKind::Superblock,
            Self::Dictionary(_) => NameKind::Dictionary,
            Self::Ctz(_) | Self::Inline(_) => NameKind::Value,
        }
    }

    /// Writes the struct tag, which replaces any older one of the entry.
    pub(crate) fn write(&self, id: EntryId, log: &mut LogWriter) {
        let mut push = |kind, data: &[u8]| {
            log.push(Tag::new(TagKind::Struct(kind), Some(id), data.len()), data);
        };
        match self {
            Self::Superblock(superblock) => push(StructKind::Inline, &superblock.encode()),
            Self::Dictionary(pair) => push(StructKind::Dictionary, &pair.encode()),
            Self::Ctz(ctz) => push(StructKind::Ctz, &ctz.encode()),
            Self::Inline(data) => push(StructKind::Inline, data),
        }
    }

    /// The body that a name of `name` and a struct tag of `structure` with `data` make together; none where they do
    /// not fit each other.
    pub(crate) fn decode(name: NameKind, structure: StructKind, data: &[u8]) -> Option<Self> {
        match (name, structure) {
            (NameKind::Superblock, StructKind::Inline) => {
                Superblock::decode(data).map(Self::Superblock)
            }
            (NameKind::Dictionary, StructKind::Dictionary) => {
                PairAddress::decode(data).map(Self::Dictionary)
            }
            (NameKind::Value, StructKind::Ctz) => CtzStruct::decode(data).map(Self::Ctz),
            (NameKind::Value, StructKind::Inline) => Some(Self::Inline(data.to_vec())),
            _ => None,
        }
    }
}
