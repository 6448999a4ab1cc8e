//! One recovery: the subject mounts on a crash state, and what it shows is held against the model.

mod boot;
mod course;
mod epilogue;
mod hearing;
mod peer;
mod scratch;
mod story;

pub use boot::Boot;
pub(crate) use course::{Course, Prospect};
pub(crate) use hearing::{Expected, Hearing, Terms};
pub(crate) use story::Story;

use crate::crash::{Candidate, CrashView, Outlook};
use crate::disk::RecordingDisk;
use crate::guard::Guarded;
use crate::record::Recording;
use crate::session::Session;
use crate::subject::Subject;
use crate::trace::Trace;
use crate::verdict::Verdict;
use cutpoint_engine::device::BlockDevice;
use serde::Serialize;
use std::sync::Arc;

/// What became of one crash state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// What the subject showed after the cut; none where it showed nothing that is allowed.
    pub shown: Option<Shown>,
    /// The judgement.
    pub verdict: Verdict,
}

/// Which of the allowed states a recovery showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// This version of the model.
    Version(u32),
    /// A state inside the operation that the subject's promises name.
    Intermediate,
    /// No store, as is allowed inside the first format; the medium could be formatted.
    Uninitialised,
}

/// Recovers from a crash state of `recording` and judges what `subject` shows.
///
/// In this order: the store mounts, shows an allowed state, passes its structural check, shows the same when mounted
/// again, and then works: keys are removed and set, all of it shows, before and after a further mount, and the
/// structure is sound with nothing left to repair. No call may panic, misuse the device, or make more than `budget`
/// device calls.
///
/// # Panics
///
/// Where `candidate` is of another recording with more writes.
pub fn judge(
    subject: &dyn Subject,
    recording: &Recording<'_>,
    candidate: &Candidate,
    budget: u64,
) -> Recovery {
    let run = (recording as &dyn Story, recording.trace());
    judge_beside(None, subject, run, candidate, budget)
}

/// As [`judge`], and where there is a `peer`, it must agree: it sees what the subject sees, on the crash state and after
/// the subject's further changes, and the subject sees what the peer has made of a copy of the crash state.
///
/// # Panics
///
/// As [`judge`].
pub(crate) fn judge_beside(
    peer: Option<&dyn Subject>,
    subject: &dyn Subject,
    (story, trace): (&dyn Story, &Arc<Trace>),
    candidate: &Candidate,
    budget: u64,
) -> Recovery {
    let view = match CrashView::new(Arc::clone(trace), candidate.state.clone()) {
        Ok(view) => view,
        Err(error) => panic!("{error}"),
    };
    let session = Session::new(subject, view, budget);
    hear(session, peer, story, |_| candidate.outlook.clone())
}

/// Recovers with `session` and judges, beside a `peer` where there is one. What its device's crash states may show is what
/// `outlook` says of the device once it has been read.
pub(crate) fn hear<'a, T: BlockDevice + Guarded + Send + 'static>(
    session: Session<'a, T>,
    peer: Option<&'a dyn Subject>,
    story: &'a dyn Story,
    outlook: impl Fn(&T) -> Outlook,
) -> Recovery {
    let expect = |device: &T| expected(story, outlook(device));
    let mut hearing =
        Hearing::new(session, terms(story, Aftermath::Changes), Box::new(expect)).beside(peer);
    let mut shown = None;
    let verdict = match hearing.run(&mut shown) {
        Ok(()) => Verdict::Clean,
        Err(violation) => Verdict::Violation(violation),
    };
    Recovery { shown, verdict }
}

/// What is done to a recovered store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aftermath {
    /// Changes that show whether it works.
    Changes,
    /// Before them one that changes nothing, so that all repairs are made by the time it has returned.
    RepairsFirst,
}

/// The same on a disk that records, and then the course that the recovery took, where it was clean.
pub(crate) fn hear_and_record(
    subject: &dyn Subject,
    disk: RecordingDisk,
    story: &dyn Story,
    outlook: &Outlook,
    (aftermath, budget): (Aftermath, u64),
) -> (Recovery, Option<Course>) {
    let session = Session::new(subject, disk, budget);
    let disk = session.disk().clone();
    let expect = |_: &RecordingDisk| expected(story, outlook.clone());
    let mut hearing = Hearing::new(session, terms(story, aftermath), Box::new(expect));
    let mut shown = None;
    let outcome = hearing.run(&mut shown);
    let notes = hearing.into_notes();
    match outcome {
        Ok(()) => {
            // A subject that has kept its device has done all that it was asked to by now.
            let disk = disk.take();
            let verdict = Verdict::Clean;
            let (erase_value, medium) = (disk.erase_value(), disk.medium());
            let (image, events) = disk.into_events();
            let course = Course {
                image,
                erase_value,
                medium,
                events,
                notes,
            };
            (Recovery { shown, verdict }, Some(course))
        }
        Err(violation) => {
            let verdict = Verdict::Violation(violation);
            (Recovery { shown, verdict }, None)
        }
    }
}

/// What the recoveries that a crash state with this outlook may lead to hang on, besides its image, where they go well.
pub(crate) fn prospects(
    story: &dyn Story,
    outlook: &Outlook,
    aftermath: Aftermath,
) -> Vec<Prospect> {
    Prospect::all(&expected(story, outlook.clone()), &terms(story, aftermath))
}

fn terms(story: &dyn Story, aftermath: Aftermath) -> Terms<'_> {
    Terms {
        aftermath,
        versions: story.versions(),
        promises: story.promises(),
        geometry: story.geometry(),
        lost_blocks: story.lost_blocks(),
        next_step: story.next_step(),
    }
}

fn expected(story: &dyn Story, outlook: Outlook) -> Expected<'_> {
    Expected {
        operation: story.operation(outlook.step),
        before: story.history().version_before(outlook.step),
        inside: outlook.inside,
        may_be_uninitialised: outlook.before_first_return
            && story.promises().uninitialised_after_cut_in_format
            && story.begins_with_format(),
        allowed: outlook.versions,
    }
}
