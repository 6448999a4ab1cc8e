use crate::as_text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A part of a whole that is shared out: every so manieth entry. `2/4` are the entries 1, 5, 9 and so on, from 0.
///
/// ```
/// use cutpoint::run::Shard;
///
/// let shard: Shard = "2/4".parse()?;
/// assert_eq!((0..10).filter(|&index| shard.has(index)).collect::<Vec<_>>(), [1, 5, 9]);
/// assert!("0/4".parse::<Shard>().is_err());
/// # Ok::<(), cutpoint::run::ParseShardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard {
    number: u32,
    of: u32,
}

impl Shard {
    /// The whole, as the only one of its shards.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// Which one it is, from 1 on.
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many there are.
    pub fn of(self) -> u32 {
        self.of
    }

    /// Whether it has the entry with this index.
    pub fn has(self, index: u64) -> bool {
        index % u64::from(self.of) == u64::from(self.number - 1)
    }

    /// Its first index that is not below `index`.
    pub fn first_from(self, index: u64) -> u64 {
        let of = u64::from(self.of);
        let ahead = (u64::from(self.number - 1) + of - index % of) % of;
        index.saturating_add(ahead)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// A text that names no shard.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "'{0}' is no shard: a form such as 2/4 is needed, for the second of four; they count from 1"
)]
pub struct ParseShardError(String);

impl FromStr for Shard {
    type Err = ParseShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/');
        let numbers =
            numbers.and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        numbers
            .filter(|&(number, of)| (1..=of).contains(&number))
            .map(|(number, of)| Self { number, of })
            .ok_or_else(|| ParseShardError(text.to_owned()))
    }
}

impl Serialize for Shard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_text::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_text::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_is_of_one_shard() {
        for of in 1..6 {
            let shards: Vec<Shard> = (1..=of).map(|number| Shard { number, of }).collect();
            for index in 0..40 {
                let having = shards.iter().filter(|shard| shard.has(index));
                assert_eq!(having.count(), 1);
            }
            for shard in shards {
                for from in 0..40 {
                    let first = (from..50).find(|&index| shard.has(index));
                    assert_eq!(Some(shard.first_from(from)), first);
                }
            }
        }
    }
}
