use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The id of a crash state: which of a trace's writes a power cut left on the medium.
///
/// It prints as a short text that reads back to the same id. An id belongs to one trace. There is one form so far:
/// a number `n`, the state in which the first `n` writes reached the medium, whole and in order, and no other did.
///
/// ```
/// use cutpoint::crash::{CrashState, ParseStateError, StateForm};
///
/// let state: CrashState = "117".parse()?;
/// assert_eq!(state, CrashState::prefix(117));
/// assert_eq!(state.to_string(), "117");
/// assert_eq!(
///     "117~3/16".parse::<CrashState>(),
///     Err(ParseStateError::UnknownForm { text: "117~3/16".into(), form: StateForm::Torn }),
/// );
/// # Ok::<(), ParseStateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrashState {
    persisted: u32,
}

impl CrashState {
    /// The state in which the first `persisted` writes reached the medium and no other did.
    pub const fn prefix(persisted: u32) -> Self {
        Self { persisted }
    }

    /// How many writes reached the medium, from the first on.
    pub const fn persisted(self) -> u32 {
        self.persisted
    }
}

impl fmt::Display for CrashState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.persisted.fmt(f)
    }
}

impl Serialize for CrashState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A form of id that is reserved for crash models which this version does not explore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateForm {
    /// `117~3/16`: the last write reached the medium in part.
    Torn,
    /// `120-{118,119}`: some writes of the open epoch were lost.
    Reorder,
    /// `117/4`: a cut while a crash state was recovered.
    Nested,
}

impl fmt::Display for StateForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Torn => "torn",
            Self::Reorder => "reorder",
            Self::Nested => "nested",
        })
    }
}

/// Why a text is no id of a crash state.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseStateError {
    /// The text has a form of another crash model.
    #[error(
        "crash state '{text}' has the form of the {form} model, which this version does not explore"
    )]
    UnknownForm {
        /// The text.
        text: String,
        /// The form it has.
        form: StateForm,
    },
    /// The text is no number as ids print it: decimal digits without leading zeros.
    #[error("'{0}' is no crash state: a number of writes such as 117 is needed")]
    NotANumber(String),
    /// The number is larger than any trace is long.
    #[error("crash state '{0}' lies beyond any trace: the largest number is {max}", max = u32::MAX)]
    TooLarge(String),
}

impl FromStr for CrashState {
    type Err = ParseStateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(match reserved_form(text) {
                Some(form) => ParseStateError::UnknownForm {
                    text: text.to_owned(),
                    form,
                },
                None => ParseStateError::NotANumber(text.to_owned()),
            });
        }
        // One state, one id: 007 is not 7.
        if text.len() > 1 && text.starts_with('0') {
            return Err(ParseStateError::NotANumber(text.to_owned()));
        }
        text.parse()
            .map(Self::prefix)
            .map_err(|_| ParseStateError::TooLarge(text.to_owned()))
    }
}

/// The form that a text has by its marks. Nested comes last: a torn id holds a slash too.
fn reserved_form(text: &str) -> Option<StateForm> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        None
    } else if text.contains('~') {
        Some(StateForm::Torn)
    } else if text.contains("-{") {
        Some(StateForm::Reorder)
    } else if text.contains('/') {
        Some(StateForm::Nested)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_what_it_prints(persisted: u32) {
            let state = CrashState::prefix(persisted);
            prop_assert_eq!(state.to_string().parse(), Ok(state));
        }

        #[test]
        fn takes_only_what_it_prints(text in "[0-9~/{},+ -]{0,12}") {
            if let Ok(state) = text.parse::<CrashState>() {
                prop_assert_eq!(state.to_string(), text);
            }
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |text: &str| text.parse::<CrashState>().unwrap_err();
        for text in ["", "x", "-1", "+1", "1 ", "007", "~3", "1.5"] {
            assert_eq!(error(text), ParseStateError::NotANumber(text.into()));
        }
        assert_eq!(
            error("4294967296"),
            ParseStateError::TooLarge("4294967296".into())
        );
        for (text, form) in [
            ("117~3/16", StateForm::Torn),
            ("120-{118,119}", StateForm::Reorder),
            ("117/4", StateForm::Nested),
        ] {
            let text = text.to_owned();
            assert_eq!(error(&text), ParseStateError::UnknownForm { text, form });
        }
    }
}
