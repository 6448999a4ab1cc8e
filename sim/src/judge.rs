//! One recovery: the subject mounts on a crash state, and what it shows is held against the model.

mod epilogue;

use crate::crash::{Candidate, CrashView};
use crate::model::{Model, room_is_tight};
use crate::op::Operation;
use crate::record::Recording;
use crate::refusal::Refusal;
use crate::session::{Failure, Session};
use crate::subject::{Contents, Subject, SubjectError};
use crate::trace::Trace;
use crate::verdict::{
    Difference, Promise, Stage, Verdict, Violation, ViolationKind, nearest_difference, shows,
};
use crate::workload::Step;
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
    let view = match CrashView::new(Arc::clone(recording.trace()), candidate.state) {
        Ok(view) => view,
        Err(error) => panic!("{error}"),
    };
    let mut hearing = Hearing {
        session: Session::new(subject, view, budget),
        recording,
        candidate,
    };
    let mut shown = None;
    let verdict = match hearing.run(&mut shown) {
        Ok(()) => Verdict::Clean,
        Err(violation) => Verdict::Violation(violation),
    };
    Recovery { shown, verdict }
}

/// A recovery under judgement.
struct Hearing<'a, 'w> {
    session: Session<'a, CrashView>,
    recording: &'a Recording<'w>,
    candidate: &'a Candidate,
}

impl Hearing<'_, '_> {
    fn run(&mut self, shown: &mut Option<Shown>) -> Result<(), Violation> {
        let model = match self.session.mount() {
            Ok(()) => {
                let contents = self.contents(Stage::Contents)?;
                let (which, model) = self.allowed(&contents)?;
                *shown = Some(which);
                self.check(Stage::Check)?;
                model
            }
            Err(Failure::Error(_)) if self.may_be_uninitialised() => {
                self.session
                    .format()
                    .map_err(|failure| failed(&failure, Stage::FormatAgain))?;
                *shown = Some(Shown::Uninitialised);
                Model::default()
            }
            Err(failure) => return Err(failed(&failure, Stage::Mount)),
        };
        self.mount_and_see(&model, Stage::SecondMount)?;
        self.epilogue(model)
    }

    /// Which allowed state `contents` are.
    fn allowed(&self, contents: &Contents) -> Result<(Shown, Model), Violation> {
        for (version, model) in self.recording.newest_first(&self.candidate.versions) {
            if shows(contents, model) {
                return Ok((Shown::Version(version), model.clone()));
            }
        }
        let intermediates = self.intermediates();
        if let Some(model) = intermediates.iter().find(|model| shows(contents, model)) {
            return Ok((Shown::Intermediate, model.clone()));
        }
        let allowed: Vec<Model> = self
            .recording
            .newest_first(&self.candidate.versions)
            .map(|(_, model)| model.clone())
            .chain(intermediates)
            .collect();
        let past = &self.recording.versions()[..=*self.candidate.versions.end() as usize];
        match nearest_difference(contents, &allowed, past) {
            Some(difference) => {
                let promise = self.promise_for(&difference);
                Err(difference.into_violation(promise, Stage::Contents))
            }
            None => unreachable!("contents that differ from no allowed state are one"),
        }
    }

    /// The further states that the subject's promises allow here.
    fn intermediates(&self) -> Vec<Model> {
        let Some(operation) = self.operation().filter(|_| self.candidate.inside) else {
            return Vec::new();
        };
        let before = self.recording.history().version_before(self.candidate.step);
        let before = &self.recording.versions()[before as usize];
        self.recording
            .promises()
            .intermediates
            .iter()
            .flat_map(|intermediate| intermediate.states(before, operation))
            .collect()
    }

    fn promise_for(&self, difference: &Difference) -> Promise {
        let in_flight = self.operation().filter(|operation| {
            let touches = |key| difference.key.starts_with(key) || key.starts_with(&difference.key);
            self.candidate.inside && operation.keys().any(touches)
        });
        match in_flight {
            Some(operation) => Promise::Atomic(operation.kind()),
            None if difference.kind == ViolationKind::GhostKey => Promise::Intact,
            None => Promise::Durable(self.recording.promises().durability),
        }
    }

    fn operation(&self) -> Option<&Operation> {
        self.recording.step(self.candidate.step)?.operation()
    }

    fn may_be_uninitialised(&self) -> bool {
        self.candidate.before_first_return
            && self.recording.promises().uninitialised_after_cut_in_format
            && self.recording.step(0) == Some(Step::Format)
    }

    /// Removes and sets a few keys of `model` and looks at all of it, before and after a mount.
    fn epilogue(&mut self, mut model: Model) -> Result<(), Violation> {
        let geometry = self.trace().geometry();
        let spare = self.recording.promises().spare_blocks;
        for operation in epilogue::operations(&model, &geometry, self.operation()) {
            let mut after = model.clone();
            let expected = after.apply(&operation);
            debug_assert_eq!(expected, Ok(()), "{operation}");
            match self.session.apply(&operation) {
                Ok(()) => model = after,
                Err(Failure::Error(SubjectError::Refused(Refusal::NoSpace)))
                    if room_is_tight(&model, &operation, &after, &geometry, spare) => {}
                Err(failure) => return Err(failed(&failure, Stage::Epilogue(operation))),
            }
        }
        let contents = self.contents(Stage::AfterEpilogue)?;
        same(&contents, &model, Promise::Usable, Stage::AfterEpilogue)?;
        self.session
            .unmount()
            .map_err(|failure| failed(&failure, Stage::AfterEpilogue))?;
        self.mount_and_see(&model, Stage::MountAfterEpilogue)?;
        let pending = self.check(Stage::MountAfterEpilogue)?;
        if pending {
            return Err(Violation {
                kind: ViolationKind::CheckFailed,
                promise: Promise::Sound,
                stage: Stage::MountAfterEpilogue,
                detail: "a repair is still pending after changes that should have made it".into(),
            });
        }
        self.session
            .unmount()
            .map_err(|failure| failed(&failure, Stage::MountAfterEpilogue))
    }

    fn mount_and_see(&mut self, model: &Model, stage: Stage) -> Result<(), Violation> {
        self.session
            .remount()
            .map_err(|failure| failed(&failure, stage.clone()))?;
        let contents = self.contents(stage.clone())?;
        let promise = if stage == Stage::SecondMount {
            Promise::Settled
        } else {
            Promise::Usable
        };
        same(&contents, model, promise, stage)
    }

    fn contents(&mut self, stage: Stage) -> Result<Contents, Violation> {
        self.session.contents().map_err(|failure| {
            Violation::of_failure(
                &failure,
                ViolationKind::Unreadable,
                Promise::Readable,
                stage,
            )
        })
    }

    /// Whether a repair is pending; damage is a violation.
    fn check(&mut self, stage: Stage) -> Result<bool, Violation> {
        let health = self.session.check().map_err(|failure| {
            let kind = ViolationKind::CheckFailed;
            Violation::of_failure(&failure, kind, Promise::Sound, stage.clone())
        })?;
        match Violation::of_health(&health, stage) {
            Some(violation) => Err(violation),
            None => Ok(health.repair_pending),
        }
    }

    fn trace(&self) -> &Trace {
        self.recording.trace()
    }
}

/// A failed call of a stage that is about mounting or changing the store.
fn failed(failure: &Failure, stage: Stage) -> Violation {
    let (kind, promise) = match stage {
        Stage::Mount | Stage::SecondMount | Stage::MountAfterEpilogue => {
            (ViolationKind::Unmountable, Promise::Mountable)
        }
        _ => (ViolationKind::Wedged, Promise::Usable),
    };
    Violation::of_failure(failure, kind, promise, stage)
}

fn same(
    contents: &Contents,
    model: &Model,
    promise: Promise,
    stage: Stage,
) -> Result<(), Violation> {
    if shows(contents, model) {
        return Ok(());
    }
    match nearest_difference(contents, std::slice::from_ref(model), &[]) {
        Some(difference) => Err(difference.into_violation(promise, stage)),
        None => unreachable!("contents that differ from no allowed state are one"),
    }
}
