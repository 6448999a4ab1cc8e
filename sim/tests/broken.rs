//! The harness can fail: engines with a deliberate fault are each caught with the right verdict, on workloads that the
//! real engine passes.

mod engines;

use cutpoint::explore::{Place, Sweep, SweepReport};
use cutpoint::subject::Subject;
use cutpoint::subjects::EngineSubject;
use cutpoint::verdict::ViolationKind;
use cutpoint::workload::{Workload, builtin, images};
use cutpoint_engine::Sabotage;
use engines::{Broken, late, loop_if_interrupted, panic_if_interrupted, sabotaged};
use std::path::Path;

fn sweep(subject: &dyn Subject, workload: &Workload) -> SweepReport {
    Sweep::new(subject, workload).run()
}

fn workload(name: &str) -> Workload {
    builtin::builtin(name).unwrap()
}

#[track_caller]
fn assert_caught(report: &SweepReport, kind: ViolationKind) {
    let kinds: Vec<_> = report.violations.iter().map(|group| group.kind).collect();
    assert!(kinds.contains(&kind), "{}: {kinds:?}", report.workload);
}

#[track_caller]
fn assert_clean(workload: &Workload) {
    let report = sweep(&EngineSubject::default(), workload);
    assert_eq!(report.first_violation(), None);
    assert!(report.is_complete() && report.states > 50.into());
}

#[test]
fn acknowledging_without_the_last_commit_loses_keys_and_shows_old_values() {
    let subject = Broken::new(|_| {}, late);
    for (name, kind) in [
        ("split-ascending-512", ViolationKind::LostKey),
        ("split-ascending-512", ViolationKind::StaleValue),
        ("removal-512", ViolationKind::ResurrectedKey),
    ] {
        assert_clean(&workload(name));
        assert_caught(&sweep(&subject, &workload(name)), kind);
    }
}

#[test]
fn a_panic_in_recovery_is_a_verdict_and_the_sweep_goes_on() {
    let subject = Broken::new(panic_if_interrupted, |store| store);
    let report = sweep(&subject, &workload("split-ascending-512"));
    assert_caught(&report, ViolationKind::Panic);
    assert!(report.is_complete());
    let found = report.first_violation().unwrap();
    assert!(
        found.violation.detail.contains("this cannot happen"),
        "{found}"
    );
}

#[test]
fn an_endless_loop_over_the_device_is_a_verdict_and_the_sweep_goes_on() {
    let subject = Broken::new(loop_if_interrupted, |store| store);
    let report = sweep(&subject, &workload("split-ascending-512"));
    assert_caught(&report, ViolationKind::Hang);
    assert!(report.is_complete());
}

#[test]
fn faults_in_the_engine_are_caught() {
    for (sabotage, name, kind) in [
        (
            Sabotage::CommitBeforeData,
            "sizes-512",
            ViolationKind::TornValue,
        ),
        (Sabotage::FreeEarly, "sizes-512", ViolationKind::TornValue),
        (
            Sabotage::LoseHardtail,
            "split-ascending-512",
            ViolationKind::LostKey,
        ),
    ] {
        let subject = sabotaged(sabotage);
        assert_clean(&workload(name));
        assert_caught(&sweep(&subject, &workload(name)), kind);
    }
}

/// Whole writes in order leave no commit with a wrong checksum, so that it takes a damaged image to show what becomes
/// of a store that does not check them.
#[test]
fn ignored_checksums_are_caught_on_a_damaged_image() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/images");
    let images = images::read_images(&dir).unwrap();
    let damaged = images
        .iter()
        .find(|image| image.name == "lastcommit_bad_512_v21")
        .unwrap();
    let untouched = Workload::new("damaged-image", damaged.geometry)
        .starting_from(damaged.bytes.clone(), damaged.model.clone().unwrap())
        .unwrap();
    let blind = sabotaged(Sabotage::IgnoreChecksums);
    let report = sweep(&blind, &untouched);
    let found = report.first_violation().unwrap();
    assert!(matches!(found.place, Place::Recording { .. }), "{found}");
    assert_eq!(
        sweep(&EngineSubject::default(), &untouched).first_violation(),
        None
    );
}
