//! Each crash model and contract finds what it is there for, and nothing in the engine.

mod engines;
mod toy;

use cutpoint::contract::{self, Contract, Sets, Tearing, Unit};
use cutpoint::decay::DecaySweep;
use cutpoint::explore::{Count, Sweep, SweepReport};
use cutpoint::op::{Operation, Value};
use cutpoint::report::replay::ReplayText;
use cutpoint::subject::{Device, Mounted, Promises, Subject, SubjectError};
use cutpoint::subjects::EngineSubject;
use cutpoint::verdict::ViolationKind;
use cutpoint::workload::{Workload, builtin};
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry};
use cutpoint_engine::{Key, Sabotage};
use engines::{Unsynced, sabotaged};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use toy::{Fault, Toy};

fn built_in(name: &str) -> Workload {
    builtin::builtin(name).unwrap()
}

fn clean(report: &SweepReport) {
    let found = report.first_violation().map(ToString::to_string);
    assert_eq!(found, None, "{} under {}", report.workload, report.contract);
    assert!(
        report.is_complete(),
        "{} under {}",
        report.workload,
        report.contract
    );
}

#[test]
fn the_engine_is_clean_under_every_contract_that_it_promises() {
    let engine = EngineSubject::default();
    for name in ["split-ascending-512", "rename-512", "removal-512"] {
        for contract in contract::ALL {
            // It promises nothing where a sync does nothing, or where it is not told what it has to know.
            if contract == &contract::SD_NO_FLUSH || contract == &contract::EMMC_UNTOLD {
                continue;
            }
            let workload = built_in(name).on(contract);
            clean(&Sweep::new(&engine, &workload).under(contract).run());
        }
    }
}

/// Of a commit of several program units the later ones can be left alone, and look erased where the value has one byte all
/// over: a commit before them must not vouch for them to the one after it.
#[test]
fn what_is_left_behind_the_end_of_a_log_is_not_programmed_over() {
    let engine = EngineSubject::default();
    let geometry = Geometry::new(4096, 32)
        .unwrap()
        .with_prog_size(256)
        .unwrap();
    let workload = Workload::new("uniform", geometry).then_all([
        Operation::set("/a", Value::literal([7; 500])),
        Operation::set("/b", Value::generated(20, 1)),
        Operation::set("/c", Value::generated(20, 2)),
        Operation::set("/d", Value::literal([9; 500])),
        Operation::remove("/b"),
        Operation::remove("/c"),
    ]);
    clean(&Sweep::new(&engine, &workload).under(&contract::TORN).run());
    let workload = built_in("split-ascending-4096");
    clean(&Sweep::new(&engine, &workload).under(&contract::TORN).run());
}

/// Of a commit of three units or more there are sets that no class has.
#[test]
fn every_set_of_units_can_be_tried() {
    let geometry = Geometry::new(512, 32).unwrap().with_prog_size(16).unwrap();
    let workload = Workload::new("units", geometry).then_all([
        Operation::set("/a", Value::generated(40, 1)),
        Operation::set("/b", Value::generated(600, 2)),
    ]);
    let all_sets = contract::TORN.with_all_sets();
    assert_eq!(contract::by_name("torn-all-sets"), Some(all_sets));
    assert_eq!(contract::PREFIX.with_all_sets(), &contract::PREFIX);
    let engine = EngineSubject::default();
    let swept = |contract| Sweep::new(&engine, &workload).under(contract).run();
    let (by_class, every) = (swept(&contract::TORN), swept(all_sets));
    clean(&by_class);
    clean(&every);
    assert!(every.states > by_class.states, "{}", every.states);
    let broken = sabotaged(Sabotage::IgnoreChecksums);
    let sweep = Sweep::new(&broken, &workload).under(all_sets);
    let report = sweep.run();
    let found = report.first_violation().unwrap();
    let cutpoint::explore::Place::State(state) = &found.place else {
        panic!("{found} is no crash state");
    };
    let replay = sweep.replay(state).unwrap();
    assert_eq!(replay.recovery.verdict.violation(), Some(&found.violation));
}

#[test]
fn the_engine_is_clean_where_recovery_is_cut_too() {
    let engine = EngineSubject::default();
    for name in [
        "split-shuffled-128",
        "rename-512",
        "removal-512",
        "nested-128",
    ] {
        let workload = built_in(name);
        let report = Sweep::new(&engine, &workload).with_depth(2).run();
        clean(&report);
        // The cuts of each recovery, and no more than that often what one cut leaves.
        let single = Sweep::new(&engine, &workload).run().states;
        assert!(
            report.states > single && report.recoveries > 500,
            "{report:?}"
        );
    }
    let workload = built_in("rename-512");
    let sweep = Sweep::new(&engine, &workload).with_depth(2);
    clean(&sweep.under(&contract::REORDER).run());
    let deeper = sweep.with_depth(3).run();
    clean(&deeper);
}

/// An erase that is lost though the program after it is not brings back the commits that it should have taken away, where
/// the engine is not told that this can happen.
#[test]
fn a_stale_commit_shows_where_the_engine_does_not_know_of_the_device() {
    let engine = EngineSubject::default();
    let workload = built_in("split-shuffled-512");
    let swept = |contract: &'static Contract| {
        let workload = workload.clone().on(contract);
        Sweep::new(&engine, &workload).under(contract).run()
    };
    let untold = swept(&contract::EMMC_UNTOLD);
    let kinds: Vec<_> = untold.violations.iter().map(|group| group.kind).collect();
    assert!(kinds.contains(&ViolationKind::StaleValue), "{kinds:?}");
    clean(&swept(&contract::EMMC));
}

#[test]
fn epochs_too_large_to_cover_are_sampled_and_say_so() {
    let engine = EngineSubject::default();
    let workload = built_in("rename-512");
    let sweep = || Sweep::new(&engine, &workload).under(&contract::SD_NO_FLUSH);
    let report = sweep().with_bound(50, 7).run();
    assert_eq!((report.recoveries, report.sampled), (50, 5));
    assert!(report.is_finished() && !report.is_complete());
    assert!(report.states > Count::from(u64::MAX), "{}", report.states);
    assert!(report.covered < report.states);
    assert_eq!(report, sweep().with_bound(50, 7).run());
}

#[test]
fn reports_do_not_depend_on_the_number_of_threads() {
    let engine = sabotaged(Sabotage::CommitBeforeData);
    let workload = built_in("sizes-512");
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let sweep = Sweep::new(&engine, &workload).under(&contract::REORDER);
            (sweep.run(), sweep.with_depth(2).run())
        })
    };
    let reports = on(1);
    assert!(reports.0.violation_count() > 0);
    assert_eq!(reports, on(3));
}

/// A violation is replayed by its id, alone.
#[test]
fn what_is_found_is_found_again() {
    let toy = Toy::with(Fault::RepairsInPlace);
    let workload = small();
    let sweep = Sweep::new(&toy, &workload).with_depth(2);
    let report = sweep.run();
    let mut replayed = 0;
    for found in report.violations.iter().flat_map(|group| &group.witnesses) {
        let cutpoint::explore::Place::State(state) = &found.place else {
            panic!("{found} is no crash state");
        };
        assert!(state.then().is_some(), "{found}");
        let replay = sweep.replay(state).unwrap();
        assert_eq!(replay.recovery.verdict.violation(), Some(&found.violation));
        assert_eq!(replay.boots.len(), 1);
        let text = ReplayText::new(&replay, "toy").to_string();
        assert!(text.contains(&format!("state     {state}: ")), "{text}");
        replayed += 1;
    }
    assert!(replayed > 0);
}

/// The engine on a device that hears no sync once a recovered store has been changed: only the third of several cuts shows
/// that.
struct DeafLater(EngineSubject);

struct PerhapsDeaf {
    device: Device,
    deaf: Arc<AtomicBool>,
}

impl Subject for DeafLater {
    fn name(&self) -> &'static str {
        "deaf-later"
    }

    fn promises(&self) -> Promises {
        self.0.promises()
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        self.0.format(device)
    }

    fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        let deaf = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&deaf);
        let mut store = self.0.mount(Box::new(PerhapsDeaf { device, deaf }))?;
        // What is done to a recovered store sets such a key.
        let changed = store.contents()?;
        let changed = changed
            .entries()
            .iter()
            .any(|entry| entry.key == Key::new("/probe"));
        heard.store(changed, Ordering::Relaxed);
        Ok(store)
    }
}

impl BlockDevice for PerhapsDeaf {
    fn geometry(&self) -> Geometry {
        self.device.geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.device.read(block, offset, buffer)
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.device.prog(block, offset, data)
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.device.erase(block)
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        if self.deaf.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.device.sync()
    }
}

/// So is what three cuts show of writes that are held back, and two do not.
#[test]
fn what_three_cuts_show_is_named_by_all_three() {
    let subject = DeafLater(EngineSubject::default());
    let geometry = Geometry::new(512, 16).unwrap().with_prog_size(16).unwrap();
    let workload =
        Workload::new("one", geometry).then(Operation::set("/k", Value::generated(20, 1)));
    let sweep = Sweep::new(&subject, &workload).under(&contract::REORDER);
    clean(&sweep.with_depth(2).run());
    let sweep = sweep.with_depth(3);
    let report = sweep.run();
    let found: Vec<_> = report
        .violations
        .iter()
        .flat_map(|group| &group.witnesses)
        .collect();
    assert!(!found.is_empty());
    for found in found {
        let cutpoint::explore::Place::State(state) = &found.place else {
            panic!("{found} is no crash state");
        };
        let third = state.then().and_then(|second| second.then());
        assert!(third.is_some_and(|third| third.then().is_none()), "{state}");
        let replay = sweep.replay(state).unwrap();
        assert_eq!(
            replay.recovery.verdict.violation(),
            Some(&found.violation),
            "{state}"
        );
    }
}

fn small() -> Workload {
    (0..4_u8).fold(Workload::new("toy", toy::geometry()), |workload, index| {
        workload.then(Operation::set(
            &format!("/k{index}"),
            Value::generated(600, index.into()),
        ))
    })
}

/// As the torn model, by larger units: the toys program thousands of bytes at once.
const TORN_BY_256: Contract = Contract {
    name: "torn-by-256",
    program: Tearing::Units {
        unit: Unit::Bytes(256),
        sets: Sets::Classes,
        noise: true,
        zeroed_tail: false,
    },
    ..contract::TORN
};

/// The crash models and contracts that a broken subject is swept under, by the name that the table has for each.
const COLUMNS: [(&str, &Contract, u32); 6] = [
    ("prefix", &contract::PREFIX, 1),
    ("torn", &contract::TORN, 1),
    ("reorder", &contract::REORDER, 1),
    ("nested", &contract::PREFIX, 2),
    ("sector-512", &contract::SECTOR_512, 1),
    ("emmc", &contract::EMMC, 1),
];

#[test]
fn which_model_catches_what() {
    let workloads = ["sizes-512", "split-ascending-512"].map(built_in);
    let mut subjects: Vec<(&str, Box<dyn Subject>, Vec<Workload>)> = vec![(
        "the engine",
        Box::new(EngineSubject::default()),
        workloads.to_vec(),
    )];
    for (name, sabotage) in [
        ("commit before its data", Sabotage::CommitBeforeData),
        ("checksums not looked at", Sabotage::IgnoreChecksums),
        ("hardtail lost", Sabotage::LoseHardtail),
        ("block freed early", Sabotage::FreeEarly),
    ] {
        subjects.push((name, Box::new(sabotaged(sabotage)), workloads.to_vec()));
    }
    let unsynced = Box::new(Unsynced(EngineSubject::default()));
    subjects.push(("no sync at all", unsynced, workloads.to_vec()));
    for (name, fault) in [
        ("the toy", Fault::None),
        ("acknowledged before it is written", Fault::AcksBeforeCommit),
        ("rewritten in place, no checksum", Fault::InPlace),
        ("older state mounted", Fault::MountsOlder),
        ("repair in place", Fault::RepairsInPlace),
    ] {
        subjects.push((name, Box::new(Toy::with(fault)), vec![small()]));
    }
    let mut table = format!("{:<35}", "");
    for (column, ..) in COLUMNS {
        write!(table, "{column:>12}").unwrap();
    }
    write!(table, "{:>12}", "decay").unwrap();
    table.push('\n');
    for (name, subject, workloads) in &subjects {
        write!(table, "{name:<35}").unwrap();
        for (column, contract, depth) in COLUMNS {
            let contract = match (column, subject.name()) {
                ("torn", "toy") => &TORN_BY_256,
                _ => contract,
            };
            let finds = workloads.iter().any(|workload| {
                let workload = workload.clone().on(contract);
                let sweep = Sweep::new(&**subject, &workload)
                    .under(contract)
                    .with_depth(depth);
                sweep.with_bound(500, 0).run().violation_count() > 0
            });
            write!(table, "{:>12}", if finds { "found" } else { "-" }).unwrap();
        }
        let finds = workloads.iter().any(|workload| {
            let sweep = DecaySweep::new(&**subject, workload).with_bound(1_000, 0);
            sweep.run().violations > 0
        });
        write!(table, "{:>12}", if finds { "found" } else { "-" }).unwrap();
        table.push('\n');
    }
    insta::with_settings!({snapshot_path => "../../reports", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("models-broken", table);
    });
}
