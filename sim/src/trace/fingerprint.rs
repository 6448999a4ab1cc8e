use super::{Event, Image, Trace};
use crate::as_text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use xxhash_rust::xxh3::Xxh3;

/// The 128-bit name of a trace, printed as 32 hexadecimal digits.
///
/// A crash state's id means something on its own trace alone; the fingerprint tells whether a trace still is the
/// one that an id was written down for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(u128);

impl Fingerprint {
    pub(super) fn of(trace: &Trace) -> Self {
        let mut hash = Xxh3::new();
        let number = |hash: &mut Xxh3, value: u64| hash.update(&value.to_le_bytes());
        let geometry = trace.geometry();
        for value in [
            geometry.block_size(),
            geometry.block_count(),
            geometry.prog_size(),
            u32::from(geometry.erase_unordered()),
            u32::from(trace.erase_value()),
        ] {
            number(&mut hash, value.into());
        }
        match trace.image() {
            Image::Erased => number(&mut hash, 0),
            Image::Bytes(bytes) => {
                number(&mut hash, 1);
                hash.update(bytes);
            }
            Image::Blocks(blocks) => {
                number(&mut hash, 1);
                blocks.iter().for_each(|bytes| hash.update(bytes));
            }
        }
        for event in trace.events() {
            match event {
                Event::Erase { block } => {
                    number(&mut hash, 0);
                    number(&mut hash, block.index().into());
                }
                Event::Prog {
                    block,
                    offset,
                    data,
                } => {
                    number(&mut hash, 1);
                    number(&mut hash, block.index().into());
                    number(&mut hash, (*offset).into());
                    // The length first: or two programs could not be told from one.
                    number(&mut hash, data.len() as u64);
                    hash.update(data);
                }
                Event::Sync => number(&mut hash, 2),
                Event::OperationStart(index) => {
                    number(&mut hash, 3);
                    number(&mut hash, (*index).into());
                }
                Event::OperationEnd(index) => {
                    number(&mut hash, 4);
                    number(&mut hash, (*index).into());
                }
            }
        }
        Self(hash.digest128())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_text::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_text::deserialize(deserializer)
    }
}

/// A text that is no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{0}' is no fingerprint: 32 hexadecimal digits in lower case are needed")]
pub struct ParseFingerprintError(String);

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseFingerprintError(text.to_owned());
        let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(digits) {
            return Err(error());
        }
        u128::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_what_it_prints(value: u128) {
            let fingerprint = Fingerprint(value);
            prop_assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        }
    }

    #[test]
    fn refuses_what_is_not_32_digits() {
        for text in [
            "",
            "12",
            "+0000000000000000000000000000001",
            "000000000000000000000000000000AB",
        ] {
            assert_eq!(
                text.parse::<Fingerprint>(),
                Err(ParseFingerprintError(text.to_owned()))
            );
        }
    }
}
