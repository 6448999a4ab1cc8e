//! A case run as it says, and held against what it expects.

use super::{Case, CrashModel, Verdict};
use crate::explore::{Found, Place, Sweep, SweepReport};
use crate::subject::Subject;
use crate::verdict::ViolationKind;
use crate::workload::Workload;
use serde::Serialize;

/// Makes the subject of a name ready for a workload; none where there is no such subject.
pub type SubjectMaker<'a> = dyn Fn(&str, &Workload) -> Option<Box<dyn Subject>> + 'a;

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRun {
    /// What came of each exploration on each subject that the case expects something of, in the order of the case.
    pub outcomes: Vec<Outcome>,
    /// The subjects that were not at hand.
    pub left_out: Vec<String>,
}

/// What came of one exploration on one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The crash model.
    #[serde(serialize_with = "crate::as_text::serialize")]
    pub model: CrashModel,
    /// What should have come of it.
    #[serde(serialize_with = "crate::as_text::serialize")]
    pub expected: Verdict,
    /// What was explored and found.
    pub report: SweepReport,
}

impl Outcome {
    /// Whether it is what was expected: nothing found and nothing left out, or a violation of the kind among others.
    pub fn is_as_expected(&self) -> bool {
        match self.expected {
            Verdict::Clean => self.report.violations.is_empty() && self.report.is_finished(),
            Verdict::Refused => self.is_refused(),
            Verdict::Violation(kind) => self.witness(kind).is_some(),
        }
    }

    /// The first violation of this kind; none where there is none.
    pub fn witness(&self, kind: ViolationKind) -> Option<&Found> {
        let groups = &self.report.violations;
        let group = groups.iter().find(|group| group.kind == kind);
        group.and_then(|group| group.witnesses.first())
    }

    /// Whether the first mount returned an error.
    pub fn is_refused(&self) -> bool {
        let first = self.report.first_violation();
        first.is_some_and(|found| {
            let at_mount = found.place == Place::Recording { step: Some(0) };
            at_mount && found.violation.kind == ViolationKind::WrongResult
        })
    }

    /// Whether a violation showed without any power cut, so that no crash states were explored.
    pub fn is_live(&self) -> bool {
        let first = self.report.first_violation();
        first.is_some_and(|found| matches!(found.place, Place::Recording { .. }))
    }
}

impl CaseRun {
    /// Whether all is as expected.
    pub fn is_as_expected(&self) -> bool {
        self.outcomes.iter().all(Outcome::is_as_expected)
    }
}

impl Case {
    /// Runs the case under this name: each of its explorations on each subject that it expects something of. `subject`
    /// makes the subject of a name ready for the workload, where it can.
    ///
    /// ```
    /// use cutpoint::case::{Alone, Case};
    /// use cutpoint::subject::Subject;
    /// use cutpoint::subjects::EngineSubject;
    ///
    /// let case = Case::parse(
    ///     "title \"One key\"
    ///     origin \"An example.\"
    ///     device block-size=512 block-count=16
    ///     set \"/a\" \"one\"
    ///     explore prefix
    ///     expect engine clean",
    ///     &Alone,
    /// )?;
    /// let run = case.run("one-key", &|name, _| match name {
    ///     EngineSubject::NAME => Some(Box::new(EngineSubject::default()) as Box<dyn Subject>),
    ///     _ => None,
    /// });
    /// assert!(run.is_as_expected() && run.left_out.is_empty());
    /// # Ok::<(), cutpoint::case::CaseError>(())
    /// ```
    pub fn run(&self, name: &str, subject: &SubjectMaker<'_>) -> CaseRun {
        let workload = self.workload(name);
        let mut run = CaseRun {
            outcomes: Vec::new(),
            left_out: Vec::new(),
        };
        for subject_name in self.subjects() {
            let Some(subject) = subject(subject_name, &workload) else {
                run.left_out.push(subject_name.to_owned());
                continue;
            };
            for exploration in &self.explorations {
                let Some(&expected) = self.expected(subject_name, exploration.model) else {
                    continue;
                };
                let CrashModel { contract, depth } = exploration.model;
                let workload = workload.clone().on(contract);
                let mut sweep = Sweep::new(&*subject, &workload)
                    .under(contract)
                    .with_depth(depth);
                if let Some(max_states) = exploration.max_states {
                    sweep = sweep.with_bound(max_states, exploration.seed);
                }
                run.outcomes.push(Outcome {
                    model: exploration.model,
                    expected,
                    report: SweepReport {
                        subject: subject_name.to_owned(),
                        ..sweep.run()
                    },
                });
            }
        }
        run
    }

    /// The names of the subjects that it expects something of, each once.
    pub fn subjects(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for expectation in &self.expectations {
            if !names.contains(&expectation.subject.as_str()) {
                names.push(&expectation.subject);
            }
        }
        names
    }
}
