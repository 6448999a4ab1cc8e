//! The reviewed snapshots in reports/: a change of what the engine writes, or of what the harness explores, shows
//! there as a small diff.

use cutpoint::audit::Audit;
use cutpoint::contract;
use cutpoint::explore::Sweep;
use cutpoint::report::audit::AuditSummary;
use cutpoint::report::summary::Summary;
use cutpoint::subjects::EngineSubject;
use cutpoint::workload::{Workload, builtin, images};
use std::path::Path;
use std::time::Duration;

fn summary(workloads: &[Workload]) -> String {
    let mut summary = Summary::default();
    for workload in workloads {
        let subject = EngineSubject::default().moving_after(workload.block_cycles());
        summary.push(Sweep::new(&subject, workload).run(), Duration::ZERO);
    }
    summary.text(true, None)
}

fn assert_reviewed(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../reports");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn sweep_of_the_built_in_workloads() {
    assert_reviewed("sweep-built-in", &summary(&builtin::builtins()));
}

#[test]
fn sweep_of_the_workloads_on_images() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/images");
    let images = images::read_images(&dir).unwrap();
    let workloads: Vec<_> = images.iter().filter_map(images::on_image).collect();
    assert_reviewed("sweep-on-images", &summary(&workloads));
}

/// A sync that becomes needed, or no longer is, shows here.
#[test]
fn audit_of_the_built_in_workloads() {
    let subject = EngineSubject::default();
    let mut summary = AuditSummary::default();
    for workload in builtin::builtins() {
        let sweep = Sweep::new(&subject, &workload).under(&contract::REORDER);
        summary.push(Audit::of(sweep).unwrap().run());
    }
    assert_reviewed("audit-built-in", &summary.text(false, None));
}

#[test]
fn audit_of_one_workload_sync_by_sync() {
    let subject = EngineSubject::default();
    let mut summary = AuditSummary::default();
    let workload = builtin::builtin("full-512").unwrap();
    let sweep = Sweep::new(&subject, &workload).under(&contract::SECTOR_512);
    summary.push(Audit::of(sweep).unwrap().run());
    assert_reviewed("audit-full-512", &summary.text(true, None));
}
