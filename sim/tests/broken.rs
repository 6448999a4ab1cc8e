//! The harness can fail: engines with a deliberate fault are each caught with the right verdict, on workloads that the
//! real engine passes.

use cutpoint::explore::{Place, Sweep, SweepReport};
use cutpoint::op::Operation;
use cutpoint::subject::{Contents, Device, Health, Mounted, Promises, Subject, SubjectError};
use cutpoint::subjects::EngineSubject;
use cutpoint::verdict::ViolationKind;
use cutpoint::workload::{Workload, builtin, images};
use cutpoint_engine::device::BlockId;
use cutpoint_engine::{FormatOptions, MountOptions, Sabotage, Timestamp};
use std::path::Path;

/// What a fault makes of an open store.
type Break = fn(Box<dyn Mounted>) -> Box<dyn Mounted>;

/// The engine behind a fault of its caller.
struct Broken {
    engine: EngineSubject,
    /// Called before each mount.
    at_mount: fn(&mut Device),
    mounted: Break,
}

impl Broken {
    fn new(at_mount: fn(&mut Device), mounted: Break) -> Self {
        Self {
            engine: EngineSubject::default(),
            at_mount,
            mounted,
        }
    }
}

impl Subject for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn promises(&self) -> Promises {
        self.engine.promises()
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        self.engine.format(device)
    }

    fn mount(&self, mut device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        (self.at_mount)(&mut device);
        Ok((self.mounted)(self.engine.mount(device)?))
    }
}

/// Says that an operation is done before it is: it happens when the next call comes, or the store is closed.
struct Late {
    store: Box<dyn Mounted>,
    pending: Option<Operation>,
    next_time: Timestamp,
}

impl Late {
    fn catch_up(&mut self) -> Result<(), SubjectError> {
        match self.pending.take() {
            Some(operation) => self.store.apply(&operation),
            None => Ok(()),
        }
    }
}

impl Mounted for Late {
    fn set_time(&mut self, now: Timestamp) {
        // The operation that is pending keeps the time at which it was called.
        self.next_time = now;
    }

    fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError> {
        self.catch_up()?;
        self.store.set_time(self.next_time);
        self.pending = Some(operation.clone());
        Ok(())
    }

    fn contents(&mut self) -> Result<Contents, SubjectError> {
        self.catch_up()?;
        self.store.contents()
    }

    fn check(&mut self) -> Result<Health, SubjectError> {
        self.catch_up()?;
        self.store.check()
    }
}

impl Drop for Late {
    fn drop(&mut self) {
        let _ = self.catch_up();
    }
}

fn late(store: Box<dyn Mounted>) -> Box<dyn Mounted> {
    Box::new(Late {
        store,
        pending: None,
        next_time: Timestamp::EPOCH,
    })
}

/// Whether the device looks as if a power cut had left it in the middle of a compaction: a block is blank that
/// something was in. Any condition would do that recovery meets and the workload does not.
fn was_interrupted(device: &mut Device) -> bool {
    let mut first = [0; 4];
    device.read(BlockId::new(0), 0, &mut first).unwrap();
    let mut second = [0; 4];
    device.read(BlockId::new(1), 0, &mut second).unwrap();
    first == [0xff; 4] || second == [0xff; 4]
}

fn panic_if_interrupted(device: &mut Device) {
    assert!(!was_interrupted(device), "this cannot happen");
}

fn loop_if_interrupted(device: &mut Device) {
    while was_interrupted(device) {}
}

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
        let mount = MountOptions::default().with_sabotage(sabotage);
        let subject = EngineSubject::new(FormatOptions::default(), mount);
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
    let mount = MountOptions::default().with_sabotage(Sabotage::IgnoreChecksums);
    let blind = EngineSubject::new(FormatOptions::default(), mount);
    let report = sweep(&blind, &untouched);
    let found = report.first_violation().unwrap();
    assert!(matches!(found.place, Place::Recording { .. }), "{found}");
    assert_eq!(
        sweep(&EngineSubject::default(), &untouched).first_violation(),
        None
    );
}
