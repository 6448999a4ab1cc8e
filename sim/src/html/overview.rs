//! All sweeps at a glance: a line for each, their sums, and contracts by workload.

use crate::explore::{Count, SweepReport};
use crate::report::grouped;
use serde::Serialize;
use std::time::Duration;

/// A sweep in short.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    /// Where on the page it is.
    id: String,
    pub(super) subject: String,
    peer: Option<String>,
    pub(super) workload: String,
    pub(super) contract: String,
    geometry: String,
    operations: String,
    writes: String,
    states: String,
    covered: String,
    recoveries: String,
    sampled: String,
    rate: Option<String>,
    pub(super) verdict: &'static str,
    /// The class of its cells: `clean`, `found` or `open`.
    class: &'static str,
    violations: u64,
    #[serde(skip)]
    pub(super) sums: Sums,
}

/// What is added up over all sweeps.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    states: Count,
    covered: Count,
    recoveries: u64,
    sampled: u64,
    writes: u64,
    pub(super) violations: u64,
    elapsed: Option<Duration>,
    pub(super) complete: bool,
    by_class: bool,
}

impl Line {
    pub(super) fn of(report: &SweepReport, elapsed: Option<Duration>, number: usize) -> Self {
        let violations = report.violation_count();
        let complete = report.is_complete();
        let (verdict, class) = match (violations, complete) {
            (0, true) => ("clean", "clean"),
            (0, false) => ("none found, not all covered", "open"),
            _ => ("violated", "found"),
        };
        let contract = match report.depth {
            1 => report.contract.clone(),
            depth => format!("{} ×{depth}", report.contract),
        };
        let executed = report.recoveries + report.sampled;
        Self {
            id: format!("sweep-{number}"),
            subject: report.subject.clone(),
            peer: report.peer.as_ref().map(|peer| peer.full_name.clone()),
            workload: report.workload.clone(),
            contract,
            geometry: report.geometry.to_string(),
            operations: grouped(report.operations.into()),
            writes: grouped(report.events.writes().into()),
            states: report.states.to_string(),
            covered: report.covered.to_string(),
            recoveries: grouped(report.recoveries),
            sampled: grouped(report.sampled),
            rate: elapsed.map(|elapsed| rate(executed, elapsed)),
            verdict,
            class,
            violations,
            sums: Sums {
                states: report.states.clone(),
                covered: report.covered.clone(),
                recoveries: report.recoveries,
                sampled: report.sampled,
                writes: report.events.writes().into(),
                violations,
                elapsed,
                complete,
                by_class: report.by_class,
            },
        }
    }
}

/// Recoveries a second.
fn rate(recoveries: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if seconds > 0.0 {
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "a rate is shown rounded"
        )]
        let rate = (recoveries as f64 / seconds).round() as u64;
        grouped(rate)
    } else {
        "-".to_owned()
    }
}

/// The sums over all sweeps.
#[derive(Debug, Serialize)]
pub(super) struct Totals {
    sweeps: usize,
    workloads: usize,
    contracts: Vec<String>,
    subject: String,
    states: String,
    covered: String,
    recoveries: String,
    sampled: Option<String>,
    writes: String,
    by_class: bool,
    elapsed: Option<String>,
    threads: Option<usize>,
    rate: Option<String>,
}

impl Totals {
    pub(super) fn of(lines: &[Line], threads: Option<usize>) -> Self {
        let mut sums = Sums::default();
        let (mut contracts, mut workloads, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
        for line in lines {
            let more = &line.sums;
            sums.states += &more.states;
            sums.covered += &more.covered;
            sums.recoveries += more.recoveries;
            sums.sampled += more.sampled;
            sums.writes += more.writes;
            sums.by_class |= more.by_class;
            if let Some(elapsed) = more.elapsed {
                *sums.elapsed.get_or_insert_default() += elapsed;
            }
            for (known, name) in [
                (&mut contracts, &line.contract),
                (&mut workloads, &line.workload),
                (&mut subjects, &line.subject),
            ] {
                if !known.contains(name) {
                    known.push(name.clone());
                }
            }
        }
        Self {
            sweeps: lines.len(),
            workloads: workloads.len(),
            contracts,
            subject: subjects.join(", "),
            states: sums.states.to_string(),
            covered: sums.covered.to_string(),
            recoveries: grouped(sums.recoveries),
            sampled: (sums.sampled > 0).then(|| grouped(sums.sampled)),
            writes: grouped(sums.writes),
            by_class: sums.by_class,
            elapsed: sums
                .elapsed
                .map(|elapsed| format!("{:.1} s", elapsed.as_secs_f64())),
            threads,
            rate: sums
                .elapsed
                .map(|elapsed| rate(sums.recoveries + sums.sampled, elapsed)),
        }
    }
}

/// Verdicts, a row for each workload and a column for each contract.
#[derive(Debug, Serialize)]
pub(super) struct Matrix {
    contracts: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    workload: String,
    /// Places in the list of sweeps.
    cells: Vec<Option<usize>>,
}

impl Matrix {
    /// None where there is one contract only, so that the list of sweeps says the same.
    pub(super) fn of(lines: &[Line]) -> Option<Self> {
        let mut contracts: Vec<String> = Vec::new();
        let mut rows: Vec<Row> = Vec::new();
        for (place, line) in lines.iter().enumerate() {
            let known = contracts.iter().position(|name| *name == line.contract);
            let column = known.unwrap_or_else(|| {
                contracts.push(line.contract.clone());
                contracts.len() - 1
            });
            let row = rows.iter().position(|row| row.workload == line.workload);
            let row = row.unwrap_or_else(|| {
                rows.push(Row {
                    workload: line.workload.clone(),
                    cells: Vec::new(),
                });
                rows.len() - 1
            });
            let cells = &mut rows[row].cells;
            cells.resize(cells.len().max(column + 1), None);
            cells[column] = Some(place);
        }
        for row in &mut rows {
            row.cells.resize(contracts.len(), None);
        }
        (contracts.len() > 1).then_some(Self { contracts, rows })
    }
}
