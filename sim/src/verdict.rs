//! Violations: what can be wrong with a store, and the comparison that finds it.

mod compare;
mod violation;

pub(crate) use compare::{Difference, nearest_difference, shows, shows_apart_from};
pub use violation::{ParsePromiseError, ParseStageError, Promise, Stage, Violation, ViolationKind};

/// The judgement on a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is as promised.
    Clean,
    /// A promise is broken.
    Violation(Violation),
}

impl Verdict {
    /// The violation, where there is one.
    pub fn violation(&self) -> Option<&Violation> {
        match self {
            Self::Clean => None,
            Self::Violation(violation) => Some(violation),
        }
    }
}
