use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::borrow::Cow;
use std::sync::Arc;

/// What a set writes: bytes spelled out, or a length and a seed that they are generated from.
#[derive(Clone, Debug, PartialEq, Eq)]
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

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        match self {
            Self::Literal(bytes) => bytes.len(),
            Self::Generated { length, .. } => *length as usize,
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Literal(bytes) => Cow::Borrowed(bytes),
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
