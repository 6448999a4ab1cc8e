use crate::case::EXTENSION;
use crate::coverage::Work;
use crate::explore::{Found, Place, Replay, Sweep, SweepReport};
use crate::verdict::ViolationKind;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What violations are told apart by: those of one cause are shown once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cause {
    /// What it looks like.
    pub verdict: ViolationKind,
    /// The kind of operation that the power cut fell into or behind; `format` or `mount` for the first step; none behind
    /// the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What the subject was at when it made the last write that reached the medium, where it tells that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}

impl Cause {
    /// That of what shows on a crash state; none where nothing does.
    pub fn of(replay: &Replay<'_>) -> Option<Self> {
        let violation = replay.recovery.verdict.violation()?;
        let recording = &replay.recording;
        let step = match replay.boots.first() {
            Some((first, _)) => first.outlook.step,
            None => replay.candidate.outlook.step,
        };
        let operation = match Work::of_step(recording, step) {
            Some(work) => Some(work.to_string()),
            None => recording.step(step).map(|step| step.to_string()),
        };
        let last = replay.state.issued().checked_sub(1);
        let phase = last.and_then(|write| recording.phases().get(write as usize)?.as_ref());
        Some(Self {
            verdict: violation.kind,
            operation,
            phase: phase.map(ToString::to_string),
        })
    }

    /// That of what shows in a step of a workload, given as text, without any power cut.
    pub fn without_a_cut(verdict: ViolationKind, step: Option<&str>) -> Self {
        // The first word of a step says what kind it is.
        let operation = step.and_then(|step| step.split_whitespace().next());
        Self {
            verdict,
            operation: operation.map(ToOwned::to_owned),
            phase: None,
        }
    }

    /// The name of the file with the case that shows it: the same on every machine.
    pub fn file_name(&self) -> String {
        let words = format!("{self}");
        let words: Vec<&str> = words
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        format!("{}.{EXTENSION}", words.join("-"))
    }
}

/// `lost key, set through new dictionaries, commit`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation.as_deref();
        write!(f, "{}, {}", self.verdict, operation.unwrap_or("at the end"))?;
        match &self.phase {
            Some(phase) => write!(f, ", {phase}"),
            None => Ok(()),
        }
    }
}

/// What was found in a workload, of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The cause.
    pub cause: Cause,
    /// Where it showed first.
    pub found: Found,
    /// The small case that it led to, in the first entry of a run that has the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimal: Option<Minimal>,
}

impl Finding {
    /// What a sweep has found, by cause, in the order of its report: as far as the report names witnesses.
    pub fn all(sweep: &Sweep<'_>, report: &SweepReport) -> Vec<Self> {
        let mut findings: Vec<Self> = Vec::new();
        for found in report.violations.iter().flat_map(|group| &group.witnesses) {
            let verdict = found.violation.kind;
            let cause = match &found.place {
                Place::State(state) => {
                    let replay = sweep.replay(state).ok();
                    replay.and_then(|replay| Cause::of(&replay))
                }
                Place::Recording { .. } | Place::Epoch { .. } => None,
            };
            // What does not show again is told apart by its step alone.
            let cause =
                cause.unwrap_or_else(|| Cause::without_a_cut(verdict, found.step.as_deref()));
            if findings.iter().all(|known| known.cause != cause) {
                findings.push(Self {
                    cause,
                    found: found.clone(),
                    minimal: None,
                });
            }
        }
        findings
    }
}

/// A witness made small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minimal {
    /// Its cause, which may be another one than it was before.
    pub cause: Cause,
    /// How many operations are left.
    pub operations: u32,
    /// Where it shows in these.
    pub found: Found,
    /// The one write whose fate decides, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flip: Option<String>,
    /// The text of the case.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_the_cause() {
        let cause = Cause {
            verdict: ViolationKind::LostKey,
            operation: Some("set through new dictionaries".into()),
            phase: Some("split of a first pair".into()),
        };
        let name = "lost-key-set-through-new-dictionaries-split-of-a-first-pair.kdl";
        assert_eq!(cause.file_name(), name);
        let live = Cause::without_a_cut(ViolationKind::Panic, Some("rename /a -> /b"));
        assert_eq!(live.to_string(), "panic, rename");
        let end = Cause::without_a_cut(ViolationKind::CheckFailed, None);
        assert_eq!(end.file_name(), "check-failed-at-the-end.kdl");
    }
}
