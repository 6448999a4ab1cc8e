//! Violations as annotations, the lines by which a step of a GitHub workflow marks what it has found.

use super::{grouped, replay_command};
use crate::explore::SweepReport;
use std::fmt::Write;

/// An `::error` line for each kind of violation in the sweeps: what was found, and the command that replays it.
pub fn github<'r>(sweeps: impl IntoIterator<Item = &'r SweepReport>) -> String {
    let mut lines = String::new();
    for report in sweeps {
        for group in &report.violations {
            let Some(first) = group.witnesses.first() else {
                continue;
            };
            let (workload, contract) = (&report.workload, &report.contract);
            let title = format!("{workload} under {contract}: {}", group.kind);
            let peer = report.peer.as_ref().map(|peer| peer.name.as_str());
            let again = replay_command(&report.subject, peer, workload, contract, &first.place);
            let count = grouped(group.count);
            let message = format!("{count} x {}; first: {first}\nreplay: {again}", group.kind);
            // Writing to a string does not fail.
            let _ = writeln!(
                lines,
                "::error title={}::{}",
                escaped(&title, &[':', ',']),
                escaped(&message, &[])
            );
        }
    }
    lines
}

/// The text with what would end the line or the property written as a percent sign and two digits.
fn escaped(text: &str, also: &[char]) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if matches!(letter, '%' | '\r' | '\n') || also.contains(&letter) {
            let _ = write!(escaped, "%{:02X}", u32::from(letter));
        } else {
            escaped.push(letter);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_line_or_a_property_is_escaped() {
        assert_eq!(escaped("50%\n::x,", &[]), "50%25%0A::x,");
        assert_eq!(escaped("a:b,c", &[':', ',']), "a%3Ab%2Cc");
    }
}
