use super::judge::{Bench, Outcome};
use super::survey::Survey;
use super::{Damage, DamageKind, DecayReport, DecayState};
use crate::crash::Candidate;
use crate::explore::Progress;
use crate::inflight::Inflight;
use crate::record::Recording;
use crate::session::default_budget;
use crate::subject::Subject;
use crate::workload::Workload;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// All damage to all crash states of the prefix model of a workload, or a sample of it.
///
/// The report is the same for any number of threads.
///
/// ```
/// use cutpoint::decay::DecaySweep;
/// use cutpoint::subjects::EngineSubject;
/// use cutpoint::workload::builtin;
///
/// let subject = EngineSubject::default();
/// let workload = builtin::builtin("nested-128")?;
/// let report = DecaySweep::new(&subject, &workload).with_bound(400, 0).run();
/// println!("{} told, {:?} not told", report.told, report.not_told);
/// assert_eq!(report.found, []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct DecaySweep<'a> {
    pub(super) subject: &'a dyn Subject,
    pub(super) workload: &'a Workload,
    pub(super) budget: u64,
    bound: u64,
    seed: u64,
    progress: Option<&'a Progress>,
    cancel: Option<&'a AtomicBool>,
    inflight: Option<&'a Inflight>,
}

impl std::fmt::Debug for DecaySweep<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecaySweep")
            .field("subject", &self.subject.name())
            .field("workload", &self.workload.name())
            .finish_non_exhaustive()
    }
}

/// Recoveries of a workload, unless a sweep says otherwise.
const RECOVERIES: u64 = 20_000;

impl<'a> DecaySweep<'a> {
    /// A sweep of `workload` on `subject`.
    pub fn new(subject: &'a dyn Subject, workload: &'a Workload) -> Self {
        Self {
            subject,
            workload,
            budget: default_budget(workload.geometry()),
            bound: RECOVERIES,
            seed: 0,
            progress: None,
            cancel: None,
            inflight: None,
        }
    }

    /// The same, with at most so many recoveries, a quarter of them for each kind of damage. Where there is more of a
    /// kind, it is chosen from at random, from `seed`.
    #[must_use]
    pub fn with_bound(self, recoveries: u64, seed: u64) -> Self {
        Self {
            bound: recoveries,
            seed,
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
    /// # Panics
    ///
    /// Where [`Workload::check`] fails.
    pub fn run(&self) -> DecayReport {
        let mut report = DecayReport::new(self.subject, self.workload);
        let recording = match Recording::of(self.subject, self.workload, self.budget) {
            Ok(recording) => recording,
            Err(live) => {
                report.live(self.workload, *live);
                return report;
            }
        };
        report.fingerprint = Some(recording.trace().fingerprint());
        let candidates = recording.candidates();
        let surveys: Vec<Option<Survey>> = candidates
            .par_iter()
            .map(|candidate| Bench::survey(self.subject, &recording, candidate, self.budget))
            .collect();
        report.left_out = surveys.iter().filter(|survey| survey.is_none()).count() as u64;
        report.states = surveys.len() as u64 - report.left_out;
        let chosen = self.choose(&surveys, &mut report);
        if let Some(progress) = self.progress {
            progress.announce(chosen.iter().map(Vec::len).sum::<usize>() as u64);
        }
        let outcomes: Vec<Vec<(Damage, Option<Outcome>)>> = candidates
            .par_iter()
            .zip(&chosen)
            .map(|(candidate, damages)| self.judge(&recording, candidate, damages))
            .collect();
        for (candidate, outcomes) in candidates.iter().zip(outcomes) {
            for (damage, outcome) in outcomes {
                let kind = report.kinds.entry(damage.kind()).or_default();
                let Some(outcome) = outcome else {
                    report.cut_short = true;
                    continue;
                };
                kind.tried += 1;
                let state = DecayState {
                    state: candidate.state.clone(),
                    damage,
                };
                report.add(&recording, candidate.outlook.step, state, outcome);
            }
        }
        report
    }

    /// Which damage to try, by crash state.
    fn choose(&self, surveys: &[Option<Survey>], report: &mut DecayReport) -> Vec<Vec<Damage>> {
        let mut chosen = vec![Vec::new(); surveys.len()];
        let share = self.bound.div_ceil(DamageKind::ALL.len() as u64);
        for (stream, kind) in (0..).zip(DamageKind::ALL) {
            let count = |survey: &Option<Survey>| survey.as_ref().map_or(0, |it| it.read(kind));
            let all: u64 = surveys
                .iter()
                .flatten()
                .map(|survey| survey.all(kind))
                .sum();
            let read: u64 = surveys.iter().map(count).sum();
            let counts = report.kinds.entry(kind).or_default();
            (counts.all, counts.unread) = (all, all - read);
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(stream);
            let amount = read.min(share) as usize;
            let mut numbers = rand::seq::index::sample(&mut rng, read as usize, amount).into_vec();
            numbers.sort_unstable();
            let mut numbers = numbers.into_iter().map(|number| number as u64).peekable();
            let mut before = 0;
            for (survey, chosen) in surveys.iter().zip(&mut chosen) {
                let behind = before + count(survey);
                while let Some(number) = numbers.next_if(|&number| number < behind) {
                    let found = survey.as_ref();
                    chosen.extend(found.and_then(|survey| survey.damage(kind, number - before)));
                }
                before = behind;
            }
        }
        chosen
    }

    /// What comes of this damage to one crash state; none of each that there was no time for.
    fn judge(
        &self,
        recording: &Recording<'_>,
        candidate: &Candidate,
        damages: &[Damage],
    ) -> Vec<(Damage, Option<Outcome>)> {
        let mut bench = None;
        damages
            .iter()
            .map(|&damage| {
                if self.is_cancelled() {
                    return (damage, None);
                }
                let new = || Bench::new(self.subject, recording, candidate, self.budget);
                let Some(bench) = bench.get_or_insert_with(new) else {
                    return (damage, None);
                };
                let state = DecayState {
                    state: candidate.state.clone(),
                    damage,
                };
                let place = format!("crash state {state}");
                let _noted = self
                    .inflight
                    .map(|inflight| inflight.note(self.workload.name(), &place));
                let outcome = bench.judge(damage);
                if let Some(progress) = self.progress {
                    progress.parts_are_done(1);
                }
                (damage, Some(outcome))
            })
            .collect()
    }

    fn is_cancelled(&self) -> bool {
        self.cancel
            .is_some_and(|cancel| cancel.load(Ordering::Relaxed))
    }
}
