use crate::contract::{self, Contract};
use crate::verdict::ViolationKind;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use std::fmt;
use std::str::FromStr;

/// Which crash states there are: those that a contract allows, with so many power cuts one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashModel {
    /// The contract.
    pub contract: &'static Contract,
    /// How many power cuts follow on each other, from 1.
    pub depth: u32,
}

/// The most power cuts that follow on each other.
pub(super) const DEPTH_MAX: u32 = 8;

impl CrashModel {
    /// The model of cuts in the recovery from a cut.
    pub const NESTED: Self = Self {
        contract: &contract::PREFIX,
        depth: 2,
    };

    const NESTED_NAME: &str = "nested";

    /// The states that this contract allows.
    pub const fn of(contract: &'static Contract) -> Self {
        Self { contract, depth: 1 }
    }

    /// The model of this name, with so many cuts where that is said.
    ///
    /// # Errors
    ///
    /// There is none, for people: with the names there are.
    pub(super) fn named(name: &str, depth: Option<u32>) -> Result<Self, String> {
        let (contract, of_name) = if name == Self::NESTED_NAME {
            (Self::NESTED.contract, Self::NESTED.depth)
        } else {
            let contract = contract::by_name(name).ok_or_else(|| {
                let names = contract::ALL.map(|contract| contract.name).join(", ");
                format!("there are {names}, {}", Self::NESTED_NAME)
            })?;
            (contract, 1)
        };
        Ok(Self {
            contract,
            depth: depth.unwrap_or(of_name),
        })
    }

    /// Its name, and the number of cuts where the name does not say it.
    pub(super) fn name(self) -> (&'static str, Option<u32>) {
        match self.depth {
            _ if self == Self::NESTED => (Self::NESTED_NAME, None),
            1 => (self.contract.name, None),
            depth => (self.contract.name, Some(depth)),
        }
    }
}

/// `torn`, `nested`, `reorder, 2 cuts`.
impl fmt::Display for CrashModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            (name, None) => f.write_str(name),
            (name, Some(depth)) => write!(f, "{name}, {depth} cuts"),
        }
    }
}

/// What should come of an exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No violation.
    Clean,
    /// The image that the case starts from is not mounted: the call returns an error.
    Refused,
    /// Violations, this kind among them.
    Violation(ViolationKind),
}

/// `clean`, `refused`, or the kind with hyphens: `lost-key`.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => f.write_str("clean"),
            Self::Refused => f.write_str("refused"),
            Self::Violation(kind) => f.write_str(&kind.to_string().replace(' ', "-")),
        }
    }
}

impl FromStr for Verdict {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "clean" => return Ok(Self::Clean),
            "refused" => return Ok(Self::Refused),
            _ => {}
        }
        let kind: StrDeserializer<'_, Error> = text.into_deserializer();
        ViolationKind::deserialize(kind)
            .map(Self::Violation)
            .map_err(|_| format!("'{text}' is no verdict"))
    }
}
