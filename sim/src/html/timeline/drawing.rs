//! Rows and columns, and the paths that fill them. One unit is a column across and a row down; the page stretches it.

use crate::trace::{Event, Trace};
use cutpoint_engine::device::BlockId;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The most rows, where blocks may share one.
const ROWS: usize = 48;
/// The most columns, and the most cells, where writes share a column.
const COLUMNS: u32 = 1200;
const CELLS: u32 = 24_000;
/// How many rows are named.
const LABELS: usize = 14;

/// The blocks that are written, a row for each, or for several neighbours.
#[derive(Debug)]
pub(super) struct Rows {
    blocks: Vec<BlockId>,
    /// Blocks in a row.
    per: usize,
}

impl Rows {
    pub(super) fn of(trace: &Trace, each: bool) -> Self {
        let all = (0..trace.geometry().block_count()).map(BlockId::new);
        let blocks: Vec<BlockId> = all
            .filter(|&block| !trace.block_history(block).is_empty())
            .collect();
        let most = if each { 4 * ROWS } else { ROWS };
        let per = blocks.len().div_ceil(most).max(1);
        Self { blocks, per }
    }

    pub(super) fn len(&self) -> usize {
        self.blocks.len().div_ceil(self.per)
    }

    pub(super) fn row_of(&self, block: BlockId) -> usize {
        let place = self.blocks.binary_search(&block);
        place.unwrap_or_else(|place| place) / self.per
    }

    /// By row: the block, or the first and the last of them.
    pub(super) fn names(&self) -> Vec<String> {
        let rows = self.blocks.chunks(self.per);
        rows.map(|blocks| match blocks {
            [first, .., last] => format!("{first}–{last}"),
            [only] => only.to_string(),
            [] => String::new(),
        })
        .collect()
    }

    /// Some rows by name, with how far down their middle is, in percent.
    #[allow(clippy::cast_precision_loss, reason = "there are few rows")]
    pub(super) fn labels(&self) -> Vec<(f64, String)> {
        let names = self.names();
        let (count, step) = (names.len() as f64, names.len().div_ceil(LABELS).max(1));
        names
            .into_iter()
            .enumerate()
            .step_by(step)
            .map(|(row, name)| ((row as f64 + 0.5) * 100.0 / count, name))
            .collect()
    }
}

/// The columns: one write in each, or the same number in all but the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    writes: u32,
    per: u32,
}

impl Columns {
    pub(super) fn one_by_one(writes: u32) -> Self {
        Self { writes, per: 1 }
    }

    pub(super) fn many_in_one(writes: u32, rows: usize) -> Self {
        let most = COLUMNS.min(CELLS / (rows.max(1) as u32)).max(1);
        let per = writes.div_ceil(most).max(2);
        Self { writes, per }
    }

    pub(super) fn len(self) -> u32 {
        self.writes.div_ceil(self.per)
    }

    pub(super) fn per(self) -> u32 {
        self.per
    }

    pub(super) fn column_of(self, write: u32) -> u32 {
        write / self.per
    }
}

/// What is drawn of the writes.
#[derive(Debug, Default)]
pub(super) struct Cells {
    erases: BTreeSet<(usize, u32)>,
    programs: BTreeSet<(usize, u32)>,
}

impl Cells {
    pub(super) fn add(&mut self, event: &Event, column: u32, row: usize) {
        let cells = match event {
            Event::Erase { .. } => &mut self.erases,
            _ => &mut self.programs,
        };
        cells.insert((row, column));
    }

    pub(super) fn erases(&self, columns: Columns) -> String {
        cells(&self.erases, columns)
    }

    pub(super) fn programs(&self, columns: Columns) -> String {
        cells(&self.programs, columns)
    }
}

/// A stroke for each cell; one for neighbours, where a column stands for many writes anyway.
fn cells(cells: &BTreeSet<(usize, u32)>, columns: Columns) -> String {
    let mut path = String::new();
    let cells: Vec<_> = cells.iter().copied().collect();
    let joined =
        |a: &(usize, u32), b: &(usize, u32)| columns.per() > 1 && a.0 == b.0 && a.1 + 1 == b.1;
    for run in cells.chunk_by(joined) {
        let (row, column) = run[0];
        // Writing to a string does not fail.
        let _ = match run.len() {
            1 => write!(path, "M{column} {row}h.8"),
            length => write!(path, "M{column} {row}h{length}"),
        };
    }
    path
}

/// A field over all rows for every other step.
pub(super) fn bands(steps: &[(u32, u32, String)], columns: Columns) -> String {
    let mut path = String::new();
    if steps.len() > columns.len() as usize {
        return path;
    }
    for (first, end, _) in steps.iter().step_by(2) {
        let (first, end) = (scaled(*first, columns), scaled(*end, columns));
        let _ = write!(path, "M{first} 0H{end}V1H{first}z");
    }
    path
}

/// A line down at each of these places, which are given by the number of writes before them.
pub(super) fn lines(places: &[u32], columns: Columns) -> String {
    let mut path = String::new();
    let mut last = None;
    for &place in places {
        let column = columns.column_of(place);
        if columns.per() > 1 && last == Some(column) {
            continue;
        }
        last = Some(column);
        let _ = write!(path, "M{} 0v1", scaled(place, columns));
    }
    path
}

/// A stroke around each of these cuts, one for neighbours.
pub(super) fn marks(cuts: &[u32], columns: Columns) -> String {
    let mut path = String::new();
    let mut places: Vec<u32> = cuts.iter().map(|&cut| columns.column_of(cut)).collect();
    places.dedup();
    for run in places.chunk_by(|a, b| a + 1 == *b) {
        let _ = write!(path, "M{} 0h{}", f64::from(run[0]) - 0.5, run.len());
    }
    path
}

/// A place between writes, in columns, to two digits.
fn scaled(place: u32, columns: Columns) -> f64 {
    (f64::from(place) / f64::from(columns.per()) * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_that_share_a_column_are_drawn_once() {
        let columns = Columns::many_in_one(1_000_000, 40);
        assert!(columns.len() <= 600 && columns.per() >= 1000);
        let mut drawn = Cells::default();
        let block = BlockId::new(0);
        for write in 0..columns.per() * 3 {
            drawn.add(&Event::Erase { block }, columns.column_of(write), 7);
        }
        assert_eq!(drawn.erases(columns), "M0 7h3");
        assert_eq!(drawn.programs(columns), "");
    }

    #[test]
    fn neighbouring_cuts_are_one_stroke() {
        let columns = Columns::one_by_one(20);
        assert_eq!(marks(&[3, 4, 5, 9], columns), "M2.5 0h3M8.5 0h1");
        assert_eq!(
            lines(&[2, 2, 5], Columns::one_by_one(9)),
            "M2 0v1M2 0v1M5 0v1"
        );
    }
}
