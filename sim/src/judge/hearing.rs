use super::course::Notes;
use super::peer::Peer;
use super::{Aftermath, Shown, epilogue};
use crate::guard::Guarded;
use crate::model::Model;
use crate::op::{Operation, time_of};
use crate::refusal::Refusal;
use crate::session::{Failure, Session};
use crate::subject::{Contents, Promises, Subject, SubjectError};
use crate::trace::Event;
use crate::verdict::{
    Difference, Promise, Stage, Violation, ViolationKind, nearest_difference, shows,
};
use cutpoint_engine::device::{BlockDevice, Geometry};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// A recovery under judgement.
pub(crate) struct Hearing<'a, T> {
    session: Session<'a, T>,
    peer: Option<Peer<'a>>,
    terms: Terms<'a>,
    /// What the device's crash states may show, as far as they have been told apart.
    expect: Expect<'a, T>,
    expected: Expected<'a>,
    notes: Notes,
}

/// Asks the device what its crash states may show.
pub(crate) type Expect<'a, T> = Box<dyn Fn(&T) -> Expected<'a> + 'a>;

/// What a recovery is held to, whatever it shows.
pub(crate) struct Terms<'a> {
    /// The states of the model so far.
    pub(crate) versions: &'a [Model],
    pub(crate) promises: &'a Promises,
    pub(crate) geometry: Geometry,
    /// Blocks of the device that are out of use.
    pub(crate) lost_blocks: u64,
    /// What is done to the recovered store.
    pub(crate) aftermath: Aftermath,
    /// The index of the step that follows all others: the time of what is done to the recovered store.
    pub(crate) next_step: u32,
}

/// What a recovery may show.
#[derive(Clone, Debug)]
pub(crate) struct Expected<'a> {
    /// The versions of the model.
    pub(crate) allowed: RangeInclusive<u32>,
    /// The operation that wrote last.
    pub(crate) operation: Option<&'a Operation>,
    /// The version that the operation found.
    pub(crate) before: u32,
    /// Whether the operation was cut or failed, rather than returned.
    pub(crate) inside: bool,
    /// Whether there may be no store.
    pub(crate) may_be_uninitialised: bool,
}

impl Terms<'_> {
    /// What is done to the recovered store, which holds `model`, after the `interrupted` operation.
    pub(super) fn operations(
        &self,
        model: &Model,
        interrupted: Option<&Operation>,
    ) -> Vec<Operation> {
        let mut operations = match self.aftermath {
            Aftermath::Changes => Vec::new(),
            Aftermath::RepairsFirst => vec![epilogue::touch(model)],
        };
        operations.extend(epilogue::operations(
            model,
            &self.geometry,
            self.promises.value_bytes,
            interrupted,
        ));
        operations
    }
}

impl Expected<'_> {
    /// The allowed versions, the newest first.
    pub(super) fn newest_first<'t>(
        &self,
        terms: &'t Terms<'_>,
    ) -> impl Iterator<Item = (u32, &'t Model)> {
        let versions = self.allowed.clone().rev();
        versions.filter_map(|version| Some((version, terms.versions.get(version as usize)?)))
    }

    /// The further states that the subject's promises allow.
    pub(super) fn intermediates(&self, terms: &Terms<'_>) -> Vec<Model> {
        let Some(operation) = self.operation.filter(|_| self.inside) else {
            return Vec::new();
        };
        let before = &terms.versions[self.before as usize];
        let allowed = terms.promises.intermediates.iter();
        allowed
            .flat_map(|intermediate| intermediate.states(before, operation))
            .collect()
    }
}

impl<T> Hearing<'_, T> {
    fn promise_for(&self, difference: &Difference) -> Promise {
        let expected = &self.expected;
        let in_flight = expected.operation.filter(|operation| {
            let touches = |key| difference.key.starts_with(key) || key.starts_with(&difference.key);
            expected.inside && operation.keys().any(touches)
        });
        match in_flight {
            Some(operation) => Promise::Atomic(operation.kind()),
            None if difference.kind == ViolationKind::GhostKey => Promise::Intact,
            None => Promise::Durable(self.terms.promises.durability),
        }
    }

    fn excuse(&self, refusal: Refusal, operation: &Operation, models: [&Model; 2]) -> bool {
        let Terms {
            promises,
            geometry,
            lost_blocks,
            ..
        } = &self.terms;
        promises.excuse(refusal, operation, models, geometry, *lost_blocks)
    }
}

impl<'a, T: BlockDevice + Guarded + Send + 'static> Hearing<'a, T> {
    pub(crate) fn new(session: Session<'a, T>, terms: Terms<'a>, expect: Expect<'a, T>) -> Self {
        let expected = session.disk().with(|disk| expect(disk));
        Self {
            session,
            peer: None,
            terms,
            expect,
            expected,
            notes: Notes::default(),
        }
    }

    /// What was done and seen.
    pub(super) fn into_notes(self) -> Notes {
        self.notes
    }

    fn mark(&self, mark: Event) {
        self.session.disk().with(|disk| disk.mark(mark));
    }

    /// The same, with a peer that must agree with [all of it](Self::run).
    pub(crate) fn beside(self, peer: Option<&'a dyn Subject>) -> Self {
        let peer = peer.map(|implementation| Peer {
            implementation,
            subject: self.session.subject(),
            budget: self.session.budget(),
        });
        Self { peer, ..self }
    }

    /// Looks again at what may be shown: reading has told crash states apart.
    fn expect(&mut self) {
        self.expected = self.session.disk().with(|disk| (self.expect)(disk));
    }

    /// All of it: [`recover`](Self::recover), [`epilogue`](Self::epilogue), and what the peer says to both.
    pub(crate) fn run(&mut self, shown: &mut Option<Shown>) -> Result<(), Violation> {
        // The peer comes first: a subject may write when it is mounted. But the subject's own violations go before.
        let peer = self.peer;
        let testimony = peer.map(|peer| {
            let copy = peer.look(self.session.disk());
            self.expect();
            copy.change(&self.terms, self.expected.operation)
        });
        self.mark(Event::OperationStart(0));
        let (which, model) = self.recover()?;
        *shown = Some(which);
        if let Some(testimony) = testimony {
            testimony.agrees(which, &model)?;
        }
        self.notes.seen = Arc::new(model.clone());
        self.mark(Event::OperationEnd(0));
        let model = self.epilogue(model)?;
        match peer {
            Some(peer) => peer.look(self.session.disk()).agrees(&model),
            None => Ok(()),
        }
    }

    /// The store mounts, shows an allowed state, is sound, and shows the same when mounted again.
    pub(crate) fn recover(&mut self) -> Result<(Shown, Model), Violation> {
        let mounted = self.session.mount();
        self.expect();
        let (which, model) = match mounted {
            Ok(()) => {
                let contents = self.contents(Stage::Contents)?;
                self.expect();
                self.notes.writes_unseen = self.session.disk().with(|disk| disk.guard().writes());
                let shown = self.allowed(&contents)?;
                self.check(Stage::Check)?;
                shown
            }
            Err(Failure::Error(_)) if self.expected.may_be_uninitialised => {
                self.session
                    .format()
                    .map_err(|failure| failed(&failure, Stage::FormatAgain))?;
                self.notes.formatted = true;
                (Shown::Uninitialised, Model::default())
            }
            Err(failure) => return Err(failed(&failure, Stage::Mount)),
        };
        self.mount_and_see(&model, Stage::SecondMount)?;
        Ok((which, model))
    }

    /// Which allowed state `contents` are.
    fn allowed(&self, contents: &Contents) -> Result<(Shown, Model), Violation> {
        for (version, model) in self.expected.newest_first(&self.terms) {
            if shows(contents, model) {
                return Ok((Shown::Version(version), model.clone()));
            }
        }
        let intermediates = self.expected.intermediates(&self.terms);
        if let Some(model) = intermediates.iter().find(|model| shows(contents, model)) {
            return Ok((Shown::Intermediate, model.clone()));
        }
        let allowed: Vec<Model> = self
            .expected
            .newest_first(&self.terms)
            .map(|(_, model)| model.clone())
            .chain(intermediates)
            .collect();
        let past = &self.terms.versions[..=*self.expected.allowed.end() as usize];
        match nearest_difference(contents, &allowed, past) {
            Some(difference) => {
                let promise = self.promise_for(&difference);
                Err(difference.into_violation(promise, Stage::Contents))
            }
            None => unreachable!("contents that differ from no allowed state are one"),
        }
    }

    /// Removes and sets a few keys of `model` and looks at all of it, before and after a mount. Returns what is there then.
    pub(crate) fn epilogue(&mut self, mut model: Model) -> Result<Model, Violation> {
        let operations = self.terms.operations(&model, self.expected.operation);
        // Where there is no room for any change, there is none for the repair before it.
        let mut is_changed = false;
        for (index, operation) in (1..).zip(operations) {
            let step = self.terms.next_step + index - 1;
            self.mark(Event::OperationStart(index));
            let mut after = model.clone();
            let now = time_of(step);
            let expected = after.apply_at(&operation, self.terms.promises.time(now));
            debug_assert_eq!(expected, Ok(()), "{operation}");
            let is_done = match self.session.apply(&operation, now) {
                Ok(()) => true,
                Err(Failure::Error(SubjectError::Refused(refusal)))
                    if self.excuse(refusal, &operation, [&model, &after]) =>
                {
                    false
                }
                Err(failure) => {
                    return Err(failed(&failure, Stage::Epilogue(operation.to_string())));
                }
            };
            if is_done {
                is_changed = true;
                model = after;
            }
            self.notes.operations.push((operation, is_done));
            self.mark(Event::OperationEnd(index));
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
            .map_err(|failure| failed(&failure, Stage::MountAfterEpilogue))?;
        Ok(model)
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
