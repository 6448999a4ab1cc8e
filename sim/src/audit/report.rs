use super::{Need, Remedy};
use crate::explore::SweepReport;
use crate::trace::SyncPoint;
use serde::Serialize;

/// What an audit found. Nothing in it hangs on time or on the number of threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// The sweep with all syncs.
    pub sweep: SweepReport,
    /// Each sync, in order; none where the sweep found a violation.
    pub syncs: Vec<SyncVerdict>,
    /// Where one more sync helps against the first violation of each kind.
    pub remedies: Vec<Remedy>,
}

/// What was found about a sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SyncVerdict {
    /// The sync.
    pub sync: SyncPoint,
    /// The step that issued it, as text; none between two steps.
    pub step: Option<String>,
    /// What it is needed for.
    pub need: Need,
    /// The recoveries that it took to say so.
    pub recoveries: u64,
}

/// How many syncs are needed for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// For ordering.
    pub ordering: u64,
    /// For durability.
    pub durability: u64,
    /// Not observable, all crash states covered.
    pub not_observable: u64,
    /// Not observed up to the bound.
    pub bounded: u64,
    /// Nothing is known, as the audit was cut short or the subject is not deterministic.
    pub unknown: u64,
}

impl AuditReport {
    pub(super) fn of(sweep: SweepReport) -> Self {
        Self {
            sweep,
            syncs: Vec::new(),
            remedies: Vec::new(),
        }
    }

    /// The syncs by what they are needed for.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        for verdict in &self.syncs {
            *match verdict.need {
                Need::Ordering(_) => &mut needs.ordering,
                Need::Durability(_) => &mut needs.durability,
                Need::NotObservable(super::Bound::Reached) => &mut needs.bounded,
                Need::NotObservable(_) => &mut needs.not_observable,
                Need::NotDeterministic(_) | Need::Unfinished => &mut needs.unknown,
            } += 1;
        }
        needs
    }

    /// All recoveries: those of the sweep and those without a sync.
    pub fn recoveries(&self) -> u64 {
        let without: u64 = self.syncs.iter().map(|verdict| verdict.recoveries).sum();
        self.sweep.recoveries + without
    }

    /// Whether a promise is broken with all syncs.
    pub fn has_violations(&self) -> bool {
        let is_other = |verdict: &SyncVerdict| matches!(verdict.need, Need::NotDeterministic(_));
        self.sweep.violation_count() > 0 || self.syncs.iter().any(is_other)
    }

    /// Whether it came to its end.
    pub fn is_finished(&self) -> bool {
        let is_unfinished = |verdict: &SyncVerdict| verdict.need == Need::Unfinished;
        self.has_violations() || self.sweep.is_finished() && !self.syncs.iter().any(is_unfinished)
    }
}
