use crate::as_text;
use num_bigint::BigUint;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::iter::Sum;
use std::ops::AddAssign;

/// A number of crash states, exact. It may be larger than any machine word.
///
/// It prints with its thousands apart, and from a quadrillion on as a power of ten; in JSON it is a string of all digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(BigUint);

impl Count {
    /// The exact number.
    pub fn exact(&self) -> &BigUint {
        &self.0
    }
}

impl From<u64> for Count {
    fn from(number: u64) -> Self {
        Self(number.into())
    }
}

impl From<BigUint> for Count {
    fn from(number: BigUint) -> Self {
        Self(number)
    }
}

impl AddAssign<&Self> for Count {
    fn add_assign(&mut self, more: &Self) {
        self.0 += &more.0;
    }
}

impl<'a> Sum<&'a Self> for Count {
    fn sum<I: Iterator<Item = &'a Self>>(counts: I) -> Self {
        Self(counts.map(|count| &count.0).sum())
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        if digits.len() > 15 {
            return write!(f, "{}.{}e{}", &digits[..1], &digits[1..2], digits.len() - 1);
        }
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(" ")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_text::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_text::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_powers_of_ten() {
        let count = |text: &str| Count(text.parse().unwrap()).to_string();
        assert_eq!(count("0"), "0");
        assert_eq!(count("1234567"), "1 234 567");
        assert_eq!(count("150000000000000000000"), "1.5e20");
    }
}
