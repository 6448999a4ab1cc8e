//! The audit says of each sync what it is needed for, and of one that is missing where it belongs.

use cutpoint::audit::{Audit, AuditReport, Bound, Effect, Need, Needs, RemedyError};
use cutpoint::contract::{self, Contract};
use cutpoint::crash::CrashState;
use cutpoint::explore::{Found, Place, Progress, ReplayError, Sweep};
use cutpoint::op::{Operation, Value};
use cutpoint::refusal::Refusal;
use cutpoint::report::audit::AuditSummary;
use cutpoint::subject::{Contents, Device, Health, Mounted, Promises, Subject, SubjectError};
use cutpoint::trace::{NoSuchSync, Syncs};
use cutpoint::verdict::{Promise, Verdict};
use cutpoint::workload::Workload;
use cutpoint_engine::Key;
use cutpoint_engine::device::{BlockDevice, BlockId, Geometry};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// A store of two pairs of blocks that take turns. A change erases a data block, syncs, programs it, syncs, erases and
/// programs the header that leads to it, and syncs. The first of these syncs is of no use where a block's writes keep their
/// order; the second keeps the header from being there before its data; the third makes the change durable.
struct TwoPairs {
    missing: Missing,
}

/// Which sync the store leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    None,
    BeforeHeader,
    BeforeReturn,
}

type Values = BTreeMap<Key, Vec<u8>>;

impl TwoPairs {
    fn write(
        &self,
        device: &mut Device,
        generation: u32,
        values: &Values,
    ) -> Result<(), SubjectError> {
        let mut data = Vec::new();
        for (key, value) in values {
            data.extend([key.as_bytes().len() as u8, value.len() as u8]);
            data.extend([key.as_bytes(), value].concat());
        }
        let (block, header) = (generation % 2, 2 + generation % 2);
        device.erase(BlockId::new(block))?;
        device.sync()?;
        device.prog(BlockId::new(block), 0, &[&[0xaa], data.as_slice()].concat())?;
        if self.missing != Missing::BeforeHeader {
            device.sync()?;
        }
        device.erase(BlockId::new(header))?;
        let numbers = [generation, data.len() as u32].map(u32::to_le_bytes);
        device.prog(BlockId::new(header), 0, &numbers.concat())?;
        if self.missing != Missing::BeforeReturn {
            device.sync()?;
        }
        Ok(())
    }
}

impl Subject for TwoPairs {
    fn name(&self) -> &'static str {
        "two-pairs"
    }

    fn promises(&self) -> Promises {
        Promises::default()
    }

    fn format(&self, mut device: Device) -> Result<(), SubjectError> {
        self.write(&mut device, 0, &Values::new())
    }

    fn mount(&self, mut device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        let mut newest = None;
        for header in [2, 3] {
            let mut bytes = [0; 8];
            device.read(BlockId::new(header), 0, &mut bytes)?;
            let [generation, length] =
                [0, 4].map(|at| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()));
            if generation != u32::MAX {
                newest = newest.max(Some((generation, length)));
            }
        }
        let unmountable = |why: &str| SubjectError::Unmountable(why.into());
        let (generation, length) = newest.ok_or_else(|| unmountable("no header"))?;
        let mut data = vec![0; length as usize + 1];
        device.read(BlockId::new(generation % 2), 0, &mut data)?;
        let [0xaa, rest @ ..] = data.as_slice() else {
            return Err(unmountable("no data"));
        };
        let mut rest = rest;
        let mut values = Values::new();
        while let [key_length, value_length, more @ ..] = rest {
            let (key, more) = more.split_at((*key_length).into());
            let (value, more) = more.split_at((*value_length).into());
            values.insert(Key::new(key), value.to_vec());
            rest = more;
        }
        Ok(Box::new(Opened {
            store: Self {
                missing: self.missing,
            },
            device,
            generation,
            values,
        }))
    }
}

struct Opened {
    store: TwoPairs,
    device: Device,
    generation: u32,
    values: Values,
}

impl Mounted for Opened {
    fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError> {
        match operation {
            Operation::Set { value, .. } if value.len() > 99 => return Err(Refusal::NoSpace.into()),
            Operation::Set { key, value } => {
                self.values.insert(key.clone(), value.bytes().into_owned());
            }
            Operation::Remove { key } => drop(self.values.remove(key)),
            _ => return Err(SubjectError::Other("not made for this".into())),
        }
        self.generation += 1;
        self.store
            .write(&mut self.device, self.generation, &self.values)
    }

    fn contents(&mut self) -> Result<Contents, SubjectError> {
        Ok(Contents::of_values(self.values.clone()))
    }

    fn check(&mut self) -> Result<Health, SubjectError> {
        Ok(Health::default())
    }
}

fn workload() -> Workload {
    Workload::new("two-sets", Geometry::new(1024, 4).unwrap())
        .then(Operation::set("/a", Value::literal("one")))
        .then(Operation::set("/b", Value::literal("two")))
}

/// The writes of the format, and of each set: erase and program of the data, then of the header.
const WRITES_PER_CHANGE: u32 = 4;

fn audit(missing: Missing, contract: &'static Contract) -> AuditReport {
    let (subject, workload) = (TwoPairs { missing }, workload());
    let sweep = Sweep::new(&subject, &workload).under(contract);
    Audit::of(sweep).unwrap().run()
}

fn state(found: &Found) -> &CrashState {
    match &found.place {
        Place::State(state) => state,
        other => panic!("{other} is no crash state"),
    }
}

#[test]
fn tells_what_each_sync_is_needed_for() {
    let report = audit(Missing::None, &contract::REORDER);
    assert_eq!(report.sweep.violation_count(), 0);
    assert!(report.is_finished() && report.remedies.is_empty());
    let classes: Vec<&str> = report
        .syncs
        .iter()
        .map(|verdict| match &verdict.need {
            Need::Ordering(_) => "ordering",
            Need::Durability(_) => "durability",
            Need::NotObservable(Bound::Covered) => "not observable",
            other => panic!("{other:?}"),
        })
        .collect();
    let change = ["not observable", "ordering", "durability"];
    // A cut in the format may leave no store, so that nothing must be in order there.
    assert_eq!(
        classes[..3],
        ["not observable", "not observable", "durability"]
    );
    assert_eq!(classes[3..6], change);
    assert_eq!(classes[6..], change);
    let steps: Vec<_> = report
        .syncs
        .iter()
        .map(|verdict| verdict.step.as_deref())
        .collect();
    assert_eq!(steps[2..4], [Some("format"), Some("set /a 3 B")]);
}

#[test]
fn each_witness_shows_its_violation_alone_and_only_without_the_sync() {
    let (subject, workload) = (
        TwoPairs {
            missing: Missing::None,
        },
        workload(),
    );
    let sweep = Sweep::new(&subject, &workload).under(&contract::REORDER);
    let report = Audit::of(sweep).unwrap().run();
    let mut witnesses = 0;
    for verdict in &report.syncs {
        let number = verdict.sync.number;
        let (Need::Ordering(found) | Need::Durability(found)) = &verdict.need else {
            continue;
        };
        witnesses += 1;
        let state = state(found);
        let replay = sweep
            .with_syncs(Syncs::Without(number))
            .replay(state)
            .unwrap();
        assert_eq!(replay.recovery.verdict.violation(), Some(&found.violation));
        let with_all = sweep.replay(state);
        if let Need::Ordering(_) = verdict.need {
            assert!(
                matches!(with_all, Err(ReplayError::NotAllowed { .. })),
                "{state}"
            );
            assert!(state.issued() > verdict.sync.writes);
            assert!(!state.flaws().is_empty());
        } else {
            // What is lost without the sync is still owed nothing at the cuts that leave the state with it.
            assert_eq!(
                with_all.unwrap().recovery.verdict,
                Verdict::Clean,
                "{state}"
            );
            assert!(state.issued() <= verdict.sync.writes);
            assert!(matches!(
                found.violation.promise,
                Promise::Durable(_) | Promise::Mountable
            ));
        }
    }
    assert!(witnesses >= 5, "{witnesses} witnesses");
}

#[test]
fn where_a_blocks_writes_change_places_too_nothing_else_is_needed_here() {
    let needs = |contract| audit(Missing::None, contract).needs();
    let reorder = needs(&contract::REORDER);
    assert_eq!(needs(&contract::SECTOR_512), reorder);
    assert_eq!(needs(&contract::EMMC).durability, reorder.durability);
}

#[test]
fn names_the_places_for_a_sync_that_is_missing() {
    // Between the data and the header that leads to it: before or behind the erase of the header.
    let data = WRITES_PER_CHANGE + 1;
    cures(Missing::BeforeHeader, data..=data + 1);
    // Behind the header, before the call returns.
    let header = WRITES_PER_CHANGE - 1;
    cures(Missing::BeforeReturn, header..=header);
}

#[track_caller]
fn cures(missing: Missing, expected: std::ops::RangeInclusive<u32>) {
    let report = audit(missing, &contract::REORDER);
    assert!(report.sweep.violation_count() > 0 && report.has_violations());
    assert_eq!(report.syncs, []);
    let cures: Vec<_> = report
        .remedies
        .iter()
        .map(cutpoint::audit::Remedy::cure)
        .collect();
    assert!(
        cures.contains(&Some(expected.clone())),
        "{:#?}",
        report.remedies
    );
    let remedy = report
        .remedies
        .iter()
        .find(|remedy| remedy.cure() == Some(expected.clone()));
    let remedy = remedy.unwrap();
    let (subject, workload) = (TwoPairs { missing }, workload());
    let sweep = Sweep::new(&subject, &workload).under(&contract::REORDER);
    assert_eq!(
        Audit::of(sweep).unwrap().remedy(&remedy.state),
        Ok(remedy.clone())
    );
    // The place is one where the state is wrong no more, and others are where it is.
    for trial in &remedy.trials {
        let replay = sweep
            .with_syncs(Syncs::AlsoAfter(trial.write))
            .replay(&remedy.state);
        let is_wrong = replay.is_ok_and(|replay| replay.recovery.verdict != Verdict::Clean);
        assert_eq!(is_wrong, trial.effect == Effect::None, "{trial:?}");
        assert_eq!(
            expected.contains(&trial.write),
            trial.effect == Effect::Cures,
            "{trial:?}"
        );
    }
    assert!(
        remedy
            .trials
            .iter()
            .any(|trial| trial.effect == Effect::None)
    );
}

#[test]
fn a_clean_state_needs_no_remedy() {
    let (subject, workload) = (
        TwoPairs {
            missing: Missing::None,
        },
        workload(),
    );
    let sweep = Sweep::new(&subject, &workload).under(&contract::REORDER);
    let audit = Audit::of(sweep).unwrap();
    assert!(matches!(
        audit.remedy(&CrashState::prefix(5)),
        Err(RemedyError::Clean { .. })
    ));
    let impossible = "8-{5}".parse().unwrap();
    assert!(matches!(
        audit.remedy(&impossible),
        Err(RemedyError::Replay(ReplayError::NotAllowed { .. }))
    ));
    let beyond = sweep
        .with_syncs(Syncs::Without(99))
        .replay(&CrashState::prefix(5));
    assert!(matches!(
        beyond,
        Err(ReplayError::NoSuchSync(NoSuchSync::Sync {
            sync: 99,
            syncs: 9
        }))
    ));
}

#[test]
fn refuses_contracts_under_which_no_sync_matters() {
    let (subject, workload) = (
        TwoPairs {
            missing: Missing::None,
        },
        workload(),
    );
    for contract in contract::ALL {
        let refused = Audit::of(Sweep::new(&subject, &workload).under(contract)).is_err();
        let matter =
            ["reorder", "sector-512", "emmc", "emmc-untold", "nvme-awu"].contains(&contract.name);
        assert_eq!(refused, !matter, "{}", contract.name);
    }
}

#[test]
fn a_bound_is_no_claim() {
    let (subject, workload) = (
        TwoPairs {
            missing: Missing::None,
        },
        workload(),
    );
    let sweep = Sweep::new(&subject, &workload).under(&contract::REORDER);
    let report = Audit::of(sweep.with_bound(1, 0)).unwrap().run();
    let needs = report.needs();
    assert_eq!(needs.not_observable, 0, "{needs:?}");
    assert!(needs.bounded > 0, "{needs:?}");
    let summary = summary(report);
    assert!(
        summary
            .text(false, None)
            .contains("came to the bound (--max-states)")
    );
}

#[test]
fn a_cancelled_audit_says_so() {
    let (subject, workload) = (
        TwoPairs {
            missing: Missing::None,
        },
        workload(),
    );
    let (cancel, progress) = (AtomicBool::new(true), Progress::default());
    let sweep = Sweep::new(&subject, &workload).under(&contract::REORDER);
    let sweep = sweep.with_cancel(&cancel).with_progress(&progress);
    let report = Audit::of(sweep).unwrap().run();
    assert!(!report.is_finished() && !report.has_violations());
    let unknown = report.syncs.len() as u64;
    assert_eq!(
        report.needs(),
        Needs {
            unknown,
            ..Needs::default()
        }
    );
    assert_eq!(progress.done(), 0);
    assert!(summary(report).text(false, None).contains("cut short"));
}

fn summary(report: AuditReport) -> AuditSummary {
    let mut summary = AuditSummary::default();
    summary.push(report);
    summary
}

#[test]
fn any_number_of_threads_gives_the_same_report() {
    for missing in [Missing::None, Missing::BeforeHeader, Missing::BeforeReturn] {
        let reports: Vec<String> = [1, 2, 5]
            .into_iter()
            .map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                let report = pool
                    .unwrap()
                    .install(|| audit(missing, &contract::SECTOR_512));
                serde_json::to_string(&report).unwrap()
            })
            .collect();
        assert_eq!(reports[0], reports[1]);
        assert_eq!(reports[0], reports[2]);
    }
}

#[test]
fn the_screen_names_syncs_witnesses_and_places() {
    let text = summary(audit(Missing::None, &contract::REORDER)).text(true, None);
    insta::assert_snapshot!("each_sync", text);
    let text = summary(audit(Missing::BeforeReturn, &contract::REORDER)).text(true, None);
    insta::assert_snapshot!("a_missing_sync", text);
}
