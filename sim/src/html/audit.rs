//! What each sync is needed for, as a table.

use crate::audit::{AuditReport, Bound, Need, SyncVerdict};
use crate::explore::{Found, Place};
use crate::report::audit::RemedyText;
use serde::Serialize;

/// How many syncs of a workload are listed.
const SYNCS: usize = 2000;

/// The syncs of a workload.
#[derive(Debug, Serialize)]
pub(super) struct AuditTable {
    workload: String,
    contract: String,
    ordering: u64,
    durability: u64,
    not_observable: u64,
    unknown: u64,
    rows: Vec<Row>,
    /// How many syncs are not listed.
    more: usize,
    remedies: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    number: u32,
    place: String,
    step: Option<String>,
    need: &'static str,
    /// `ordering`, `durability`, `unseen` or `found`.
    class: &'static str,
    witness: Option<String>,
    command: Option<String>,
}

impl AuditTable {
    pub(super) fn of(report: &AuditReport, again: &dyn Fn(&Place) -> String) -> Self {
        let needs = report.needs();
        let sweep = &report.sweep;
        let remedies = report.remedies.iter().map(|remedy| {
            RemedyText::new(remedy, &sweep.subject, &sweep.workload, &sweep.contract).to_string()
        });
        Self {
            workload: sweep.workload.clone(),
            contract: sweep.contract.clone(),
            ordering: needs.ordering,
            durability: needs.durability,
            not_observable: needs.not_observable + needs.bounded,
            unknown: needs.unknown,
            rows: report
                .syncs
                .iter()
                .take(SYNCS)
                .map(|sync| Row::of(sync, again))
                .collect(),
            more: report.syncs.len().saturating_sub(SYNCS),
            remedies: remedies.collect(),
        }
    }
}

impl Row {
    fn of(verdict: &SyncVerdict, again: &dyn Fn(&Place) -> String) -> Self {
        let SyncVerdict {
            sync, step, need, ..
        } = verdict;
        let (name, class, witness): (_, _, Option<&Found>) = match need {
            Need::Ordering(found) => ("needed for ordering", "ordering", Some(found)),
            Need::Durability(found) => ("needed for durability", "durability", Some(found)),
            Need::NotObservable(Bound::NothingPending) => {
                ("nothing to do: nothing was written", "unseen", None)
            }
            Need::NotObservable(Bound::Covered) => ("not observable", "unseen", None),
            Need::NotObservable(Bound::Reached) => {
                ("not observable up to the bound", "unseen", None)
            }
            Need::NotDeterministic(found) => ("not deterministic", "found", Some(found)),
            Need::Unfinished => ("cut short", "unseen", None),
        };
        Self {
            number: sync.number,
            place: match sync.writes.checked_sub(1) {
                Some(write) => format!("behind write {write}"),
                None => "before any write".to_owned(),
            },
            step: step.clone(),
            need: name,
            class,
            witness: witness.map(|found| found.violation.to_string()),
            command: witness
                .map(|found| format!("{} --without-sync {}", again(&found.place), sync.number)),
        }
    }
}
