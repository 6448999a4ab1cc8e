//! All crash states of a workload, judged in parallel.

mod report;

pub use report::{Found, Place, SweepReport, ViolationGroup};

use crate::crash::{Candidate, CrashState, CrashView};
use crate::inflight::Inflight;
use crate::judge::{Recovery, judge};
use crate::record::{LiveViolation, Recording};
use crate::session::{Session, default_budget};
use crate::subject::{Contents, Subject};
use crate::verdict::Verdict;
use crate::workload::Workload;
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use thiserror::Error;

/// A sweep: a workload runs once on a recording disk, and then every crash state of the prefix model is recovered from
/// and judged.
///
/// The states are shared out over the threads of the rayon pool it is run in. The report is the same for any number of
/// threads.
///
/// ```
/// use cutpoint::explore::Sweep;
/// use cutpoint::subjects::EngineSubject;
/// use cutpoint::workload::builtin;
///
/// let subject = EngineSubject::default();
/// let workload = builtin::builtin("split-ascending-512")?;
/// let report = Sweep::new(&subject, &workload).run();
/// println!("{} of {} crash states covered", report.covered, report.states);
/// assert_eq!(report.first_violation(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Sweep<'a> {
    subject: &'a dyn Subject,
    workload: &'a Workload,
    budget: u64,
    progress: Option<&'a Progress>,
    cancel: Option<&'a AtomicBool>,
    inflight: Option<&'a Inflight>,
}

/// How far a sweep is, to be read from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    states: AtomicU64,
    covered: AtomicU64,
}

impl Progress {
    /// How many crash states there are; 0 until the recording is done. Sweeps that share one add up.
    pub fn states(&self) -> u64 {
        self.states.load(Ordering::Relaxed)
    }

    /// How many of them have been judged.
    pub fn covered(&self) -> u64 {
        self.covered.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Sweep<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sweep")
            .field("subject", &self.subject.name())
            .field("workload", &self.workload.name())
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

impl<'a> Sweep<'a> {
    /// A sweep of `workload` on `subject`.
    pub fn new(subject: &'a dyn Subject, workload: &'a Workload) -> Self {
        Self {
            subject,
            workload,
            budget: default_budget(workload.geometry()),
            progress: None,
            cancel: None,
            inflight: None,
        }
    }

    /// The same, with `calls` device calls for each call on the subject. The default is
    /// [`default_budget`].
    #[must_use]
    pub fn with_budget(self, calls: u64) -> Self {
        Self {
            budget: calls,
            ..self
        }
    }

    /// The same, counting in `progress`.
    #[must_use]
    pub fn with_progress(self, progress: &'a Progress) -> Self {
        Self {
            progress: Some(progress),
            ..self
        }
    }

    /// The same, stopping early once `cancel` is true: the report then holds what was finished.
    #[must_use]
    pub fn with_cancel(self, cancel: &'a AtomicBool) -> Self {
        Self {
            cancel: Some(cancel),
            ..self
        }
    }

    /// The same, noting in `inflight` what each worker is at.
    #[must_use]
    pub fn with_inflight(self, inflight: &'a Inflight) -> Self {
        Self {
            inflight: Some(inflight),
            ..self
        }
    }

    /// Runs it.
    ///
    /// A violation without any power cut ends the sweep before it has begun: the report then holds that alone and no
    /// states.
    pub fn run(&self) -> SweepReport {
        let recording = match self.record() {
            Ok(recording) => recording,
            Err(violation) => return SweepReport::live(self.subject, self.workload, *violation),
        };
        let candidates = recording.candidates();
        if let Some(progress) = self.progress {
            progress
                .states
                .fetch_add(candidates.len() as u64, Ordering::Relaxed);
        }
        let judged: Vec<Option<Verdict>> = candidates
            .par_iter()
            .map(|candidate| self.judge_unless_cancelled(&recording, candidate))
            .collect();
        SweepReport::of(self.subject, &recording, candidates.into_iter().zip(judged))
    }

    /// Records the workload and recovers from one of its crash states.
    ///
    /// # Errors
    ///
    /// [`ReplayError`] where there is a violation without any power cut, or no such state.
    pub fn replay(&self, state: CrashState) -> Result<Replay<'a>, ReplayError> {
        let recording = self.record().map_err(ReplayError::Live)?;
        let mut candidates = recording.candidates();
        let index = state.persisted() as usize;
        if index >= candidates.len() {
            return Err(ReplayError::NoSuchState {
                state,
                workload: self.workload.name().to_owned(),
                writes: recording.trace().writes(),
            });
        }
        let candidate = candidates.swap_remove(index);
        let recovery = self.judge(&recording, &candidate);
        Ok(Replay {
            contents: self.contents(&recording, state),
            recording,
            candidate,
            recovery,
        })
    }

    /// What the subject shows on a crash state, or why it shows nothing.
    fn contents(&self, recording: &Recording<'_>, state: CrashState) -> Result<Contents, String> {
        let view = CrashView::new(Arc::clone(recording.trace()), state)
            .map_err(|error| error.to_string())?;
        let mut session = Session::new(self.subject, view, self.budget);
        session
            .mount()
            .and_then(|()| session.contents())
            .map_err(|failure| failure.to_string())
    }

    fn record(&self) -> Result<Recording<'a>, Box<LiveViolation>> {
        let _noted = self.note(Place::Recording { step: None });
        Recording::of(self.subject, self.workload, self.budget)
    }

    fn judge_unless_cancelled(
        &self,
        recording: &Recording<'_>,
        candidate: &Candidate,
    ) -> Option<Verdict> {
        if self
            .cancel
            .is_some_and(|cancel| cancel.load(Ordering::Relaxed))
        {
            return None;
        }
        let recovery = self.judge(recording, candidate);
        if let Some(progress) = self.progress {
            progress.covered.fetch_add(1, Ordering::Relaxed);
        }
        Some(recovery.verdict)
    }

    fn judge(&self, recording: &Recording<'_>, candidate: &Candidate) -> Recovery {
        let _noted = self.note(Place::State(candidate.state));
        judge(self.subject, recording, candidate, self.budget)
    }

    fn note(&self, place: Place) -> Option<crate::inflight::Note<'a>> {
        let inflight = self.inflight?;
        Some(inflight.note(self.workload.name(), &place.to_string()))
    }
}

/// One crash state, replayed.
#[derive(Debug)]
pub struct Replay<'a> {
    /// The run that the state is of.
    pub recording: Recording<'a>,
    /// The state and what it may show.
    pub candidate: Candidate,
    /// The judgement on it.
    pub recovery: Recovery,
    /// All that it showed after the first mount, or why that was nothing.
    pub contents: Result<Contents, String>,
}

/// Why a crash state could not be replayed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// The workload breaks a promise without any power cut.
    #[error("without a power cut: {}", .0.violation)]
    Live(Box<LiveViolation>),
    /// The trace has no such state.
    #[error("workload {workload} has no crash state {state}: its last one is {writes}")]
    NoSuchState {
        /// The state.
        state: CrashState,
        /// The workload's name.
        workload: String,
        /// The writes of its trace.
        writes: u32,
    },
}
