//! All crash states of a workload, judged in parallel.

mod count;
mod memory;
mod nested;
mod options;
mod origin;
mod progress;
mod replay;
mod report;
mod run;
mod settle;

pub use count::Count;
use nested::Dive;
pub use progress::Progress;
pub use replay::{Replay, ReplayError};
pub use report::{Found, ParsePlaceError, PeerName, Place, SweepReport, ViolationGroup};
pub(crate) use run::Run;
pub use settle::SettleReport;

use crate::contract::{self, Contract};
use crate::coverage::Coverage;
use crate::crash::{Candidate, CrashState, Epoch, LazyView, Leaf, Leaves, Open, Seen, Space};
use crate::inflight::Inflight;
use crate::judge::{Aftermath, Recovery, hear, judge_beside};
use crate::record::{LiveViolation, Recording};
use crate::session::Session;
use crate::subject::Subject;
use crate::trace::Syncs;
use crate::verdict::{Promise, Stage, Verdict, Violation, ViolationKind};
use crate::workload::Workload;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
    peer: Option<&'a dyn Subject>,
    workload: &'a Workload,
    contract: &'static Contract,
    depth: u32,
    syncs: Syncs,
    aftermath: Aftermath,
    from_step: u32,
    budget: u64,
    bound: u64,
    seed: u64,
    memory: u64,
    progress: Option<&'a Progress>,
    cancel: Option<&'a AtomicBool>,
    inflight: Option<&'a Inflight>,
}

/// What came of a part of a sweep.
#[derive(Debug, Default)]
struct Part {
    /// Crash states, where it was not known beforehand how many there are.
    states: Count,
    covered: Count,
    recoveries: u64,
    /// Recoveries that were not run, as they had been before.
    remembered: u64,
    sampled: u64,
    /// It was left before its end.
    cut_short: bool,
    found: Vec<(Candidate, Violation)>,
    /// Of the epoch, where the part is one.
    seen: Seen,
}

impl Part {
    /// What has come of an epoch of the run before anything has been done. What is seen of writes is about those of the
    /// workload.
    fn nothing_of(run: Run<'_>, epoch: &Epoch) -> Self {
        let seen = match run.before {
            None => Seen::nothing(epoch),
            Some(_) => Seen::default(),
        };
        Self {
            seen,
            ..Self::default()
        }
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
    /// Runs it.
    ///
    /// A violation without any power cut ends the sweep before it has begun: the report then holds that alone and no
    /// states.
    pub fn run(&self) -> SweepReport {
        match self.record() {
            Ok(recording) => self.run_on(&recording),
            Err(violation) => self.live(*violation),
        }
    }

    /// The report on a workload that breaks a promise without any power cut.
    pub(crate) fn live(&self, violation: LiveViolation) -> SweepReport {
        SweepReport::live(self.subject, self.workload, violation)
    }

    /// The contract that says which crash states there are.
    pub fn contract(&self) -> &'static Contract {
        self.contract
    }

    /// The most recoveries for an epoch.
    pub fn bound(&self) -> u64 {
        self.bound
    }

    /// Explores what has been recorded.
    pub(crate) fn run_on(&self, recording: &Recording<'a>) -> SweepReport {
        let space = Arc::new(recording.space_with(self.contract, self.syncs));
        let from = recording.trace().writes_before(self.from_step);
        let mut dive = (self.depth > 1).then(|| Dive::new(self));
        let further = self.depth.saturating_sub(1);
        let mut parts: Vec<Part>;
        let (states, coverage) = if *self.contract == contract::PREFIX {
            let mut candidates = recording.candidates();
            let all = candidates.len() as u64;
            candidates.retain(|candidate| candidate.state.issued() >= from);
            self.announce(candidates.len());
            let judged: Vec<&Candidate>;
            // Where cuts follow on cuts, how many states there are is known at the end.
            let states = if let Some(dive) = &mut dive {
                parts = Vec::new();
                let done = dive.prefixes(recording, from, further);
                judged = candidates.iter().take(done).collect();
                Count::default()
            } else {
                let swept = candidates.par_iter();
                parts = swept
                    .map(|candidate| self.eager(recording, candidate))
                    .collect();
                let swept = candidates.iter().zip(&parts);
                let done = swept.filter(|(_, part)| part.recoveries > 0);
                judged = done.map(|(candidate, _)| candidate).collect();
                Count::from(all)
            };
            let prefixes = judged.into_iter().map(|candidate| candidate.state.issued());
            (states, Coverage::of_prefixes(recording, &space, prefixes))
        } else {
            self.announce(space.epochs().len());
            parts = if let Some(dive) = &mut dive {
                dive.epochs(recording, &space, from, further)
            } else {
                let epochs = space.epochs().par_iter();
                epochs
                    .map(|epoch| {
                        if epoch.end() < from {
                            Part::nothing_of(Run::of(recording), epoch)
                        } else {
                            self.lazy(recording, &space, epoch)
                        }
                    })
                    .collect()
            };
            let seen: Vec<&Seen> = parts.iter().map(|part| &part.seen).collect();
            let coverage = Coverage::of(recording, &space, &seen);
            (space.states().into(), coverage)
        };
        let memory = dive.map_or(0, |dive| {
            let (part, memory) = dive.finish();
            parts.push(part);
            memory
        });
        let explored = (self.contract, self.depth);
        SweepReport {
            peer: self.peer_for(Run::of(recording)).map(PeerName::of),
            memory,
            ..SweepReport::of(self.subject, recording, explored, states, parts, coverage)
        }
    }

    pub(crate) fn record(&self) -> Result<Recording<'a>, Box<LiveViolation>> {
        let _noted = self.note(&Place::Recording { step: None });
        Recording::of(self.subject, self.workload, self.budget)
    }

    pub(crate) fn announce(&self, parts: usize) {
        if let Some(progress) = self.progress {
            progress.announce(parts as u64);
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel
            .is_some_and(|cancel| cancel.load(Ordering::Relaxed))
    }

    fn recovery_is_done(&self) {
        if let Some(progress) = self.progress {
            progress.recoveries.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn part_is_done(&self) {
        self.parts_are_done(1);
    }

    pub(super) fn parts_are_done(&self, parts: usize) {
        if let Some(progress) = self.progress {
            progress.parts_are_done(parts as u64);
        }
    }

    /// Judges one crash state.
    fn eager(&self, recording: &Recording<'_>, candidate: &Candidate) -> Part {
        if self.is_cancelled() {
            return Part::default();
        }
        let found = match self.judge(Run::of(recording), candidate).verdict {
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
        let run = Run::of(recording);
        let mut part = Part::nothing_of(run, epoch);
        self.epoch(run, space, epoch, &mut part, |_| {});
        if !part.cut_short {
            self.part_is_done();
        }
        part
    }

    /// Judges all crash states of an epoch of the run, and hands on each leaf where nothing was wrong.
    fn epoch(
        &self,
        run: Run<'_>,
        space: &Arc<Space>,
        epoch: &Arc<Epoch>,
        part: &mut Part,
        mut clean: impl FnMut(&Leaf),
    ) {
        let mut leaves = Leaves::new(run.trace, space, epoch);
        let mut recoveries = 0;
        while let Some(view) = leaves.next_view() {
            if self.is_cancelled() {
                part.cut_short = true;
                return;
            }
            if recoveries >= self.bound {
                self.sample(run, space, epoch, part);
                return;
            }
            let (leaf, verdict) = self.leaf(run, &mut leaves, view, recoveries);
            recoveries += 1;
            part.recoveries += 1;
            part.covered += &leaf.open.states().into();
            if run.before.is_none() {
                part.seen.add(&leaf.open);
            }
            if let Some((mut candidate, violation)) = self.found(run, space, &leaf, verdict) {
                candidate.state = run.id(&candidate.state);
                part.found.push((candidate, violation));
            } else {
                clean(&leaf);
            }
        }
    }

    /// One recovery, the `number`th of its epoch, from all the crash states that `view` comes to stand for.
    pub(crate) fn leaf(
        &self,
        run: Run<'_>,
        leaves: &mut Leaves,
        view: LazyView,
        number: u64,
    ) -> (Leaf, Verdict) {
        let place = match run.before {
            None => Place::Epoch {
                write: view.open().epoch().before(),
                run: number,
            },
            Some(before) => Place::State(before.clone()),
        };
        let _noted = self.note(&place);
        let session = Session::new(self.subject, view, self.budget);
        let disk = session.disk().clone();
        let recovery = hear(session, self.peer_for(run), run.story, LazyView::outlook);
        let view = disk.take();
        self.recovery_is_done();
        (leaves.finish(view), recovery.verdict)
    }

    /// A witness of what was found on all crash states of a leaf at once: one of them that shows it alone.
    pub(crate) fn found(
        &self,
        run: Run<'_>,
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
            if let Verdict::Violation(violation) = self.judge(run, &candidate).verdict {
                return Some((candidate, violation));
            }
        }
        let detail = format!(
            "found on several crash states at once, and on none of them alone: {violation}"
        );
        Some((least, not_deterministic(detail)))
    }

    /// Judges some crash states of an epoch, chosen at random.
    fn sample(&self, run: Run<'_>, space: &Space, epoch: &Arc<Epoch>, part: &mut Part) {
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
            let mut candidate = Candidate { state, outlook };
            if let Verdict::Violation(violation) = self.judge(run, &candidate).verdict {
                candidate.state = run.id(&candidate.state);
                part.found.push((candidate, violation));
            }
            part.sampled += 1;
            if run.before.is_none() {
                part.seen.add(&one);
            }
        }
    }

    /// Judges one crash state of the run.
    pub(crate) fn judge(&self, run: Run<'_>, candidate: &Candidate) -> Recovery {
        let _noted = self.note(&Place::State(run.id(&candidate.state)));
        let Run { story, trace, .. } = run;
        let peer = self.peer_for(run);
        judge_beside(peer, self.subject, (story, trace), candidate, self.budget)
    }

    /// The peer of the recoveries from what a cut of this run leaves.
    fn peer_for(&self, run: Run<'_>) -> Option<&'a dyn Subject> {
        self.peer
            .filter(|_| run.before.is_none() && self.depth == 1)
    }

    fn note(&self, place: &Place) -> Option<crate::inflight::Note<'a>> {
        let inflight = self.inflight?;
        let syncs = match self.syncs {
            Syncs::AsIssued => String::new(),
            Syncs::Without(sync) => format!(", without sync {sync}"),
            Syncs::AlsoAfter(write) => format!(", with a sync behind write {write}"),
        };
        Some(inflight.note(self.workload.name(), &format!("{place}{syncs}")))
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
