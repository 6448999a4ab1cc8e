//! What people and programs read.

use crate::clock;
use crate::compare::{Comparison, Measured, Ratio};
use crate::ram::Traffic;
use crate::target::{self, Growth};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

/// The sides and the clock, for the head of every output.
pub(crate) fn versions() -> String {
    #[cfg(feature = "littlefs-c")]
    let other = format!("against {}", crate::subject::littlefs::version());
    #[cfg(not(feature = "littlefs-c"))]
    let other = "alone: built without the feature littlefs-c, there is no C side";
    format!("cutpoint-engine {} {other}", env!("CARGO_PKG_VERSION"))
}

/// The table of the rows of one setting, two lines for each: C and the engine's time as a share of it, then the engine and its targets.
pub(crate) fn table(comparisons: &[Comparison]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "row",
        "side",
        "ns",
        "read B",
        "prog B",
        "erase B",
        "progs",
        "erases",
        "syncs",
        "time ratio, targets",
    ]);
    for comparison in comparisons {
        let operations = comparison.operations;
        let mut name = comparison.row.to_string();
        if let Some((c, ratio)) = &comparison.c {
            table.add_row(line(&name, "C", c, operations, &show_ratio(*ratio)));
            name.clear();
        }
        let engine = &comparison.engine;
        let verdict = verdict(comparison);
        table.add_row(line(&name, "engine", engine, operations, &verdict));
    }
    for column in table.column_iter_mut().skip(2).take(7) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    table.trim_fmt()
}

fn line(row: &str, side: &str, measured: &Measured, operations: u32, remark: &str) -> Vec<String> {
    let Traffic {
        reads: _,
        read_bytes,
        progs,
        prog_bytes,
        erases,
        erased_bytes,
        syncs,
    } = measured.traffic;
    let mut cells = vec![
        row.to_owned(),
        side.to_owned(),
        format!("{:.0}", measured.nanoseconds),
    ];
    cells.extend([read_bytes, prog_bytes, erased_bytes].map(|total| share(total, operations, 1)));
    cells.extend([progs, erases, syncs].map(|total| share(total, operations, 2)));
    cells.push(remark.to_owned());
    cells
}

/// A count per operation; a whole number without a fraction.
fn share(total: u64, operations: u32, places: u32) -> String {
    let operations = u64::from(operations);
    if total.is_multiple_of(operations) {
        return (total / operations).to_string();
    }
    let scale = 10_u64.pow(places);
    let scaled = (total * scale + operations / 2) / operations;
    let (whole, part) = (scaled / scale, scaled % scale);
    format!("{whole}.{part:0width$}", width = places as usize)
}

fn show_ratio(ratio: Ratio) -> String {
    let Ratio { median, min, max } = ratio;
    let places = if median < 0.1 { 3 } else { 2 };
    format!("{median:.places$} ({min:.places$}..{max:.places$})")
}

fn verdict(comparison: &Comparison) -> String {
    let misses = target::misses(comparison);
    if comparison.c.is_none() {
        String::new()
    } else if comparison.row.is_uneven() {
        "-".to_owned()
    } else if misses.is_empty() {
        "met".to_owned()
    } else {
        format!("MISS {}", misses.join("+"))
    }
}

/// What comes below the tables: targets about several rows, and how many rows meet theirs.
pub(crate) fn summary(comparisons: &[Comparison]) -> String {
    let mut lines = Vec::new();
    for growth in target::growths(comparisons) {
        let verdict = if growth.is_met() { "met" } else { "MISSED" };
        lines.push(format!(
            "{}: x{:.2}: {verdict}",
            growth.name(),
            growth.times
        ));
    }
    let judged = comparisons
        .iter()
        .filter(|comparison| comparison.c.is_some() && !comparison.row.is_uneven());
    let (met, missed): (Vec<_>, Vec<_>) =
        judged.partition(|comparison| target::misses(comparison).is_empty());
    lines.push(format!(
        "{} rows meet their targets, {} do not. Times: {}.",
        met.len(),
        missed.len(),
        clock::NAME
    ));
    lines.join("\n")
}

/// One row as a JSON object.
#[derive(Serialize)]
struct JsonRow<'c> {
    versions: String,
    clock: &'static str,
    setting: String,
    row: String,
    /// Operations in a run: traffic is that of a run, times are per operation.
    operations: u32,
    pairs: usize,
    c: Option<&'c Measured>,
    engine: &'c Measured,
    ratio: Option<Ratio>,
    misses: Vec<String>,
}

/// A target about several rows as a JSON object.
#[derive(Serialize)]
struct JsonGrowth {
    target: String,
    times: f64,
    met: bool,
}

impl From<Growth> for JsonGrowth {
    fn from(growth: Growth) -> Self {
        Self {
            target: growth.name(),
            times: growth.times,
            met: growth.is_met(),
        }
    }
}

/// All of it as JSON, one object a line: the rows, then the targets about several of them.
pub(crate) fn json(comparisons: &[Comparison]) -> Result<String, serde_json::Error> {
    let mut lines = Vec::new();
    for comparison in comparisons {
        lines.push(serde_json::to_string(&JsonRow {
            versions: versions(),
            clock: clock::NAME,
            setting: comparison.setting.to_string(),
            row: comparison.row.to_string(),
            operations: comparison.operations,
            pairs: comparison.pairs,
            c: comparison.c.as_ref().map(|(c, _)| c),
            engine: &comparison.engine,
            ratio: comparison.c.as_ref().map(|(_, ratio)| *ratio),
            misses: target::misses(comparison),
        })?);
    }
    for growth in target::growths(comparisons) {
        lines.push(serde_json::to_string(&JsonGrowth::from(growth))?);
    }
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn counts_are_rounded_only_where_they_must_be() {
        assert_eq!(share(600, 200, 2), "3");
        assert_eq!(share(601, 200, 2), "3.01");
        assert_eq!(share(1999, 1000, 2), "2.00");
        assert_eq!(share(7, 100, 1), "0.1");
    }
}
