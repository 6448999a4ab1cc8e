//! A witness: what was lost, when the power went, how to see it again, and the evidence.

use super::disk::{Comparison, compare};
use super::keys::Keys;
use super::shortened;
use crate::crash::{CrashState, Fate};
use crate::explore::{Place, Replay, Sweep, SweepReport, ViolationGroup};
use crate::phase::Phase;
use crate::report::grouped;
use crate::report::replay::{Level, levels};
use crate::trace::{Event, Trace};
use crate::verdict::ViolationKind;
use serde::Serialize;
use std::sync::Arc;

/// How many operations are listed before the one that was cut, and behind it.
const BEFORE: usize = 400;
const BEHIND: usize = 20;
/// How many writes of a cut are listed.
const WRITES: usize = 80;
/// How much is said of what was lost where it stands in short, in characters.
const LOST: usize = 140;

/// The first witness of a kind of violation.
#[derive(Debug, Serialize)]
pub(super) struct Witness {
    pub(super) id: String,
    workload: String,
    contract: String,
    geometry: String,
    subject: String,
    depth: u32,
    #[serde(skip)]
    group: ViolationKind,
    kind: String,
    meaning: &'static str,
    /// How many crash states show a violation of this kind.
    count: String,
    only: bool,
    /// The particulars: the key, what was expected, what was seen; in short, and in full where that is longer.
    lost: String,
    in_full: Option<String>,
    stage: String,
    promise: String,
    /// When the power went.
    when: String,
    state: Option<String>,
    command: String,
    others: Vec<Other>,
    evidence: Option<Evidence>,
}

/// A further witness of the same kind.
#[derive(Debug, Serialize)]
struct Other {
    place: String,
    step: Option<String>,
    lost: String,
    command: String,
}

/// What a witness has been taken apart into.
#[derive(Debug, Serialize)]
struct Evidence {
    operations: Vec<Operation>,
    /// How many operations before those, and behind them.
    before: usize,
    behind: usize,
    cuts: Vec<Cut>,
    keys: Keys,
    disks: Vec<Comparison>,
}

#[derive(Debug, Serialize)]
struct Operation {
    number: usize,
    text: String,
    /// `done`, `cut` or `later`.
    class: &'static str,
}

/// One power cut: the writes around it.
#[derive(Debug, Serialize)]
struct Cut {
    place: String,
    writes: Vec<Written>,
    more: usize,
}

/// A line of the writes around a cut.
#[derive(Debug, Default, Serialize)]
struct Written {
    /// `step`, `sync`, `return`, or of a write: `persisted`, `lost` or `torn`.
    class: &'static str,
    number: Option<u32>,
    fate: String,
    what: String,
    phase: Option<String>,
    /// The power goes behind it.
    last: bool,
}

impl Witness {
    /// The witness of this group, as the `number`th of a page; none where the group names none. It is taken apart where
    /// there is a `sweep` to recover from it once more. `again` is the command that shows a place again.
    pub(super) fn of(
        sweep: Option<&Sweep<'_>>,
        report: &SweepReport,
        group: &ViolationGroup,
        number: usize,
        again: &dyn Fn(&Place) -> String,
    ) -> Option<Self> {
        let first = group.witnesses.first()?;
        let state = match &first.place {
            Place::State(state) => Some(state),
            Place::Recording { .. } | Place::Epoch { .. } => None,
        };
        let replay = sweep
            .zip(state)
            .and_then(|(sweep, state)| sweep.replay(state).ok());
        let others = group.witnesses.iter().skip(1).map(|found| Other {
            place: found.place.to_string(),
            step: found.step.clone(),
            lost: shortened(&found.violation.to_string(), LOST),
            command: again(&found.place),
        });
        let violation = &first.violation;
        Some(Self {
            id: format!("witness-{number}"),
            workload: report.workload.clone(),
            contract: report.contract.clone(),
            geometry: report.geometry.to_string(),
            subject: report.subject.clone(),
            depth: report.depth,
            group: group.kind,
            kind: group.kind.to_string(),
            meaning: group.kind.meaning(),
            count: grouped(group.count),
            only: group.count == 1,
            lost: shortened(&violation.detail, LOST),
            in_full: (violation.detail.chars().count() > LOST).then(|| violation.detail.clone()),
            stage: violation.stage.to_string(),
            promise: violation.promise.to_string(),
            when: match (&replay, state) {
                (Some(replay), Some(_)) => when(replay),
                (None, Some(state)) => format!("At crash state {state}."),
                _ => match &first.step {
                    Some(step) => format!("Not at all: it shows without a power cut, in {step}."),
                    None => "Not at all: it shows without a power cut.".to_owned(),
                },
            },
            state: state.map(ToString::to_string),
            command: again(&first.place),
            others: others.collect(),
            evidence: replay.map(|replay| Evidence::of(&replay)),
        })
    }

    /// Whether it is the witness of this kind in this report.
    pub(super) fn is_of(&self, report: &SweepReport, kind: ViolationKind) -> bool {
        self.workload == report.workload
            && self.contract == report.contract
            && self.depth == report.depth
            && self.group == kind
    }
}

/// When the power went, in a sentence or two.
fn when(replay: &Replay<'_>) -> String {
    let levels = levels(replay);
    let mut said = Vec::new();
    for (cuts, level) in levels.iter().enumerate() {
        let state = &level.candidate.state;
        let (issued, writes) = (state.issued(), level.writes);
        let run = if cuts == 0 {
            format!("After {issued} of {writes} writes")
        } else {
            format!("Again in the recovery from that, after {issued} of its {writes} writes")
        };
        let run = if issued == 0 {
            "Before the first write".to_owned()
        } else {
            format!("{run}, {}", level.cut())
        };
        let (lost, torn) = flaws(state);
        let flaws = match (lost, torn) {
            (0, 0) => String::new(),
            (lost, 0) => format!(" Of the writes before, {lost} had not reached the medium."),
            (0, torn) => format!(" Of the writes before, {torn} reached the medium in part."),
            (lost, torn) => format!(
                " Of the writes before, {lost} had not reached the medium, and {torn} did in part."
            ),
        };
        said.push(format!("{run}.{flaws}"));
    }
    said.join(" ")
}

/// How many writes were lost and torn.
fn flaws(state: &CrashState) -> (usize, usize) {
    let fates = state.flaws().iter();
    let lost = fates
        .filter(|&&(write, _)| state.fate(write) == Fate::Lost)
        .count();
    (lost, state.flaws().len() - lost)
}

impl Evidence {
    fn of(replay: &Replay<'_>) -> Self {
        let levels = levels(replay);
        // There always is a first cut.
        let step = levels[0].candidate.outlook.step as usize;
        let is_inside = levels[0].candidate.outlook.inside;
        let all = replay.recording.workload().steps().enumerate();
        let all: Vec<Operation> = all
            .map(|(number, operation)| Operation {
                number,
                text: operation.to_string(),
                class: match number {
                    _ if number == step && is_inside => "cut",
                    _ if number <= step => "done",
                    _ => "later",
                },
            })
            .collect();
        let count = all.len();
        let before = step.saturating_sub(BEFORE);
        let end = (step + 1 + BEHIND).min(count);
        let operations = all.into_iter().take(end).skip(before).collect();
        let phases = replay.recording.phases();
        let cuts = levels.iter().enumerate().map(|(place, level)| {
            // Those of a recovery are not told.
            let phases = if place == 0 { phases } else { &[] };
            Cut::of(level, phases)
        });
        let cuts = cuts.collect();
        let (last, trace) = match (levels.last(), replay.boots.last()) {
            (Some(last), Some((_, boot))) => (last, boot.trace()),
            _ => (&levels[0], replay.recording.trace()),
        };
        Self {
            operations,
            before,
            behind: count - end,
            cuts,
            keys: Keys::of(replay),
            disks: disks(last, trace),
        }
    }
}

impl Cut {
    fn of(level: &Level<'_>, phases: &[Option<Phase>]) -> Self {
        let candidate = level.candidate;
        let (state, outlook) = (&candidate.state, &candidate.outlook);
        let mut lines = Vec::new();
        let (mut number, mut step) = (0, None);
        let is_near = |step: u32| step == outlook.step || step == outlook.step + 1;
        let flawed_steps = flawed_steps(level);
        for event in &*level.events {
            let shown = step.is_some_and(|step| is_near(step) || flawed_steps.contains(&step));
            let mut push = |line: Written| {
                if shown {
                    lines.push(line);
                }
            };
            match event {
                Event::OperationStart(index) => {
                    step = Some(*index);
                    if is_near(*index) || flawed_steps.contains(index) {
                        lines.push(Written {
                            class: "step",
                            what: level.name_of_step(*index),
                            ..Written::default()
                        });
                    }
                }
                Event::OperationEnd(_) => {
                    push(Written {
                        class: "return",
                        what: "returned".to_owned(),
                        ..Written::default()
                    });
                    step = None;
                }
                Event::Sync => push(Written {
                    class: "sync",
                    what: "sync".to_owned(),
                    ..Written::default()
                }),
                Event::Erase { .. } | Event::Prog { .. } => {
                    let (class, fate) = match state.fate(number) {
                        Fate::Persisted => ("persisted", "reached the medium".to_owned()),
                        Fate::Lost if number >= state.issued() => {
                            ("later", "never came".to_owned())
                        }
                        Fate::Lost => ("lost", "lost".to_owned()),
                        Fate::Torn(tear) => ("torn", format!("torn {tear}")),
                    };
                    push(Written {
                        class,
                        number: Some(number),
                        fate,
                        what: said(event),
                        phase: phases
                            .get(number as usize)
                            .and_then(Option::as_ref)
                            .map(ToString::to_string),
                        last: number + 1 == state.issued(),
                    });
                    number += 1;
                }
            }
        }
        let more = lines.len().saturating_sub(WRITES);
        // The cut is what the lines are about: those furthest before it go first.
        let cut = lines.iter().position(|line| line.last).unwrap_or(0);
        let first = cut.saturating_sub(WRITES / 2).min(more);
        let writes = lines.into_iter().skip(first).take(WRITES).collect();
        Self {
            place: level.cut(),
            writes,
            more,
        }
    }
}

/// The steps that issued the writes that were lost or torn.
fn flawed_steps(level: &Level<'_>) -> Vec<u32> {
    let (mut number, mut current) = (0, None);
    let mut steps = Vec::new();
    let state = &level.candidate.state;
    for event in &*level.events {
        match event {
            Event::OperationStart(step) => current = Some(*step),
            Event::OperationEnd(_) => current = None,
            Event::Sync => {}
            Event::Erase { .. } | Event::Prog { .. } => {
                if number < state.issued() && state.fate(number) != Fate::Persisted {
                    steps.extend(current);
                }
                number += 1;
            }
        }
    }
    steps.dedup();
    steps
}

/// A write in words.
fn said(event: &Event) -> String {
    match event {
        Event::Erase { block } => format!("erase block {block}"),
        Event::Prog {
            block,
            offset,
            data,
        } => format!("program block {block}: {} B at {offset}", data.len()),
        Event::Sync | Event::OperationStart(_) | Event::OperationEnd(_) => String::new(),
    }
}

/// The disk before the operation that was cut and after the cut, and what the cut kept from it.
fn disks(level: &Level<'_>, trace: &Arc<Trace>) -> Vec<Comparison> {
    let state = &level.candidate.state;
    let mut first = first_write_of(&level.events, level.candidate.outlook.step);
    if let Some((flaw, _)) = state.flaws().first() {
        first = first.min(*flaw);
    }
    let before = CrashState::prefix(first.min(state.issued()));
    let whole = CrashState::prefix(state.issued());
    let mut disks = Vec::new();
    disks.extend(compare(
        "What the power cut left, against the disk before the operation",
        trace,
        ("before", &before),
        ("after the cut", state),
    ));
    if !state.flaws().is_empty() {
        disks.extend(compare(
            "What is missing: all writes up to the cut, against what the cut left",
            trace,
            ("with all writes", &whole),
            ("after the cut", state),
        ));
    }
    disks
}

/// The number of the first write from this step on.
fn first_write_of(events: &[Event], step: u32) -> u32 {
    let before = events
        .iter()
        .take_while(|event| **event != Event::OperationStart(step));
    before
        .filter(|event| event.written_block().is_some())
        .count() as u32
}
