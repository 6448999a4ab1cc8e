use super::{Mutation, MutationKind, Reason};
use crate::explore::{Found, SweepReport};
use serde::Serialize;

/// What became of the mutants of a workload. Nothing in it hangs on time or on the number of threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MutantsReport {
    /// The workload's name.
    pub workload: String,
    /// The subject's name.
    pub subject: String,
    /// What the subject itself breaks without any mutation: then there are no mutants.
    pub broken: Option<Found>,
    /// The sweep of the subject itself came to its end.
    is_swept: bool,
    /// The mutants, in the order of [`Mutation::all`].
    pub mutants: Vec<Mutant>,
}

/// A mutant, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mutant {
    /// What was done to the run.
    pub mutation: Mutation,
    /// The step that it was done in, as text; none between two steps.
    pub step: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// The recoveries that it took to say so, each from one crash state or more; the last one, where it is killed, from one
    /// that kills it.
    pub recoveries: u64,
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A violation shows it.
    Killed {
        /// The contract that allows the state.
        contract: &'static str,
        /// The violation.
        found: Box<Found>,
    },
    /// No crash state shows it, as they are all covered, and it is known why.
    Equivalent(Reason),
    /// No crash state shows it, as they are all covered, and nobody knows why.
    Survived,
    /// It took too many recoveries.
    BoundReached,
    /// The work was cut short.
    Unfinished,
}

/// How many mutants there are of each outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    /// All mutants.
    pub made: u64,
    /// Those that a violation shows.
    pub killed: u64,
    /// Those that no crash state can show, for a reason that is known.
    pub equivalent: u64,
    /// Those that nothing shows: survived, given up at the bound, or unfinished.
    pub survived: u64,
    /// The recoveries that each of the killed took, ascending.
    #[serde(skip)]
    needed: Vec<u64>,
}

impl Score {
    /// The score of these mutants.
    pub fn of<'a>(mutants: impl IntoIterator<Item = &'a Mutant>) -> Self {
        let mut score = Self::default();
        for mutant in mutants {
            score.made += 1;
            match mutant.outcome {
                Outcome::Killed { .. } => {
                    score.killed += 1;
                    score.needed.push(mutant.recoveries);
                }
                Outcome::Equivalent(_) => score.equivalent += 1,
                Outcome::Survived | Outcome::BoundReached | Outcome::Unfinished => {
                    score.survived += 1;
                }
            }
        }
        score.needed.sort_unstable();
        score
    }

    /// The median of the recoveries that a killed mutant took, of an even number the lower one; none where none was killed.
    pub fn median(&self) -> Option<u64> {
        let last = self.needed.len().checked_sub(1)?;
        self.needed.get(last / 2).copied()
    }

    /// The most recoveries that a killed mutant took.
    pub fn most(&self) -> Option<u64> {
        self.needed.last().copied()
    }
}

impl MutantsReport {
    pub(super) fn of(sweep: &SweepReport) -> Self {
        Self {
            workload: sweep.workload.clone(),
            subject: sweep.subject.clone(),
            broken: sweep.first_violation().cloned(),
            is_swept: sweep.is_finished(),
            mutants: Vec::new(),
        }
    }

    /// The score of all mutants.
    pub fn score(&self) -> Score {
        Score::of(&self.mutants)
    }

    /// The mutants of a kind.
    pub fn of_kind(&self, kind: MutationKind) -> impl Iterator<Item = &Mutant> {
        let mutants = self.mutants.iter();
        mutants.filter(move |mutant| mutant.mutation.kind() == kind)
    }

    /// Whether all has been done.
    pub fn is_finished(&self) -> bool {
        let is_unfinished = |mutant: &Mutant| mutant.outcome == Outcome::Unfinished;
        self.broken.is_some() || self.is_swept && !self.mutants.iter().any(is_unfinished)
    }
}
