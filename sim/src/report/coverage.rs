//! Crash coverage as text.

use super::grouped;
use crate::coverage::{Coverage, Tally, Work};
use crate::phase::Phase;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// The figures of a sweep in at most four lines of about at most 80 columns.
pub(super) fn write_lines(out: &mut dyn Write, coverage: &Coverage) -> fmt::Result {
    let inside = coverage.phases_cut();
    if inside.possible > 0 {
        writeln!(
            out,
            "Cut inside {} pairs of operation and phase;",
            of(inside)
        )?;
    }
    let &Coverage {
        lost,
        kept,
        torn,
        both_orders,
        before_sync,
        after_sync,
        ..
    } = coverage;
    write!(out, "writes: {} lost, {} kept", of(lost), of(kept))?;
    if torn.possible > 0 {
        write!(out, ", {} torn", of(torn))?;
    }
    writeln!(out, ";")?;
    if both_orders.possible > 0 {
        let both_orders = of(both_orders);
        writeln!(out, "pairs of writes: {both_orders} in both orders;")?;
    }
    let (before, after) = (of(before_sync), of(after_sync));
    writeln!(out, "syncs: {before} cut before, {after} after.")
}

/// All figures, with a column for each contract: first the writes that cuts fell inside of, by operation and phase, then
/// the others.
pub(super) fn write_table(out: &mut dyn Write, columns: &[(String, Coverage)]) -> fmt::Result {
    let mut inside: BTreeMap<(Work, &Phase), Vec<Tally>> = BTreeMap::new();
    for (column, (_, coverage)) in columns.iter().enumerate() {
        for (work, phase, tally) in coverage.phases() {
            let row = inside.entry((work, phase)).or_default();
            row.resize(columns.len(), Tally::default());
            row[column] = tally;
        }
    }
    let header = |first, second| {
        let mut header = vec![first, second];
        header.extend(columns.iter().map(|(explored, _)| explored.as_str()));
        header
    };
    if !inside.is_empty() {
        let rows = inside.iter().map(|((work, phase), tallies)| {
            let tallies = tallies.iter().copied().map(cell);
            [work.to_string(), phase.to_string()]
                .into_iter()
                .chain(tallies)
                .collect()
        });
        print(out, &header("writes cut inside", "phase"), rows)?;
    }
    let figures = |coverage: &Coverage| {
        [
            ("writes", "lost", coverage.lost),
            ("writes", "kept", coverage.kept),
            ("writes", "torn", coverage.torn),
            ("pairs of writes", "in both orders", coverage.both_orders),
            ("syncs", "cut before", coverage.before_sync),
            ("syncs", "cut after", coverage.after_sync),
        ]
    };
    let columns: Vec<_> = columns
        .iter()
        .map(|(_, coverage)| figures(coverage))
        .collect();
    let rows = figures(&Coverage::default()).into_iter().enumerate();
    let rows = rows.map(|(row, (of, what, _))| {
        let tallies = columns.iter().map(|column| cell(column[row].2));
        [of.to_owned(), what.to_owned()]
            .into_iter()
            .chain(tallies)
            .collect()
    });
    print(out, &header("of", "seen"), rows)
}

fn print(
    out: &mut dyn Write,
    header: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> fmt::Result {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in 2..header.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)
}

fn of(tally: Tally) -> String {
    format!("{} of {}", grouped(tally.seen), grouped(tally.possible))
}

/// In a column of many, nothing to be seen is shown as nothing.
fn cell(tally: Tally) -> String {
    if tally.possible == 0 {
        "-".to_owned()
    } else {
        format!("{}/{}", grouped(tally.seen), grouped(tally.possible))
    }
}
