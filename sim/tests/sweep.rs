//! The sweep finds nothing in a store that keeps its promises, and the right thing in each that does not.

mod toy;

use cutpoint::crash::CrashState;
use cutpoint::explore::{Place, Progress, ReplayError, Sweep, SweepReport};
use cutpoint::inflight::{self, Inflight};
use cutpoint::op::{Operation, Value};
use cutpoint::subject::{Durability, Intermediate, Promises};
use cutpoint::verdict::{Promise, Verdict, ViolationKind};
use cutpoint::workload::Workload;
use std::sync::atomic::AtomicBool;
use toy::{Fault, Toy, geometry};

/// Sets, overwrites, removals and renames in the root; no remount, so that faults on mount show after cuts alone.
fn workload() -> Workload {
    let mut workload = Workload::new("toy", geometry());
    for index in 0..6_u8 {
        let key = format!("/k{index}");
        workload = workload.then(Operation::set(&key, Value::generated(20, index.into())));
    }
    workload
        .then(Operation::set("/k2", Value::generated(30, 12)))
        .then(Operation::remove("/k3"))
        .then(Operation::remove("/absent"))
        .then(Operation::rename("/k4", "/k5"))
        .then(Operation::set("/k0", Value::generated(20, 13)))
}

fn sweep(fault: Fault) -> SweepReport {
    Sweep::new(&Toy::with(fault), &workload()).run()
}

/// The violations for a person: what a failed assertion shows.
fn listed(report: &SweepReport) -> String {
    let witnesses = report.violations.iter().flat_map(|group| &group.witnesses);
    let lines: Vec<_> = witnesses.map(ToString::to_string).collect();
    lines.join("\n")
}

fn kinds(report: &SweepReport) -> Vec<ViolationKind> {
    let mut kinds: Vec<_> = report.violations.iter().map(|group| group.kind).collect();
    kinds.sort_unstable();
    kinds
}

#[test]
fn finds_nothing_in_a_store_that_keeps_its_promises() {
    let report = sweep(Fault::None);
    assert_eq!(report.violations, []);
    // Three writes of the format, two of each of ten changes; one state more than writes.
    assert_eq!(report.events.writes(), 23);
    assert_eq!(
        (
            report.states.clone(),
            report.covered.clone(),
            report.recoveries
        ),
        (24.into(), 24.into(), 24)
    );
    assert!(report.is_complete());
}

#[test]
fn finds_nothing_on_a_remount() {
    let workload = workload()
        .then(Operation::Remount)
        .then(Operation::remove("/k1"));
    let report = Sweep::new(&Toy::with(Fault::None), &workload).run();
    assert_eq!(report.violations, []);
}

#[track_caller]
fn finds(fault: Fault, expected: &[ViolationKind], promise: Promise) {
    let report = sweep(fault);
    assert_eq!(kinds(&report), expected, "{}", listed(&report));
    let first = report.first_violation().unwrap();
    assert!(matches!(first.place, Place::State(_)), "{first}");
    assert_eq!(first.violation.promise, promise, "{first}");
    assert!(report.is_complete());
}

#[test]
fn finds_changes_acknowledged_before_they_are_written() {
    finds(
        Fault::AcksBeforeCommit,
        &[
            ViolationKind::LostKey,
            ViolationKind::StaleValue,
            ViolationKind::ResurrectedKey,
        ],
        Promise::Durable(Durability::OnReturn),
    );
}

#[test]
fn finds_panics_and_says_where() {
    finds(Fault::PanicsWhenCut, &[ViolationKind::Panic], Promise::Ends);
    let report = sweep(Fault::PanicsWhenCut);
    let text = report.first_violation().unwrap().to_string();
    assert!(text.contains("panic: one block only ("), "{text}");
    assert!(
        text.contains("toy/mod.rs:") || text.contains("toy\\mod.rs:"),
        "{text}"
    );
}

#[test]
fn finds_loops_that_ignore_errors() {
    finds(Fault::LoopsWhenCut, &[ViolationKind::Hang], Promise::Ends);
}

#[test]
fn the_budget_can_be_chosen() {
    // A mount reads two blocks; a change takes three calls.
    let (toy, workload) = (Toy::with(Fault::None), workload());
    let sweep = Sweep::new(&toy, &workload);
    assert_eq!(sweep.with_budget(4).run().violations, []);
    let report = sweep.with_budget(1).run();
    assert_eq!(kinds(&report), [ViolationKind::Hang], "{}", listed(&report));
}

#[test]
fn finds_lost_keys_inside_an_operation() {
    let report = sweep(Fault::LosesKeyWhenCut);
    assert_eq!(
        kinds(&report),
        [ViolationKind::LostKey],
        "{}",
        listed(&report)
    );
}

#[test]
fn finds_what_is_older_than_it_should_be() {
    finds(
        Fault::MountsOlder,
        &[
            ViolationKind::LostKey,
            ViolationKind::StaleValue,
            // With the newer one erased for the next change, the older is all there is.
            ViolationKind::Unmountable,
        ],
        Promise::Durable(Durability::OnReturn),
    );
}

#[test]
fn finds_keys_that_never_were() {
    finds(
        Fault::InventsKeyWhenCut,
        &[ViolationKind::GhostKey],
        Promise::Intact,
    );
}

#[test]
fn finds_stores_that_mount_and_do_not_work() {
    finds(
        Fault::WedgedWhenCut,
        &[ViolationKind::Wedged],
        Promise::Usable,
    );
    finds(
        Fault::DamagedWhenCut,
        &[ViolationKind::CheckFailed],
        Promise::Sound,
    );
}

#[test]
fn finds_images_made_worse_by_mounting() {
    let report = sweep(Fault::WorseByMounting);
    assert_eq!(kinds(&report), [ViolationKind::LostKey]);
    let first = &report.first_violation().unwrap().violation;
    assert_eq!(first.promise, Promise::Settled);
    assert!(first.to_string().contains("on the second mount"), "{first}");
}

#[test]
fn finds_values_in_parts() {
    finds(
        Fault::InPlace,
        &[ViolationKind::TornValue, ViolationKind::Unmountable],
        Promise::Mountable,
    );
    let report = sweep(Fault::InPlace);
    let torn = &report.violations[1].witnesses[0];
    assert_eq!(
        torn.to_string(),
        "crash state 5: torn value: /k0 holds bytes that were never set; expected 20 B, seen 20 B, \
         wrong from offset 17 on"
    );
    assert_eq!(torn.violation.promise.to_string(), "every set is atomic");
}

#[test]
fn finds_renames_that_show_both_places_unless_that_is_promised() {
    finds(
        Fault::RenamesInTwoSteps,
        &[ViolationKind::ResurrectedKey],
        Promise::Atomic(cutpoint::op::OperationKind::Rename),
    );
    let honest = Toy::promising_less(
        Fault::RenamesInTwoSteps,
        Durability::OnReturn,
        &[Intermediate::BothPlaces],
    );
    assert_eq!(Sweep::new(&honest, &workload()).run().violations, []);
}

#[test]
fn allows_late_writes_to_those_who_promise_only_syncs() {
    let late = Toy::promising_less(Fault::AcksBeforeCommit, Durability::OnSync, &[]);
    let synced = workload()
        .then(Operation::Sync)
        .then(Operation::remove("/k1"))
        .then(Operation::Remount);
    assert_eq!(Sweep::new(&late, &synced).run().violations, []);
    // And holds them to it.
    let older = Toy::promising_less(Fault::MountsOlder, Durability::OnSync, &[]);
    let one = Workload::new("one", geometry()).then(Operation::set("/a", Value::literal("1")));
    assert_eq!(Sweep::new(&older, &one).run().violations, []);
    let report = Sweep::new(&older, &one.then(Operation::Sync)).run();
    assert_eq!(kinds(&report), [ViolationKind::LostKey]);
    let promise = report.first_violation().unwrap().violation.promise;
    assert_eq!(promise, Promise::Durable(Durability::OnSync));
}

#[test]
fn holds_a_cut_in_the_format_against_the_promise_about_it() {
    let strict = Toy {
        fault: Fault::None,
        promises: Promises {
            uninitialised_after_cut_in_format: false,
            ..Promises::default()
        },
    };
    let report = Sweep::new(&strict, &workload()).run();
    assert_eq!(kinds(&report), [ViolationKind::Unmountable]);
    assert_eq!(report.violation_count(), 3);
    assert_eq!(
        report.first_violation().unwrap().step.as_deref(),
        Some("format")
    );
}

#[track_caller]
fn finds_without_a_cut(fault: Fault, kind: ViolationKind, detail: &str) {
    let report = sweep(fault);
    assert_eq!(kinds(&report), [kind]);
    let found = report.first_violation().unwrap();
    assert!(matches!(found.place, Place::Recording { .. }), "{found}");
    assert!(found.to_string().contains(detail), "{found}");
    assert_eq!(report.states, 0.into());
}

#[test]
fn finds_what_is_wrong_without_a_power_cut() {
    finds_without_a_cut(
        Fault::RefusesAbsent,
        ViolationKind::WrongResult,
        "recording, step 9: wrong result: returned 'not found', expected ok",
    );
    finds_without_a_cut(
        Fault::NeverErases,
        ViolationKind::DeviceMisuse,
        "program failed at block 0, offset 0: the units have not been erased",
    );
    finds_without_a_cut(
        Fault::NotDeterministic,
        ViolationKind::NotDeterministic,
        "two runs",
    );
    finds_without_a_cut(Fault::PanicsOnUnmount, ViolationKind::Panic, "not so fast");
}

#[test]
fn finds_that_spoilt_programs_go_unnoticed() {
    use cutpoint::faults::FaultSweep;
    use cutpoint::faulty::{FaultClass, Lasting};
    let (toy, workload) = (Toy::with(Fault::None), workload());
    let spoilt = FaultClass::ProgSpoilt(Lasting::Once);
    let report = FaultSweep::new(&toy, &workload, spoilt).run();
    assert_eq!(report.faults, 11);
    // The format's program, and each commit that the next one does not make up for.
    let kinds: Vec<_> = report
        .found
        .iter()
        .map(|found| found.violation.kind)
        .collect();
    assert!(
        kinds.contains(&ViolationKind::LostKey),
        "{:?}",
        report.found
    );
    assert!(
        kinds.contains(&ViolationKind::WrongResult),
        "{:?}",
        report.found
    );
}

#[test]
fn any_number_of_threads_gives_the_same_report() {
    for fault in [Fault::None, Fault::AcksBeforeCommit, Fault::MountsOlder] {
        let reports: Vec<String> = [1, 2, 5]
            .into_iter()
            .map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                let report = pool.unwrap().install(|| sweep(fault));
                serde_json::to_string(&report).unwrap()
            })
            .collect();
        assert_eq!(reports[0], reports[1]);
        assert_eq!(reports[0], reports[2]);
    }
}

#[test]
fn a_witness_replays_to_the_same_violation() {
    let toy = Toy::with(Fault::AcksBeforeCommit);
    let workload = workload();
    let sweep = Sweep::new(&toy, &workload);
    let report = sweep.run();
    for group in &report.violations {
        for found in &group.witnesses {
            let Place::State(state) = &found.place else {
                panic!("{found} is no crash state");
            };
            let replay = sweep.replay(state).unwrap();
            assert_eq!(replay.recovery.verdict.violation(), Some(&found.violation));
            assert_eq!(
                Some(replay.recording.trace().fingerprint()),
                report.fingerprint
            );
        }
    }
    let beyond = CrashState::prefix(1000);
    assert!(matches!(
        sweep.replay(&beyond),
        Err(ReplayError::NoSuchState { state, .. }) if state == beyond
    ));
    let clean = Toy::with(Fault::None);
    let replay = Sweep::new(&clean, &workload)
        .replay(&CrashState::prefix(5))
        .unwrap();
    assert_eq!(replay.recovery.verdict, Verdict::Clean);
}

#[test]
fn a_cancelled_sweep_says_what_is_missing() {
    let toy = Toy::with(Fault::None);
    let workload = workload();
    let (cancel, progress) = (AtomicBool::new(true), Progress::default());
    let sweep = Sweep::new(&toy, &workload).with_progress(&progress);
    let report = sweep.with_cancel(&cancel).run();
    assert!(!report.is_complete());
    assert_eq!((report.states, report.covered), (24.into(), 0.into()));
    assert_eq!((progress.parts(), progress.done()), (24, 0));
    assert!(sweep.run().is_complete());
    assert_eq!((progress.parts(), progress.done()), (48, 24));
}

#[test]
fn the_states_in_flight_are_on_disk_and_gone_afterwards() {
    /// Looks at the records whenever it is asked to mount.
    struct Nosy<'a>(Toy, &'a std::path::Path, std::sync::Mutex<Vec<String>>);
    impl cutpoint::subject::Subject for Nosy<'_> {
        fn name(&self) -> &'static str {
            "nosy"
        }
        fn promises(&self) -> Promises {
            self.0.promises()
        }
        fn format(
            &self,
            device: cutpoint::subject::Device,
        ) -> Result<(), cutpoint::subject::SubjectError> {
            self.0.format(device)
        }
        fn mount(
            &self,
            device: cutpoint::subject::Device,
        ) -> Result<Box<dyn cutpoint::subject::Mounted>, cutpoint::subject::SubjectError> {
            for record in inflight::read(self.1).unwrap() {
                self.2
                    .lock()
                    .unwrap()
                    .push(format!("{} {}", record.workload, record.place));
            }
            self.0.mount(device)
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let inflight = Inflight::create(dir.path(), 1).unwrap();
    let nosy = Nosy(
        Toy::with(Fault::None),
        dir.path(),
        std::sync::Mutex::default(),
    );
    let workload = workload();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let report = pool.install(|| Sweep::new(&nosy, &workload).with_inflight(&inflight).run());
    assert!(report.is_complete());
    assert!(inflight.error().is_none());
    assert_eq!(inflight::read(dir.path()).unwrap(), []);
    let seen = nosy.2.into_inner().unwrap();
    assert!(seen.contains(&"toy recording".to_owned()), "{seen:?}");
    for state in 0..24 {
        assert!(
            seen.contains(&format!("toy crash state {state}")),
            "{state}: {seen:?}"
        );
    }
}
