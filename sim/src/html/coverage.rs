//! What was cut, lost, kept and torn, as tables.

use crate::coverage::{Coverage, Tally};
use crate::report::grouped;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Writes that a cut fell inside of: a row for each kind of operation, a column for each phase.
#[derive(Debug, Serialize)]
pub(super) struct Inside {
    phases: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    operation: String,
    cells: Vec<Option<Cell>>,
}

/// So much of so much.
#[derive(Debug, Serialize)]
struct Cell {
    seen: String,
    possible: String,
    /// In percent, rounded down so that 100 means all.
    percent: u64,
    /// `all`, `some` or `none`.
    class: &'static str,
}

impl Cell {
    fn of(tally: Tally) -> Self {
        let Tally { seen, possible } = tally;
        Self {
            seen: grouped(seen),
            possible: grouped(possible),
            percent: (seen * 100).checked_div(possible).unwrap_or(100),
            class: match seen {
                0 if possible > 0 => "none",
                seen if seen < possible => "some",
                _ => "all",
            },
        }
    }
}

impl Inside {
    pub(super) fn of(coverage: &Coverage) -> Self {
        let phases: BTreeSet<_> = coverage.phases().map(|(_, phase, _)| phase).collect();
        let mut rows: BTreeMap<_, Vec<Option<Cell>>> = BTreeMap::new();
        for (work, phase, tally) in coverage.phases() {
            let row = rows.entry(work).or_default();
            row.resize_with(phases.len(), || None);
            let column = phases.iter().position(|other| *other == phase);
            row[column.unwrap_or_default()] = Some(Cell::of(tally));
        }
        Self {
            phases: phases.into_iter().map(ToString::to_string).collect(),
            rows: rows
                .into_iter()
                .map(|(work, cells)| Row {
                    operation: work.to_string(),
                    cells,
                })
                .collect(),
        }
    }
}

/// The other figures.
#[derive(Debug, Serialize)]
pub(super) struct Figures(Vec<Figure>);

#[derive(Debug, Serialize)]
struct Figure {
    what: &'static str,
    #[serde(flatten)]
    cell: Cell,
}

impl Figures {
    /// Those of which there is anything to be seen.
    pub(super) fn of(coverage: &Coverage) -> Self {
        let all = [
            ("writes lost", coverage.lost),
            ("writes kept", coverage.kept),
            ("writes torn", coverage.torn),
            ("pairs of writes in both orders", coverage.both_orders),
            ("syncs cut before", coverage.before_sync),
            ("syncs cut after", coverage.after_sync),
            ("operations and phases cut inside", coverage.phases_cut()),
        ];
        let figures = all.into_iter().filter(|(_, tally)| tally.possible > 0);
        let figures = figures.map(|(what, tally)| Figure {
            what,
            cell: Cell::of(tally),
        });
        Self(figures.collect())
    }
}
