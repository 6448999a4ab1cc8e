//! What a sweep is told.

use super::{Progress, Sweep};
use crate::contract::{self, Contract};
use crate::inflight::Inflight;
use crate::judge::Aftermath;
use crate::session::default_budget;
use crate::subject::Subject;
use crate::trace::Syncs;
use crate::workload::Workload;
use std::sync::atomic::AtomicBool;

/// Recoveries for an epoch, unless a sweep says otherwise.
const RECOVERIES_PER_EPOCH: u64 = 20_000;

/// Bytes of memory for recoveries that are remembered, unless a sweep says otherwise.
const MEMORY: u64 = 1 << 30;

impl<'a> Sweep<'a> {
    /// A sweep of `workload` on `subject`.
    pub fn new(subject: &'a dyn Subject, workload: &'a Workload) -> Self {
        Self {
            subject,
            peer: None,
            workload,
            contract: &contract::PREFIX,
            depth: 1,
            syncs: Syncs::AsIssued,
            aftermath: Aftermath::Changes,
            budget: default_budget(workload.geometry()),
            bound: RECOVERIES_PER_EPOCH,
            seed: 0,
            from_step: 0,
            memory: MEMORY,
            progress: None,
            cancel: None,
            inflight: None,
        }
    }

    /// The same, beside a peer: a second implementation that must see on each crash state what the subject sees. It looks
    /// at a copy, through the same view, so that crash states are told apart by what it reads, too; then each of the two
    /// changes its own, and the other must see that. It must find all attributes that the workload, its start and the
    /// subject set. Where several cuts follow on each other ([`with_depth`](Self::with_depth)), it has no say.
    #[must_use]
    pub fn with_peer(self, peer: &'a dyn Subject) -> Self {
        Self {
            peer: Some(peer),
            ..self
        }
    }

    /// The same, for the crash states that this contract allows.
    #[must_use]
    pub fn under(self, contract: &'static Contract) -> Self {
        Self { contract, ..self }
    }

    /// The same, with `cuts` power cuts one after the other: each but the first falls into the recovery from the one
    /// before, which goes from the mount to the end of what is done to see whether the store works. 1 where nothing is
    /// said.
    #[must_use]
    pub fn with_depth(self, cuts: u32) -> Self {
        Self {
            depth: cuts,
            ..self
        }
    }

    /// The same, for the crash states that there would be, had the subject made these syncs. Under a contract that keeps
    /// all writes in order that makes no difference.
    #[must_use]
    pub fn with_syncs(self, syncs: Syncs) -> Self {
        Self { syncs, ..self }
    }

    /// The same, for the crash states alone that a cut in or behind the step with this index leaves, and others of the
    /// same epoch. The states of the report are those of all steps all the same, so that it is not complete.
    #[must_use]
    pub fn from_step(self, index: u32) -> Self {
        Self {
            from_step: index,
            ..self
        }
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

    /// The same, with room for about so many bytes of recoveries that are remembered, of which 1 GiB is the default. Where
    /// cuts follow on cuts, many lead to the same bytes, and a recovery from the same bytes is not run again. Once there is
    /// no more room, it is; with none at all, each is run.
    #[must_use]
    pub fn with_memory(self, bytes: u64) -> Self {
        Self {
            memory: bytes,
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
}
