//! Media that decay: what the engine tells, what its format does not, and broken engines that say nothing.

mod toy;

use cutpoint::decay::{DamageKind, DecayReplayError, DecayReport, DecaySweep, Outcome, Silence};
use cutpoint::op::{Operation, Value};
use cutpoint::subject::{Checks, Promises, Subject};
use cutpoint::subjects::EngineSubject;
use cutpoint::verdict::Promise;
use cutpoint::workload::{Workload, builtin};
use cutpoint_engine::device::Geometry;
use cutpoint_engine::{FormatOptions, MountOptions, Sabotage};
use toy::{Fault, Toy};

fn built_in(name: &str) -> Workload {
    builtin::builtin(name).unwrap()
}

#[track_caller]
fn clean(report: &DecayReport) {
    let found: Vec<_> = report.found.iter().map(ToString::to_string).collect();
    assert_eq!(
        report.violations,
        0,
        "{}:\n{}",
        report.workload,
        found.join("\n")
    );
    let not_told: u64 = report.not_told.values().sum();
    assert_eq!(report.same + report.told + not_told, report.damage().tried);
}

/// A value in the log, one in blocks of its own, and a dictionary.
fn small() -> Workload {
    let geometry = Geometry::new(128, 16).unwrap().with_prog_size(16).unwrap();
    Workload::new("small", geometry).then_all([
        Operation::set("/inline", Value::literal("1")),
        Operation::set("/d/blocks", Value::generated(300, 2)),
        Operation::set("/inline", Value::literal("2")),
    ])
}

#[test]
fn all_damage_to_a_small_store_is_told_or_not_to_be_told() {
    let report = DecaySweep::new(&EngineSubject::default(), &small())
        .with_bound(1_000_000, 0)
        .run();
    clean(&report);
    for kind in DamageKind::ALL {
        assert!(report.kinds[&kind].is_complete(), "{kind}: {report:?}");
        assert!(report.kinds[&kind].tried > 0, "{kind}: {report:?}");
    }
    assert!(report.told > 0 && report.same > 0, "{report:?}");
    for silence in [Silence::Rollback, Silence::ValueData] {
        assert!(
            report.not_told.contains_key(&silence),
            "{silence}: {report:?}"
        );
    }
}

#[test]
fn the_engine_tells_what_its_format_can_tell() {
    let engine = EngineSubject::default();
    for name in [
        "split-ascending-128",
        "rename-512",
        "removal-128",
        "full-128",
        "wear-512",
    ] {
        let workload = built_in(name);
        let subject = engine.clone().moving_after(workload.block_cycles());
        clean(
            &DecaySweep::new(&subject, &workload)
                .with_bound(1_200, 0)
                .run(),
        );
    }
}

#[test]
fn checksums_that_are_not_looked_at_are_found_and_found_again() {
    let mount = MountOptions::default().with_sabotage(Sabotage::IgnoreChecksums);
    let engine = EngineSubject::new(FormatOptions::default(), mount);
    let workload = built_in("nested-128");
    let sweep = DecaySweep::new(&engine, &workload).with_bound(2_000, 0);
    let report = sweep.run();
    assert!(report.violations > 10, "{report:?}");
    for found in &report.found {
        assert_eq!(found.violation.promise, Promise::Tells, "{found}");
        let state = found.state.clone().unwrap();
        let replay = sweep.replay(&state.to_string().parse().unwrap()).unwrap();
        assert_eq!(replay.outcome, Outcome::Violation(found.violation.clone()));
    }
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| sweep.run())
    };
    assert_eq!(on(1), report);
    assert_eq!(on(3), report);
}

/// A store of another kind is held to what it promises, and to no more.
#[test]
fn a_store_with_one_checksum_shows_what_it_held_or_an_error() {
    let workload = (0..3_u8).fold(Workload::new("toy", toy::geometry()), |workload, index| {
        workload.then(Operation::set("/k", Value::generated(40, index.into())))
    });
    let of = |fault, checks| {
        let mut toy = Toy::with(fault);
        toy.promises = Promises {
            checks,
            ..toy.promises()
        };
        DecaySweep::new(&toy, &workload).with_bound(4_000, 0).run()
    };
    assert_eq!(Toy::with(Fault::None).promises.checks, Checks::Everything);
    clean(&of(Fault::None, Checks::Everything));
    let unchecked = of(Fault::InPlace, Checks::Everything);
    assert!(unchecked.violations > 0, "{unchecked:?}");
    let nothing = of(Fault::InPlace, Checks::Nothing);
    assert!(nothing.not_told[&Silence::ValueData] > 0, "{nothing:?}");
}

#[test]
fn places_and_states_that_are_not_there_are_refused() {
    let engine = EngineSubject::default();
    let workload = small();
    let sweep = DecaySweep::new(&engine, &workload);
    let refused = |id: &str| sweep.replay(&id.parse().unwrap()).unwrap_err();
    let no_place = |error| matches!(error, DecayReplayError::NoSuchPlace(_));
    assert!(no_place(refused("9+unreadable:16")));
    assert!(no_place(refused("9+garbled:1.120/16")));
    assert!(no_place(refused("9+flip:1.128.0")));
    assert!(matches!(
        refused("99999+flip:1.7.0"),
        DecayReplayError::NoSuchState { .. }
    ));
    assert!(matches!(
        refused("0+flip:1.7.0"),
        DecayReplayError::NothingShown(_)
    ));
}
