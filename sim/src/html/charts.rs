//! How coverage and findings grew over the entries of a run.

use crate::coverage::Coverage;
use crate::report::grouped;
use crate::run::Cause;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The most points of a line that grows with every entry.
const POINTS: u64 = 250;

/// What has grown, entry by entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Growth {
    entries: u64,
    causes: BTreeSet<Cause>,
    recoveries: u64,
    /// Each change: after so many entries, so much.
    found: Vec<(u64, u64)>,
    cut_inside: Vec<(u64, u64)>,
    executed: Vec<(u64, u64)>,
}

impl Growth {
    /// Adds an entry with these causes, after which the coverage is this.
    pub(super) fn add<'c>(
        &mut self,
        causes: impl Iterator<Item = &'c Cause>,
        coverage: &Coverage,
        recoveries: u64,
    ) {
        self.entries += 1;
        self.causes.extend(causes.cloned());
        self.recoveries += recoveries;
        note(&mut self.found, self.entries, self.causes.len() as u64);
        note(
            &mut self.cut_inside,
            self.entries,
            coverage.phases_cut().seen,
        );
        note(&mut self.executed, self.entries, self.recoveries);
    }
}

/// Notes a value where it has changed.
fn note(line: &mut Vec<(u64, u64)>, entry: u64, value: u64) {
    if line.last().map_or(0, |last| last.1) != value {
        line.push((entry, value));
    }
}

/// A line that grows from left to right.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    title: &'static str,
    /// The value at the end.
    total: String,
    entries: String,
    /// The entry that made it grow for the last time.
    last: String,
    /// In a field of 1000 by 100, from the upper left corner.
    path: String,
}

impl Chart {
    /// The charts of a run; none of one with a single entry.
    pub(super) fn all(growth: &Growth) -> Vec<Self> {
        if growth.entries < 2 {
            return Vec::new();
        }
        let of = |title, line: &[(u64, u64)]| Self::of(title, line, growth.entries);
        vec![
            of("Operations and phases cut inside", &growth.cut_inside),
            of("Causes of violations found", &growth.found),
            of("Recoveries executed", &growth.executed),
        ]
    }

    fn of(title: &'static str, line: &[(u64, u64)], entries: u64) -> Self {
        let &(last, total) = line.last().unwrap_or(&(0, 0));
        let across = |entry: u64| entry * 1000 / entries;
        let down = |value: u64| 100 - (value * 100).checked_div(total).unwrap_or(0);
        let mut path = String::from("M0 100");
        let step = (line.len() as u64).div_ceil(POINTS).max(1) as usize;
        let ends = line.len().saturating_sub(1);
        for (place, &(entry, value)) in line.iter().enumerate() {
            if place % step == 0 || place == ends {
                // Writing to a string does not fail.
                let _ = write!(path, "H{}V{}", across(entry), down(value));
            }
        }
        path += "H1000";
        Self {
            title,
            total: grouped(total),
            entries: grouped(entries),
            last: grouped(last),
            path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_steps_where_it_grows() {
        let chart = Chart::of("x", &[(1, 1), (3, 4)], 4);
        assert_eq!(chart.path, "M0 100H250V75H750V0H1000");
        assert_eq!((chart.total.as_str(), chart.last.as_str()), ("4", "3"));
    }
}
