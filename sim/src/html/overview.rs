//! All sweeps at a glance: a line for each, their sums, and contracts by workload.

use crate::explore::{Count, SweepReport};
use crate::report::grouped;
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Duration;

/// The most workloads of which a table shows every contract.
const MATRIX_ROWS: usize = 200;

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
}

/// What is added up over all sweeps.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    sweeps: u64,
    workloads: BTreeSet<String>,
    subjects: BTreeSet<String>,
    contracts: Vec<ContractSums>,
    states: Count,
    covered: Count,
    recoveries: u64,
    sampled: u64,
    pub(super) violations: u64,
    elapsed: Option<Duration>,
    pub(super) complete: bool,
    by_class: bool,
}

/// What is added up over the sweeps under one contract.
#[derive(Clone, Debug)]
struct ContractSums {
    name: String,
    sweeps: u64,
    states: Count,
    covered: Count,
    recoveries: u64,
    violations: u64,
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            sweeps: 0,
            workloads: BTreeSet::new(),
            subjects: BTreeSet::new(),
            contracts: Vec::new(),
            states: Count::default(),
            covered: Count::default(),
            recoveries: 0,
            sampled: 0,
            violations: 0,
            elapsed: None,
            // Until something is left out.
            complete: true,
            by_class: false,
        }
    }
}

impl Sums {
    pub(super) fn add(&mut self, report: &SweepReport, elapsed: Option<Duration>) {
        self.sweeps += 1;
        self.workloads.insert(report.workload.clone());
        self.subjects.insert(report.subject.clone());
        self.states += &report.states;
        self.covered += &report.covered;
        self.recoveries += report.recoveries;
        self.sampled += report.sampled;
        self.violations += report.violation_count();
        if let Some(elapsed) = elapsed {
            *self.elapsed.get_or_insert_default() += elapsed;
        }
        self.complete &= report.is_complete();
        self.by_class |= report.by_class;
        let name = explored(report);
        let known = self.contracts.iter().position(|sums| sums.name == name);
        let place = known.unwrap_or_else(|| {
            self.contracts.push(ContractSums {
                name,
                sweeps: 0,
                states: Count::default(),
                covered: Count::default(),
                recoveries: 0,
                violations: 0,
            });
            self.contracts.len() - 1
        });
        let sums = &mut self.contracts[place];
        sums.sweeps += 1;
        sums.states += &report.states;
        sums.covered += &report.covered;
        sums.recoveries += report.recoveries;
        sums.violations += report.violation_count();
    }
}

/// Under which contract, and how many cuts deep.
fn explored(report: &SweepReport) -> String {
    match report.depth {
        1 => report.contract.clone(),
        depth => format!("{} ×{depth}", report.contract),
    }
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
        let executed = report.recoveries + report.sampled;
        Self {
            id: format!("sweep-{number}"),
            subject: report.subject.clone(),
            peer: report.peer.as_ref().map(|peer| peer.full_name.clone()),
            workload: report.workload.clone(),
            contract: explored(report),
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

/// The sums over all sweeps, as they are shown.
#[derive(Debug, Serialize)]
pub(super) struct Totals {
    sweeps: String,
    workloads: String,
    subject: String,
    contracts: Vec<ContractLine>,
    states: String,
    covered: String,
    recoveries: String,
    sampled: Option<String>,
    by_class: bool,
    elapsed: Option<String>,
    threads: Option<usize>,
    rate: Option<String>,
}

#[derive(Debug, Serialize)]
struct ContractLine {
    name: String,
    sweeps: String,
    states: String,
    covered: String,
    recoveries: String,
    violations: u64,
}

impl Totals {
    pub(super) fn of(sums: &Sums, threads: Option<usize>) -> Self {
        let subjects: Vec<&str> = sums.subjects.iter().map(String::as_str).collect();
        let contracts = sums.contracts.iter().map(|sums| ContractLine {
            name: sums.name.clone(),
            sweeps: grouped(sums.sweeps),
            states: sums.states.to_string(),
            covered: sums.covered.to_string(),
            recoveries: grouped(sums.recoveries),
            violations: sums.violations,
        });
        Self {
            sweeps: grouped(sums.sweeps),
            workloads: grouped(sums.workloads.len() as u64),
            subject: subjects.join(", "),
            contracts: contracts.collect(),
            states: sums.states.to_string(),
            covered: sums.covered.to_string(),
            recoveries: grouped(sums.recoveries),
            sampled: (sums.sampled > 0).then(|| grouped(sums.sampled)),
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
    /// None where there is one contract only, so that the list of sweeps says the same; nor where there are many
    /// workloads, as in a campaign, each of which has one.
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
        let fits = contracts.len() > 1 && rows.len() <= MATRIX_ROWS;
        fits.then_some(Self { contracts, rows })
    }
}
