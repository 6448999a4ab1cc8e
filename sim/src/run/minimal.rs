//! From a witness to a case that people review.

use super::{Cause, Minimal};
use crate::case::{Case, CrashModel, Expectation, Exploration, Verdict, Witness};
use crate::explore::{Place, Sweep};
use crate::shrink::Shrunk;
use crate::subject::Subject;
use crate::verdict::Violation;

impl Minimal {
    /// A witness on `subject` that has been made small, as a case; `origin` says where it was found. None where what its
    /// workload starts from does not fit into the text of a case.
    pub fn of(shrunk: &Shrunk, subject: &dyn Subject, origin: &str) -> Option<Self> {
        let Shrunk { witness, flip, .. } = shrunk;
        let (workload, found) = (&witness.workload, &witness.found);
        let model = CrashModel {
            contract: witness.contract,
            depth: match &found.place {
                Place::State(state) => state.cuts(),
                Place::Recording { .. } | Place::Epoch { .. } => 1,
            },
        };
        let title = title_of(&found.violation);
        let mut origin = format!("{origin} Broken promise: {}.", found.violation.promise);
        if let Some(flip) = flip {
            origin = format!("{origin} In the crash state below, {flip}.");
        }
        let mut case = Case::of(workload, title, origin).ok()?;
        case.tags.push("found".to_owned());
        case.explorations.push(Exploration {
            model,
            max_states: None,
            seed: 0,
        });
        case.expectations.push(Expectation {
            subject: subject.name().to_owned(),
            verdict: Verdict::Clean,
            under: None,
        });
        let mut of = Cause::without_a_cut(found.violation.kind, found.step.as_deref());
        if let Place::State(state) = &found.place {
            let sweep = Sweep::new(subject, workload).under(witness.contract);
            if let Ok(replay) = sweep.replay(state) {
                of = Cause::of(&replay).unwrap_or(of);
                case.witnesses.push(Witness {
                    state: state.clone(),
                    under: model,
                    subject: subject.name().to_owned(),
                    fingerprint: replay.recording.trace().fingerprint(),
                });
            }
        }
        if !case.files().is_empty() {
            return None;
        }
        Some(Self {
            cause: of,
            operations: workload.operations().len() as u32,
            found: found.clone(),
            flip: flip.as_ref().map(ToString::to_string),
            text: case.to_string(),
        })
    }
}

/// What is wrong, as the title of a case.
fn title_of(violation: &Violation) -> String {
    let text = violation.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    // Names may hold anything; a title is a line.
    let title = first
        .into_iter()
        .chain(letters)
        .filter(|letter| !letter.is_control());
    title.take(120).collect()
}
