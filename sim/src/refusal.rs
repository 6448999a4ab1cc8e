//! Why a store says no: the part of its errors that a model can foretell.

use serde::Serialize;
use thiserror::Error;

/// A refusal: an error that a store finds by itself and that leaves it as it was.
///
/// The model answers with the same values, so that each result of a subject can be compared. Refusals name no key:
/// the operation does, and not every store can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// There is nothing under the key.
    #[error("not found")]
    NotFound,
    /// There is a value where a dictionary is needed.
    #[error("dictionary expected")]
    DictionaryExpected,
    /// There is a dictionary where a value is needed.
    #[error("value expected")]
    ValueExpected,
    /// There is something under the key already.
    #[error("already present")]
    AlreadyPresent,
    /// A dictionary cannot move below itself.
    #[error("a dictionary cannot move below itself")]
    RenameSourcePrefix,
    /// The root can be neither removed nor renamed.
    #[error("the root can be neither removed nor renamed")]
    RootFixed,
    /// The store has no room left.
    #[error("no space")]
    NoSpace,
    /// A name or a value is of a kind or length that the store does not take.
    #[error("the store takes no such name or value")]
    Unsupported,
    /// The store takes no changes until it is mounted again.
    #[error("read-only")]
    ReadOnly,
}
