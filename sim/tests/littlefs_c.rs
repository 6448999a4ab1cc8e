//! The C littlefs under the built-in workloads, and beside the engine. What is found is known; something new would be news.
#![cfg(feature = "littlefs-c")]

use cutpoint::contract;
use cutpoint::explore::Sweep;
use cutpoint::model::TIME_ATTRIBUTE;
use cutpoint::report::summary::Summary;
use cutpoint::subject::Subject;
use cutpoint::subjects::{EngineSubject, LittlefsCSubject};
use cutpoint::verdict::ViolationKind;
use cutpoint::workload::builtin::{self, BLOCK_SIZES, Group};
use cutpoint::workload::{Workload, images};
use std::path::Path;
use std::time::Duration;

fn subject(workloads: &[Workload]) -> LittlefsCSubject {
    LittlefsCSubject::looking_for(workloads.iter().flat_map(Workload::attribute_kinds))
}

fn sweep(subject: &dyn Subject, workloads: &[Workload]) -> Summary {
    let mut summary = Summary::default();
    for workload in workloads {
        summary.push(Sweep::new(subject, workload).run(), Duration::ZERO);
    }
    summary
}

/// Every violation is the one fault that docs/interop.md tells of: after a cut inside a rename between two pairs, C
/// shows the moved entry in its new place but not the one behind its old place, until it repairs. So each is a lost
/// key, inside a rename.
#[test]
fn sweep_of_the_built_in_workloads() {
    let workloads = builtin::builtins();
    let summary = sweep(&subject(&workloads), &workloads);
    for found in summary.sweeps() {
        for group in &found.report.violations {
            assert_eq!(group.kind, ViolationKind::LostKey);
            for witness in &group.witnesses {
                let step = witness.step.as_deref().unwrap_or_default();
                assert!(step.starts_with("rename "), "{witness} ({step})");
            }
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../reports");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let text = summary.text(true, None);
    settings.bind(|| insta::assert_snapshot!("sweep-built-in-littlefs-c", text));
}

#[test]
fn nothing_is_found_between_the_small_programs_of_a_small_cache() {
    let workloads = [
        Group::Nested.workload(128).unwrap(),
        Group::Sizes.workload(512).unwrap(),
        Group::Rename.workload(512).unwrap(),
    ];
    for (workload, cache_size) in workloads.into_iter().zip([16, 64, 64]) {
        let workloads = [workload];
        let plain = subject(&workloads).repairing_on_mount();
        let writes = |summary: &Summary| summary.sweeps()[0].report.events.writes();
        let usual = sweep(&plain, &workloads);
        let small = sweep(&plain.with_cache_size(cache_size), &workloads);
        assert!(!small.has_violations(), "{}", small.text(true, None));
        assert!(writes(&small) > writes(&usual));
    }
}

#[test]
fn nothing_is_found_where_c_repairs_before_it_is_asked() {
    let workloads: Vec<_> = [Group::Rename, Group::Removal, Group::Full]
        .iter()
        .flat_map(|group| BLOCK_SIZES.map(|size| group.workload(size).unwrap()))
        .collect();
    let summary = sweep(&subject(&workloads).repairing_on_mount(), &workloads);
    assert!(!summary.has_violations(), "{}", summary.text(true, None));
}

#[test]
fn images_of_a_newer_littlefs_are_continued() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/images");
    let images = images::read_images(&dir).unwrap();
    let mut workloads: Vec<_> = images.iter().filter_map(images::on_image).collect();
    let names = ["basic_512_v20", "basic_512_v21", "expanded_512_v21"];
    workloads.retain(|workload| names.contains(&workload.name().trim_start_matches("split-on-")));
    assert_eq!(workloads.len(), names.len());
    let summary = sweep(&subject(&workloads).repairing_on_mount(), &workloads);
    assert!(!summary.has_violations(), "{}", summary.text(true, None));
}

/// The engine's crash states, each with C beside the engine.
fn beside_c(workloads: &[Workload], contracts: &[&'static contract::Contract]) -> Summary {
    let engine = EngineSubject::default();
    let mut summary = Summary::default();
    for workload in workloads {
        let kinds = workload.attribute_kinds().into_iter();
        let c = LittlefsCSubject::looking_for(kinds.chain([TIME_ATTRIBUTE])).repairing_on_mount();
        for contract in contracts {
            let sweep = Sweep::new(&engine, workload).with_peer(&c).under(contract);
            summary.push(sweep.run(), Duration::ZERO);
        }
    }
    summary
}

#[test]
fn c_sees_what_the_engine_sees_on_each_crash_state() {
    let workloads: Vec<_> = [128, 512]
        .into_iter()
        .flat_map(|size| Group::ALL.map(|group| group.workload(size).unwrap()))
        .collect();
    let summary = beside_c(&workloads, &[&contract::PREFIX]);
    let text = summary.text(true, None);
    assert!(!summary.has_violations(), "{text}");
    assert!(text.contains("held against C littlefs 2.9"), "{text}");
}

#[test]
fn c_sees_what_the_engine_sees_where_writes_are_torn_or_lost() {
    let groups = [Group::Attributes, Group::Full, Group::Removal];
    let workloads = groups.map(|group| group.workload(512).unwrap());
    let summary = beside_c(&workloads, &[&contract::TORN, &contract::REORDER]);
    assert!(!summary.has_violations(), "{}", summary.text(true, None));
}

#[test]
fn c_that_is_not_told_what_to_look_for_disagrees() {
    // It does not see the times.
    let workload = Group::Rename.workload(512).unwrap();
    let engine = EngineSubject::default();
    let c = LittlefsCSubject::default().repairing_on_mount();
    let report = Sweep::new(&engine, &workload).with_peer(&c).run();
    let found = report.first_violation().unwrap();
    assert_eq!(found.violation.kind, ViolationKind::PeerDisagrees);
    let detail = &found.violation.detail;
    assert!(
        detail.starts_with("C littlefs 2.9: the attributes of /"),
        "{detail}"
    );
}
