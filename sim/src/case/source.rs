//! The text of a case, made into a KDL document.

use super::{CaseError, Position};
use kdl::{KdlDocument, KdlNode};

/// The longest text, in bytes.
const LENGTH_MAX: usize = 1 << 20;
/// The most opening braces in a text. The parser recurses at each that opens a block.
const BRACES_MAX: usize = 64;
/// What has no place in a text: the parser takes exponential time for some that nest blocks behind these.
pub(super) const NOT_TAKEN: [&str; 2] = ["/-", "/*"];

/// A text, to tell positions in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a>(&'a str);

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// What is wrong with what begins at this offset.
    pub(super) fn error(
        self,
        offset: usize,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> CaseError {
        CaseError {
            path: None,
            position: Some(self.position(offset)),
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    fn position(self, offset: usize) -> Position {
        let mut position = Position { line: 1, column: 1 };
        for (_, c) in self.0.char_indices().take_while(|&(at, _)| at < offset) {
            if c == '\n' {
                position.line += 1;
                position.column = 1;
            } else {
                position.column += 1;
            }
        }
        position
    }

    /// Its nodes.
    ///
    /// # Errors
    ///
    /// It is no KDL, or holds what a case has no use for.
    pub(super) fn nodes(self) -> Result<Vec<KdlNode>, CaseError> {
        self.check()?;
        let mut document = KdlDocument::parse_v2(self.0).map_err(|error| {
            let Some(first) = error.diagnostics.first() else {
                return self.error(0, "this is no KDL", "see docs/case-format.md");
            };
            let what = first.message.clone().unwrap_or("this is no KDL".into());
            let remedy = first.help.clone().unwrap_or_else(|| {
                "a line is a word, then words, numbers or strings in double quotes, then properties as in length=7"
                    .into()
            });
            self.error(first.span.offset(), lowercase_first(&what), lowercase_first(&remedy))
        })?;
        Ok(std::mem::take(document.nodes_mut()))
    }

    fn check(self) -> Result<(), CaseError> {
        if self.0.len() > LENGTH_MAX {
            return Err(self.error(
                LENGTH_MAX,
                format!("the case is longer than {LENGTH_MAX} bytes"),
                "write long values by length and seed, or put them into files beside the case",
            ));
        }
        for sequence in NOT_TAKEN {
            if let Some(offset) = self.0.find(sequence) {
                return Err(self.error(
                    offset,
                    format!("a case does not hold '{sequence}'"),
                    "write comments behind //, and keys and values with it in hexadecimal, as in (hex)\"2f2d\"",
                ));
            }
        }
        if let Some((offset, _)) = self.0.match_indices('{').nth(BRACES_MAX) {
            return Err(self.error(
                offset,
                format!("a case holds at most {BRACES_MAX} opening braces"),
                "write keys and values with braces in hexadecimal, as in (hex)\"7b7d\"",
            ));
        }
        Ok(())
    }
}

fn lowercase_first(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

/// Whether a text can stand between double quotes as it is, backslashes and quotes aside: nothing in it is invisible, or
/// ends a line, or changes the direction of what follows.
pub(super) fn is_plain(text: &str) -> bool {
    let invisible = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
            )
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
    };
    !text.contains(invisible) && NOT_TAKEN.iter().all(|sequence| !text.contains(sequence))
}
