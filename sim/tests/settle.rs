//! Cuts in recoveries, for as long as they lead to anything new.

mod toy;

use cutpoint::explore::{Place, SettleReport, Sweep};
use cutpoint::op::{Operation, Value};
use cutpoint::report::settle::SettleSummary;
use cutpoint::subjects::EngineSubject;
use cutpoint::verdict::ViolationKind;
use cutpoint::workload::{Workload, builtin};
use std::time::Duration;
use toy::{Fault, Toy};

fn small() -> Workload {
    (0..3_u8).fold(Workload::new("toy", toy::geometry()), |workload, index| {
        let key = format!("/k{index}");
        workload.then(Operation::set(&key, Value::generated(600, index.into())))
    })
}

/// What comes of the toy with this fault; each witness is found again, alone.
fn settle(fault: Fault) -> SettleReport {
    let (toy, workload) = (Toy::with(fault), small());
    let sweep = Sweep::new(&toy, &workload);
    let report = sweep.settle();
    for found in &report.witnesses {
        let Place::State(state) = &found.place else {
            panic!("{found} is no crash state");
        };
        let replay = sweep.to_rest().replay(state).unwrap();
        assert_eq!(
            replay.recovery.verdict.violation(),
            Some(&found.violation),
            "{state}"
        );
    }
    report
}

#[test]
fn the_engine_comes_to_rest_on_every_path() {
    let engine = EngineSubject::default();
    for name in [
        "rename-512",
        "removal-512",
        "nested-128",
        "split-shuffled-128",
    ] {
        let workload = builtin::builtin(name).unwrap();
        let report = Sweep::new(&engine, &workload).settle();
        assert!(report.is_settled(), "{report:?}");
        assert!(
            report.resting > 0 && report.resting <= report.images,
            "{report:?}"
        );
        if name == "rename-512" {
            // What a rename has left is repaired, and that in turn is cut.
            assert!(report.resting < report.images && report.cuts > 0 && report.boots > 0);
        }
    }
}

#[test]
fn a_store_that_mounting_does_not_write_is_at_rest() {
    let report = settle(Fault::None);
    assert!(report.is_settled(), "{report:?}");
    // All but the empty medium, which is formatted again.
    assert_eq!((report.resting, report.edges), (report.images - 1, 1));
    assert_eq!((report.boots, report.cycles), (1, false));
}

#[test]
fn repairs_that_lose_what_they_repair_are_found() {
    for fault in [Fault::RepairsInPlace, Fault::WorseByMounting] {
        let report = settle(fault);
        assert!(
            report.violations > 0 && !report.is_settled(),
            "{fault:?}: {report:?}"
        );
    }
    let report = settle(Fault::RepairsInPlace);
    let mut kinds = report.witnesses.iter().map(|found| found.violation.kind);
    assert!(kinds.any(|kind| kind == ViolationKind::Unmountable));
    // Only a cut in the recovery shows that one.
    let (toy, workload) = (Toy::with(Fault::RepairsInPlace), small());
    assert_eq!(Sweep::new(&toy, &workload).run().violation_count(), 0);
}

#[test]
fn a_store_that_never_comes_to_rest_is_found() {
    let (toy, workload) = (Toy::with(Fault::CountsBoots), small());
    // Whatever is cut, it shows the right state: two cuts, or three, tell nothing.
    assert_eq!(
        Sweep::new(&toy, &workload)
            .with_depth(2)
            .run()
            .violation_count(),
        0
    );
    let report = settle(Fault::CountsBoots);
    assert!(report.violations > 0 && report.cut_short, "{report:?}");
    let kinds: Vec<_> = report
        .witnesses
        .iter()
        .map(|found| found.violation.kind)
        .collect();
    assert!(
        kinds.iter().all(|&kind| kind == ViolationKind::Restless),
        "{kinds:?}"
    );
}

#[test]
fn threads_do_not_show() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let mut summary = SettleSummary::default();
            for fault in [Fault::None, Fault::RepairsInPlace, Fault::CountsBoots] {
                let workload = small();
                let report = Sweep::new(&Toy::with(fault), &workload).settle();
                summary.push(report, Duration::ZERO);
            }
            summary.to_string()
        })
    };
    let text = on(1);
    assert_eq!(text, on(3));
    insta::assert_snapshot!(text);
}
