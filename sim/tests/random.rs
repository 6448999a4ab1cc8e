//! The engine keeps its promises on random workloads of all operations, on all kinds of devices.
//!
//! A few cases of a fixed seed on every change; more of them with `PROPTEST_CASES=10000 PROPTEST_RNG_SEED=1`.

use cutpoint::explore::Sweep;
use cutpoint::faults::FaultSweep;
use cutpoint::faulty::FaultClass;
use cutpoint::generate;
use cutpoint::subjects::EngineSubject;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{RngSeed, TestRunner};
use std::cell::Cell;

/// Cases where nothing else is said: as many as take seconds.
const CASES: u32 = 400;

/// As many on devices that fail.
const FAULTY_CASES: u32 = 60;

fn config(cases: u32) -> ProptestConfig {
    let asked = |name| std::env::var_os(name).is_some();
    let mut config = ProptestConfig::default();
    if !asked("PROPTEST_CASES") {
        config.cases = cases;
    }
    if !asked("PROPTEST_RNG_SEED") {
        config.rng_seed = RngSeed::Fixed(1);
    }
    // A failed case prints the operations that it was made smaller to: they belong into a test of their own.
    config.failure_persistence = None;
    config
}

#[test]
fn random_workloads_are_clean() {
    let (cases, states) = (Cell::new(0_u64), Cell::new(0_u64));
    let result = TestRunner::new(config(CASES)).run(&generate::workload(), |workload| {
        let subject = EngineSubject::for_workload(&workload);
        let report = Sweep::new(&subject, &workload).run();
        cases.set(cases.get() + 1);
        states.set(states.get() + report.recoveries);
        prop_assert!(report.is_complete());
        let found = report.first_violation().map(|found| {
            let step = found.step.as_deref().unwrap_or("the end");
            format!("{found} ({step}; {} states)", report.states)
        });
        prop_assert_eq!(found, None);
        Ok(())
    });
    println!("{} cases, {} crash states", cases.get(), states.get());
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn random_workloads_are_clean_on_devices_that_fail() {
    let (faults, states) = (Cell::new(0_u64), Cell::new(0_u64));
    // Few faults of each workload, and in every second case power cuts on top.
    let cases = (
        generate::workload(),
        select(FaultClass::ALL.to_vec()),
        3..40_u64,
        any::<bool>(),
    );
    let result =
        TestRunner::new(config(FAULTY_CASES)).run(&cases, |(workload, class, stride, crashes)| {
            let subject = EngineSubject::for_workload(&workload);
            let sweep = FaultSweep::new(&subject, &workload, class).with_stride(stride);
            let report = if crashes {
                sweep.with_crashes().run()
            } else {
                sweep.run()
            };
            faults.set(faults.get() + report.tried);
            states.set(states.get() + report.states);
            prop_assert_eq!(report.found.first().map(ToString::to_string), None);
            Ok(())
        });
    println!("{} faults, {} crash states", faults.get(), states.get());
    if let Err(error) = result {
        panic!("{error}");
    }
}
