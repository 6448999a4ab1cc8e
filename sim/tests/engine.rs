//! The engine keeps its promises on every built-in workload and on top of every sound image of the corpus; broken on
//! purpose, it is caught.

use cutpoint::disk::RecordingDisk;
use cutpoint::explore::{Sweep, SweepReport};
use cutpoint::model::Attributes;
use cutpoint::op::{Operation, Value, time_of};
use cutpoint::record::Recording;
use cutpoint::shared::Shared;
use cutpoint::subject::{Device, Mounted, Promises, Subject, SubjectError};
use cutpoint::subjects::EngineSubject;
use cutpoint::verdict::ViolationKind;
use cutpoint::workload::{Workload, builtin, images};
use cutpoint_engine::device::{Geometry, MemoryDevice};
use cutpoint_engine::{DiskVersion, FormatOptions, MountOptions, Sabotage, Store};
use std::path::Path;

#[track_caller]
fn assert_clean(reports: &[SweepReport]) {
    let found: Vec<String> = reports
        .iter()
        .filter_map(|report| Some((report, report.first_violation()?)))
        .map(|(report, found)| {
            let step = found.step.as_deref().unwrap_or("the end");
            format!("{}: {found} ({step})", report.workload)
        })
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    assert!(reports.iter().all(SweepReport::is_complete));
    assert!(!reports.is_empty());
}

fn sweep_all(workloads: &[Workload]) -> Vec<SweepReport> {
    let subject = EngineSubject::default();
    let sweep = |workload| Sweep::new(&subject, workload).run();
    workloads.iter().map(sweep).collect()
}

#[test]
fn built_in_workloads_are_clean() {
    assert_clean(&sweep_all(&builtin::builtins()));
}

/// Where every few compactions move a pair, or the root.
#[test]
fn built_in_workloads_are_clean_with_eager_wear_levelling() {
    for cycles in [1, 2, 5] {
        let mount = MountOptions::default().with_block_cycles(cycles);
        let subject = EngineSubject::new(FormatOptions::default(), mount);
        let sweep = |workload| Sweep::new(&subject, workload).run();
        assert_clean(&builtin::builtins().iter().map(sweep).collect::<Vec<_>>());
    }
}

#[test]
fn workloads_on_images_are_clean() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/images");
    let images = images::read_images(&dir).unwrap();
    let workloads: Vec<_> = images.iter().filter_map(images::on_image).collect();
    assert_clean(&sweep_all(&workloads));
}

#[test]
fn faults_put_into_the_engine_are_found_in_every_block_size() {
    for (sabotage, group, kind) in [
        (
            Sabotage::CommitBeforeData,
            "sizes",
            ViolationKind::TornValue,
        ),
        (
            Sabotage::CommitBeforeData,
            "full",
            ViolationKind::Unreadable,
        ),
        (Sabotage::FreeEarly, "sizes", ViolationKind::TornValue),
        (Sabotage::LoseHardtail, "split", ViolationKind::LostKey),
    ] {
        let mount = MountOptions::default().with_sabotage(sabotage);
        let subject = EngineSubject::new(FormatOptions::default(), mount);
        for workload in builtin::select(group).unwrap() {
            let report = Sweep::new(&subject, &workload).run();
            let found = report.violations.iter().any(|group| group.kind == kind);
            assert!(found, "{sabotage:?} shows no {kind} in {}", workload.name());
        }
    }
}

#[test]
fn directory_workloads_split_several_times() {
    for workload in builtin::select("split").unwrap() {
        let image = vec![0xff; workload.geometry().capacity() as usize];
        let mut device = MemoryDevice::from_image(image, workload.geometry().block_size()).unwrap();
        Store::format(&mut device, &FormatOptions::default()).unwrap();
        let mut store = Store::mount(&mut device, &MountOptions::default()).unwrap();
        let mut most = 0;
        for operation in workload.operations() {
            match operation {
                Operation::Set { key, value } => store.set(key, &value.bytes()).unwrap(),
                Operation::Remove { key } => store.remove(key).unwrap(),
                _ => {}
            }
            most = most.max(store.check().unwrap().blocks_used);
        }
        // All values are inline: beside the root pair there is only the dictionary. Two splits at least.
        assert!(most >= 2 + 3 * 2, "{}: {most} blocks used", workload.name());
    }
}

/// The engine, held to larger entries than it promises.
struct LargerEntries(EngineSubject);

impl Subject for LargerEntries {
    fn name(&self) -> &'static str {
        "larger entries"
    }

    fn promises(&self) -> Promises {
        Promises {
            entry_overhead: 40,
            ..self.0.promises()
        }
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        self.0.format(device)
    }

    fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        self.0.mount(device)
    }
}

/// So that no built-in workload is refused what it is about.
#[test]
fn entries_of_the_built_in_workloads_fit() {
    let subject = LargerEntries(EngineSubject::default());
    for workload in builtin::builtins() {
        let budget = cutpoint::default_budget(workload.geometry());
        let recording = Recording::of(&subject, &workload, budget);
        assert!(recording.is_ok(), "{}: {recording:?}", workload.name());
    }
}

#[test]
fn values_bear_the_time_of_their_operation() {
    let mut store = {
        let geometry = Geometry::new(512, 64).unwrap();
        let disk = Shared::new(RecordingDisk::new(geometry, 0xff));
        let subject = EngineSubject::default();
        subject.format(Box::new(disk.clone())).unwrap();
        subject.mount(Box::new(disk)).unwrap()
    };
    for (index, operation) in (1..).zip([
        Operation::set("/v", Value::literal("x")),
        Operation::create_dictionary("/d"),
    ]) {
        store.set_time(time_of(index));
        store.apply(&operation).unwrap();
    }
    let contents = store.contents().unwrap();
    let [dictionary, value] = contents.entries() else {
        panic!("{contents:?}");
    };
    assert_eq!(dictionary.attributes, Attributes::new());
    let days = time_of(1).days().to_le_bytes();
    let picoseconds = 1_000_000_000_000_u64.to_le_bytes();
    let expected = [&days[..], &picoseconds].concat();
    assert_eq!(value.attributes, Attributes::from([(0x74, expected)]));
}

/// A sweep of `operations` on small blocks, with every compaction moving its pair.
#[track_caller]
fn assert_clean_while_pairs_move(block_count: u32, operations: &[Operation]) {
    let mount = MountOptions::default().with_block_cycles(1);
    let geometry = Geometry::new(128, block_count).unwrap();
    for version in [DiskVersion::V2_0, DiskVersion::V2_1] {
        let subject = EngineSubject::new(FormatOptions::default().with_version(version), mount);
        let workload = Workload::new("moving", geometry).then_all(operations.iter().cloned());
        assert_clean(&[Sweep::new(&subject, &workload).run()]);
    }
}

/// The list leads for a moment to the place that a dictionary has left, where the value still stands.
#[test]
fn a_value_is_renamed_out_of_a_dictionary_that_moves_meanwhile() {
    assert_clean_while_pairs_move(
        96,
        &[
            Operation::set("/c/0", Value::literal("")),
            Operation::allocate("/c/4", 17),
            Operation::set("/c/0", Value::literal("")),
            Operation::rename("/c/4", "/a/0"),
        ],
    );
}

/// A pending move is finished by dropping a pair, and the list leads to the pair before that at a place it has left.
#[test]
fn the_last_entry_of_a_pair_is_renamed_within_a_dictionary_that_moves_meanwhile() {
    assert_clean_while_pairs_move(
        96,
        &[
            Operation::set("/b/a/0", Value::literal("")),
            Operation::allocate("/b/2", 6),
            Operation::set("/b/b/0", Value::literal("")),
            Operation::set("/a/0", Value::literal("")),
            Operation::set("/b/8", Value::generated(6, 0)),
            Operation::rename("/b/8", "/b/0"),
        ],
    );
}

/// For a moment the value stands in a new dictionary that is on the list and not yet in the tree, too.
#[test]
fn a_value_is_renamed_into_a_new_dictionary_whose_place_on_the_list_is_in_another_pair() {
    assert_clean_while_pairs_move(
        96,
        &[
            Operation::set("/d", Value::generated(127, 0)),
            Operation::set("/b/0", Value::literal("")),
            Operation::set("/0", Value::literal("")),
            Operation::rename("/d", "/a/0"),
        ],
    );
}
