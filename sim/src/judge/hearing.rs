use super::{Shown, epilogue};
use crate::guard::Guarded;
use crate::model::Model;
use crate::op::{Operation, time_of};
use crate::refusal::Refusal;
use crate::session::{Failure, Session};
use crate::subject::{Contents, Promises, SubjectError};
use crate::verdict::{
    Difference, Promise, Stage, Violation, ViolationKind, nearest_difference, shows,
};
use cutpoint_engine::device::{BlockDevice, Geometry};
use std::ops::RangeInclusive;

/// A recovery under judgement.
pub(crate) struct Hearing<'a, T> {
    session: Session<'a, T>,
    terms: Terms<'a>,
}

/// What a recovery may show and is held to.
pub(crate) struct Terms<'a> {
    /// The states of the model so far.
    pub(crate) versions: &'a [Model],
    /// Those that it may show.
    pub(crate) allowed: RangeInclusive<u32>,
    /// The operation that wrote last.
    pub(crate) operation: Option<&'a Operation>,
    /// The version that the operation found.
    pub(crate) before: u32,
    /// Whether the operation was cut or failed, rather than returned.
    pub(crate) inside: bool,
    /// Whether there may be no store.
    pub(crate) may_be_uninitialised: bool,
    pub(crate) promises: &'a Promises,
    pub(crate) geometry: Geometry,
    /// Blocks of the device that are out of use.
    pub(crate) lost_blocks: u64,
    /// The index of the step that follows all others: the time of what is done to the recovered store.
    pub(crate) next_step: u32,
}

impl Terms<'_> {
    /// The allowed versions, the newest first.
    fn newest_first(&self) -> impl Iterator<Item = (u32, &Model)> {
        let versions = self.allowed.clone().rev();
        versions.filter_map(|version| Some((version, self.versions.get(version as usize)?)))
    }

    /// The further states that the subject's promises allow here.
    fn intermediates(&self) -> Vec<Model> {
        let Some(operation) = self.operation.filter(|_| self.inside) else {
            return Vec::new();
        };
        let before = &self.versions[self.before as usize];
        let allowed = self.promises.intermediates.iter();
        allowed
            .flat_map(|intermediate| intermediate.states(before, operation))
            .collect()
    }

    fn promise_for(&self, difference: &Difference) -> Promise {
        let in_flight = self.operation.filter(|operation| {
            let touches = |key| difference.key.starts_with(key) || key.starts_with(&difference.key);
            self.inside && operation.keys().any(touches)
        });
        match in_flight {
            Some(operation) => Promise::Atomic(operation.kind()),
            None if difference.kind == ViolationKind::GhostKey => Promise::Intact,
            None => Promise::Durable(self.promises.durability),
        }
    }

    fn excuse(&self, refusal: Refusal, operation: &Operation, models: [&Model; 2]) -> bool {
        let (geometry, lost) = (&self.geometry, self.lost_blocks);
        self.promises
            .excuse(refusal, operation, models, geometry, lost)
    }
}

impl<'a, T: BlockDevice + Guarded + Send + 'static> Hearing<'a, T> {
    pub(crate) fn new(session: Session<'a, T>, terms: Terms<'a>) -> Self {
        Self { session, terms }
    }

    /// All of it: [`recover`](Self::recover) and [`epilogue`](Self::epilogue).
    pub(crate) fn run(&mut self, shown: &mut Option<Shown>) -> Result<(), Violation> {
        let (which, model) = self.recover()?;
        *shown = Some(which);
        self.epilogue(model)
    }

    /// The store mounts, shows an allowed state, is sound, and shows the same when mounted again.
    pub(crate) fn recover(&mut self) -> Result<(Shown, Model), Violation> {
        let (which, model) = match self.session.mount() {
            Ok(()) => {
                let contents = self.contents(Stage::Contents)?;
                let shown = self.allowed(&contents)?;
                self.check(Stage::Check)?;
                shown
            }
            Err(Failure::Error(_)) if self.terms.may_be_uninitialised => {
                self.session
                    .format()
                    .map_err(|failure| failed(&failure, Stage::FormatAgain))?;
                (Shown::Uninitialised, Model::default())
            }
            Err(failure) => return Err(failed(&failure, Stage::Mount)),
        };
        self.mount_and_see(&model, Stage::SecondMount)?;
        Ok((which, model))
    }

    /// Which allowed state `contents` are.
    fn allowed(&self, contents: &Contents) -> Result<(Shown, Model), Violation> {
        let terms = &self.terms;
        for (version, model) in terms.newest_first() {
            if shows(contents, model) {
                return Ok((Shown::Version(version), model.clone()));
            }
        }
        let intermediates = terms.intermediates();
        if let Some(model) = intermediates.iter().find(|model| shows(contents, model)) {
            return Ok((Shown::Intermediate, model.clone()));
        }
        let allowed: Vec<Model> = terms
            .newest_first()
            .map(|(_, model)| model.clone())
            .chain(intermediates)
            .collect();
        let past = &terms.versions[..=*terms.allowed.end() as usize];
        match nearest_difference(contents, &allowed, past) {
            Some(difference) => {
                let promise = terms.promise_for(&difference);
                Err(difference.into_violation(promise, Stage::Contents))
            }
            None => unreachable!("contents that differ from no allowed state are one"),
        }
    }

    /// Removes and sets a few keys of `model` and looks at all of it, before and after a mount.
    pub(crate) fn epilogue(&mut self, mut model: Model) -> Result<(), Violation> {
        let geometry = self.terms.geometry;
        let operations = epilogue::operations(&model, &geometry, self.terms.operation);
        // Where there is no room for any change, there is none for the repair before it.
        let mut is_changed = false;
        for (step, operation) in (self.terms.next_step..).zip(operations) {
            let mut after = model.clone();
            let now = time_of(step);
            let expected = after.apply_at(&operation, self.terms.promises.time(now));
            debug_assert_eq!(expected, Ok(()), "{operation}");
            match self.session.apply(&operation, now) {
                Ok(()) => {
                    is_changed = true;
                    model = after;
                }
                Err(Failure::Error(SubjectError::Refused(refusal)))
                    if self.terms.excuse(refusal, &operation, [&model, &after]) => {}
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
        if pending && is_changed {
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
