//! Operations as lines of a case.

use super::line::Line;
use super::{Beside, CaseError};
use crate::op::Operation;

/// The words that operations begin with.
pub(super) const WORDS: &str = "set, set-partial, truncate, allocate, set-attribute, remove-attribute, remove, rename, create, sync, remount";

/// The operation on this line; none where its first word is that of none.
pub(super) fn operation(
    line: &mut Line<'_>,
    beside: &dyn Beside,
) -> Result<Option<Operation>, CaseError> {
    Ok(Some(match line.word() {
        "set" => Operation::Set {
            key: line.key()?,
            value: line.value(beside)?,
        },
        "set-partial" => Operation::SetPartial {
            key: line.key()?,
            offset: line.number("at")?,
            value: line.value(beside)?,
        },
        "truncate" => Operation::Truncate {
            key: line.key()?,
            size: line.length("size")?,
        },
        "allocate" => Operation::Allocate {
            key: line.key()?,
            size: line.length("size")?,
        },
        "set-attribute" => Operation::SetAttribute {
            key: line.key()?,
            kind: line.number_argument("the type of an attribute")?,
            data: line.value(beside)?,
        },
        "remove-attribute" => Operation::RemoveAttribute {
            key: line.key()?,
            kind: line.number_argument("the type of an attribute")?,
        },
        "remove" => Operation::Remove { key: line.key()? },
        "rename" => Operation::Rename {
            source: line.key()?,
            dest: line.key()?,
        },
        "create" => Operation::CreateDictionary { key: line.key()? },
        "sync" => Operation::Sync,
        "remount" => Operation::Remount,
        _ => return Ok(None),
    }))
}

/// The operation on this line, which holds nothing else.
pub(super) fn only_operation(
    mut line: Line<'_>,
    beside: &dyn Beside,
) -> Result<Operation, CaseError> {
    let Some(operation) = operation(&mut line, beside)? else {
        let what = format!("'{}' is no operation", line.word());
        return Err(line.error(what, format!("there are {WORDS}")));
    };
    line.end()?;
    Ok(operation)
}
