//! One crash state in full: which writes reached the medium, what the model allows, what recovery showed.

mod json;

pub use json::ReplayJson;

use super::grouped;
use crate::contract::{self, Contract};
use crate::crash::{Candidate, Fate, Outlook};
use crate::explore::Replay;
use crate::judge::Shown;
use crate::model::{Content, Model, ModelNode};
use crate::subject::{Contents, EntryNode};
use crate::trace::{Event, Syncs};
use crate::verdict::Verdict;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// The text of a replay, as [`fmt::Display`].
#[derive(Clone, Copy, Debug)]
pub struct ReplayText<'a> {
    replay: &'a Replay<'a>,
    subject: &'a str,
}

impl<'a> ReplayText<'a> {
    /// The text of this replay on the subject of that name.
    pub fn new(replay: &'a Replay<'a>, subject: &'a str) -> Self {
        Self { replay, subject }
    }
}

impl fmt::Display for ReplayText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replay = self.replay;
        let recording = &replay.recording;
        let levels = levels(replay);
        let state = &levels[0].candidate.state;
        let workload = recording.workload();
        let trace = recording.trace();
        let (issued, writes) = (state.issued(), trace.writes());
        writeln!(f, "workload  {}: {}", workload.name(), workload.geometry())?;
        writeln!(f, "subject   {}", self.subject)?;
        if let Some(peer) = &replay.peer {
            writeln!(f, "peer      {}", peer.full_name)?;
        }
        let counts = trace.counts();
        writeln!(
            f,
            "trace     {}: {} operations, {} erases, {} programs, {} syncs, {} bytes programmed",
            trace.fingerprint(),
            workload.operations().len(),
            counts.erases,
            counts.progs,
            counts.syncs,
            grouped(counts.bytes)
        )?;
        write!(
            f,
            "state     {}: the first {issued} of {writes} writes ",
            replay.state
        )?;
        if state.flaws().is_empty() {
            writeln!(f, "reached the medium, the others did not")?;
        } else {
            writeln!(f, "reached the medium, but for those named below")?;
        }
        if replay.contract != &contract::PREFIX {
            let Contract { name, about, .. } = replay.contract;
            writeln!(f, "contract  {name}: {about}")?;
        }
        match replay.syncs {
            Syncs::AsIssued => {}
            Syncs::Without(sync) => writeln!(f, "syncs     all but sync {sync}")?,
            Syncs::AlsoAfter(write) => writeln!(f, "syncs     one more, behind write {write}")?,
        }
        for (cuts, level) in levels.iter().enumerate() {
            if cuts > 0 {
                let (issued, writes) = (level.candidate.state.issued(), level.writes);
                writeln!(
                    f,
                    "recovery  from that wrote on, and was cut: {issued} of its {writes} writes reached the medium"
                )?;
            }
            writeln!(f, "cut       {}\n", level.cut())?;
            level.write_steps(f)?;
        }
        write_allowed(f, &replay.candidate.outlook, &replay.versions)?;
        write_shown(f, replay)?;
        match &replay.recovery.verdict {
            Verdict::Clean => writeln!(f, "verdict   clean"),
            Verdict::Violation(violation) => {
                writeln!(f, "verdict   {violation}")?;
                writeln!(f, "          broken promise: {}", violation.promise)
            }
        }
    }
}

/// One power cut: what was running, and what is left of it.
pub(crate) struct Level<'a> {
    pub(crate) events: Cow<'a, [Event]>,
    pub(crate) writes: u32,
    pub(crate) candidate: &'a Candidate,
    /// The steps' names.
    steps: Vec<String>,
}

/// The cuts of a replay, in order.
pub(crate) fn levels<'a>(replay: &'a Replay<'_>) -> Vec<Level<'a>> {
    let recording = &replay.recording;
    let steps = recording.workload().steps().enumerate();
    let candidates = replay.boots.iter().map(|(candidate, _)| candidate);
    let mut candidates = candidates.chain([&replay.candidate]);
    let first = candidates.next().map(|candidate| Level {
        events: replay.syncs.of(recording.trace().events()),
        writes: recording.trace().writes(),
        candidate,
        steps: steps
            .map(|(index, step)| match index {
                0 => format!("step 0, {step}"),
                _ => format!("operation {index}, {step}"),
            })
            .collect(),
    });
    let boots = replay.boots.iter().map(|(_, boot)| boot);
    let further = boots.zip(candidates).map(|(boot, candidate)| Level {
        events: Cow::Borrowed(boot.trace().events()),
        writes: boot.trace().writes(),
        candidate,
        steps: std::iter::once("the recovery itself".to_owned())
            .chain(
                boot.operations()
                    .map(|operation| format!("{operation}, after the recovery")),
            )
            .collect(),
    });
    first.into_iter().chain(further).collect()
}

impl Level<'_> {
    pub(crate) fn name_of_step(&self, index: u32) -> String {
        let name = self.steps.get(index as usize).cloned();
        name.unwrap_or_else(|| format!("step {index}"))
    }

    /// Where the power went, in words.
    pub(crate) fn cut(&self) -> String {
        let Candidate { state, outlook } = self.candidate;
        let step = self.name_of_step(outlook.step);
        if state.issued() == 0 {
            "before the first write".to_owned()
        } else if outlook.inside {
            format!("inside {step}: more of its writes follow")
        } else {
            format!("after the last write of {step}")
        }
    }

    /// The writes of the step that was cut and of the one behind it, one by one.
    fn write_steps(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Candidate { state, outlook } = self.candidate;
        let is_near = |step: u32| step == outlook.step || step == outlook.step + 1;
        let mut number = 0;
        let mut current = None;
        for event in &*self.events {
            let shown = current.is_some_and(is_near);
            let fate = match state.fate(number) {
                Fate::Persisted => "reached".to_owned(),
                Fate::Lost => "lost".to_owned(),
                Fate::Torn(tear) => format!("torn {tear}"),
            };
            match event {
                Event::OperationStart(step) => {
                    current = Some(*step);
                    if is_near(*step) {
                        writeln!(f, "writes of {}", self.name_of_step(*step))?;
                    }
                }
                Event::OperationEnd(_) => {
                    if shown {
                        writeln!(f, "          returned\n")?;
                    }
                    current = None;
                }
                Event::Sync if shown => writeln!(f, "          sync")?,
                Event::Sync => {}
                Event::Erase { block } => {
                    if shown {
                        writeln!(f, "  {number:>6}  {fate:<8} erase block {block}")?;
                    }
                    number += 1;
                }
                Event::Prog {
                    block,
                    offset,
                    data,
                } => {
                    if shown {
                        let length = data.len();
                        writeln!(
                            f,
                            "  {number:>6}  {fate:<8} program block {block}, {length} bytes at {offset}"
                        )?;
                    }
                    number += 1;
                }
            }
        }
        Ok(())
    }
}

/// What the model allows: the oldest state in full, and how the others differ from it.
fn write_allowed(f: &mut fmt::Formatter<'_>, outlook: &Outlook, models: &[Model]) -> fmt::Result {
    let versions = outlook.versions.clone();
    let oldest = &models[*versions.start() as usize];
    let count = versions.clone().count();
    if outlook.before_first_return {
        writeln!(f, "allowed   no store yet, or the state after the format:")?;
    } else if count == 1 {
        writeln!(f, "allowed   one state:")?;
    } else {
        writeln!(f, "allowed   {count} states, the oldest of them:")?;
    }
    write_lines(f, &lines_of_model(oldest))?;
    for version in versions.skip(1) {
        writeln!(
            f,
            "     or, version {version} of the model, which differs by:"
        )?;
        let (before, after) = (
            lines_of_model(oldest),
            lines_of_model(&models[version as usize]),
        );
        for (key, line) in &before {
            if after.get(key) != Some(line) {
                writeln!(f, "        - {key}  {line}")?;
            }
        }
        for (key, line) in &after {
            if before.get(key) != Some(line) {
                writeln!(f, "        + {key}  {line}")?;
            }
        }
    }
    writeln!(f)
}

fn write_shown(f: &mut fmt::Formatter<'_>, replay: &Replay<'_>) -> fmt::Result {
    let which = match replay.recovery.shown {
        Some(Shown::Version(version)) => format!("version {version} of the model"),
        Some(Shown::Intermediate) => {
            "a state between, which the subject's promises name".to_owned()
        }
        Some(Shown::Uninitialised) => "no store, as the subject's promises allow here".to_owned(),
        None => "nothing that is allowed".to_owned(),
    };
    writeln!(f, "shown     {which}")?;
    match &replay.contents {
        Ok(contents) => write_lines(f, &lines_of_contents(contents))?,
        Err(reason) => writeln!(f, "          {reason}")?,
    }
    writeln!(f)
}

fn write_lines(f: &mut fmt::Formatter<'_>, lines: &BTreeMap<String, String>) -> fmt::Result {
    if lines.is_empty() {
        writeln!(f, "          (no keys)")?;
    }
    for (key, line) in lines {
        writeln!(f, "          {key}  {line}")?;
    }
    Ok(())
}

fn lines_of_model(model: &Model) -> BTreeMap<String, String> {
    let nodes = model.sorted().into_iter();
    nodes
        .map(|(key, node)| {
            let line = match node {
                ModelNode::Dictionary { attributes } => line(None, attributes.len()),
                ModelNode::Value {
                    content,
                    attributes,
                } => line(Some(content), attributes.len()),
            };
            (key.to_string(), line)
        })
        .collect()
}

fn lines_of_contents(contents: &Contents) -> BTreeMap<String, String> {
    let entries = contents.entries().iter();
    entries
        .map(|entry| {
            let content = match &entry.node {
                EntryNode::Dictionary => None,
                EntryNode::Value(bytes) => Some(Content::bytes(bytes.as_slice())),
            };
            let line = line(content.as_ref(), entry.attributes.len());
            (entry.key.to_string(), line)
        })
        .collect()
}

/// What stands under a key, in short: values of one length are told apart by the start of their SHA-256 digest.
fn line(content: Option<&Content>, attributes: usize) -> String {
    let mut line = match content {
        None => "dictionary".to_owned(),
        Some(content) if content.is_empty() => "0 B".to_owned(),
        Some(content) => {
            let [a, b, c, d, ..] = content.sha256();
            let size = content.len();
            format!("{size} B, sha256 {a:02x}{b:02x}{c:02x}{d:02x}")
        }
    };
    if attributes > 0 {
        // Writing to a string does not fail.
        let _ = write!(line, ", {attributes} attributes");
    }
    line
}
