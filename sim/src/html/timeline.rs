//! What a workload wrote, and where the power was cut: writes from left to right, blocks from top to bottom.

mod drawing;

use super::shortened;
use super::witness::Witness;
use crate::explore::{Sweep, SweepReport};
use crate::phase::Phase;
use crate::record::Recording;
use crate::trace::Event;
use drawing::{Cells, Columns, Rows};
use serde::Serialize;

/// How many cuts at which something was found are told one by one.
const FINDINGS: usize = 1000;
/// How many steps are told one by one.
const STEPS: usize = 3000;
/// How much is told of a step, in characters.
const STEP_LENGTH: usize = 90;

/// What there is room for on a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Writes that are drawn and told one by one.
    writes: u32,
    timelines: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            writes: 60_000,
            timelines: 120,
        }
    }
}

/// A drawing of a recording, with what is told of each place in it.
#[derive(Debug, Serialize)]
pub(super) struct Timeline {
    id: String,
    pub(super) workload: String,
    contract: String,
    geometry: String,
    writes: u32,
    columns: u32,
    /// Writes in a column.
    per: u32,
    rows: usize,
    /// Names of some rows: how far down each is, in percent, and what it says.
    labels: Vec<(f64, String)>,
    /// How high the drawing is, in pixels.
    height: usize,
    /// Paths: every other step, erases, programs, syncs, and the cuts at which something was found.
    bands: String,
    erases: String,
    programs: String,
    syncs: String,
    found: String,
    /// How the cuts at which nothing was found are drawn: `clean` or `open`.
    class: &'static str,
    found_cuts: usize,
    erase_count: u32,
    program_count: u32,
    sync_count: u32,
    step_count: usize,
    data: Data,
}

/// What the page's script tells of each place. Names are short, as there are many pages.
#[derive(Debug, Serialize)]
struct Data {
    writes: u32,
    per: u32,
    /// By row: its block, or its blocks.
    rows: Vec<String>,
    phases: Vec<String>,
    /// With one write in a column: its row, 0 for an erase and 1 for a program, offset, length, and one more than the
    /// place of its phase, or 0; one after the other. Else erases, programs and bytes of each column.
    columns: Vec<u64>,
    /// Each step that wrote: its first write, the one behind its last, and what it is.
    steps: Vec<(u32, u32, String)>,
    /// By how many writes came before them.
    syncs: Vec<u32>,
    findings: Vec<Finding>,
    class: &'static str,
}

/// What was found at a cut.
#[derive(Debug, Serialize)]
struct Finding {
    cut: u32,
    count: u64,
    kind: String,
    /// Where on the page its witness is, where it is there.
    witness: Option<String>,
}

impl Timeline {
    /// The timeline of the sweep's workload, recorded again; none where that cannot be, or there is no more room.
    pub(super) fn of(
        sweep: &Sweep<'_>,
        report: &SweepReport,
        number: usize,
        witnesses: &[Witness],
        budget: &mut Budget,
    ) -> Option<Self> {
        budget.timelines = budget.timelines.checked_sub(1)?;
        let recording = sweep.record().ok()?;
        let trace = recording.trace();
        let writes = trace.writes();
        let one_by_one = budget.writes.checked_sub(writes);
        let rows = Rows::of(trace, one_by_one.is_some());
        let columns = match one_by_one {
            Some(left) => {
                budget.writes = left;
                Columns::one_by_one(writes)
            }
            None => Columns::many_in_one(writes, rows.len()),
        };
        let mut cells = Cells::default();
        let mut syncs = Vec::new();
        let mut told = Told::new(columns, &recording);
        let mut write = 0;
        for event in trace.events() {
            match event {
                Event::Erase { block } | Event::Prog { block, .. } => {
                    let row = rows.row_of(*block);
                    cells.add(event, columns.column_of(write), row);
                    told.add(write, event, row);
                    write += 1;
                }
                Event::Sync => syncs.push(write),
                Event::OperationStart(_) | Event::OperationEnd(_) => {}
            }
        }
        let steps = steps(&recording);
        let findings = findings(report, witnesses);
        let mut found_cuts: Vec<u32> = report
            .violations
            .iter()
            .flat_map(|group| group.cuts.keys().copied())
            .collect();
        found_cuts.sort_unstable();
        found_cuts.dedup();
        let class = if report.is_complete() {
            "clean"
        } else {
            "open"
        };
        let counts = trace.counts();
        Some(Self {
            id: format!("timeline-{number}"),
            workload: report.workload.clone(),
            contract: report.contract.clone(),
            geometry: report.geometry.to_string(),
            writes,
            columns: columns.len(),
            per: columns.per(),
            rows: rows.len(),
            labels: rows.labels(),
            height: (rows.len() * 15).clamp(90, 420),
            bands: drawing::bands(&steps, columns),
            erases: cells.erases(columns),
            programs: cells.programs(columns),
            syncs: drawing::lines(&syncs, columns),
            found: drawing::marks(&found_cuts, columns),
            class,
            found_cuts: found_cuts.len(),
            erase_count: counts.erases,
            program_count: counts.progs,
            sync_count: counts.syncs,
            step_count: recording.workload().steps().count(),
            data: Data {
                writes,
                per: columns.per(),
                rows: rows.names(),
                phases: told.phases,
                columns: told.columns,
                steps: steps.into_iter().take(STEPS).collect(),
                syncs: if columns.per() == 1 {
                    syncs
                } else {
                    Vec::new()
                },
                findings,
                class,
            },
        })
    }
}

/// What is told of each column.
struct Told<'r> {
    recorded: &'r [Option<Phase>],
    phases: Vec<String>,
    columns: Vec<u64>,
    layout: Columns,
}

impl<'r> Told<'r> {
    fn new(layout: Columns, recording: &'r Recording<'_>) -> Self {
        Self {
            recorded: recording.phases(),
            phases: Vec::new(),
            columns: Vec::new(),
            layout,
        }
    }

    fn add(&mut self, write: u32, event: &Event, row: usize) {
        let (is_program, offset, length) = match event {
            Event::Prog { offset, data, .. } => (true, *offset, data.len() as u64),
            _ => (false, 0, 0),
        };
        if self.layout.per() == 1 {
            let phase = self.recorded.get(write as usize).and_then(Option::as_ref);
            let phase = phase.map_or(0, |phase| self.place_of(phase.name()) + 1);
            self.columns.extend([
                row as u64,
                u64::from(is_program),
                offset.into(),
                length,
                phase as u64,
            ]);
        } else {
            let start = self.layout.column_of(write) as usize * 3;
            self.columns.resize(self.columns.len().max(start + 3), 0);
            self.columns[start + usize::from(is_program)] += 1;
            self.columns[start + 2] += length;
        }
    }

    fn place_of(&mut self, phase: &str) -> usize {
        let known = self.phases.iter().position(|name| name == phase);
        known.unwrap_or_else(|| {
            self.phases.push(phase.to_owned());
            self.phases.len() - 1
        })
    }
}

/// The steps that wrote: first write, the one behind the last, and what it is.
fn steps(recording: &Recording<'_>) -> Vec<(u32, u32, String)> {
    let names = recording.workload().steps().enumerate();
    let mut names = names.map(|(index, step)| {
        let name = match index {
            0 => step.to_string(),
            _ => format!("{index}: {step}"),
        };
        shortened(&name, STEP_LENGTH)
    });
    let mut steps = Vec::new();
    let (mut write, mut first) = (0, 0);
    for event in recording.trace().events() {
        match event {
            Event::Erase { .. } | Event::Prog { .. } => write += 1,
            Event::OperationStart(_) => first = write,
            Event::OperationEnd(_) => {
                let name = names.next().unwrap_or_default();
                if write > first {
                    steps.push((first, write, name));
                }
            }
            Event::Sync => {}
        }
    }
    steps
}

fn findings(report: &SweepReport, witnesses: &[Witness]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = report
        .violations
        .iter()
        .flat_map(|group| {
            group.cuts.iter().map(move |(&cut, &count)| Finding {
                cut,
                count,
                kind: group.kind.to_string(),
                witness: witnesses
                    .iter()
                    .find(|witness| witness.is_of(report, group.kind))
                    .map(|witness| witness.id.clone()),
            })
        })
        .collect();
    findings.sort_by_key(|finding| finding.cut);
    findings.truncate(FINDINGS);
    findings
}
