//! All sequences of up to two operations: the engine passes, and engines with a deliberate fault do not. What is judged
//! where is counted.

use cutpoint::bounded::{BoundedSweep, LengthReport, SequenceProgress};
use cutpoint::crash::CrashState;
use cutpoint::explore::{Place, Sweep};
use cutpoint::inflight::{self, Inflight};
use cutpoint::model::Attributes;
use cutpoint::op::Operation;
use cutpoint::refusal::Refusal;
use cutpoint::subject::{Contents, Device, Health, Mounted, Promises, Subject, SubjectError};
use cutpoint::subjects::EngineSubject;
use cutpoint::verdict::ViolationKind;
use cutpoint::workload::bounded::{Length, Sequences};
use cutpoint_engine::device::Geometry;
use cutpoint_engine::{FormatOptions, MountOptions, Sabotage, Timestamp};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

fn length(text: &str) -> Length {
    text.parse().unwrap()
}

fn sweep(subject: &dyn Subject, longest: &str) -> Vec<LengthReport> {
    let sequences = Sequences::new();
    let sweep = BoundedSweep::new(subject, &sequences);
    length(longest)
        .up_to()
        .map(|length| sweep.run(length))
        .collect()
}

fn sabotaged(sabotage: Sabotage) -> EngineSubject {
    let mount = MountOptions::default().with_sabotage(sabotage);
    EngineSubject::new(FormatOptions::default(), mount)
}

fn kinds(reports: &[LengthReport]) -> Vec<ViolationKind> {
    let groups = reports.iter().flat_map(|report| &report.violations);
    groups.map(|group| group.kind).collect()
}

#[test]
fn the_engine_keeps_its_promises_in_all_of_them() {
    for report in sweep(&EngineSubject::default(), "2") {
        assert_eq!(report.first_violation(), None);
        assert!(report.is_complete());
        assert_eq!((report.left_out, report.barred), (0, 0));
        assert_eq!(report.recoveries, report.covered);
        // Of sequences that write at all there is more than one state each, over all.
        assert!(report.covered > report.sequences, "{report:?}");
    }
}

#[test]
fn the_engine_keeps_its_promises_on_larger_blocks_that_are_programmed_in_pages() {
    let geometry = Geometry::new(512, 32).unwrap().with_prog_size(16).unwrap();
    let sequences = Sequences::on(geometry);
    let report = BoundedSweep::new(&EngineSubject::default(), &sequences).run(length("2"));
    assert_eq!(report.first_violation(), None);
    assert!(report.is_complete());
}

#[test]
fn faults_in_the_engine_are_caught_with_a_name_that_shows_them_again() {
    for (sabotage, longest, kind) in [
        (Sabotage::CommitBeforeData, "1", ViolationKind::Unreadable),
        (Sabotage::FreeEarly, "2", ViolationKind::TornValue),
    ] {
        let subject = sabotaged(sabotage);
        let reports = sweep(&subject, longest);
        assert!(kinds(&reports).contains(&kind), "{sabotage:?}: {reports:?}");
        let witness = reports.iter().find_map(LengthReport::first_violation);
        let witness = witness.unwrap();
        let workload = Sequences::named(&witness.workload).unwrap().unwrap();
        let spelled: Vec<String> = workload
            .operations()
            .iter()
            .map(Operation::to_string)
            .collect();
        assert_eq!(spelled, witness.operations);
        let Place::State(state) = &witness.found.place else {
            panic!("{sabotage:?} shows without a power cut: {witness:?}");
        };
        let replay = Sweep::new(&subject, &workload).replay(state).unwrap();
        assert_eq!(
            replay.recovery.verdict.violation(),
            Some(&witness.found.violation)
        );
    }
}

/// All crash states of a sequence are those that it adds and those that the sequences it begins with do.
#[test]
fn states_of_a_sequence_are_shared_out_without_rest() {
    let subject = EngineSubject::default();
    let sequences = Sequences::new();
    let whole = |number| {
        Sweep::new(&subject, &sequences.workload(number).unwrap())
            .run()
            .recoveries
    };
    let reports = sweep(&subject, "2");
    assert_eq!(reports[0].covered, whole(0));
    let of_ones: u64 = sequences
        .numbers(length("1"))
        .map(|one| whole(one) - whole(0))
        .sum();
    assert_eq!(reports[1].covered, of_ones);
    let of_pairs: u64 = sequences
        .numbers(length("1"))
        .flat_map(|one| sequences.below(one).map(move |(pair, _)| (one, pair)))
        .map(|(one, pair)| whole(pair) - whole(one))
        .sum();
    assert_eq!(reports[2].covered, of_pairs);
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let subject = sabotaged(Sabotage::CommitBeforeData);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| sweep(&subject, "2"))
    };
    let reports = on(1);
    assert!(reports[2].violation_count() > 100);
    assert_eq!(reports, on(3));
}

#[test]
fn a_sweep_that_is_cut_short_says_so() {
    let (subject, sequences) = (EngineSubject::default(), Sequences::new());
    let (cancel, progress) = (AtomicBool::new(true), SequenceProgress::default());
    let report = BoundedSweep::new(&subject, &sequences)
        .with_cancel(&cancel)
        .with_progress(&progress)
        .run(length("2"));
    assert!(!report.is_complete());
    assert_eq!(
        (report.explored, report.covered, progress.done()),
        (0, 0, 0)
    );
    assert_eq!(progress.sequences(), report.sequences);
}

/// The engine, but that it keeps attributes of the root in memory alone, and removes no attributes.
struct Forgetful(EngineSubject);

struct Forgetting {
    store: Box<dyn Mounted>,
    of_root: Attributes,
}

impl Subject for Forgetful {
    fn name(&self) -> &'static str {
        "forgetful"
    }

    fn promises(&self) -> Promises {
        self.0.promises()
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        self.0.format(device)
    }

    fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        Ok(Box::new(Forgetting {
            store: self.0.mount(device)?,
            of_root: Attributes::new(),
        }))
    }
}

impl Mounted for Forgetting {
    fn set_time(&mut self, now: Timestamp) {
        self.store.set_time(now);
    }

    fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError> {
        match operation {
            Operation::RemoveAttribute { .. } => Err(Refusal::ReadOnly.into()),
            Operation::SetAttribute { key, kind, data } if key.is_root() => {
                self.of_root.insert(*kind, data.bytes().into_owned());
                Ok(())
            }
            _ => self.store.apply(operation),
        }
    }

    fn contents(&mut self) -> Result<Contents, SubjectError> {
        let contents = self.store.contents()?;
        Ok(Contents::new(
            contents.entries().to_vec(),
            self.of_root.clone(),
        ))
    }

    fn check(&mut self) -> Result<Health, SubjectError> {
        self.store.check()
    }
}

#[test]
fn what_is_owed_without_a_write_is_missed() {
    let sequences = Sequences::new();
    let report =
        BoundedSweep::new(&Forgetful(EngineSubject::default()), &sequences).run(length("1"));
    let groups = report.violations.iter();
    let found: Vec<_> = groups
        .filter(|group| group.kind == ViolationKind::WrongAttributes)
        .flat_map(|group| &group.witnesses)
        .map(|witness| (witness.operations.join(", "), witness.found.place.clone()))
        .collect();
    // The image is the one that the format has left.
    let states = Sweep::new(&EngineSubject::default(), &sequences.workload(0).unwrap())
        .run()
        .recoveries;
    let last = CrashState::prefix(states as u32 - 1);
    assert_eq!(
        found,
        [("set-attribute / 0x41 8 B".to_owned(), Place::State(last))]
    );
}

#[test]
fn what_fails_without_a_power_cut_is_told_once() {
    let sequences = Sequences::new();
    let subject = Forgetful(EngineSubject::default());
    let sweep = BoundedSweep::new(&subject, &sequences);
    let wrong = |report: &LengthReport| {
        let groups = report.violations.iter();
        groups
            .filter(|group| group.kind == ViolationKind::WrongResult)
            .map(|group| group.count)
            .sum::<u64>()
    };
    let is_removal =
        |operation: &&Operation| matches!(operation, Operation::RemoveAttribute { .. });
    let removals = sequences.alphabet().iter().filter(is_removal).count() as u64;
    let others = sequences.alphabet().len() as u64 - removals;
    let (ones, pairs) = (sweep.run(length("1")), sweep.run(length("2")));
    assert_eq!((wrong(&ones), ones.barred), (removals, 0));
    assert_eq!(pairs.barred, removals * sequences.alphabet().len() as u64);
    assert_eq!(wrong(&pairs), others * removals);
    assert!(pairs.is_complete());
}

/// The engine, but that it looks at the notes on disk whenever it is mounted.
struct Watching<'a> {
    engine: EngineSubject,
    folder: &'a Path,
    seen: Mutex<BTreeSet<String>>,
}

impl Subject for Watching<'_> {
    fn name(&self) -> &'static str {
        "watching"
    }

    fn promises(&self) -> Promises {
        self.engine.promises()
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        self.engine.format(device)
    }

    fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        let records = inflight::read(self.folder).unwrap();
        let places = records
            .iter()
            .map(|record| format!("{}, {}", record.workload, record.place));
        self.seen.lock().unwrap().extend(places);
        self.engine.mount(device)
    }
}

#[test]
fn every_sequence_and_state_is_noted_on_disk_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let notes = Inflight::create(dir.path(), 1).unwrap();
    let subject = Watching {
        engine: EngineSubject::default(),
        folder: dir.path(),
        seen: Mutex::default(),
    };
    let sequences = Sequences::new();
    let sweep = BoundedSweep::new(&subject, &sequences).with_inflight(&notes);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let report = pool.unwrap().install(|| sweep.run(length("1")));
    let seen = subject.seen.into_inner().unwrap();
    assert!(seen.contains("bounded:3, recording"), "{seen:?}");
    let states = seen.iter().filter(|place| place.contains("crash state"));
    assert_eq!(states.count() as u64, report.covered);
    assert!(notes.error().is_none());
    assert!(inflight::read(dir.path()).unwrap().is_empty());
}
