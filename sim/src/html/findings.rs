//! What the page says first: whether anything was found, and what.

use super::Page;
use super::overview::Sums;
use super::witness::Witness;
use crate::report::grouped;
use serde::Serialize;

/// How many findings the head of the page names.
const NAMED: usize = 6;

/// The verdict on everything on the page.
#[derive(Debug, Serialize)]
pub(super) struct Verdict<'a> {
    /// `clean`, `found` or `open`.
    class: &'static str,
    headline: String,
    findings: Vec<&'a Witness>,
    /// How many findings are not named.
    more: usize,
}

impl<'a> Verdict<'a> {
    pub(super) fn of(page: &'a Page) -> Self {
        let Sums {
            violations,
            complete,
            ..
        } = page.sums;
        let (class, headline) = match (violations, complete) {
            (0, true) => ("clean", "No violation found".to_owned()),
            (0, false) => (
                "open",
                "No violation found so far; not all crash states were covered".to_owned(),
            ),
            (1, _) => ("found", "1 crash state breaks a promise".to_owned()),
            (count, _) => (
                "found",
                format!("{} crash states break a promise", grouped(count)),
            ),
        };
        Self {
            class,
            headline,
            findings: page.witnesses.iter().take(NAMED).collect(),
            more: page.witnesses.len().saturating_sub(NAMED),
        }
    }
}
