//! The recording run: a workload without a power cut, every result compared with the model's.

use crate::contract::Contract;
use crate::crash::{Candidate, Cuts, History, Space, prefix_states};
use crate::disk::RecordingDisk;
use crate::faulty::{Fault, FaultyDisk};
use crate::model::Model;
use crate::op::{Operation, time_of};
use crate::phase::Phase;
use crate::refusal::Refusal;
use crate::session::{Failure, Session};
use crate::subject::{Durability, Promises, Subject, SubjectError};
use crate::trace::{Event, Image, Syncs, Trace};
use crate::verdict::{Promise, Stage, Violation, ViolationKind, nearest_difference};
use crate::workload::{Start, Step, Workload};
use std::sync::Arc;

/// What a subject did with a workload: the trace, and the versions of the model that its steps led to.
#[derive(Debug)]
pub struct Recording<'a> {
    workload: &'a Workload,
    promises: Promises,
    trace: Arc<Trace>,
    versions: Vec<Model>,
    history: History,
    phases: Vec<Option<Phase>>,
    defects: FaultyDisk<RecordingDisk>,
    writes_before_fault: Option<u32>,
}

/// What went wrong without any power cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveViolation {
    /// The step; none where it showed after the last.
    pub step: Option<u32>,
    /// What it was.
    pub violation: Violation,
}

impl<'a> Recording<'a> {
    /// Runs `workload` on `subject`, which may make `budget` device calls in each call on it.
    ///
    /// # Errors
    ///
    /// The first [`LiveViolation`], boxed as it is large: a result that is not the model's, contents that are not the
    /// model's after the last operation, damage found by the check, a panic, a spent budget, misuse of the device. So
    /// is a trace that differs when the same workload is run again.
    ///
    /// # Panics
    ///
    /// Where [`Workload::check`] fails.
    pub fn of(
        subject: &dyn Subject,
        workload: &'a Workload,
        budget: u64,
    ) -> Result<Self, Box<LiveViolation>> {
        let recording = Run::new(subject, workload, budget, None).finish()?;
        let again = Run::new(subject, workload, budget, None).finish()?;
        if recording.trace.fingerprint() != again.trace.fingerprint() {
            return Err(Box::new(LiveViolation {
                step: None,
                violation: Violation {
                    kind: ViolationKind::NotDeterministic,
                    promise: Promise::Repeatable,
                    stage: Stage::Recording,
                    detail: "two runs of the workload made different device calls".into(),
                },
            }));
        }
        Ok(recording)
    }

    /// The same without the second run, which shows whether the first can be repeated.
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of).
    pub(crate) fn once(
        subject: &dyn Subject,
        workload: &'a Workload,
        budget: u64,
    ) -> Result<Self, Box<LiveViolation>> {
        Run::new(subject, workload, budget, None).finish()
    }

    /// The same on a device with a fault that the subject is to cope with, so that every result is the model's all the
    /// same; run once.
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of).
    pub fn with_fault(
        subject: &dyn Subject,
        workload: &'a Workload,
        budget: u64,
        fault: Fault,
    ) -> Result<Self, Box<LiveViolation>> {
        Run::new(subject, workload, budget, Some(fault)).finish()
    }

    /// The workload.
    pub fn workload(&self) -> &'a Workload {
        self.workload
    }

    /// What the subject promised.
    pub fn promises(&self) -> &Promises {
        &self.promises
    }

    /// The events.
    pub fn trace(&self) -> &Arc<Trace> {
        &self.trace
    }

    /// By number of each write of the trace: its phase, where the subject has shown one.
    pub fn phases(&self) -> &[Option<Phase>] {
        &self.phases
    }

    /// The states of the model, from the one before the first step on. A step that changed nothing added none.
    pub fn versions(&self) -> &[Model] {
        &self.versions
    }

    /// Which step led to which version.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The crash states of the prefix model, in order.
    pub fn candidates(&self) -> Vec<Candidate> {
        prefix_states(&self.trace, &self.history)
    }

    /// The crash states that the contract allows.
    pub fn space(&self, contract: &Contract) -> Space {
        self.space_with(contract, Syncs::AsIssued)
    }

    /// The crash states that the contract would allow, had the run made these syncs.
    pub fn space_with(&self, contract: &Contract, syncs: Syncs) -> Space {
        self.space_of(contract, &syncs.of(self.trace.events()))
    }

    /// The crash states that the contract would allow, had the run led to these events: the writes of the trace and the
    /// marks of its steps, in any order in which the marks are in theirs.
    pub(crate) fn space_of(&self, contract: &Contract, events: &[Event]) -> Space {
        let (geometry, erase_value) = (self.trace.geometry(), self.trace.erase_value());
        let cuts = Cuts::of(events, &self.history);
        Space::of(events, 0, geometry, erase_value, contract, cuts)
    }

    /// The step with this index.
    pub fn step(&self, index: u32) -> Option<Step<'a>> {
        self.workload.steps().nth(index as usize)
    }

    /// What is wrong for good with the device by the end of the run.
    pub(crate) fn defects(&self) -> &FaultyDisk<RecordingDisk> {
        &self.defects
    }

    /// The number of writes before the step in which the device first failed; none where it did not.
    pub(crate) fn writes_before_fault(&self) -> Option<u32> {
        self.writes_before_fault
    }
}

/// A recording in the making.
struct Run<'a, 's> {
    workload: &'a Workload,
    promises: Promises,
    session: Session<'s, FaultyDisk<RecordingDisk>>,
    versions: Vec<Model>,
    history: History,
    durable: u32,
    writes_before_fault: Option<u32>,
}

impl<'a, 's> Run<'a, 's> {
    fn new(
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
        let mark = disk.phase_mark();
        // Telling phases takes reads, and faults count those.
        let shows_phases = fault.is_none();
        let session = Session::new(subject, FaultyDisk::new(disk, fault), budget);
        Self {
            workload,
            promises: subject.promises(),
            session: if shows_phases {
                session.with_phases(mark)
            } else {
                session
            },
            versions: vec![model],
            history: History::default(),
            durable: 0,
            writes_before_fault: None,
        }
    }

    fn finish(mut self) -> Result<Recording<'a>, Box<LiveViolation>> {
        for (index, step) in (0..).zip(self.workload.steps()) {
            self.step(index, step).map_err(|violation| LiveViolation {
                step: Some(index),
                violation,
            })?;
        }
        self.inspect().map_err(|violation| LiveViolation {
            step: None,
            violation,
        })?;
        let (trace, phases, defects) = self.session.disk().with(|disk| {
            let empty = disk_under(self.session.subject(), self.workload, Image::Erased);
            let defects = disk.defects_on(empty.clone());
            let phases = disk.inner().phases().to_vec();
            let trace = std::mem::replace(disk.inner(), empty).into_trace();
            (trace, phases, defects)
        });
        Ok(Recording {
            workload: self.workload,
            promises: self.promises.clone(),
            trace: Arc::new(trace),
            phases,
            versions: std::mem::take(&mut self.versions),
            history: std::mem::take(&mut self.history),
            defects,
            writes_before_fault: self.writes_before_fault,
        })
    }

    fn step(&mut self, index: u32, step: Step<'_>) -> Result<(), Violation> {
        let disk = self.session.disk();
        let (firings, writes) = disk.with(|disk| {
            disk.inner().start_operation(index);
            (disk.firings(), disk.inner().writes())
        });
        match step {
            Step::Format => self.session.format().map_err(|failure| live(&failure))?,
            Step::Mount => self.session.mount().map_err(|failure| live(&failure))?,
            Step::Operation(operation) => self.operation(index, operation)?,
        }
        self.session.disk().with(|disk| {
            disk.inner().end_operation(index);
            if disk.firings() > firings {
                self.writes_before_fault.get_or_insert(writes);
            }
        });
        let newest = self.versions.len() as u32 - 1;
        let durable_now = match (self.promises.durability, step) {
            (Durability::OnReturn, _)
            | (Durability::OnSync, Step::Operation(Operation::Sync | Operation::Remount)) => true,
            (Durability::OnSync, _) => false,
        };
        if durable_now {
            self.durable = newest;
        }
        self.history.push(newest, self.durable);
        if step == Step::Format {
            self.session.mount().map_err(|failure| live(&failure))?;
        }
        Ok(())
    }

    fn operation(&mut self, index: u32, operation: &Operation) -> Result<(), Violation> {
        let before = self.versions.last().cloned().unwrap_or_default();
        let mut after = before.clone();
        let now = time_of(index);
        let expected = after.apply_at(operation, self.promises.time(now));
        let result = match self.session.apply(operation, now) {
            Ok(()) => Ok(()),
            Err(Failure::Error(SubjectError::Refused(refusal))) => Err(refusal),
            Err(failure) => return Err(live(&failure)),
        };
        let excused = |refusal| {
            let (geometry, models) = (self.workload.geometry(), [&before, &after]);
            let lost = self.session.disk().with(|disk| disk.lost_blocks());
            self.promises
                .excuse(refusal, operation, models, &geometry, lost)
        };
        match (result, expected) {
            (Ok(()), Ok(())) => {
                if after != before {
                    self.versions.push(after);
                }
                Ok(())
            }
            (Err(refusal), Err(expected)) if refusal == expected => Ok(()),
            (Err(refusal), _) if excused(refusal) => Ok(()),
            (result, expected) => Err(Violation {
                kind: ViolationKind::WrongResult,
                promise: Promise::Meaning,
                stage: Stage::Recording,
                detail: format!("returned {}, expected {}", said(result), said(expected)),
            }),
        }
    }

    /// After the last operation: the contents and the structure.
    fn inspect(&mut self) -> Result<(), Violation> {
        let newest = self.versions.len() as u32 - 1;
        let contents = self.session.contents().map_err(|failure| live(&failure))?;
        let only = std::slice::from_ref(&self.versions[newest as usize]);
        if let Some(difference) = nearest_difference(&contents, only, &self.versions) {
            return Err(difference.into_violation(Promise::Meaning, Stage::Recording));
        }
        let health = self.session.check().map_err(|failure| live(&failure))?;
        Violation::of_health(&health, Stage::Recording)
            .or_else(|| self.session.unmount().err().map(|failure| live(&failure)))
            .map_or(Ok(()), Err)
    }
}

/// A recording disk of the kind that the subject is made for, with the sizes of the workload's device.
pub(crate) fn disk_under(
    subject: &dyn Subject,
    workload: &Workload,
    image: Image,
) -> RecordingDisk {
    let medium = subject.medium();
    let blank = medium.blank_value(workload.erase_value());
    RecordingDisk::on(image, workload.geometry(), blank).with_medium(medium)
}

fn said(result: Result<(), Refusal>) -> String {
    match result {
        Ok(()) => "ok".into(),
        Err(refusal) => format!("'{refusal}'"),
    }
}

fn live(failure: &Failure) -> Violation {
    Violation::of_failure(
        failure,
        ViolationKind::WrongResult,
        Promise::Meaning,
        Stage::Recording,
    )
}
