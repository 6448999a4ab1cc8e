use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::{Arc, OnceLock};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// A SHA-256 digest.
pub type Sha256Digest = [u8; 32];

/// What a value of the model holds. Cheap to clone.
#[derive(Clone)]
pub struct Content(Arc<Known>);

/// How much is known of it.
enum Known {
    Bytes {
        bytes: Box<[u8]>,
        /// Once it has been asked for.
        name: OnceLock<u128>,
    },
    Digest {
        size: u64,
        sha256: Sha256Digest,
        /// Bytes that were once seen to have the digest: comparing with them is quicker than hashing again.
        seen: OnceLock<Box<[u8]>>,
    },
}

impl Content {
    /// These bytes.
    pub fn bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(Arc::new(Known::Bytes {
            bytes: bytes.into(),
            name: OnceLock::new(),
        }))
    }

    /// `size` bytes with this digest.
    pub fn digest(size: u64, sha256: Sha256Digest) -> Self {
        Self(Arc::new(Known::Digest {
            size,
            sha256,
            seen: OnceLock::new(),
        }))
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        match &*self.0 {
            Known::Bytes { bytes, .. } => bytes.len() as u64,
            Known::Digest { size, .. } => *size,
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, where they are known.
    pub fn known(&self) -> Option<&[u8]> {
        match &*self.0 {
            Known::Bytes { bytes, .. } => Some(bytes),
            Known::Digest { .. } => None,
        }
    }

    /// Whether `observed` is what it holds.
    pub fn matches(&self, observed: &[u8]) -> bool {
        match &*self.0 {
            Known::Bytes { bytes, .. } => **bytes == *observed,
            Known::Digest { size, sha256, seen } => {
                if *size != observed.len() as u64 {
                    return false;
                }
                if let Some(seen) = seen.get() {
                    return **seen == *observed;
                }
                let matches = Sha256::digest(observed)[..] == sha256[..];
                if matches {
                    // Another thread may have been first: with the same bytes.
                    let _ = seen.set(observed.into());
                }
                matches
            }
        }
    }

    /// Where `observed` first differs, as an offset in bytes; none where it does not or the bytes are not known.
    pub(crate) fn first_difference(&self, observed: &[u8]) -> Option<usize> {
        let bytes = match &*self.0 {
            Known::Bytes { bytes, .. } => bytes,
            Known::Digest { seen, .. } => seen.get()?,
        };
        let common = bytes
            .iter()
            .zip(observed)
            .position(|(one, other)| one != other);
        common.or_else(|| (bytes.len() != observed.len()).then(|| bytes.len().min(observed.len())))
    }

    /// The SHA-256 digest of its bytes.
    pub fn sha256(&self) -> Sha256Digest {
        match &*self.0 {
            Known::Bytes { bytes, .. } => Sha256::digest(bytes).into(),
            Known::Digest { sha256, .. } => *sha256,
        }
    }

    /// A 128-bit name. Contents of the same name hold the same, and as much is known of them.
    pub(crate) fn name(&self) -> u128 {
        match &*self.0 {
            Known::Bytes { bytes, name } => *name.get_or_init(|| xxh3_128(bytes)),
            Known::Digest { size, sha256, .. } => {
                let mut hash = Xxh3::with_seed(*size);
                hash.update(sha256);
                hash.digest128()
            }
        }
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || match (&*self.0, &*other.0) {
                (Known::Bytes { bytes, .. }, _) => other.matches(bytes),
                (_, Known::Bytes { bytes, .. }) => self.matches(bytes),
                _ => self.len() == other.len() && self.sha256() == other.sha256(),
            }
    }
}

impl Eq for Content {}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Known::Bytes { bytes, .. } => write!(f, "Content({bytes:02x?})"),
            Known::Digest { size, .. } => write!(f, "Content({size} bytes known by digest)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_matches_its_bytes_before_and_after_it_has_seen_them() {
        let content = Content::digest(3, Sha256::digest(b"abc").into());
        for _ in 0..2 {
            assert!(!content.matches(b"abd"));
            assert!(!content.matches(b"abcd"));
            assert!(content.matches(b"abc"));
        }
    }

    #[test]
    fn equality_does_not_depend_on_what_is_known() {
        let known = Content::bytes(*b"abc");
        let by_digest = Content::digest(3, Sha256::digest(b"abc").into());
        assert_eq!(known, by_digest);
        assert_eq!(by_digest, known);
        assert_eq!(by_digest, Content::digest(3, Sha256::digest(b"abc").into()));
        assert_ne!(by_digest, Content::digest(3, Sha256::digest(b"abd").into()));
        assert_ne!(Content::bytes(*b"abd"), by_digest);
    }
}
