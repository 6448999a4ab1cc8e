//! All crash states of a workload, judged in parallel.

mod count;
mod report;

pub use count::Count;
pub use report::{Found, Place, SweepReport, ViolationGroup};

use crate::contract::{self, Contract};
use crate::coverage::Coverage;
use crate::crash::{
    Candidate, CrashState, CrashView, Epoch, LazyView, Leaf, Leaves, Open, Seen, Space,
};
use crate::inflight::Inflight;
use crate::judge::{Recovery, hear, judge};
use crate::record::{LiveViolation, Recording};
use crate::session::{Session, default_budget};
use crate::subject::{Contents, Subject};
use crate::verdict::{Promise, Stage, Verdict, Violation, ViolationKind};
use crate::workload::Workload;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use thiserror::Error;

/// A sweep: a workload runs once on a recording disk, and then every crash state that a contract allows is recovered from
/// and judged: those of the prefix model, where nothing else is said.
///
/// The work is shared out over the threads of the rayon pool it is run in. The report is the same for any number of
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
    contract: &'static Contract,
    budget: u64,
    bound: u64,
    seed: u64,
    progress: Option<&'a Progress>,
    cancel: Option<&'a AtomicBool>,
    inflight: Option<&'a Inflight>,
}

/// Recoveries for an epoch, unless a sweep says otherwise.
const RECOVERIES_PER_EPOCH: u64 = 20_000;

/// How far a sweep is, to be read from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    parts: AtomicU64,
    done: AtomicU64,
    recoveries: AtomicU64,
}

impl Progress {
    /// How many parts the work has: crash states of the prefix model, epochs of others. 0 until the recording is done.
    /// Sweeps that share one add up.
    pub fn parts(&self) -> u64 {
        self.parts.load(Ordering::Relaxed)
    }

    /// How many of them are done.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// How many recoveries have been run.
    pub fn recoveries(&self) -> u64 {
        self.recoveries.load(Ordering::Relaxed)
    }
}

/// What came of a part of a sweep.
#[derive(Debug, Default)]
struct Part {
    covered: Count,
    recoveries: u64,
    sampled: u64,
    found: Vec<(Candidate, Violation)>,
    /// Of the epoch, where the part is one.
    seen: Seen,
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
            contract: &contract::PREFIX,
            budget: default_budget(workload.geometry()),
            bound: RECOVERIES_PER_EPOCH,
            seed: 0,
            progress: None,
            cancel: None,
            inflight: None,
        }
    }

    /// The same, for the crash states that this contract allows.
    #[must_use]
    pub fn under(self, contract: &'static Contract) -> Self {
        Self { contract, ..self }
    }

    /// The same, with at most so many recoveries for an epoch. Where they do not cover it, a tenth as many of its crash
    /// states follow, chosen at random from `seed`.
    #[must_use]
    pub fn with_bound(self, recoveries: u64, seed: u64) -> Self {
        Self {
            bound: recoveries,
            seed,
            ..self
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
        let space = Arc::new(recording.space(self.contract));
        let parts: Vec<Part>;
        let (states, coverage) = if *self.contract == contract::PREFIX {
            let candidates = recording.candidates();
            self.announce(candidates.len());
            let judged = candidates.par_iter();
            parts = judged
                .map(|candidate| self.eager(&recording, candidate))
                .collect();
            let judged = candidates.iter().zip(&parts);
            let judged = judged.filter(|(_, part)| part.recoveries > 0);
            let prefixes = judged.map(|(candidate, _)| candidate.state.issued());
            let coverage = Coverage::of_prefixes(&recording, &space, prefixes);
            (Count::from(candidates.len() as u64), coverage)
        } else {
            self.announce(space.epochs().len());
            let epochs = space.epochs().par_iter();
            parts = epochs
                .map(|epoch| self.lazy(&recording, &space, epoch))
                .collect();
            let seen: Vec<&Seen> = parts.iter().map(|part| &part.seen).collect();
            let coverage = Coverage::of(&recording, &space, &seen);
            (space.states().into(), coverage)
        };
        SweepReport::of(
            self.subject,
            &recording,
            self.contract,
            states,
            parts,
            coverage,
        )
    }

    /// Records the workload and recovers from one of its crash states.
    ///
    /// # Errors
    ///
    /// [`ReplayError`] where there is a violation without any power cut, or no such state under the contract.
    pub fn replay(&self, state: &CrashState) -> Result<Replay<'a>, ReplayError> {
        let recording = self.record().map_err(ReplayError::Live)?;
        let writes = recording.trace().writes();
        let workload = self.workload.name().to_owned();
        let state = state.clone();
        if state.issued() > writes {
            return Err(ReplayError::NoSuchState {
                state,
                workload,
                writes,
            });
        }
        let Some(outlook) = recording.space(self.contract).outlook_of(&state) else {
            let contract = self.contract.name;
            return Err(ReplayError::NotAllowed { state, contract });
        };
        let candidate = Candidate { state, outlook };
        let recovery = self.judge(&recording, &candidate);
        Ok(Replay {
            contents: self.contents(&recording, &candidate.state),
            contract: self.contract,
            recording,
            candidate,
            recovery,
        })
    }

    /// What the subject shows on a crash state, or why it shows nothing.
    fn contents(&self, recording: &Recording<'_>, state: &CrashState) -> Result<Contents, String> {
        let view = CrashView::new(Arc::clone(recording.trace()), state.clone())
            .map_err(|error| error.to_string())?;
        let mut session = Session::new(self.subject, view, self.budget);
        session
            .mount()
            .and_then(|()| session.contents())
            .map_err(|failure| failure.to_string())
    }

    fn record(&self) -> Result<Recording<'a>, Box<LiveViolation>> {
        let _noted = self.note(&Place::Recording { step: None });
        Recording::of(self.subject, self.workload, self.budget)
    }

    fn announce(&self, parts: usize) {
        if let Some(progress) = self.progress {
            progress.parts.fetch_add(parts as u64, Ordering::Relaxed);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancel
            .is_some_and(|cancel| cancel.load(Ordering::Relaxed))
    }

    fn part_is_done(&self) {
        if let Some(progress) = self.progress {
            progress.done.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Judges one crash state.
    fn eager(&self, recording: &Recording<'_>, candidate: &Candidate) -> Part {
        if self.is_cancelled() {
            return Part::default();
        }
        let found = match self.judge(recording, candidate).verdict {
            Verdict::Clean => Vec::new(),
            Verdict::Violation(violation) => vec![(candidate.clone(), violation)],
        };
        self.part_is_done();
        Part {
            covered: 1.into(),
            recoveries: 1,
            found,
            ..Part::default()
        }
    }

    /// Judges all crash states of an epoch, as many at once as recovery reads alike.
    fn lazy(&self, recording: &Recording<'_>, space: &Arc<Space>, epoch: &Arc<Epoch>) -> Part {
        let mut part = Part {
            seen: Seen::nothing(epoch),
            ..Part::default()
        };
        let mut leaves = Leaves::new(recording.trace(), space, epoch);
        while let Some(view) = leaves.next_view() {
            if self.is_cancelled() {
                return part;
            }
            if part.recoveries >= self.bound {
                self.sample(recording, space, epoch, &mut part);
                break;
            }
            let _noted = self.note(&Place::Epoch {
                write: epoch.before(),
                run: part.recoveries,
            });
            let session = Session::new(self.subject, view, self.budget);
            let disk = session.disk().clone();
            let recovery = hear(session, recording, LazyView::outlook);
            let view = disk
                .into_inner()
                .unwrap_or_else(|kept| kept.with(|view| view.clone()));
            let leaf = leaves.finish(view);
            self.count_recovery(&mut part);
            part.covered += &leaf.open.states().into();
            part.seen.add(&leaf.open);
            if let Some(found) = self.found(recording, space, &leaf, recovery.verdict) {
                part.found.push(found);
            }
        }
        self.part_is_done();
        part
    }

    fn count_recovery(&self, part: &mut Part) {
        part.recoveries += 1;
        if let Some(progress) = self.progress {
            progress.recoveries.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A witness of what was found on all crash states of a leaf at once: one of them that shows it alone.
    fn found(
        &self,
        recording: &Recording<'_>,
        space: &Space,
        leaf: &Leaf,
        verdict: Verdict,
    ) -> Option<(Candidate, Violation)> {
        let candidate = |state: CrashState| {
            let outlook = space.outlook_of(&state);
            let outlook = outlook.unwrap_or_else(|| space.outlook(&leaf.open));
            Candidate { state, outlook }
        };
        let least = candidate(leaf.open.least());
        if leaf.strayed {
            let detail = "two recoveries that had read the same went on to read different things";
            return Some((least, not_deterministic(detail.into())));
        }
        let Verdict::Violation(violation) = verdict else {
            return None;
        };
        let most = candidate(leaf.open.most());
        for candidate in [least.clone(), most] {
            if let Verdict::Violation(violation) = self.judge(recording, &candidate).verdict {
                return Some((candidate, violation));
            }
        }
        let detail = format!(
            "found on several crash states at once, and on none of them alone: {violation}"
        );
        Some((least, not_deterministic(detail)))
    }

    /// Judges some crash states of an epoch, chosen at random.
    fn sample(
        &self,
        recording: &Recording<'_>,
        space: &Space,
        epoch: &Arc<Epoch>,
        part: &mut Part,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(epoch.before().into());
        for _ in 0..self.bound.div_ceil(10) {
            if self.is_cancelled() {
                return;
            }
            let one = Open::all(epoch).any_one(&mut rng);
            let state = one.least();
            let Some(outlook) = space.outlook_of(&state) else {
                continue;
            };
            let candidate = Candidate { state, outlook };
            if let Verdict::Violation(violation) = self.judge(recording, &candidate).verdict {
                part.found.push((candidate, violation));
            }
            part.sampled += 1;
            part.seen.add(&one);
        }
    }

    fn judge(&self, recording: &Recording<'_>, candidate: &Candidate) -> Recovery {
        let _noted = self.note(&Place::State(candidate.state.clone()));
        judge(self.subject, recording, candidate, self.budget)
    }

    fn note(&self, place: &Place) -> Option<crate::inflight::Note<'a>> {
        let inflight = self.inflight?;
        Some(inflight.note(self.workload.name(), &place.to_string()))
    }
}

fn not_deterministic(detail: String) -> Violation {
    Violation {
        kind: ViolationKind::NotDeterministic,
        promise: Promise::Repeatable,
        stage: Stage::Contents,
        detail,
    }
}

/// One crash state, replayed.
#[derive(Debug)]
pub struct Replay<'a> {
    /// The run that the state is of.
    pub recording: Recording<'a>,
    /// The contract that allows the state.
    pub contract: &'static Contract,
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
    /// The contract does not allow such a state.
    #[error("the contract {contract} does not allow the crash state {state} in this workload")]
    NotAllowed {
        /// The state.
        state: CrashState,
        /// The contract's name.
        contract: &'static str,
    },
}
