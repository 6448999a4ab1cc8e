use super::epilogue;
use super::scratch::Scratch;
use super::{Shown, hearing::Terms};
use crate::guard::Guarded;
use crate::model::Model;
use crate::op::{Operation, time_of};
use crate::session::{Failure, Session};
use crate::shared::Shared;
use crate::subject::{Contents, Subject, SubjectError};
use crate::verdict::{Promise, Stage, Violation, ViolationKind, nearest_difference, shows};
use cutpoint_engine::device::BlockDevice;

/// A second implementation, which is shown what the subject is shown and must see the same.
///
/// All that it writes goes to copies.
#[derive(Clone, Copy)]
pub(super) struct Peer<'a> {
    pub(super) implementation: &'a dyn Subject,
    pub(super) subject: &'a dyn Subject,
    pub(super) budget: u64,
}

/// A peer's copy of a device, and what it saw there at first.
pub(super) struct Copy<'a, T> {
    peer: Peer<'a>,
    session: Session<'a, Scratch<T>>,
    seen: Result<Contents, Failure>,
}

/// What came of a peer's copy, to be held against the subject.
pub(super) struct Testimony<'a> {
    peer: Peer<'a>,
    seen: Result<Contents, Failure>,
    /// What was wrong after the peer's changes.
    changed: Result<(), Violation>,
}

impl<'a> Peer<'a> {
    /// Mounts it on a copy of the device and reads everything.
    pub(super) fn look<T>(self, device: &Shared<T>) -> Copy<'a, T>
    where
        T: BlockDevice + Guarded + Send + 'static,
    {
        let copy = Shared::new(Scratch::of(device));
        let mut session = Session::over(self.implementation, copy, self.budget);
        let seen = session.mount().and_then(|()| session.contents());
        Copy {
            peer: self,
            session,
            seen,
        }
    }

    /// What is wrong where the peer should see `model` and has `seen` this.
    fn sees(
        self,
        seen: &Result<Contents, Failure>,
        model: &Model,
        stage: &Stage,
    ) -> Result<(), Violation> {
        match seen {
            Ok(contents) => {
                same(contents, model, stage).map_err(|violation| self.says(violation, ""))
            }
            Err(failure) => Err(self.failed(failure, stage, "")),
        }
    }

    /// The peer disagrees where `violation` names the kind of difference; `after` says on which call.
    fn says(self, violation: Violation, after: &str) -> Violation {
        let name = self.implementation.full_name();
        Violation {
            kind: ViolationKind::PeerDisagrees,
            detail: format!("{name}{after}: {}", violation.detail),
            ..violation
        }
    }

    /// A call of the peer failed. Its own panics and loops are no fault of the subject, so that they are no kind apart.
    fn failed(self, failure: &Failure, stage: &Stage, after: &str) -> Violation {
        let kind = ViolationKind::PeerDisagrees;
        let violation = Violation {
            kind,
            promise: Promise::Understood,
            stage: stage.clone(),
            detail: failure.to_string(),
        };
        self.says(violation, after)
    }
}

impl<'a, T: BlockDevice + Guarded + Send + 'static> Copy<'a, T> {
    /// Has the peer change its copy, as the subject will change its own after the `interrupted` operation, and the
    /// subject read that.
    pub(super) fn change(
        mut self,
        terms: &Terms<'_>,
        interrupted: Option<&Operation>,
    ) -> Testimony<'a> {
        let changed = match &self.seen {
            Ok(contents) => self.exchange(contents.to_model(), terms, interrupted),
            Err(_) => Ok(()),
        };
        Testimony {
            peer: self.peer,
            seen: self.seen,
            changed,
        }
    }

    fn exchange(
        &mut self,
        mut model: Model,
        terms: &Terms<'_>,
        interrupted: Option<&Operation>,
    ) -> Result<(), Violation> {
        let Peer {
            implementation,
            subject,
            ..
        } = self.peer;
        let stage = Stage::PeerChanges;
        let promises = implementation.promises();
        let operations = epilogue::operations(
            &model,
            &terms.geometry,
            terms.promises.value_bytes,
            interrupted,
        );
        for (step, operation) in (terms.next_step..).zip(operations) {
            let mut after = model.clone();
            let now = time_of(step);
            let expected = after.apply_at(&operation, promises.time(now));
            debug_assert_eq!(expected, Ok(()), "{operation}");
            let models = [&model, &after];
            match self.session.apply(&operation, now) {
                Ok(()) => model = after,
                Err(Failure::Error(SubjectError::Refused(refusal)))
                    if promises.excuse(
                        refusal,
                        &operation,
                        models,
                        &terms.geometry,
                        terms.lost_blocks,
                    ) => {}
                Err(failure) => {
                    let on = format!(" on {operation}");
                    return Err(self.peer.failed(&failure, &stage, &on));
                }
            }
        }
        let seen = self.session.contents();
        self.peer.sees(&seen, &model, &stage)?;
        let unmounted = self.session.unmount();
        unmounted.map_err(|failure| self.peer.failed(&failure, &stage, " on unmounting"))?;
        self.reads(subject, &model)
    }

    /// The subject, on what the peer has written, sees `model` and finds nothing wrong.
    fn reads(&self, subject: &'a dyn Subject, model: &Model) -> Result<(), Violation> {
        let stage = Stage::PeerChanges;
        let mut session = Session::over(subject, self.session.disk().clone(), self.peer.budget);
        let mut read = || {
            session.mount()?;
            Ok((session.contents()?, session.check()?))
        };
        let on = format!(", read by {}", subject.full_name());
        let (contents, health) = read().map_err(|failure| {
            let (kind, promise) = (ViolationKind::PeerDisagrees, Promise::Understood);
            let violation = Violation::of_failure(&failure, kind, promise, stage.clone());
            match violation.kind {
                ViolationKind::PeerDisagrees => self.peer.says(violation, &on),
                // What the subject may do nowhere.
                _ => violation,
            }
        })?;
        same(&contents, model, &stage).map_err(|violation| self.peer.says(violation, &on))?;
        match Violation::of_health(&health, stage) {
            Some(violation) => Err(self.peer.says(violation, &on)),
            None => Ok(()),
        }
    }
}

impl Testimony<'_> {
    /// Whether the peer has seen what the subject has `shown`, which is `model`, before its changes and after them.
    pub(super) fn agrees(self, shown: Shown, model: &Model) -> Result<(), Violation> {
        let stage = Stage::PeerContents;
        match (shown, &self.seen) {
            (Shown::Uninitialised, Err(Failure::Error(_))) => Ok(()),
            (Shown::Uninitialised, Ok(_)) => {
                let violation = Violation {
                    kind: ViolationKind::PeerDisagrees,
                    promise: Promise::Understood,
                    stage,
                    detail: "there is a store where the subject sees none".into(),
                };
                Err(self.peer.says(violation, ""))
            }
            (_, seen) => {
                self.peer.sees(seen, model, &stage)?;
                self.changed
            }
        }
    }
}

impl<T> Copy<'_, T> {
    /// Whether the peer sees `model`, in which the subject has left the device after its changes.
    pub(super) fn agrees(&self, model: &Model) -> Result<(), Violation> {
        self.peer.sees(&self.seen, model, &Stage::PeerAfterEpilogue)
    }
}

fn same(contents: &Contents, model: &Model, stage: &Stage) -> Result<(), Violation> {
    if shows(contents, model) {
        return Ok(());
    }
    match nearest_difference(contents, std::slice::from_ref(model), &[]) {
        Some(difference) => Err(difference.into_violation(Promise::Understood, stage.clone())),
        None => unreachable!("contents that differ from no allowed state are one"),
    }
}
