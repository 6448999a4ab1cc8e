//! Power-loss tests of an engine as part of its own `cargo test`.
//!
//! [`check`] sweeps a store through its crash states and panics where it does not keep a promise, with what was lost, when
//! the power went, and how to see it again:
//!
//! ```should_panic
//! use cutpoint::subject::{KeyValueStore, KeyValueSubject, KeyValues, SubjectError};
//! use cutpoint_engine::device::Geometry;
//! # use cutpoint::files::File;
//! # struct Unsynced(File);
//! # impl KeyValueStore for Unsynced {
//! #     fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), SubjectError> {
//! #         let mut entries = self.entries()?;
//! #         entries.retain(|(old, _)| old != key);
//! #         entries.push((key.into(), value.into()));
//! #         self.write(&entries)
//! #     }
//! #     fn remove(&mut self, key: &[u8]) -> Result<(), SubjectError> {
//! #         let mut entries = self.entries()?;
//! #         entries.retain(|(old, _)| old != key);
//! #         self.write(&entries)
//! #     }
//! #     fn entries(&mut self) -> Result<KeyValues, SubjectError> {
//! #         let mut text = vec![0; self.0.len()? as usize];
//! #         self.0.read(0, &mut text)?;
//! #         match text.as_slice() {
//! #             [] => Ok(Vec::new()),
//! #             text => serde_json::from_slice(text).map_err(|error| SubjectError::Corrupt(error.to_string())),
//! #         }
//! #     }
//! # }
//! # impl Unsynced {
//! #     fn write(&mut self, entries: &[(Vec<u8>, Vec<u8>)]) -> Result<(), SubjectError> {
//! #         let text = serde_json::to_vec(entries).map_err(|error| SubjectError::Other(error.to_string()))?;
//! #         self.0.set_len(0)?;
//! #         Ok(self.0.write(0, &text)?)
//! #     }
//! # }
//!
//! // In a test, below #[test]:
//! let subject = KeyValueSubject::on_file("json-file", |file| Ok(Unsynced(file)));
//! let disk = Geometry::new(4096, 64)?.with_prog_size(512)?;
//! cutpoint::check(&subject, disk).run();
//! # Ok::<(), cutpoint_engine::device::GeometryError>(())
//! ```
//!
//! # Seeing it again
//!
//! A failure names each crash state in a command, such as `CUTPOINT_REPLAY='overwrite prefix 17' cargo test NAME`: with this
//! variable set, [`Check::run`] recovers from that state alone and shows it in full.

mod text;

use crate::audit::Audit;
use crate::contract::{self, Contract};
use crate::crash::CrashState;
use crate::explore::{Replay, ReplayError, Sweep, SweepReport};
use crate::report::audit::AuditSummary;
use crate::report::replay::ReplayText;
use crate::subject::Subject;
use crate::verdict::Verdict;
use crate::workload::Workload;
use crate::workload::key_value::key_values;
use cutpoint_engine::device::Geometry;
use std::env;
use thiserror::Error;

/// The environment variable that names a crash state for [`Check::run`] to show: a workload, a contract and the state's
/// id, with blanks between.
pub const REPLAY_VARIABLE: &str = "CUTPOINT_REPLAY";

/// A test of `subject` on a device of these sizes, with workloads of plain keys and values and the contracts that most
/// devices of its medium keep, until [`Check`] is told otherwise. See the [module](mod@self) for an example.
pub fn check(subject: &dyn Subject, geometry: Geometry) -> Check<'_> {
    Check {
        subject,
        geometry,
        workloads: Vec::new(),
        contracts: subject.medium().contracts().to_vec(),
        cuts: 1,
        bound: None,
    }
}

/// A test to be: what is swept, and under which contracts. Made by [`check`].
#[derive(Clone)]
#[must_use = "nothing is checked before `run`"]
pub struct Check<'a> {
    subject: &'a dyn Subject,
    geometry: Geometry,
    workloads: Vec<Workload>,
    contracts: Vec<&'static Contract>,
    cuts: u32,
    bound: Option<(u64, u64)>,
}

impl std::fmt::Debug for Check<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check")
            .field("subject", &self.subject.name())
            .field("workloads", &self.workloads)
            .finish_non_exhaustive()
    }
}

impl Check<'_> {
    /// The same, with this workload: in the place of those of plain keys and values, or beside others given so. It has its
    /// own geometry.
    pub fn workload(mut self, workload: Workload) -> Self {
        self.workloads.push(workload);
        self
    }

    /// The same, under these contracts instead.
    pub fn under(self, contracts: &[&'static Contract]) -> Self {
        Self {
            contracts: contracts.to_vec(),
            ..self
        }
    }

    /// The same, with so many power cuts one after the other, each but the first in the recovery from the one before; 1
    /// unless set.
    pub fn cuts(self, cuts: u32) -> Self {
        Self { cuts, ..self }
    }

    /// The same, with at most so many recoveries for the writes between two syncs; past that, crash states are chosen at
    /// random from `seed`.
    pub fn with_bound(self, recoveries: u64, seed: u64) -> Self {
        Self {
            bound: Some((recoveries, seed)),
            ..self
        }
    }

    /// Sweeps each workload under each contract. Uses the threads of the rayon pool that it is run in; what it finds is the
    /// same with any number.
    pub fn outcome(&self) -> Outcome {
        let mut sweeps = Vec::new();
        let mut first_in_full = None;
        for workload in self.workloads() {
            for &contract in &self.contracts {
                let workload = workload.clone().on(contract);
                let sweep = self.sweep(&workload, contract);
                let report = sweep.run();
                if first_in_full.is_none()
                    && let Some(found) = report.first_violation()
                    && let crate::explore::Place::State(state) = &found.place
                    && let Ok(replay) = sweep.replay(state)
                {
                    first_in_full = Some(self.in_full(&replay));
                }
                sweeps.push(report);
            }
        }
        Outcome {
            subject: self.subject.full_name(),
            sweeps,
            first_in_full,
        }
    }

    /// What each sync of each workload is needed for, under those of the contracts that heed syncs.
    pub fn audits(&self) -> AuditSummary {
        let mut audits = AuditSummary::default();
        for workload in self.workloads() {
            for &contract in &self.contracts {
                let workload = workload.clone().on(contract);
                if let Ok(audit) = Audit::of(self.sweep(&workload, contract)) {
                    audits.push(audit.run());
                }
            }
        }
        audits
    }

    /// Sweeps each workload under each contract; to be called in a test.
    ///
    /// Where [`REPLAY_VARIABLE`] is set, it recovers from that one crash state only, and prints all about it.
    ///
    /// # Panics
    ///
    /// Where the store does not keep a promise: the message says which, what was lost and when the power went, and names
    /// the command that shows it again. So it does where the variable names no crash state of the test.
    #[track_caller]
    pub fn run(&self) {
        let Ok(named) = env::var(REPLAY_VARIABLE) else {
            let outcome = self.outcome();
            assert!(outcome.is_clean(), "\n{outcome}");
            return;
        };
        match self.replay(&named) {
            Ok(Replayed { text, clean: true }) => println!("{text}"),
            Ok(Replayed { text, clean: false }) => panic!("\n{text}"),
            Err(error) => panic!("{REPLAY_VARIABLE}='{named}': {error}"),
        }
    }

    /// Recovers from one crash state, named by workload, contract and id as in [`REPLAY_VARIABLE`].
    ///
    /// # Errors
    ///
    /// [`NamedStateError`] where the test has no such state.
    pub fn replay(&self, named: &str) -> Result<Replayed, NamedStateError> {
        let mut parts = named.rsplitn(3, ' ');
        let (Some(state), Some(contract), Some(name)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(NamedStateError::Form);
        };
        let state: CrashState = state.parse().map_err(|_| NamedStateError::Form)?;
        let contract = contract::by_name(contract)
            .ok_or_else(|| NamedStateError::Contract(contract.to_owned()))?;
        let workloads = self.workloads();
        let workload = workloads
            .into_iter()
            .find(|workload| workload.name() == name)
            .ok_or_else(|| NamedStateError::Workload(name.to_owned()))?
            .on(contract);
        let replay = self.sweep(&workload, contract).replay(&state)?;
        Ok(Replayed {
            text: self.in_full(&replay),
            clean: replay.recovery.verdict == Verdict::Clean,
        })
    }

    fn workloads(&self) -> Vec<Workload> {
        if self.workloads.is_empty() {
            key_values(self.geometry)
        } else {
            self.workloads.clone()
        }
    }

    fn sweep<'s>(&'s self, workload: &'s Workload, contract: &'static Contract) -> Sweep<'s> {
        let sweep = Sweep::new(self.subject, workload)
            .under(contract)
            .with_depth(self.cuts);
        match self.bound {
            Some((recoveries, seed)) => sweep.with_bound(recoveries, seed),
            None => sweep,
        }
    }

    fn in_full(&self, replay: &Replay<'_>) -> String {
        ReplayText::new(replay, &self.subject.full_name()).to_string()
    }
}

/// What came of a [`Check`]. Prints as what a person needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    subject: String,
    sweeps: Vec<SweepReport>,
    first_in_full: Option<String>,
}

impl Outcome {
    /// Whether the store kept its promises on every crash state.
    pub fn is_clean(&self) -> bool {
        self.sweeps.iter().all(|sweep| sweep.violation_count() == 0)
    }

    /// The sweeps, in order: by workload, and for each of these by contract.
    pub fn sweeps(&self) -> &[SweepReport] {
        &self.sweeps
    }
}

/// One crash state of a [`Check`], recovered from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// All about it.
    pub text: String,
    /// Whether the store kept its promises on it.
    pub clean: bool,
}

/// A name of a crash state that a test does not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NamedStateError {
    /// It is no workload, contract and state.
    #[error("a workload, a contract and a state's id are needed, as in 'overwrite prefix 17'")]
    Form,
    /// The test has no workload of that name.
    #[error("the test has no workload {0}")]
    Workload(String),
    /// There is no contract of that name.
    #[error("there is no contract {0}")]
    Contract(String),
    /// The workload has no such state.
    #[error(transparent)]
    State(#[from] ReplayError),
}

#[cfg(test)]
mod tests;
