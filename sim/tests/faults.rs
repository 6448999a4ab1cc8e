//! The engine on devices that fail: results, what is on the medium from then on, and power cuts on top.

use cutpoint::crash::CrashState;
use cutpoint::faults::{FaultReplayError, FaultReport, FaultSweep};
use cutpoint::faulty::{Fault, FaultClass, Lasting, Trouble};
use cutpoint::op::{Operation, Value};
use cutpoint::subject::{BadBlocks, Device, Mounted, Promises, Subject, SubjectError};
use cutpoint::subjects::EngineSubject;
use cutpoint::verdict::{Promise, ViolationKind};
use cutpoint::workload::{Workload, builtin};
use cutpoint_engine::device::Geometry;
use cutpoint_engine::{DiskVersion, FormatOptions, MountOptions};

const BAD_PROG: FaultClass = FaultClass::ProgRefused(Trouble::Block, Lasting::ForGood);

fn workloads() -> Vec<Workload> {
    let mut workloads = builtin::builtins();
    workloads.retain(|workload| workload.geometry().block_size() < 4096);
    workloads
}

/// The engine, with every few compactions moving a pair.
fn moving() -> EngineSubject {
    let mount = MountOptions::default().with_block_cycles(2);
    EngineSubject::new(FormatOptions::default(), mount)
}

#[track_caller]
fn assert_clean(report: &FaultReport) {
    let found: Vec<_> = report.found.iter().map(ToString::to_string).collect();
    let (workload, count) = (&report.workload, report.violations);
    assert_eq!(count, 0, "{workload}:\n{}", found.join("\n"));
}

/// There is no call that takes a block; one after the other, each is the first that finds none.
#[test]
fn a_device_without_room_for_one_more_block_is_full_and_loses_nothing() {
    let subject = EngineSubject::default();
    for name in ["split-ascending-128", "sizes-512", "removal-128"] {
        let workload = builtin::builtin(name).unwrap();
        let report = FaultSweep::new(&subject, &workload, FaultClass::RunsOut).run();
        assert_clean(&report);
        assert_eq!(report.tried, report.faults);
        // Those that found no other block, the two without a format apart.
        assert!(report.refusals >= report.told - 2, "{report:?}");
        // Where there are not even those that a format takes.
        assert_eq!(report.device_errors, 2 * 2, "{report:?}");
    }
}

/// There are ten times as many reads as programs.
fn stride(class: FaultClass) -> u64 {
    match class {
        FaultClass::ReadRefused(_, Lasting::Once) => 31,
        FaultClass::ReadRefused(_, Lasting::ForGood) => 97,
        _ => 3,
    }
}

#[test]
fn the_engine_keeps_its_promises_on_devices_that_fail() {
    let subject = EngineSubject::default();
    for class in FaultClass::ALL {
        let (mut tried, mut worked_around) = (0, 0);
        for workload in workloads() {
            let report = FaultSweep::new(&subject, &workload, class)
                .with_stride(stride(class))
                .run();
            assert_clean(&report);
            assert_eq!(report.worked_around + report.told, report.tried);
            tried += report.tried;
            worked_around += report.worked_around;
        }
        // Where another block can be taken, most faults are nobody's business.
        let has_room = !matches!(class, FaultClass::WearsOut | FaultClass::RunsOut);
        let is_replaced = class.is_of_a_block() && has_room;
        assert_eq!(2 * worked_around > tried, is_replaced, "{class:?}");
    }
}

#[test]
fn the_engine_keeps_its_promises_where_wear_levelling_meets_a_bad_block() {
    let subject = moving();
    for workload in workloads() {
        for (class, stride) in [(BAD_PROG, 5), (FaultClass::RunsOut, 1)] {
            let sweep = FaultSweep::new(&subject, &workload, class).with_stride(stride);
            assert_clean(&sweep.run());
        }
    }
}

#[test]
fn a_power_cut_after_a_bad_block_was_replaced_is_like_any_other() {
    let subject = moving();
    for name in ["removal-128", "rename-128", "attributes-512"] {
        let workload = builtin::builtin(name).unwrap();
        for class in [
            BAD_PROG,
            FaultClass::ProgDenied(Trouble::Block),
            FaultClass::ProgSpoilt(Lasting::Once),
        ] {
            let report = FaultSweep::new(&subject, &workload, class)
                .with_stride(7)
                .with_crashes()
                .run();
            assert_clean(&report);
            assert!(report.states > 200, "{name}: {} states", report.states);
        }
    }
}

/// The pair before the removed dictionary on the list has moved, and there is no room to tell the list: that stays
/// announced, though the removal has nothing else to finish.
#[test]
fn a_list_that_lags_behind_for_lack_of_room_stays_announced() {
    let geometry = Geometry::new(128, 256).unwrap().with_prog_size(32).unwrap();
    let set = |key: &str| Operation::set(key, Value::generated(12, 1));
    let workload = Workload::new("lagging-list", geometry).then_all([
        set("/d/k04"),
        set("/d/k06"),
        set("/d/n1/v"),
        set("/d/n2/v"),
        Operation::rename("/d/k06", "/e/m2"),
        set("/d/n3/v"),
        Operation::remove("/d/n1"),
    ]);
    let subject = EngineSubject::default();
    let report = FaultSweep::new(&subject, &workload, FaultClass::RunsOut).run();
    assert_clean(&report);
}

/// The entry is in its new place, and the old one cannot be deleted: its block is bad, and no other is free.
#[test]
fn a_move_that_cannot_be_finished_for_lack_of_room_has_been_made_all_the_same() {
    let geometry = Geometry::new(256, 13).unwrap();
    let set = |key: &str, length| Operation::set(key, Value::generated(length, 1));
    let workload = Workload::new("no-room", geometry)
        .with_erase_value(0)
        .then_all([
            set("/a-name-that-takes-some-room", 5),
            set("/2", 257),
            set("/a/0", 757),
            Operation::remove("/a-name-that-takes-some-room"),
            set("/b/1", 0),
            Operation::allocate("/3", 4),
            Operation::set_attribute("/", 1, Value::generated(6, 0)),
            Operation::create_dictionary("/a/8"),
            Operation::allocate("/c/5", 16),
            Operation::truncate("/1", 29),
            set("/c/c", 32),
            set("/b/a-name-that-takes-some-room", 75),
            Operation::allocate("/6", 21),
            Operation::rename("/b/1", "/c/1"),
        ]);
    for cycles in [0, 1, 2] {
        let mount = MountOptions::default().with_block_cycles(cycles);
        for version in [DiskVersion::V2_0, DiskVersion::V2_1] {
            let subject = EngineSubject::new(FormatOptions::default().with_version(version), mount);
            assert_clean(&FaultSweep::new(&subject, &workload, BAD_PROG).run());
        }
    }
}

/// The dictionary that is renamed comes before one that moves on the list. It has to move too: its block is bad. Its
/// entry is hidden at the one place, and at the other it stands in the pair that the list does not lead to yet.
#[test]
fn a_dictionary_moves_off_a_bad_block_while_it_is_renamed_into_one_that_moves() {
    let set = |key: &str, length| Operation::set(key, Value::generated(length, 1));
    let workload = Workload::new("both-move", Geometry::new(4096, 96).unwrap()).then_all([
        set("/c/1", 8187),
        set("/0", 513),
        set("/b/0", 0),
        set("/a/0", 0),
        set("/0", 513),
        set("/0", 0),
        set("/c/1", 4095),
        Operation::set_attribute("/", 1, Value::literal("")),
        Operation::remove("/b"),
        set("/c/a", 0),
        Operation::create_dictionary("/1"),
        set("/b/0", 0),
        set("/b/a/0", 0),
        set("/a/0", 1),
        Operation::rename("/a", "/c/0"),
    ]);
    let mount = MountOptions::default().with_block_cycles(1);
    let format = FormatOptions::default().with_version(DiskVersion::V2_0);
    let subject = EngineSubject::new(format, mount);
    for class in [
        FaultClass::ProgRefused(Trouble::Block, Lasting::Once),
        BAD_PROG,
    ] {
        let sweep = FaultSweep::new(&subject, &workload, class);
        assert_clean(&sweep.with_crashes().run());
    }
}

#[test]
fn any_number_of_threads_gives_the_same_report() {
    let workload = builtin::builtin("nested-128").unwrap();
    let reports = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let sweep = || FaultSweep::new(&Boastful, &workload, BAD_PROG).run();
        pool.unwrap().install(sweep)
    });
    assert!(reports[0].violations > 0);
    assert_eq!(reports[0], reports[1]);
}

/// The engine, said to replace the first two blocks too.
struct Boastful;

impl Subject for Boastful {
    fn name(&self) -> &'static str {
        "boastful"
    }

    fn promises(&self) -> Promises {
        Promises {
            bad_blocks: BadBlocks::ReplacedBeyond(0),
            ..EngineSubject::default().promises()
        }
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        EngineSubject::default().format(device)
    }

    fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        EngineSubject::default().mount(device)
    }
}

#[test]
fn finds_blocks_that_are_not_replaced() {
    let workload = builtin::builtin("nested-512").unwrap();
    let report = FaultSweep::new(&Boastful, &workload, BAD_PROG).run();
    let first = &report.found[0];
    assert_eq!(first.violation.promise, Promise::Replaces);
    assert_eq!(
        first.to_string(),
        "prog-bad-block:0: program 0 is refused: bad block, for good; step 0 (format): wrong result: returned 'program failed at \
         block 1, offset 0: the block is bad'"
    );
}

/// The engine with what a careless caller makes of it.
#[derive(Clone, Copy)]
enum Careless {
    /// Device errors are taken for success.
    Ignores,
    /// A call that fails is made again, for ever, on a store that is mounted anew.
    Insists,
}

struct CarelessStore {
    careless: Careless,
    mount: Box<dyn Fn() -> Result<Box<dyn Mounted>, SubjectError>>,
    store: Box<dyn Mounted>,
}

impl Subject for Careless {
    fn name(&self) -> &'static str {
        "careless"
    }

    fn promises(&self) -> Promises {
        Promises {
            times: cutpoint::subject::Times::NotKept,
            ..EngineSubject::default().promises()
        }
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        EngineSubject::default().format(device)
    }

    fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        let device = cutpoint::shared::Shared::new(device);
        let mount = move || EngineSubject::default().mount(Box::new(device.clone()));
        Ok(Box::new(CarelessStore {
            careless: *self,
            store: mount()?,
            mount: Box::new(mount),
        }))
    }
}

impl Mounted for CarelessStore {
    fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError> {
        loop {
            match (self.store.apply(operation), self.careless) {
                (Err(SubjectError::Device(_)), Careless::Ignores) => return Ok(()),
                (Err(SubjectError::Device(_)), Careless::Insists) => self.store = (self.mount)()?,
                (result, _) => return result,
            }
        }
    }

    fn contents(&mut self) -> Result<cutpoint::subject::Contents, SubjectError> {
        self.store.contents()
    }

    fn check(&mut self) -> Result<cutpoint::subject::Health, SubjectError> {
        self.store.check()
    }
}

/// What is found is found again by its id, with what was said at each call that was struck.
#[test]
fn a_fault_is_tried_again_by_its_id() {
    let workload = builtin::builtin("nested-512").unwrap();
    let failing = FaultClass::ProgRefused(Trouble::Device, Lasting::ForGood);
    let sweep = FaultSweep::new(&Careless::Ignores, &workload, failing);
    let report = sweep.with_stride(8).run();
    assert!(!report.found.is_empty());
    for found in &report.found {
        let fault = found.fault.unwrap().to_string().parse().unwrap();
        let replay = sweep.replay(fault, None).unwrap();
        assert_eq!(replay.violation(), Some(&found.violation));
        assert_eq!(replay.struck[0].returned, "ok");
    }
    let fault = Fault {
        class: failing,
        at: report.faults,
    };
    let refused = sweep.replay(fault, None).unwrap_err();
    assert!(matches!(refused, FaultReplayError::NoSuchFault { .. }));
}

#[test]
fn a_power_cut_on_top_of_a_fault_is_replayed() {
    let subject = moving();
    let workload = builtin::builtin("removal-128").unwrap();
    let sweep = FaultSweep::new(&subject, &workload, BAD_PROG);
    // Some strike what cannot be replaced.
    let class = BAD_PROG;
    let mut faults = (20..).map(|at| Fault { class, at });
    let coped = |fault: &Fault| sweep.replay(*fault, Some(&CrashState::prefix(60))).is_ok();
    let fault = faults.find(coped).unwrap();
    let replay = sweep.replay(fault, Some(&CrashState::prefix(60))).unwrap();
    let (_, recovery) = replay.cut.as_ref().unwrap();
    assert!(recovery.shown.is_some());
    assert_eq!(replay.violation(), None);
    assert!(replay.struck[0].call.starts_with("set /"), "{replay:?}");
    let beyond = CrashState::prefix(100_000);
    let refused = sweep.replay(fault, Some(&beyond)).unwrap_err();
    assert!(matches!(refused, FaultReplayError::NoSuchState { .. }));
    let told = "prog-io-error:20".parse().unwrap();
    let refused = sweep.replay(told, Some(&beyond)).unwrap_err();
    assert!(matches!(refused, FaultReplayError::NotWorkedAround { .. }));
}

#[test]
fn finds_errors_that_are_ignored_and_calls_that_do_not_end() {
    let workload = builtin::builtin("nested-512").unwrap();
    let failing = FaultClass::ProgRefused(Trouble::Device, Lasting::ForGood);
    for (careless, kind) in [
        (Careless::Ignores, ViolationKind::LostKey),
        (Careless::Insists, ViolationKind::Hang),
    ] {
        let report = FaultSweep::new(&careless, &workload, failing)
            .with_stride(8)
            .run();
        let kinds: Vec<_> = report
            .found
            .iter()
            .map(|found| found.violation.kind)
            .collect();
        assert!(kinds.contains(&kind), "{kind} is not among {kinds:?}");
    }
}
