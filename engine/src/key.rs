//! Keys: paths of byte segments, as mirage-kv has them.

use alloc::vec::Vec;
use core::fmt;

/// A key: the path of a value or a dictionary, as segments of bytes. The key without segments is the root, the
/// dictionary that holds everything.
///
/// `/a/b`, `a/b` and `//a//b/` are one key. A segment holds any bytes but `/`. Keys order by the bytes of their
/// printed form.
///
/// ```
/// use cutpoint_engine::Key;
///
/// let key = Key::new("/links/home");
/// assert_eq!(key, Key::new("links//home/"));
/// assert_eq!(key.parent(), Some(Key::new("/links")));
/// assert_eq!(key.name(), Some(&b"home"[..]));
/// assert!(key.starts_with(&Key::new("/links")));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key {
    /// Each segment with a `/` before it; empty for the root.
    path: Vec<u8>,
}

impl Key {
    /// The key without segments.
    pub const ROOT: Self = Self { path: Vec::new() };

    /// The key whose segments stand between the slashes of `path`; empty segments are left out.
    pub fn new(path: impl AsRef<[u8]>) -> Self {
        let mut key = Self::ROOT;
        for segment in path.as_ref().split(|&byte| byte == b'/') {
            key.push(segment);
        }
        key
    }

    fn push(&mut self, segment: &[u8]) {
        if !segment.is_empty() {
            self.path.push(b'/');
            self.path.extend_from_slice(segment);
        }
    }

    /// Whether this is the key without segments.
    pub fn is_root(&self) -> bool {
        self.path.is_empty()
    }

    /// The segments, from the root down.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &[u8]> + '_ {
        self.path
            .split(|&byte| byte == b'/')
            .filter(|segment| !segment.is_empty())
    }

    /// The last segment; none for the root.
    pub fn name(&self) -> Option<&[u8]> {
        self.segments().next_back()
    }

    /// The key of the dictionary that holds this one; none for the root.
    pub fn parent(&self) -> Option<Self> {
        let end = self.path.iter().rposition(|&byte| byte == b'/')?;
        Some(Self {
            path: self.path[..end].to_vec(),
        })
    }

    /// This key with one more segment below it. An empty segment, or one that holds a `/`, is taken as
    /// [`Key::new`] would take it.
    #[must_use]
    pub fn child(&self, segment: impl AsRef<[u8]>) -> Self {
        let mut key = self.clone();
        for part in segment.as_ref().split(|&byte| byte == b'/') {
            key.push(part);
        }
        key
    }

    /// Whether `prefix` is this key or a dictionary above it.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.path
            .strip_prefix(prefix.path.as_slice())
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// The printed form's exact bytes: every segment with a `/` before it, or `/` alone for the root.
    pub fn as_bytes(&self) -> &[u8] {
        if self.is_root() { b"/" } else { &self.path }
    }
}

impl From<&str> for Key {
    fn from(path: &str) -> Self {
        Self::new(path)
    }
}

/// The path for people: bytes that are not printable UTF-8 are escaped.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.as_bytes().utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() || c == '\\' {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    write!(f, "{c}")?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn root_has_neither_name_nor_parent() {
        for root in [Key::ROOT, Key::new(""), Key::new("///")] {
            assert!(root.is_root());
            assert_eq!(root.name(), None);
            assert_eq!(root.parent(), None);
            assert_eq!(root.to_string(), "/");
        }
    }

    #[test]
    fn prefix_means_whole_segments() {
        assert!(Key::new("/a/b").starts_with(&Key::ROOT));
        assert!(Key::new("/a/b").starts_with(&Key::new("/a/b")));
        assert!(!Key::new("/ab").starts_with(&Key::new("/a")));
    }

    #[test]
    fn prints_odd_bytes_escaped() {
        assert_eq!(Key::new(b"a\n\xff/\xc3\xa9").to_string(), "/a\\n\\xff/é");
    }
}
