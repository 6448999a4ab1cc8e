//! One recovery from a damaged medium, held against what the format can tell.

use super::cover::{Cover, Excuse};
use super::survey::Survey;
use super::{Damage, DecayedDisk};
use crate::crash::{Candidate, CrashView};
use crate::disk::RecordingDisk;
use crate::guard::Guarded;
use crate::model::Model;
use crate::op::{Operation, Value, time_of};
use crate::record::Recording;
use crate::session::{Failure, Session};
use crate::subject::{Contents, Subject};
use crate::trace::Image;
use crate::verdict::{
    Promise, Stage, Violation, ViolationKind, nearest_difference, shows, shows_apart_from,
};
use cutpoint_engine::Key;
use cutpoint_engine::device::{BlockDevice, BlockId};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// The key that is set on a store that seems sound, to see what a change makes of the damage.
const PROBE: &str = "/probe-of-decay";

/// What came of one damage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The store shows what it shows without the damage, before and after a change.
    Same,
    /// A call returned an error, as text.
    Told(String),
    /// The store shows something else, and its format has nothing to tell that by.
    NotTold(Silence),
    /// The store shows something that its format rules out, or a call did not return.
    Violation(Violation),
}

/// Damage that a format has nothing to tell by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Silence {
    /// A commit does not count any more, as if the power had been cut in it: all shows an earlier state.
    Rollback,
    /// As before, of one part of the store, while others show what came later.
    RollbackInPart,
    /// A value has other bytes where there is no checksum.
    ValueData,
}

impl Silence {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ValueData, Self::Rollback, Self::RollbackInPart];
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rollback => "rollback",
            Self::RollbackInPart => "rollback in part",
            Self::ValueData => "value data",
        })
    }
}

/// What a store shows of a medium; none where a call returned an error.
type Shown = Result<Contents, String>;

/// A crash state on which damage is judged.
pub(super) struct Bench<'a> {
    subject: &'a dyn Subject,
    budget: u64,
    recording: &'a Recording<'a>,
    candidate: &'a Candidate,
    image: Image,
    cover: Cover,
    sound: Contents,
    sound_model: Model,
    /// What the store shows where a block ends early.
    cut: RefCell<BTreeMap<(BlockId, u32), Shown>>,
}

impl<'a> Bench<'a> {
    /// The crash state without damage, and where it can be damaged; none where the store shows nothing of it.
    pub(super) fn survey(
        subject: &'a dyn Subject,
        recording: &'a Recording<'a>,
        candidate: &'a Candidate,
        budget: u64,
    ) -> Option<Survey> {
        let view = view(recording, candidate);
        let trace = recording.trace();
        let image = view.image();
        let mut session = Session::new(subject, DecayedDisk::watched(view), budget);
        look(&mut session).ok()?.ok()?;
        // Whatever comes of it, it is read for.
        let _ = change(&mut session, recording);
        let (geometry, erase_value) = (trace.geometry(), trace.erase_value());
        Some(Survey::of(&session, &image, geometry, erase_value))
    }

    /// The crash state, ready for damage; none where the store shows nothing of it.
    pub(super) fn new(
        subject: &'a dyn Subject,
        recording: &'a Recording<'a>,
        candidate: &'a Candidate,
        budget: u64,
    ) -> Option<Self> {
        let view = view(recording, candidate);
        let image = view.image();
        let mut session = Session::new(subject, view, budget);
        let sound = look(&mut session).ok()?.ok()?;
        let checks = recording.promises().checks;
        let cover = Cover::of(checks, on(recording, image.clone()));
        Some(Self {
            subject,
            budget,
            recording,
            candidate,
            image,
            cover,
            sound_model: sound.to_model(),
            sound,
            cut: RefCell::default(),
        })
    }

    /// What comes of this damage.
    pub(super) fn judge(&self, damage: Damage) -> Outcome {
        match self.try_judge(damage) {
            Ok(outcome) => outcome,
            Err(violation) => Outcome::Violation(violation),
        }
    }

    fn try_judge(&self, damage: Damage) -> Result<Outcome, Violation> {
        let disk = DecayedDisk::new(view(self.recording, self.candidate), Some(damage));
        let mut session = Session::new(self.subject, disk, self.budget);
        let contents = match look(&mut session)? {
            Ok(contents) => contents,
            Err(error) => return Ok(Outcome::Told(error)),
        };
        let excuse = self.cover.excuse(damage);
        let outcome = if contents == self.sound {
            Outcome::Same
        } else {
            Outcome::NotTold(self.excuses(&excuse, damage, &contents)?)
        };
        let changed = change(&mut session, self.recording)?;
        let apart = match &excuse {
            Excuse::Values(keys) => keys.clone(),
            // Nothing of it was visible, and nothing may become so.
            Excuse::None => BTreeSet::new(),
            // A change builds on what was there earlier, then.
            Excuse::All | Excuse::Older | Excuse::AsIfCut(..) => return Ok(outcome),
        };
        match changed {
            Ok(contents) => {
                let apart = apart.into_iter().chain([Key::new(PROBE)]).collect();
                if shows_apart_from(&contents, &self.sound_model, &apart) {
                    Ok(outcome)
                } else {
                    Err(self.wrong(&contents, Stage::AfterEpilogue))
                }
            }
            Err(error) if outcome == Outcome::Same => Ok(Outcome::Told(error)),
            Err(_) => Ok(outcome),
        }
    }

    /// Why the format cannot tell that these contents are not those of the sound medium.
    fn excuses(
        &self,
        excuse: &Excuse,
        damage: Damage,
        contents: &Contents,
    ) -> Result<Silence, Violation> {
        let silence = match excuse {
            Excuse::All => Some(Silence::ValueData),
            Excuse::Older => self.is_past(contents).then_some(Silence::Rollback),
            Excuse::AsIfCut(block, from) => {
                let mut ends = vec![*from];
                if damage.is_told_by_the_device() {
                    // A unit that cannot be read is what a cut in a program can leave, too; the block may count no more.
                    ends.push(0);
                }
                let mut is_cut = false;
                for end in ends {
                    is_cut |= self.shown_where_cut(*block, end)?.as_ref() == Ok(contents);
                }
                is_cut.then(|| {
                    if self.is_past(contents) {
                        Silence::Rollback
                    } else {
                        Silence::RollbackInPart
                    }
                })
            }
            Excuse::Values(keys) => {
                shows_apart_from(contents, &self.sound_model, keys).then_some(Silence::ValueData)
            }
            Excuse::None => None,
        };
        silence.ok_or_else(|| self.wrong(contents, Stage::Contents))
    }

    /// Whether the model held this at some time.
    fn is_past(&self, contents: &Contents) -> bool {
        let versions = self.recording.versions();
        let newest = *self.candidate.outlook.versions.end() as usize;
        versions[..=newest]
            .iter()
            .any(|model| shows(contents, model))
    }

    /// What the store shows where this block ends so early.
    fn shown_where_cut(&self, block: BlockId, from: u32) -> Result<Shown, Violation> {
        if let Some(shown) = self.cut.borrow().get(&(block, from)) {
            return Ok(shown.clone());
        }
        let trace = self.recording.trace();
        let geometry = trace.geometry();
        let mut bytes = self.image.to_vec(geometry, trace.erase_value());
        let start = (block.index() * geometry.block_size()) as usize;
        let end = start + geometry.block_size() as usize;
        bytes[start + from as usize..end].fill(trace.erase_value());
        let disk = on(self.recording, Image::Bytes(bytes.into()));
        let shown = look(&mut Session::new(self.subject, disk, self.budget))?;
        let mut cut = self.cut.borrow_mut();
        cut.insert((block, from), shown.clone());
        Ok(shown)
    }

    fn wrong(&self, contents: &Contents, stage: Stage) -> Violation {
        let mut model = self.sound_model.clone();
        let probe = Key::new(PROBE);
        if let Some(set) = contents.to_model().get(&probe) {
            model.insert(probe, set.clone());
        }
        match nearest_difference(contents, &[model], self.recording.versions()) {
            Some(difference) => difference.into_violation(Promise::Tells, stage),
            None => unreachable!("contents that differ from the sound ones are these"),
        }
    }
}

fn view(recording: &Recording<'_>, candidate: &Candidate) -> CrashView {
    match CrashView::new(Arc::clone(recording.trace()), candidate.state.clone()) {
        Ok(view) => view,
        Err(error) => unreachable!("{error}, but it was made from it"),
    }
}

fn on(recording: &Recording<'_>, image: Image) -> RecordingDisk {
    let trace = recording.trace();
    RecordingDisk::on(image, trace.geometry(), trace.erase_value())
}

/// Mounts, reads everything, and has the structure checked. What the check finds is its own affair; it must end.
fn look<T: BlockDevice + Guarded + Send + 'static>(
    session: &mut Session<'_, T>,
) -> Result<Shown, Violation> {
    let read = session.mount().and_then(|()| session.contents());
    let shown = told(read, Stage::Contents)?;
    if shown.is_ok() {
        let _ = told(session.check(), Stage::Check)?;
    }
    Ok(shown)
}

/// Sets a key and reads everything.
fn change<T: BlockDevice + Guarded + Send + 'static>(
    session: &mut Session<'_, T>,
    recording: &Recording<'_>,
) -> Result<Shown, Violation> {
    let set = Operation::set(PROBE, Value::literal("?"));
    let now = time_of(recording.workload().steps().count() as u32);
    let stage = Stage::Epilogue(set.to_string());
    // Refused or not: what shows then is what counts.
    let _ = told(session.apply(&set, now), stage)?;
    told(session.contents(), Stage::AfterEpilogue)
}

/// A result with errors as text: a call may return them here. That it does not return is a violation.
fn told<R>(result: Result<R, Failure>, stage: Stage) -> Result<Result<R, String>, Violation> {
    match result {
        Ok(result) => Ok(Ok(result)),
        Err(Failure::Error(error)) => Ok(Err(error.to_string())),
        Err(failure) => {
            let kind = ViolationKind::Unreadable;
            Err(Violation::of_failure(&failure, kind, Promise::Tells, stage))
        }
    }
}
