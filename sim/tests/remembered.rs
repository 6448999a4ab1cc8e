//! Remembered recoveries change what a nested sweep costs, and nothing of what it says.

mod toy;

use cutpoint::contract::{self, Contract, Sets, Tearing, Unit};
use cutpoint::explore::{Count, Sweep, SweepReport};
use cutpoint::generate;
use cutpoint::op::{Operation, Value};
use cutpoint::subject::{Durability, Intermediate, Subject};
use cutpoint::subjects::EngineSubject;
use cutpoint::workload::{Workload, builtin};
use cutpoint_engine::{FormatOptions, MountOptions, Sabotage};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use toy::{Fault, Toy};

/// The toys program thousands of bytes at once.
const TORN_BY_2048: Contract = Contract {
    name: "torn-by-2048",
    program: Tearing::Units {
        unit: Unit::Bytes(2048),
        sets: Sets::Classes,
        noise: true,
        zeroed_tail: false,
    },
    ..contract::TORN
};

/// All that a report says but for what it took.
fn said(report: &SweepReport) -> SweepReport {
    SweepReport {
        recoveries: 0,
        remembered: 0,
        memory: 0,
        ..report.clone()
    }
}

/// Compares a sweep with the same one without memory, and with one that has little; returns how many recoveries were
/// remembered, and how many violations found.
#[track_caller]
fn compare(
    subject: &dyn Subject,
    workload: &Workload,
    contract: &'static Contract,
    depth: u32,
) -> (u64, u64) {
    let sweep = Sweep::new(subject, workload)
        .under(contract)
        .with_depth(depth)
        .with_bound(100, 0);
    let (with, without) = (sweep.run(), sweep.with_memory(0).run());
    assert_eq!(
        said(&with),
        said(&without),
        "{} under {}",
        workload.name(),
        contract.name
    );
    assert_eq!((without.remembered, without.memory), (0, 0));
    assert_eq!(with.recoveries + with.remembered, without.recoveries);
    let limit = with.memory / 3;
    let little = sweep.with_memory(limit).run();
    assert_eq!(said(&little), said(&with));
    assert!(little.memory <= limit && little.remembered <= with.remembered);
    (with.remembered, with.violation_count())
}

fn small() -> Workload {
    (0..3_u8).fold(Workload::new("toy", toy::geometry()), |workload, index| {
        let key = format!("/d/k{index}");
        workload.then(Operation::set(&key, Value::generated(600, index.into())))
    })
}

#[test]
fn built_in_workloads_come_to_the_same() {
    let engine = EngineSubject::default();
    for (name, contract, depth) in [
        ("rename-512", &contract::PREFIX, 2),
        ("partial-512", &contract::PREFIX, 2),
    ] {
        let workload = builtin::builtin(name).unwrap();
        let (remembered, found) = compare(&engine, &workload, contract, depth);
        assert!(
            remembered > 100,
            "{name} under {}: {remembered}",
            contract.name
        );
        assert_eq!(found, 0);
    }
    let workload = Workload::new("short", strategy_geometry())
        .then(Operation::set("/d/a", Value::generated(100, 1)))
        .then(Operation::rename("/d/a", "/e/a"));
    assert!(compare(&engine, &workload, &contract::PREFIX, 3).0 > 100);
    for contract in [&contract::TORN, &contract::REORDER] {
        compare(&engine, &workload, contract, 2);
    }
}

fn strategy_geometry() -> cutpoint_engine::device::Geometry {
    let geometry = cutpoint_engine::device::Geometry::new(128, 32).unwrap();
    geometry.with_prog_size(64).unwrap()
}

#[test]
fn what_is_broken_is_found_in_the_same_states() {
    let mut found = 0;
    for sabotage in [
        Sabotage::CommitBeforeData,
        Sabotage::LoseHardtail,
        Sabotage::FreeEarly,
    ] {
        let mount = MountOptions::default().with_sabotage(sabotage);
        let subject = EngineSubject::new(FormatOptions::default(), mount);
        let workload = builtin::builtin("rename-512").unwrap();
        found += compare(&subject, &workload, &contract::PREFIX, 2).1;
    }
    for fault in [
        Fault::None,
        Fault::LosesKeyWhenCut,
        Fault::InventsKeyWhenCut,
        Fault::MountsOlder,
        Fault::WedgedWhenCut,
        Fault::DamagedWhenCut,
        Fault::WorseByMounting,
        Fault::RepairsInPlace,
        Fault::InPlace,
        Fault::RenamesInTwoSteps,
    ] {
        let subject = Toy::with(fault);
        found += compare(&subject, &small(), &contract::PREFIX, 2).1;
    }
    let in_place = Toy::with(Fault::InPlace);
    found += compare(&in_place, &small(), &TORN_BY_2048, 2).1;
    assert!(found > 100, "{found}");
    let promises_less = Toy::promising_less(
        Fault::AcksBeforeCommit,
        Durability::OnSync,
        &[Intermediate::DictionariesMade],
    );
    compare(&promises_less, &small(), &contract::PREFIX, 2);
}

#[test]
fn random_workloads_come_to_the_same() {
    let config = Config {
        rng_seed: RngSeed::Fixed(7),
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let mut remembered = 0;
    for number in 0..9 {
        let workload = generate::workload()
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let contract = [&contract::PREFIX, &contract::PREFIX, &contract::TORN][number % 3];
        let subject = EngineSubject::for_workload(&workload);
        if contract == &contract::TORN && workload.operations().len() > 4 {
            continue;
        }
        remembered += compare(&subject, &workload, contract, 2).0;
    }
    assert!(remembered > 300, "{remembered}");
}

#[test]
fn threads_do_not_show_where_memory_is_short() {
    let engine = EngineSubject::default();
    let workload = builtin::builtin("rename-512").unwrap();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let sweep = Sweep::new(&engine, &workload).with_depth(2);
            sweep.with_memory(60_000).run()
        })
    };
    let report = on(1);
    assert!(
        report.remembered > 0 && report.memory > 50_000,
        "{report:?}"
    );
    assert_eq!(
        Count::from(report.recoveries + report.remembered),
        report.states
    );
    assert_eq!(report, on(3));
}
