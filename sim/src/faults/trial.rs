//! One run of a workload on a device with one fault.

use crate::disk::RecordingDisk;
use crate::faulty::{Fault, FaultClass, FaultyDisk, Lasting};
use crate::judge::{Aftermath, Expected, Hearing, Terms};
use crate::model::Model;
use crate::op::{Operation, time_of};
use crate::record::disk_under;
use crate::refusal::Refusal;
use crate::session::{Failure, Session};
use crate::subject::{Contents, Promises, Subject, SubjectError};
use crate::trace::Image;
use crate::verdict::{Promise, Stage, Violation, ViolationKind, nearest_difference, shows};
use crate::workload::{Start, Step, Workload};
use cutpoint_engine::device::{DeviceCall, DeviceError};
use std::fmt;

/// A run in the making.
pub(super) struct Trial<'a, 's> {
    subject: &'s dyn Subject,
    workload: &'a Workload,
    budget: u64,
    promises: Promises,
    class: Option<FaultClass>,
    session: Session<'s, FaultyDisk<RecordingDisk>>,
    /// The states of the model so far, apart from those in `possible`.
    past: Vec<Model>,
    /// The states that the store may be in: one, or two after a device error.
    possible: Vec<Model>,
    /// A device error has come since the last mount, so that the store may take no more changes.
    undecided: bool,
    /// The medium has been looked at since the fault.
    examined: bool,
    step: u32,
    told: Told,
}

/// What a subject said of a fault.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Calls that returned a device error.
    pub(super) device_errors: u64,
    /// Calls that were refused because of what the fault has left of the device, though the model refuses none of them.
    pub(super) refusals: u64,
    /// The calls that the fault struck, and what each returned.
    pub(super) struck: Vec<Struck>,
}

impl Told {
    /// Whether every call returned what it would have returned without the fault.
    pub(super) fn is_nothing(&self) -> bool {
        self.device_errors + self.refusals == 0
    }
}

/// A call that a fault struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struck {
    /// The index of the step that it was made in: 0 is the start, operations count from 1.
    pub step: u32,
    /// The call.
    pub call: String,
    /// What it returned, as text.
    pub returned: String,
}

/// What came of a run.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What the subject said of the fault.
    pub(super) told: Told,
    /// The first violation, and the step it came in; none where it came after all of them.
    pub(super) violation: Option<(Option<u32>, Violation)>,
    disk: FaultyDisk<RecordingDisk>,
}

impl Outcome {
    /// Whether every call returned what the model says.
    pub(super) fn is_worked_around(&self) -> bool {
        self.violation.is_none() && self.told.is_nothing()
    }

    /// How many faults of the class would have fired in this run.
    pub(super) fn occasions(&self, class: FaultClass) -> u64 {
        self.disk.occasions(class)
    }
}

/// Whether the run goes on.
enum Next {
    Step,
    /// The device is of no use any more, and the subject has said so.
    End,
}

impl<'a, 's> Trial<'a, 's> {
    pub(super) fn new(
        subject: &'s dyn Subject,
        workload: &'a Workload,
        budget: u64,
        fault: Option<Fault>,
    ) -> Self {
        let (image, model) = match workload.start() {
            Start::Blank => (Image::Erased, Model::default()),
            Start::Store { image, model } => (image.clone(), model.clone()),
        };
        let disk = disk_under(subject, workload, image);
        Self {
            subject,
            workload,
            budget,
            promises: subject.promises(),
            class: fault.map(|fault| fault.class),
            session: Session::new(subject, FaultyDisk::new(disk, fault), budget),
            past: Vec::new(),
            possible: vec![model],
            undecided: false,
            examined: false,
            step: 0,
            told: Told::default(),
        }
    }

    pub(super) fn run(mut self) -> Outcome {
        let violation = self.steps().err().map(|violation| {
            let step = (self.step < self.workload.steps().count() as u32).then_some(self.step);
            (step, violation)
        });
        let empty = disk_under(self.subject, self.workload, Image::Erased);
        let disk = self
            .session
            .disk()
            .with(|disk| std::mem::replace(disk, FaultyDisk::new(empty, None)));
        Outcome {
            told: self.told,
            violation,
            disk,
        }
    }

    fn steps(&mut self) -> Result<(), Violation> {
        for (index, step) in (0..).zip(self.workload.steps()) {
            self.step = index;
            let next = match step {
                Step::Format => self.format()?,
                Step::Mount => self.mount()?,
                Step::Operation(operation) => self.operation(operation)?,
            };
            if let Next::End = next {
                return Ok(());
            }
        }
        self.step += 1;
        self.see()?;
        self.examine(None)
    }

    fn format(&mut self) -> Result<Next, Violation> {
        let formatted = self.with_second_try("format", Session::format)?;
        match formatted {
            Some(()) => self.mount(),
            None => Ok(Next::End),
        }
    }

    fn mount(&mut self) -> Result<Next, Violation> {
        let mounted = self.with_second_try("mount", Session::mount)?;
        self.undecided = false;
        Ok(mounted.map_or(Next::End, |()| Next::Step))
    }

    /// Makes a call that leaves the contents as they are, and makes it again where the fault has struck it. None where
    /// the fault is one that lasts and has struck again.
    fn with_second_try<R>(
        &mut self,
        name: &str,
        call: impl Fn(&mut Session<'s, FaultyDisk<RecordingDisk>>) -> Result<R, Failure>,
    ) -> Result<Option<R>, Violation> {
        for _ in 0..2 {
            let firings = self.firings();
            let result = call(&mut self.session);
            self.note(firings, name, &result);
            match result {
                Ok(returned) => return Ok(Some(returned)),
                Err(Failure::Error(SubjectError::Device(error))) if self.firings() > firings => {
                    self.device_error(error)?;
                }
                Err(failure) => return Err(live(&failure)),
            }
        }
        match self.class.map(FaultClass::lasting) {
            Some(Lasting::ForGood) => Ok(None),
            _ => unreachable!("a fault that does not last has struck twice"),
        }
    }

    fn operation(&mut self, operation: &Operation) -> Result<Next, Violation> {
        let (firings, refusals) = (self.firings(), self.told.refusals);
        if let Next::End = self.call(operation)? {
            return Ok(Next::End);
        }
        let struck = self.firings() > firings;
        if struck && (!self.examined || self.told.refusals > refusals) {
            self.examined = true;
            self.see()?;
            self.examine(Some(operation))?;
        }
        if self.undecided {
            // Once more on the store that has failed, and then on a fresh one.
            if let Next::End = self.call(operation)? {
                return Ok(Next::End);
            }
            if let Next::End = self.remount()? {
                return Ok(Next::End);
            }
            self.see()?;
        }
        Ok(Next::Step)
    }

    fn remount(&mut self) -> Result<Next, Violation> {
        self.session.unmount().map_err(|failure| live(&failure))?;
        self.mount()
    }

    /// Calls the operation, and works out which states are possible now.
    fn call(&mut self, operation: &Operation) -> Result<Next, Violation> {
        if *operation == Operation::Remount {
            return self.remount();
        }
        let firings = self.firings();
        let now = time_of(self.step);
        let result = self.session.apply(operation, now);
        let struck = self.firings() > firings;
        self.note(firings, operation, &result);
        let mut refused = false;
        let mut next: Vec<Model> = Vec::new();
        let mut expected = String::new();
        for before in &self.possible {
            let mut after = before.clone();
            let foretold = after.apply_at(operation, self.promises.time(now));
            expected = foretold.map_or_else(|refusal| format!("'{refusal}'"), |()| "ok".into());
            match (&result, foretold) {
                (Ok(()), Ok(())) => next.push(after),
                (Err(Failure::Error(SubjectError::Refused(refusal))), foretold)
                    if foretold == Err(*refusal)
                        || (*refusal == Refusal::ReadOnly && self.undecided)
                        || self.excuse(*refusal, operation, [before, &after]) =>
                {
                    refused |= foretold.is_ok();
                    next.push(before.clone());
                }
                (Err(Failure::Error(SubjectError::Device(_))), foretold) if struck => {
                    next.push(before.clone());
                    if foretold.is_ok() {
                        next.push(after);
                        // What is done in steps may have failed between them.
                        let between = self.promises.intermediates.iter();
                        next.extend(between.flat_map(|between| between.states(before, operation)));
                    }
                }
                _ => {}
            }
        }
        if let (Err(Failure::Error(SubjectError::Device(error))), true) = (&result, struck) {
            let error = *error;
            self.device_error(error)?;
        }
        self.told.refusals += u64::from(refused && struck);
        if next.is_empty() {
            return Err(match result {
                Err(Failure::Stopped(_) | Failure::Misuse(_)) | Ok(()) => result
                    .err()
                    .map_or_else(|| wrong("ok", &expected), |failure| live(&failure)),
                Err(Failure::Error(error)) => wrong(&format!("'{error}'"), &expected),
            });
        }
        next.dedup();
        if next != self.possible {
            let passed = std::mem::replace(&mut self.possible, next);
            self.past.extend(passed);
        }
        Ok(Next::Step)
    }

    /// A call has returned this device error, and the fault had struck it.
    fn device_error(&mut self, error: DeviceError) -> Result<(), Violation> {
        self.told.device_errors += 1;
        self.undecided = true;
        let is_write = matches!(error.call, DeviceCall::Prog | DeviceCall::Erase);
        let of_a_block = self.class.is_some_and(FaultClass::is_of_a_block);
        match error.place {
            Some((block, _))
                if is_write && of_a_block && self.promises.bad_blocks.replaces(block) =>
            {
                Err(Violation {
                    kind: ViolationKind::WrongResult,
                    promise: Promise::Replaces,
                    stage: Stage::Recording,
                    detail: format!("returned '{error}'"),
                })
            }
            _ => Ok(()),
        }
    }

    fn excuse(&self, refusal: Refusal, operation: &Operation, models: [&Model; 2]) -> bool {
        let geometry = self.workload.geometry();
        let lost = self.session.disk().with(|disk| disk.lost_blocks());
        self.promises
            .excuse(refusal, operation, models, &geometry, lost)
    }

    /// Notes what a call returned, where the fault has struck since `firings`.
    fn note<R>(&mut self, firings: u64, call: impl fmt::Display, result: &Result<R, Failure>) {
        if self.firings() > firings {
            self.told.struck.push(Struck {
                step: self.step,
                call: call.to_string(),
                returned: match result {
                    Ok(_) => "ok".to_owned(),
                    Err(failure) => failure.to_string(),
                },
            });
        }
    }

    fn firings(&self) -> u64 {
        self.session.disk().with(|disk| disk.firings())
    }

    /// Reads everything: it must be one of the possible states, and is the only one from then on, unless the store has
    /// failed.
    fn see(&mut self) -> Result<(), Violation> {
        let firings = self.firings();
        let read = self.session.contents();
        self.note(firings, "read everything", &read);
        let contents = match read {
            Err(Failure::Error(SubjectError::Device(_))) if self.firings() > firings => {
                self.told.device_errors += 1;
                return Ok(());
            }
            read => read.map_err(|failure| live(&failure))?,
        };
        let shown = self.recognise(&contents)?;
        if !self.undecided {
            self.possible = vec![shown.clone()];
        }
        Ok(())
    }

    /// Which of the possible states `contents` are.
    fn recognise(&self, contents: &Contents) -> Result<&Model, Violation> {
        let shown = self.possible.iter().find(|model| shows(contents, model));
        shown.ok_or_else(
            || match nearest_difference(contents, &self.possible, &self.past) {
                Some(difference) => difference.into_violation(Promise::Intact, Stage::Recording),
                None => unreachable!("contents that differ from no possible state are one"),
            },
        )
    }

    /// Recovers from a copy of the medium as it is now, with the same bad blocks.
    fn examine(&self, operation: Option<&Operation>) -> Result<(), Violation> {
        let geometry = self.workload.geometry();
        let copy = self.session.disk().with(|disk| {
            let image = Image::Bytes(disk.inner().bytes().into());
            let copy = disk_under(self.subject, self.workload, image);
            disk.defects_on(copy)
        });
        if self.class.is_some_and(FaultClass::loses_what_was_written) {
            return self.examine_what_is_left(copy);
        }
        let lost_blocks = copy.lost_blocks();
        let is_usable = self.is_usable(&copy);
        let versions: Vec<Model> = self.past.iter().chain(&self.possible).cloned().collect();
        let oldest = self.past.len() as u32;
        let expected = Expected {
            allowed: oldest..=versions.len() as u32 - 1,
            operation,
            before: oldest,
            inside: self.undecided,
            may_be_uninitialised: false,
        };
        let terms = Terms {
            versions: &versions,
            promises: &self.promises,
            geometry,
            lost_blocks,
            aftermath: Aftermath::Changes,
            next_step: self.workload.steps().count() as u32,
        };
        let session = Session::new(self.subject, copy, self.budget);
        let mut hearing = Hearing::new(session, terms, Box::new(move |_| expected.clone()));
        let (_, model) = hearing.recover()?;
        if is_usable {
            hearing.epilogue(model)?;
        }
        Ok(())
    }

    /// Reads everything from a device that does not give back all that was written to it: it must be one of the possible
    /// states, or a device error.
    fn examine_what_is_left(&self, copy: FaultyDisk<RecordingDisk>) -> Result<(), Violation> {
        let mut session = Session::new(self.subject, copy, self.budget);
        match session.mount().and_then(|()| session.contents()) {
            Err(Failure::Error(SubjectError::Device(_))) => Ok(()),
            Err(failure) => Err(live(&failure)),
            Ok(contents) => self.recognise(&contents).map(drop),
        }
    }

    /// Whether a store can work on this device.
    fn is_usable(&self, disk: &FaultyDisk<RecordingDisk>) -> bool {
        let replaceable = |block| self.promises.bad_blocks.replaces(block);
        self.class.is_none_or(FaultClass::is_of_a_block) && disk.lost().all(replaceable)
            || disk.lost_blocks() == 0
    }
}

fn wrong(returned: &str, expected: &str) -> Violation {
    Violation {
        kind: ViolationKind::WrongResult,
        promise: Promise::Meaning,
        stage: Stage::Recording,
        detail: format!("returned {returned}, expected {expected}"),
    }
}

fn live(failure: &Failure) -> Violation {
    let (kind, promise) = (ViolationKind::WrongResult, Promise::Meaning);
    Violation::of_failure(failure, kind, promise, Stage::Recording)
}
