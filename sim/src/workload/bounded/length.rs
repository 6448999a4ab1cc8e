use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// How many operations a sequence has, at most [`Length::MAX`].
///
/// What is read from a text is at least 1:
///
/// ```
/// use cutpoint::workload::bounded::Length;
///
/// assert_eq!("3".parse::<Length>().map(Length::get), Ok(3));
/// assert_eq!(
///     "9".parse::<Length>().unwrap_err().to_string(),
///     "'9' is no length of sequences: a number from 1 to 4 is needed",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Length(u8);

impl Length {
    /// None: the device is formatted, and that is all.
    pub const ZERO: Self = Self(0);
    /// The longest there are: 4.
    pub const MAX: Self = Self(4);

    /// As a number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// One operation less; none from [`ZERO`](Self::ZERO).
    pub fn shorter(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// All lengths from [`ZERO`](Self::ZERO) to this one.
    pub fn up_to(self) -> impl Iterator<Item = Self> {
        (0..=self.0).map(Self)
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is no length of sequences.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{0}' is no length of sequences: a number from 1 to {max} is needed", max = Length::MAX)]
pub struct LengthError(String);

impl FromStr for Length {
    type Err = LengthError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || LengthError(text.to_owned());
        let length = Self(text.parse().map_err(|_| error())?);
        if (Self(1)..=Self::MAX).contains(&length) {
            Ok(length)
        } else {
            Err(error())
        }
    }
}
