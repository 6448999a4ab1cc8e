use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// The attribute types that are written.
pub(crate) const ATTRIBUTE_KINDS: [u8; 3] = [0x00, 0x74, 0xff];
/// Those that the C littlefs looks for: with them one that is not written.
pub(crate) const LOOKED_FOR: [u8; 4] = [0x00, 0x74, 0xff, 0x01];

/// One change of an image. In JSON, the form that `interop/apply.py` reads.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub(crate) enum Change {
    Set {
        #[serde(serialize_with = "hex::serialize")]
        path: Vec<u8>,
        #[serde(serialize_with = "hex::serialize")]
        data: Vec<u8>,
    },
    /// The offset is not past the end.
    SetPartial {
        #[serde(serialize_with = "hex::serialize")]
        path: Vec<u8>,
        offset: u32,
        #[serde(serialize_with = "hex::serialize")]
        data: Vec<u8>,
    },
    Truncate {
        #[serde(serialize_with = "hex::serialize")]
        path: Vec<u8>,
        size: u32,
    },
    MakeDictionary {
        #[serde(serialize_with = "hex::serialize")]
        path: Vec<u8>,
    },
    /// A dictionary with all it holds: the C littlefs removes empty ones alone.
    Remove {
        #[serde(serialize_with = "hex::serialize")]
        path: Vec<u8>,
    },
    Rename {
        #[serde(serialize_with = "hex::serialize")]
        path: Vec<u8>,
        #[serde(serialize_with = "hex::serialize")]
        to: Vec<u8>,
    },
    SetAttribute {
        #[serde(serialize_with = "hex::serialize")]
        path: Vec<u8>,
        kind: u8,
        #[serde(serialize_with = "hex::serialize")]
        data: Vec<u8>,
    },
    RemoveAttribute {
        #[serde(serialize_with = "hex::serialize")]
        path: Vec<u8>,
        kind: u8,
    },
}

impl Change {
    pub(crate) fn is_of_attribute(&self) -> bool {
        matches!(
            self,
            Self::SetAttribute { .. } | Self::RemoveAttribute { .. }
        )
    }
}

/// For people: data by its length alone.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = |path: &[u8]| path.escape_ascii().to_string();
        match self {
            Self::Set { path, data } => write!(f, "set {} ({} bytes)", key(path), data.len()),
            Self::SetPartial { path, offset, data } => {
                write!(
                    f,
                    "set_partial {} at {offset} ({} bytes)",
                    key(path),
                    data.len()
                )
            }
            Self::Truncate { path, size } => write!(f, "truncate {} to {size}", key(path)),
            Self::MakeDictionary { path } => write!(f, "make_dictionary {}", key(path)),
            Self::Remove { path } => write!(f, "remove {}", key(path)),
            Self::Rename { path, to } => write!(f, "rename {} to {}", key(path), key(to)),
            Self::SetAttribute { path, kind, data } => {
                write!(
                    f,
                    "set_attribute {} {kind:02x} ({} bytes)",
                    key(path),
                    data.len()
                )
            }
            Self::RemoveAttribute { path, kind } => {
                write!(f, "remove_attribute {} {kind:02x}", key(path))
            }
        }
    }
}

/// What must be in the image.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    entries: BTreeMap<Vec<u8>, Entry>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    /// None for a dictionary.
    pub(crate) content: Option<Vec<u8>>,
    pub(crate) attributes: BTreeMap<u8, Vec<u8>>,
}

impl Model {
    /// Makes a change, which must be possible: the tests give no other.
    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::Set { path, data } => {
                assert!(!self.is_dictionary(path), "{change:?}");
                self.make_way(path);
                self.entries.entry(path.clone()).or_default().content = Some(data.clone());
            }
            Change::SetPartial { path, offset, data } => {
                let value = self.value(path);
                let end = *offset as usize + data.len();
                value.resize(value.len().max(end), 0);
                value[*offset as usize..end].copy_from_slice(data);
            }
            Change::Truncate { path, size } => self.value(path).resize(*size as usize, 0),
            Change::MakeDictionary { path } => {
                let before = self.entries.insert(path.clone(), Entry::default());
                assert!(before.is_none(), "{change:?}");
            }
            Change::Remove { path } => {
                assert!(self.entries.contains_key(path), "{change:?}");
                self.entries
                    .retain(|other, _| other != path && !is_below(other, path));
            }
            Change::Rename { path, to } => self.rename(path, to),
            Change::SetAttribute { path, kind, data } => {
                self.entry(path).attributes.insert(*kind, data.clone());
            }
            Change::RemoveAttribute { path, kind } => {
                self.entry(path).attributes.remove(kind);
            }
        }
    }

    /// The same without what stands at and below `path`.
    pub(crate) fn without(&self, path: &[u8]) -> Self {
        let mut rest = self.clone();
        rest.entries
            .retain(|other, _| other != path && !is_below(other, path));
        rest
    }

    /// The paths of all entries.
    pub(crate) fn paths(&self) -> Vec<Vec<u8>> {
        self.entries.keys().cloned().collect()
    }

    /// What follows `path` in its dictionary, in the format's order: a name comes behind the longer ones it begins.
    pub(crate) fn behind(&self, path: &[u8]) -> Option<Vec<u8>> {
        let dictionary = parent(path);
        // No name is so long: the end of a name sorts as greater than all that may follow.
        let order = |path: &[u8]| [path, &[0xff; 256]].concat();
        self.entries
            .keys()
            .filter(|other| parent(other) == dictionary && order(other) > order(path))
            .min_by_key(|other| order(other))
            .cloned()
    }

    /// Puts an entry where there is none.
    pub(crate) fn insert(&mut self, path: Vec<u8>, entry: Entry) {
        assert!(self.entries.insert(path, entry).is_none());
    }

    /// Makes the dictionaries on the way to `path`, as the engine does.
    fn make_way(&mut self, path: &[u8]) {
        for (end, _) in path
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, byte)| **byte == b'/')
        {
            self.entries.entry(path[..end].to_vec()).or_default();
        }
    }

    fn entry(&mut self, path: &[u8]) -> &mut Entry {
        self.entries.get_mut(path).expect("there")
    }

    fn value(&mut self, path: &[u8]) -> &mut Vec<u8> {
        self.entry(path).content.as_mut().expect("a value")
    }

    fn rename(&mut self, path: &[u8], to: &[u8]) {
        assert!(!self.is_dictionary(to) && !is_below(to, path));
        let (moved, rest) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(|(other, _)| other == path || is_below(other, path));
        self.entries = rest;
        assert!(!moved.is_empty());
        self.make_way(to);
        for (other, entry) in moved {
            self.entries
                .insert([to, &other[path.len()..]].concat(), entry);
        }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], &Entry)> {
        self.entries
            .iter()
            .map(|(path, entry)| (path.as_slice(), entry))
    }

    pub(crate) fn is_dictionary(&self, path: &[u8]) -> bool {
        self.entries
            .get(path)
            .is_some_and(|entry| entry.content.is_none())
    }

    pub(crate) fn contains(&self, path: &[u8]) -> bool {
        self.entries.contains_key(path)
    }

    /// Whether there is a dictionary below `path`.
    pub(crate) fn holds_dictionaries(&self, path: &[u8]) -> bool {
        self.entries()
            .any(|(other, entry)| is_below(other, path) && entry.content.is_none())
    }

    /// Whether there is nothing below `path`.
    pub(crate) fn is_empty(&self, path: &[u8]) -> bool {
        !self.entries.keys().any(|other| is_below(other, path))
    }

    /// The lines that `cutpoint image tree --json` must print.
    pub(crate) fn tree(&self) -> String {
        self.entries()
            .map(|(path, entry)| {
                let content = entry.content.as_deref();
                let attributes = entry.attributes.iter();
                let line = Line {
                    path: String::from_utf8_lossy(path).into_owned(),
                    path_hex: hex::encode(path),
                    kind: if content.is_some() {
                        "value"
                    } else {
                        "dictionary"
                    },
                    size: content.map(<[u8]>::len),
                    sha256: content.map(|content| hex::encode(Sha256::digest(content))),
                    attributes: attributes
                        .map(|(kind, data)| (format!("{kind:02x}"), hex::encode(data)))
                        .collect(),
                };
                serde_json::to_string(&line).unwrap() + "\n"
            })
            .collect()
    }
}

/// A line of `cutpoint image tree --json`, spelt out once more: the test holds the command to it.
#[derive(Serialize)]
struct Line {
    path: String,
    path_hex: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    attributes: BTreeMap<String, String>,
}

/// Whether `path` lies below the dictionary `above`.
pub(crate) fn is_below(path: &[u8], above: &[u8]) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.starts_with(b"/"))
}

fn parent(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    &path[..end]
}
