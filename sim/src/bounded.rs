//! All crash states of all sequences in bounds, judged in parallel.
//!
//! # What is judged where
//!
//! Sequences that begin alike write alike, as far as they do: a crash state that lies inside an earlier operation, or at
//! its end, is one of the sequence that ends there, and is judged with that one. So a sequence adds the crash states in
//! which a write of its last operation has reached the medium, and those of all sequences together are covered exactly,
//! each once. Where the last operation returns without a write, and what it has changed is owed from then on, the state
//! before it counts once more: the same image is held to something else.
//!
//! # Why every sequence is run from the format on
//!
//! It could start from the image that the sequence before its last operation left. That would be another experiment: a
//! store which is mounted there has forgotten what it had in memory (where to allocate next, its index of names, what
//! waits for a repair), and every sequence would be one with a remount before its last operation. Errors of that memory
//! are what sequences are for, and remounting is an operation of its own. A run of few operations costs no more than the
//! recoveries from the states that it adds; so it is run again.

mod report;

pub use report::{LengthReport, SequenceGroup, SequenceWitness};

use crate::crash::Candidate;
use crate::explore::{Found, Place};
use crate::inflight::{Inflight, Note};
use crate::judge::judge;
use crate::op::Operation;
use crate::record::Recording;
use crate::session::default_budget;
use crate::subject::{Durability, Subject};
use crate::trace::Event;
use crate::workload::bounded::{Beginning, Length, Sequences};
use crate::workload::{Step, Workload};
use rayon::prelude::*;
use report::Tally;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A sweep over all sequences of one length.
///
/// The sequences are shared out over the threads of the rayon pool it is run in. The report is the same for any number
/// of threads.
///
/// ```
/// use cutpoint::bounded::BoundedSweep;
/// use cutpoint::subjects::EngineSubject;
/// use cutpoint::workload::bounded::{Length, Sequences};
///
/// let subject = EngineSubject::default();
/// let sequences = Sequences::new();
/// let sweep = BoundedSweep::new(&subject, &sequences);
/// for length in "1".parse::<Length>()?.up_to() {
///     let report = sweep.run(length);
///     assert!(report.is_complete());
///     assert_eq!(report.violation_count(), 0);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct BoundedSweep<'a> {
    subject: &'a dyn Subject,
    sequences: &'a Sequences,
    budget: u64,
    progress: Option<&'a SequenceProgress>,
    cancel: Option<&'a AtomicBool>,
    inflight: Option<&'a Inflight>,
}

/// How far a sweep over sequences is, to be read from another thread.
#[derive(Debug, Default)]
pub struct SequenceProgress {
    sequences: AtomicU64,
    done: AtomicU64,
}

impl SequenceProgress {
    /// How many sequences there are. Sweeps that share one add up.
    pub fn sequences(&self) -> u64 {
        self.sequences.load(Ordering::Relaxed)
    }

    /// How many of them are done or were left out.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for BoundedSweep<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BoundedSweep")
            .field("subject", &self.subject.name())
            .field("geometry", &self.sequences.geometry())
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

impl<'a> BoundedSweep<'a> {
    /// A sweep over these sequences on `subject`.
    pub fn new(subject: &'a dyn Subject, sequences: &'a Sequences) -> Self {
        Self {
            subject,
            sequences,
            budget: default_budget(sequences.geometry()),
            progress: None,
            cancel: None,
            inflight: None,
        }
    }

    /// The same, with `calls` device calls for each call on the subject. The default is [`default_budget`].
    #[must_use]
    pub fn with_budget(self, calls: u64) -> Self {
        Self {
            budget: calls,
            ..self
        }
    }

    /// The same, counting in `progress`.
    #[must_use]
    pub fn with_progress(self, progress: &'a SequenceProgress) -> Self {
        Self {
            progress: Some(progress),
            ..self
        }
    }

    /// The same, stopping early once `cancel` is true: the report then holds the sequences that were finished.
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

    /// Runs it over all sequences of this length. For all up to a length, run it for each.
    pub fn run(&self, length: Length) -> LengthReport {
        if let Some(progress) = self.progress {
            let count = self.sequences.count(length);
            progress.sequences.fetch_add(count, Ordering::Relaxed);
        }
        let tally = match length.shorter() {
            None => self.explore(0, Tally::default()),
            // Tallies are joined in the order of their sequences, whatever the threads did.
            Some(shorter) => self
                .sequences
                .numbers(shorter)
                .into_par_iter()
                .fold(Tally::default, |tally, beginning| {
                    self.explore_below(beginning, tally)
                })
                .reduce(Tally::default, Tally::join),
        };
        let count = self.sequences.count(length);
        tally.into_report(self.subject, self.sequences.geometry(), length, count)
    }

    /// Explores the sequences that are longer by one operation than the one with the number `beginning`.
    fn explore_below(&self, beginning: u64, mut tally: Tally) -> Tally {
        if self.is_cancelled() {
            return tally;
        }
        let operations = self.sequences.nth(beginning).unwrap_or_default();
        let model = Beginning::new(&operations);
        if model.leaves_out_all() {
            let count = self.sequences.alphabet().len() as u64;
            tally.left_out += count;
            self.advance(count);
            return tally;
        }
        for (number, last) in self.sequences.below(beginning) {
            if model.leaves_out(last) {
                tally.left_out += 1;
                self.advance(1);
            } else {
                tally = self.explore(number, tally);
            }
        }
        tally
    }

    fn explore(&self, number: u64, mut tally: Tally) -> Tally {
        if self.is_cancelled() {
            return tally;
        }
        if let Some(workload) = self.sequences.workload(number) {
            self.judge_all(number, &workload, &mut tally);
            self.advance(1);
        }
        tally
    }

    fn is_cancelled(&self) -> bool {
        self.cancel
            .is_some_and(|cancel| cancel.load(Ordering::Relaxed))
    }

    fn advance(&self, sequences: u64) {
        if let Some(progress) = self.progress {
            progress.done.fetch_add(sequences, Ordering::Relaxed);
        }
    }

    /// Records the sequence and judges the crash states that it adds.
    fn judge_all(&self, number: u64, workload: &Workload, tally: &mut Tally) {
        let last = workload.operations().len() as u32;
        let recording = {
            let _noted = self.note(workload, &Place::Recording { step: None });
            Recording::of(self.subject, workload, self.budget)
        };
        let recording = match recording {
            Ok(recording) => recording,
            // The sequence that ends there has reported it.
            Err(live) if live.step.is_some_and(|step| step < last) => {
                tally.barred += 1;
                return;
            }
            Err(live) => {
                tally.explored += 1;
                let step = live.step.and_then(|step| step_text(workload, step));
                let place = Place::Recording { step: live.step };
                let violation = live.violation;
                tally.add(
                    number,
                    workload,
                    Found {
                        place,
                        step,
                        violation,
                    },
                );
                return;
            }
        };
        tally.explored += 1;
        for candidate in added_states(&recording, last) {
            let _noted = self.note(workload, &Place::State(candidate.state.clone()));
            let recovery = judge(self.subject, &recording, &candidate, self.budget);
            tally.states += 1;
            tally.recoveries += 1;
            if let Some(violation) = recovery.verdict.violation() {
                let found = Found {
                    place: Place::State(candidate.state),
                    step: step_text(workload, candidate.outlook.step),
                    violation: violation.clone(),
                };
                tally.add(number, workload, found);
            }
        }
    }

    fn note(&self, workload: &Workload, place: &Place) -> Option<Note<'a>> {
        let inflight = self.inflight?;
        Some(inflight.note(workload.name(), &place.to_string()))
    }
}

fn step_text(workload: &Workload, step: u32) -> Option<String> {
    let step = workload.steps().nth(step as usize)?;
    Some(step.to_string())
}

/// The crash states that no shorter sequence has: those in which a write of step `last` or a later one has reached the
/// medium, and the one before it where the step owes something without a write.
fn added_states(recording: &Recording<'_>, last: u32) -> impl Iterator<Item = Candidate> {
    let events = recording.trace().events().iter();
    let before = events
        .take_while(|event| **event != Event::OperationStart(last))
        .filter(|event| event.written_block().is_some())
        .count();
    let is_silent = recording.trace().writes() as usize == before;
    let shared = match last {
        0 => 0,
        _ if is_silent && owes(recording, last) => before,
        _ => before + 1,
    };
    recording.candidates().into_iter().skip(shared)
}

/// Whether a power cut behind the return of step `last` is held to more than one before its call.
fn owes(recording: &Recording<'_>, last: u32) -> bool {
    match recording.promises().durability {
        Durability::OnReturn => {
            let newest = recording.versions().len() as u32 - 1;
            recording.history().version_before(last) < newest
        }
        Durability::OnSync => matches!(
            recording.step(last),
            Some(Step::Operation(Operation::Sync | Operation::Remount))
        ),
    }
}
