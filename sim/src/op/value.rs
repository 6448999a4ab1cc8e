use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::borrow::Cow;
use std::sync::Arc;

/// What a set writes: bytes spelled out, one byte many times over, a length and a seed that bytes are generated from, or
/// what is in a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// These bytes.
    Literal(Arc<[u8]>),
    /// The first `length` bytes of a `ChaCha8` key stream. The key is the seed, least significant byte first, and 24
    /// zero bytes after it; nonce and counter begin at zero. So the bytes of a written-down value never change.
    Generated {
        /// How many bytes.
        length: u32,
        /// Which bytes.
        seed: u64,
    },
    /// One byte, many times over.
    Repeated {
        /// How many bytes.
        length: u32,
        /// Which.
        byte: u8,
    },
    /// What a file holds that stands beside the workload.
    File {
        /// The file's name.
        name: Arc<str>,
        /// What it holds.
        bytes: Arc<[u8]>,
    },
}

impl Value {
    /// These bytes.
    pub fn literal(bytes: impl AsRef<[u8]>) -> Self {
        Self::Literal(bytes.as_ref().into())
    }

    /// `length` bytes generated from `seed`.
    pub const fn generated(length: u32, seed: u64) -> Self {
        Self::Generated { length, seed }
    }

    /// `length` times `byte`.
    pub const fn repeated(length: u32, byte: u8) -> Self {
        Self::Repeated { length, byte }
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        match self {
            Self::Literal(bytes) | Self::File { bytes, .. } => bytes.len(),
            Self::Generated { length, .. } | Self::Repeated { length, .. } => *length as usize,
        }
    }

    /// The file that its bytes are from, by name, where there is one.
    pub fn file(&self) -> Option<(&str, &[u8])> {
        match self {
            Self::File { name, bytes } => Some((name, bytes)),
            Self::Literal(_) | Self::Generated { .. } | Self::Repeated { .. } => None,
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Literal(bytes) | Self::File { bytes, .. } => Cow::Borrowed(bytes),
            Self::Repeated { length, byte } => Cow::Owned(vec![*byte; *length as usize]),
            Self::Generated { length, seed } => {
                // Not `seed_from_u64`: how that stretches a seed is the library's to change.
                let mut key = [0; 32];
                key[..8].copy_from_slice(&seed.to_le_bytes());
                let mut bytes = vec![0; *length as usize];
                ChaCha8Rng::from_seed(key).fill_bytes(&mut bytes);
                Cow::Owned(bytes)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_bytes_are_the_plain_key_stream() {
        // The published first bytes of ChaCha8 with a key and a nonce of zeros.
        assert_eq!(
            Value::generated(8, 0).bytes()[..],
            [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]
        );
    }

    #[test]
    fn a_longer_value_begins_as_a_shorter_one_and_another_seed_differs() {
        let long = Value::generated(1000, 7);
        assert_eq!(long.bytes()[..13], Value::generated(13, 7).bytes()[..]);
        assert_ne!(long.bytes(), Value::generated(1000, 8).bytes());
        assert_eq!(long.len(), long.bytes().len());
    }
}
