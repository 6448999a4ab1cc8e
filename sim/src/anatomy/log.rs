//! One block of a metadata pair: its log, commit by commit, tag by tag.

use super::is_erased;
use cutpoint_engine::inspect::{self, Length, NameKind, StructKind, TagKind, TailKind};
use serde::Serialize;

/// One block of a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Half {
    /// The block.
    pub block: u32,
    /// Its revision count.
    pub revision: u32,
    /// Whether the pair's contents are what this block says.
    pub current: bool,
    /// All its bytes are 0xff, or all are 0: it holds no log.
    pub erased: bool,
    /// Its commits; the last one may be one that does not count.
    pub commits: Vec<Commit>,
    /// The offset behind the last valid commit, in bytes; 0 where there is none.
    pub end: u32,
    /// The bytes behind it.
    pub rest: Rest,
    /// What is wrong with what the valid commits say.
    pub damage: Option<String>,
}

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// Where it starts, in bytes from the start of the block.
    pub offset: u32,
    /// Where it ends, or breaks off.
    pub end: u32,
    /// Whether it counts.
    pub state: CommitState,
    /// The checksum that is stored, where there is one.
    pub stored_crc: Option<u32>,
    /// The checksum of the commit's bytes, where one is stored.
    pub computed_crc: Option<u32>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Whether a commit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitState {
    /// Whole, with the right checksum.
    Valid,
    /// Its checksum is another.
    BadChecksum,
    /// It breaks off before its checksum.
    Unfinished,
}

/// The bytes behind the last valid commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// Nothing tells whether they are erased.
    Unknown,
    /// The last commit's forward checksum says that they are erased.
    Erased,
    /// They are not what the last commit's forward checksum says.
    Written,
}

/// One tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// Where it stands, in bytes from the start of the block.
    pub offset: u32,
    /// What it describes.
    #[serde(flatten)]
    pub kind: TagType,
    /// The entry that it belongs to, if any.
    pub id: Option<u16>,
    /// Bytes of its data; none for a deletion.
    pub length: Option<u16>,
    /// Whether its data are part of what the pair holds.
    pub live: bool,
    /// Its data, without the padding of checksums.
    #[serde(with = "hex::serde")]
    pub data: Vec<u8>,
}

/// What a tag describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TagType {
    /// The name of a value.
    NameValue,
    /// The name of a dictionary.
    NameDictionary,
    /// The name of the superblock.
    NameSuperblock,
    /// Makes room for an entry.
    Create,
    /// Removes an entry.
    Delete,
    /// A pointer to a dictionary's first pair.
    StructDictionary,
    /// A value in the log itself.
    StructInline,
    /// A pointer to a value's last block, and its size.
    StructCtz,
    /// A user attribute.
    Attribute {
        /// Its type.
        attribute: u8,
    },
    /// The next pair on the list, of another dictionary.
    SoftTail,
    /// The next pair of the same dictionary.
    HardTail,
    /// A share of the global state.
    GlobalState,
    /// The checksum that ends a commit.
    Checksum,
    /// The checksum of the erased bytes behind a commit.
    ForwardChecksum,
    /// A type that the format does not assign.
    Unknown,
}

impl TagType {
    /// A short name for people, at most 16 characters.
    pub fn name(self) -> &'static str {
        match self {
            Self::NameValue => "name value",
            Self::NameDictionary => "name dictionary",
            Self::NameSuperblock => "name superblock",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::StructDictionary => "dictionary at",
            Self::StructInline => "inline value",
            Self::StructCtz => "value in blocks",
            Self::Attribute { .. } => "attribute",
            Self::SoftTail => "soft tail",
            Self::HardTail => "hard tail",
            Self::GlobalState => "global state",
            Self::Checksum => "checksum",
            Self::ForwardChecksum => "forward checksum",
            Self::Unknown => "unknown",
        }
    }
}

impl From<TagKind> for TagType {
    fn from(kind: TagKind) -> Self {
        match kind {
            TagKind::Name(NameKind::Value) => Self::NameValue,
            TagKind::Name(NameKind::Dictionary) => Self::NameDictionary,
            TagKind::Name(NameKind::Superblock) => Self::NameSuperblock,
            TagKind::Create => Self::Create,
            TagKind::Delete => Self::Delete,
            TagKind::Struct(StructKind::Dictionary) => Self::StructDictionary,
            TagKind::Struct(StructKind::Inline) => Self::StructInline,
            TagKind::Struct(StructKind::Ctz) => Self::StructCtz,
            TagKind::Attribute(attribute) => Self::Attribute { attribute },
            TagKind::Tail(TailKind::Soft) => Self::SoftTail,
            TagKind::Tail(TailKind::Hard) => Self::HardTail,
            TagKind::GlobalState => Self::GlobalState,
            TagKind::CommitCrc { .. } => Self::Checksum,
            TagKind::ForwardCrc => Self::ForwardChecksum,
            TagKind::Unknown => Self::Unknown,
        }
    }
}

impl Half {
    /// The log in the block's bytes, shown.
    pub(super) fn new(block: u32, bytes: &[u8], log: &inspect::Log, current: bool) -> Self {
        let erased = is_erased(bytes);
        Self {
            block,
            revision: log.revision,
            current,
            erased,
            commits: log
                .commits
                .iter()
                .filter(|_| !erased)
                .map(|commit| Commit::new(bytes, commit, current))
                .collect(),
            end: log.end,
            rest: match log.rest {
                inspect::Rest::Unknown => Rest::Unknown,
                inspect::Rest::Erased(_) => Rest::Erased,
                inspect::Rest::Written(_) => Rest::Written,
            },
            damage: log.contents.as_ref().err().map(ToString::to_string),
        }
    }
}

impl Commit {
    fn new(bytes: &[u8], commit: &inspect::Commit, current: bool) -> Self {
        let tag = |logged: &inspect::LoggedTag| {
            let kind = TagType::from(logged.tag.kind);
            let start = logged.offset as usize + 4;
            let length = match kind {
                TagType::Checksum => logged.tag.data_length().min(4),
                _ => logged.tag.data_length(),
            };
            Tag {
                offset: logged.offset,
                kind,
                id: logged.tag.id.map(inspect::EntryId::number),
                length: match logged.tag.length {
                    Length::Bytes(length) => Some(length),
                    Length::Deleted => None,
                },
                live: current && logged.live,
                data: bytes.get(start..start + length).unwrap_or(&[]).to_vec(),
            }
        };
        Self {
            offset: commit.start,
            end: commit.end,
            state: match commit.checksum {
                None => CommitState::Unfinished,
                Some(_) if commit.is_valid() => CommitState::Valid,
                Some(_) => CommitState::BadChecksum,
            },
            stored_crc: commit.checksum.map(|checksum| checksum.stored),
            computed_crc: commit.checksum.map(|checksum| checksum.computed),
            tags: commit.tags.iter().map(tag).collect(),
        }
    }
}
