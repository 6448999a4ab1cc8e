//! Campaigns: random workloads, each explored under a crash model of its own, for as long as there is time.
//!
//! Entry `n` of a campaign is a function of its seed and of `n` alone: which workload, and under which of the crash models.
//! So a campaign can be shared out, cut off and gone on with, and always comes to the same.
//!
//! What is found is told apart by its cause; the first witness of each is made small and kept as a case.

use crate::case::CrashModel;
use crate::contract;
use crate::coverage::Tally;
use crate::explore::Sweep;
use crate::generate::Number;
use crate::inflight::Inflight;
use crate::run::{Entry, Finding, Minimal, RunError, Shard, Totals, Writer};
use crate::shrink::{Shrink, Witness};
use crate::subject::Subject;
use crate::workload::Workload;
use rayon::prelude::*;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How many workloads are explored at a time, before their results are written and made durable: few enough that their
/// reports take little memory, and many enough to keep many threads busy.
const BATCH: usize = 64;

/// Makes a subject ready for a workload.
pub type MakeSubject<'a> = dyn Fn(&Workload) -> Box<dyn Subject> + Sync + 'a;

/// A campaign.
///
/// ```
/// use cutpoint::campaign::Campaign;
/// use cutpoint::case::CrashModel;
/// use cutpoint::contract;
/// use cutpoint::run::{Shard, Totals};
/// use cutpoint::subjects::EngineSubject;
///
/// let models = [CrashModel::of(&contract::PREFIX), CrashModel::of(&contract::TORN)];
/// let campaign = Campaign::new(&|workload| Box::new(EngineSubject::for_workload(workload)), &models, 7);
/// let mut totals = Totals::default();
/// for index in 0..4 {
///     totals.add(&campaign.explore(index).expect("nobody cancels it"));
/// }
/// assert_eq!((totals.entries, totals.violations), (4, 0));
/// ```
#[derive(Clone, Copy)]
pub struct Campaign<'a> {
    subject: &'a MakeSubject<'a>,
    peer: Option<&'a MakeSubject<'a>>,
    models: &'a [CrashModel],
    seed: u64,
    bound: u64,
    cancel: Option<&'a AtomicBool>,
    inflight: Option<&'a Inflight>,
    progress: Option<&'a CampaignProgress>,
}

/// How far a campaign is, to be read from another thread.
#[derive(Debug, Default)]
pub struct CampaignProgress {
    workloads: AtomicU64,
    recoveries: AtomicU64,
    pairs: AtomicU64,
    causes: AtomicU64,
}

impl CampaignProgress {
    /// That of a run that has got as far as `totals`, before it goes on.
    pub fn of(totals: &Totals) -> Self {
        let progress = Self::default();
        progress.show(totals);
        progress
    }

    /// How many workloads are finished.
    pub fn workloads(&self) -> u64 {
        self.workloads.load(Ordering::Relaxed)
    }

    /// How many recoveries have been run for them.
    pub fn recoveries(&self) -> u64 {
        self.recoveries.load(Ordering::Relaxed)
    }

    /// How many pairs of operation and phase a cut has fallen inside of.
    pub fn pairs(&self) -> u64 {
        self.pairs.load(Ordering::Relaxed)
    }

    /// How many causes of violations have come up.
    pub fn causes(&self) -> u64 {
        self.causes.load(Ordering::Relaxed)
    }

    fn show(&self, totals: &Totals) {
        let Tally { seen, .. } = totals.coverage.phases_cut();
        self.workloads.store(totals.entries, Ordering::Relaxed);
        let recoveries = totals.recoveries + totals.sampled;
        self.recoveries.store(recoveries, Ordering::Relaxed);
        self.pairs.store(seen, Ordering::Relaxed);
        self.causes
            .store(totals.causes.len() as u64, Ordering::Relaxed);
    }
}

impl fmt::Debug for Campaign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Campaign")
            .field("models", &self.models)
            .field("seed", &self.seed)
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}

impl<'a> Campaign<'a> {
    /// What a campaign explores where nothing is said: the crash models, and the kinds of devices on which a store can
    /// promise something.
    pub fn default_models() -> Vec<CrashModel> {
        let of_devices = contract::ALL.into_iter().filter(|&contract| {
            *contract != contract::SD_NO_FLUSH && *contract != contract::EMMC_UNTOLD
        });
        let mut models: Vec<CrashModel> = of_devices.map(CrashModel::of).collect();
        models.push(CrashModel::NESTED);
        models
    }

    /// The campaign with this seed, under these crash models, each as often as the others.
    ///
    /// # Panics
    ///
    /// Where there are no models.
    pub fn new(subject: &'a MakeSubject<'a>, models: &'a [CrashModel], seed: u64) -> Self {
        assert!(!models.is_empty(), "a campaign explores some crash states");
        Self {
            subject,
            peer: None,
            models,
            seed,
            bound: Self::BOUND,
            cancel: None,
            inflight: None,
            progress: None,
        }
    }

    /// The most recoveries for an epoch, where nothing else is said.
    pub const BOUND: u64 = 1_000;

    /// The same, beside a peer, where cuts do not follow on cuts.
    #[must_use]
    pub fn with_peer(self, peer: Option<&'a MakeSubject<'a>>) -> Self {
        Self { peer, ..self }
    }

    /// The same, with at most so many recoveries for an epoch.
    #[must_use]
    pub fn with_bound(self, recoveries: u64) -> Self {
        Self {
            bound: recoveries,
            ..self
        }
    }

    /// The same, stopping early once `cancel` is true. What is not finished then is not part of the run.
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

    /// The same, counting in `progress`.
    #[must_use]
    pub fn with_progress(self, progress: &'a CampaignProgress) -> Self {
        Self {
            progress: Some(progress),
            ..self
        }
    }

    /// The entry with this index: its workload, and the crash model that it is explored under.
    pub fn experiment(&self, index: u64) -> (Workload, CrashModel) {
        let number = Number {
            seed: self.seed,
            index,
        };
        // Not in turn: a shard would have some models alone.
        let hash = xxh3_64_with_seed(&index.to_le_bytes(), self.seed);
        let model = self.models[(hash % self.models.len() as u64) as usize];
        (number.workload().on(model.contract), model)
    }

    /// Explores the entry with this index; none where it was cancelled before its end.
    pub fn explore(&self, index: u64) -> Option<Entry> {
        if self.is_cancelled() {
            return None;
        }
        let (workload, model) = self.experiment(index);
        let parties = self.parties(&workload, model);
        let sweep = self.sweep(&parties, &workload, model);
        let report = sweep.run();
        if self.is_cancelled() {
            return None;
        }
        Some(Entry {
            index,
            findings: Finding::all(&sweep, &report),
            report,
        })
    }

    /// Explores entries of the shard, from where `writer` is, up to `count` of the whole where it is known; until all are
    /// done or it is cancelled. Returns whether all are done.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn run(
        &self,
        writer: &mut Writer,
        shard: Shard,
        count: Option<u64>,
    ) -> Result<bool, RunError> {
        let end = count.unwrap_or(u64::MAX);
        let mut next = shard.first_from(writer.last_index().map_or(0, |last| last + 1));
        self.show(writer);
        while next < end {
            let indices = (next..end).step_by(shard.of() as usize).take(BATCH);
            let indices: Vec<u64> = indices.collect();
            let entries: Vec<Option<Entry>> = indices
                .into_par_iter()
                .map(|index| self.explore(index))
                .collect();
            for entry in entries {
                // Those behind one that is missing are explored again by whoever goes on.
                let Some(mut entry) = entry else {
                    writer.sync()?;
                    return Ok(false);
                };
                next = entry.index.saturating_add(u64::from(shard.of()));
                self.make_small(&mut entry, writer.totals());
                writer.push(entry)?;
                self.show(writer);
            }
            writer.sync()?;
        }
        Ok(true)
    }

    /// Makes witnesses small of causes that have not come up yet.
    fn make_small(&self, entry: &mut Entry, totals: &Totals) {
        if entry.findings.is_empty() {
            return;
        }
        let index = entry.index;
        let (workload, model) = self.experiment(index);
        let parties = self.parties(&workload, model);
        let seed = self.seed;
        let origin = format!(
            "Found by a campaign in its workload {index} under the seed {seed}, and made small."
        );
        entry.make_small(totals, |found| {
            let witness = Witness {
                workload: workload.clone(),
                contract: model.contract,
                found: found.clone(),
            };
            let subject = &*parties.subject;
            let shrink = Shrink::new(subject, witness).with_peer(parties.peer.as_deref());
            Minimal::of(&shrink.run().ok()?, subject, &origin)
        });
    }

    fn parties(&self, workload: &Workload, model: CrashModel) -> Parties {
        let peer = self.peer.filter(|_| model.depth == 1);
        Parties {
            subject: (self.subject)(workload),
            peer: peer.map(|peer| peer(workload)),
        }
    }

    fn sweep<'s>(
        &self,
        parties: &'s Parties,
        workload: &'s Workload,
        model: CrashModel,
    ) -> Sweep<'s>
    where
        'a: 's,
    {
        let mut sweep = Sweep::new(&*parties.subject, workload)
            .under(model.contract)
            .with_depth(model.depth)
            .with_bound(self.bound, self.seed);
        if let Some(peer) = &parties.peer {
            sweep = sweep.with_peer(&**peer);
        }
        if let Some(cancel) = self.cancel {
            sweep = sweep.with_cancel(cancel);
        }
        if let Some(inflight) = self.inflight {
            sweep = sweep.with_inflight(inflight);
        }
        sweep
    }

    fn is_cancelled(&self) -> bool {
        self.cancel
            .is_some_and(|cancel| cancel.load(Ordering::Relaxed))
    }

    fn show(&self, writer: &Writer) {
        if let Some(progress) = self.progress {
            progress.show(writer.totals());
        }
    }
}

/// Who takes part in an entry.
struct Parties {
    subject: Box<dyn Subject>,
    peer: Option<Box<dyn Subject>>,
}
