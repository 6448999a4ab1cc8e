//! Runs: the folder that a sweep or a campaign leaves, and what is read back from it.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `run.jsonl` | one JSON object a line: a [`Header`], an [`Entry`] for each finished workload, a [`Totals`] at the end |
//! | `summary.txt` | the summary for people |
//! | `cases/*.kdl` | the witnesses that were found, made small, one for each cause |
//! | `log.jsonl` | of a campaign, when it was how far, a [`LogLine`] each |
//!
//! Nothing in the files but the last hangs on time, on the number of threads, or on how the work was shared out: the same command
//! on the same version leaves the same bytes, and so do its shards once they have been merged.
//!
//! A line is an object with one member, whose name says what it is: `header`, `entry` or `totals`. Entries stand in the
//! order of their indices. A run that was brought down leaves a last line that is torn, or none; [`Reader`] leaves it
//! out, and [`Writer::resume`] cuts it off.

mod cause;
mod folder;
mod log;
mod merge;
mod minimal;
mod shard;

pub use cause::{Cause, Finding, Minimal};
pub use folder::{Reader, RunError, Writer};
pub use log::{Log, LogLine};
pub use merge::{MergeError, Parts};
pub use shard::{ParseShardError, Shard};

use crate::contract;
use crate::coverage::Coverage;
use crate::explore::{Count, Found, PeerName, Place, SweepReport};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

/// The version of the form of `run.jsonl`. It changes when a program that reads the file would have to.
pub const SCHEMA: u32 = 1;

/// A line of `run.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// The first.
    Header(Header),
    /// One for each finished workload.
    Entry(Box<Entry>),
    /// The last, in a run that has come to its end.
    Totals(Totals),
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The hash of the configuration, 32 hexadecimal digits. Only runs that have the same are parts of one whole.
    pub hash: String,
    /// What decides on each entry.
    pub configuration: Configuration,
    /// How many entries the whole has; none where it goes on for as long as there is time.
    pub count: Option<u64>,
    /// The part of the whole that this run is of; none where it is all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// What decides on each entry of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Where the workloads come from.
    pub command: Command,
    /// The version of this package.
    pub version: String,
    /// The subject's name.
    pub subject: String,
    /// Its name with its version.
    pub subject_version: String,
    /// The peer, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<PeerName>,
    /// The seed of what is random.
    pub seed: u64,
    /// The most recoveries for one epoch.
    pub max_states: u64,
    /// The crash models and contracts that are explored.
    pub models: Vec<Explored>,
    /// The names of the workloads of a sweep; those of a campaign are told by their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workloads: Vec<String>,
}

/// Where the workloads of a run come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// They were named.
    Sweep,
    /// They are random.
    Campaign,
}

/// Which crash states are explored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explored {
    /// The contract's name.
    pub contract: String,
    /// How many power cuts follow on each other.
    pub depth: u32,
}

impl Header {
    /// The header of a run of this configuration, of `count` entries where that is known, that is the `shard` of a whole.
    pub fn new(configuration: Configuration, count: Option<u64>, shard: Option<Shard>) -> Self {
        // Strings, numbers and lists always have a JSON form.
        let text = serde_json::to_vec(&configuration).unwrap_or_default();
        Self {
            schema: SCHEMA,
            hash: format!("{:032x}", xxh3_128(&text)),
            configuration,
            count,
            shard,
        }
    }
}

/// A finished workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the whole, from 0 on.
    pub index: u64,
    /// What was explored and found.
    pub report: SweepReport,
    /// What was found, by cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl Header {
    /// How many entries this run is to have, where that is known.
    pub fn share(&self) -> Option<u64> {
        let shard = self.shard.unwrap_or(Shard::WHOLE);
        let before = u64::from(shard.number() - 1);
        let of = u64::from(shard.of());
        Some(self.count?.saturating_sub(before).div_ceil(of))
    }
}

impl Entry {
    /// Has `make` make those witnesses small whose causes no entry before this one has.
    pub fn make_small(&mut self, before: &Totals, mut make: impl FnMut(&Found) -> Option<Minimal>) {
        for finding in &mut self.findings {
            let mut known = before.causes.iter();
            if known.all(|known| known.cause != finding.cause) {
                finding.minimal = make(&finding.found);
            }
        }
    }
}

/// The sums over the entries of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many entries there are.
    pub entries: u64,
    /// Operations.
    pub operations: u64,
    /// Erases and programs.
    pub writes: u64,
    /// Crash states.
    pub states: Count,
    /// Crash states that were covered exactly.
    pub covered: Count,
    /// Recoveries that were run for those.
    pub recoveries: u64,
    /// Crash states chosen at random, each with a recovery of its own.
    pub sampled: u64,
    /// Violations.
    pub violations: u64,
    /// What has been cut, lost, kept and torn.
    pub coverage: Coverage,
    /// By contract and depth: how many entries, recoveries and violations.
    pub models: Vec<ModelTotals>,
    /// What was found, by cause, in the order in which the causes came up.
    pub causes: Vec<CauseTotals>,
}

/// The sums over the entries under one contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelTotals {
    /// The contract's name.
    pub contract: String,
    /// How many power cuts follow on each other.
    pub depth: u32,
    /// How many entries there are.
    pub entries: u64,
    /// Crash states.
    pub states: Count,
    /// Recoveries.
    pub recoveries: u64,
    /// Violations.
    pub violations: u64,
}

/// How often a cause has come up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseTotals {
    /// The cause.
    pub cause: Cause,
    /// In how many entries.
    pub entries: u64,
    /// The index of the first of these.
    pub first: u64,
    /// The name of its workload.
    pub workload: String,
    /// The contract that it was explored under.
    pub contract: String,
    /// Where it showed there.
    pub place: Place,
    /// The file in `cases` that shows it, where one was written. Several causes share one where the small cases that they
    /// led to have the same cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
}

impl Totals {
    /// Adds an entry. Entries come in the order of their indices.
    pub fn add(&mut self, entry: &Entry) {
        let report = &entry.report;
        self.entries += 1;
        self.operations += u64::from(report.operations);
        self.writes += u64::from(report.events.writes());
        self.states += &report.states;
        self.covered += &report.covered;
        self.recoveries += report.recoveries;
        self.sampled += report.sampled;
        self.violations += report.violation_count();
        self.coverage += &report.coverage;
        let model = self.model(&report.contract, report.depth);
        model.entries += 1;
        model.states += &report.states;
        model.recoveries += report.recoveries;
        model.violations += report.violation_count();
        for finding in &entry.findings {
            let known = self.causes.iter_mut();
            let known = known.into_iter().find(|known| known.cause == finding.cause);
            if let Some(known) = known {
                known.entries += 1;
                continue;
            }
            self.causes.push(CauseTotals {
                cause: finding.cause.clone(),
                entries: 1,
                first: entry.index,
                workload: report.workload.clone(),
                contract: report.contract.clone(),
                place: finding.found.place.clone(),
                case: finding
                    .minimal
                    .as_ref()
                    .map(|minimal| minimal.cause.file_name()),
            });
        }
    }

    fn model(&mut self, contract: &str, depth: u32) -> &mut ModelTotals {
        // In the order in which contracts are listed, whichever came first.
        let rank = |name: &str| {
            contract::ALL
                .iter()
                .position(|contract| contract.name == name)
        };
        let key = (rank(contract), contract, depth);
        let place = self.models.binary_search_by(|model| {
            let name = model.contract.as_str();
            (rank(name), name, model.depth).cmp(&key)
        });
        let place = place.unwrap_or_else(|place| {
            let new = ModelTotals {
                contract: contract.to_owned(),
                depth,
                entries: 0,
                states: Count::default(),
                recoveries: 0,
                violations: 0,
            };
            self.models.insert(place, new);
            place
        });
        &mut self.models[place]
    }
}
