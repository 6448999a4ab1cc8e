//! A witness that has been made small, as text.

use super::grouped;
use crate::shrink::Shrunk;
use crate::workload::Workload;
use std::fmt;

/// The text of what is left of a witness, as [`fmt::Display`].
#[derive(Clone, Copy, Debug)]
pub struct ShrunkText<'a> {
    shrunk: &'a Shrunk,
    before: &'a Workload,
}

impl<'a> ShrunkText<'a> {
    /// The text of what is left of a witness in the workload `before`.
    pub fn new(shrunk: &'a Shrunk, before: &'a Workload) -> Self {
        Self { shrunk, before }
    }
}

impl fmt::Display for ShrunkText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shrunk {
            witness,
            flip,
            tried,
        } = self.shrunk;
        let operations = witness.workload.operations();
        writeln!(
            f,
            "{} under {}: {} of {} operations are left",
            self.before.name(),
            witness.contract.name,
            operations.len(),
            self.before.operations().len()
        )?;
        writeln!(f, "on {}:\n", witness.workload.geometry())?;
        for (number, operation) in (1..).zip(operations) {
            writeln!(f, "  {number:>3}  {operation}")?;
        }
        let found = &witness.found;
        writeln!(f, "\n{found}")?;
        writeln!(f, "broken promise: {}", found.violation.promise)?;
        match flip {
            Some(flip) => writeln!(f, "{flip}")?,
            None => writeln!(f, "no single write decides")?,
        }
        let tried = grouped(*tried);
        writeln!(f, "{tried} recoveries and recordings tried.")
    }
}
