//! What faults and their classes are called: short names that read back, and words.

use super::{Fault, FaultClass, Lasting, Trouble};
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A text is no name of a class of faults.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no class of faults '{0}'; 'cutpoint list' shows them")]
pub struct NoSuchClass(pub String);

/// A text is no id of a fault as ids print.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseFaultError {
    /// There is no such class.
    #[error(transparent)]
    Class(#[from] NoSuchClass),
    /// It is not a class and a number.
    #[error("'{0}' is no fault: a class and a number such as prog-bad-block:17 are needed")]
    Form(String),
}

impl FaultClass {
    /// Its short name, for command lines and reports. What lasts for one call alone ends in `-once`.
    pub const fn name(self) -> &'static str {
        use Lasting::{ForGood, Once};
        use Trouble::{Block, Device};
        match self {
            Self::ProgRefused(Block, Once) => "prog-bad-block-once",
            Self::ProgRefused(Block, ForGood) => "prog-bad-block",
            Self::ProgRefused(Device, Once) => "prog-io-error-once",
            Self::ProgRefused(Device, ForGood) => "prog-io-error",
            Self::ProgTorn(Block) => "prog-torn-bad-block-once",
            Self::ProgTorn(Device) => "prog-torn-io-error-once",
            Self::ProgDenied(Block) => "prog-done-bad-block-once",
            Self::ProgDenied(Device) => "prog-done-io-error-once",
            Self::ProgSpoilt(Once) => "prog-spoilt-once",
            Self::ProgSpoilt(ForGood) => "prog-spoilt",
            Self::EraseRefused(Block, Once) => "erase-bad-block-once",
            Self::EraseRefused(Block, ForGood) => "erase-bad-block",
            Self::EraseRefused(Device, Once) => "erase-io-error-once",
            Self::EraseRefused(Device, ForGood) => "erase-io-error",
            Self::ReadRefused(Block, Once) => "read-unreadable-once",
            Self::ReadRefused(Block, ForGood) => "read-unreadable",
            Self::ReadRefused(Device, Once) => "read-io-error-once",
            Self::ReadRefused(Device, ForGood) => "read-io-error",
            Self::SyncRefused => "sync-io-error-once",
            Self::WearsOut => "wears-out",
            Self::RunsOut => "no-space",
        }
    }

    /// What it is, in a line.
    pub const fn about(self) -> &'static str {
        match self {
            Self::ProgRefused(_, Lasting::Once) => "a program is refused",
            Self::ProgRefused(..) => "a program is refused, and all further writes of the block",
            Self::ProgTorn(_) => "a program is said to have failed when half done",
            Self::ProgDenied(_) => "a program is said to have failed when done",
            Self::ProgSpoilt(Lasting::Once) => "a program leaves a wrong byte, without a word",
            Self::ProgSpoilt(_) => "a program leaves a wrong byte, and all others of the block",
            Self::EraseRefused(_, Lasting::Once) => "an erase is refused",
            Self::EraseRefused(..) => "an erase is refused, and all further writes of the block",
            Self::ReadRefused(_, Lasting::Once) => "a read is refused",
            Self::ReadRefused(..) => "a read is refused, and all further ones of the block",
            Self::SyncRefused => "a sync is refused",
            Self::WearsOut => "each block is bad after that many erases",
            Self::RunsOut => "only that many blocks can be written at all",
        }
    }
}

/// Its [name](FaultClass::name).
impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for FaultClass {
    type Err = NoSuchClass;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = |class: &Self| class.name() == text;
        let found = Self::ALL.into_iter().find(named);
        found.ok_or_else(|| NoSuchClass(text.to_owned()))
    }
}

impl Serialize for FaultClass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Its id, the class and the number: `prog-bad-block:17`. It reads back to the same fault, and a fault has one text.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.class, self.at)
    }
}

impl FromStr for Fault {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || ParseFaultError::Form(text.to_owned());
        let (class, at) = text.split_once(':').ok_or_else(form)?;
        let class = class.parse()?;
        let fault = at.parse().map(|at| Self { class, at });
        // One fault, one text: 007 is not 7.
        fault
            .ok()
            .filter(|fault| fault.to_string() == text)
            .ok_or_else(form)
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Fault {
    /// What goes wrong, in words: `program 17 is refused: bad block, for good`.
    pub fn in_words(&self) -> impl fmt::Display + use<> {
        InWords(*self)
    }
}

struct InWords(Fault);

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { class, at } = self.0;
        match class {
            FaultClass::ProgRefused(trouble, lasting) => {
                write!(f, "program {at} is refused: {trouble}, {lasting}")
            }
            FaultClass::ProgTorn(trouble) => write!(f, "program {at} fails half done: {trouble}"),
            FaultClass::ProgDenied(trouble) => write!(f, "program {at} fails when done: {trouble}"),
            FaultClass::ProgSpoilt(lasting) => write!(f, "program {at} is spoilt, {lasting}"),
            FaultClass::EraseRefused(trouble, lasting) => {
                write!(f, "erase {at} is refused: {trouble}, {lasting}")
            }
            FaultClass::ReadRefused(trouble, lasting) => {
                write!(f, "read {at} is refused: {trouble}, {lasting}")
            }
            FaultClass::SyncRefused => write!(f, "sync {at} is refused"),
            FaultClass::WearsOut => write!(f, "blocks wear out after {at} erases"),
            FaultClass::RunsOut => write!(f, "no more than {at} blocks take writes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault() -> impl Strategy<Value = Fault> {
        let class = prop::sample::select(&FaultClass::ALL[..]);
        (class, any::<u64>()).prop_map(|(class, at)| Fault { class, at })
    }

    proptest! {
        #[test]
        fn reads_what_it_prints(fault in fault()) {
            prop_assert_eq!(fault.to_string().parse(), Ok(fault));
            prop_assert_eq!(fault.class.name().parse(), Ok(fault.class));
        }

        #[test]
        fn takes_only_what_it_prints(fault in fault(), what in "[:+0a-z-]?", place: prop::sample::Index) {
            let mut text = fault.to_string();
            text.insert_str(place.index(text.len() + 1), &what);
            if let Ok(fault) = text.parse::<Fault>() {
                prop_assert_eq!(fault.to_string(), text);
            }
        }
    }

    #[test]
    fn a_text_that_is_no_fault_is_told_what_is_wrong() {
        for (text, error) in [
            (
                "prog-bad-block",
                "'prog-bad-block' is no fault: a class and a number such as prog-bad-block:17 are needed",
            ),
            (
                "prog-bad-block:07",
                "'prog-bad-block:07' is no fault: a class and a number such as prog-bad-block:17 are needed",
            ),
            (
                "bad:7",
                "there is no class of faults 'bad'; 'cutpoint list' shows them",
            ),
        ] {
            assert_eq!(text.parse::<Fault>().unwrap_err().to_string(), error);
        }
    }
}
