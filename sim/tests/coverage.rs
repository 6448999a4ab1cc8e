//! What the built-in workloads cut inside of. A clean sweep says nothing of a split in a rename if no cut has ever fallen
//! into one: each is named here, under each crash model.

use cutpoint::contract::{Contract, PREFIX, REORDER, TORN};
use cutpoint::coverage::{Coverage, Tally, Work};
use cutpoint::explore::Sweep;
use cutpoint::op::OperationKind;
use cutpoint::phase::Phase;
use cutpoint::subjects::EngineSubject;
use cutpoint::workload::{Workload, builtin, images};
use std::path::Path;

const SET: Work = Work::of(OperationKind::Set);
const SET_THROUGH: Work = Work::through_new_dictionaries(OperationKind::Set);
const RENAME: Work = Work::of(OperationKind::Rename);
const RENAME_THROUGH: Work = Work::through_new_dictionaries(OperationKind::Rename);
const REMOVE: Work = Work::of(OperationKind::Remove);
const CREATE: Work = Work::of(OperationKind::CreateDictionary);

/// What the power must be cut inside of, under every model.
const NAMED: [(Work, &str); 34] = [
    (SET, "compaction"),
    (SET, "continuation"),
    (SET, "value blocks"),
    (SET, "split of the root"),
    (SET, "split of a first pair"),
    (SET, "split of a middle pair"),
    (SET, "split of a last pair"),
    (SET, "relocation of a first pair"),
    (SET, "relocation of a middle pair"),
    (SET, "relocation of a split pair"),
    (SET, "superblock expansion"),
    (SET_THROUGH, "new dictionaries"),
    (SET_THROUGH, "value blocks"),
    (SET_THROUGH, "split of the root"),
    (SET_THROUGH, "split of a first pair"),
    (SET_THROUGH, "split of a middle pair"),
    (SET_THROUGH, "split of a last pair"),
    (SET_THROUGH, "relocation of a last pair"),
    (RENAME, "commit"),
    (RENAME, "compaction"),
    (RENAME, "hardtail drop"),
    (RENAME, "split of the root"),
    (RENAME, "split of a first pair"),
    (RENAME, "split of a middle pair"),
    (RENAME, "split of a last pair"),
    (RENAME, "relocation of the root"),
    (RENAME, "relocation of a middle pair"),
    (RENAME_THROUGH, "new dictionaries"),
    (RENAME_THROUGH, "relocation of a last pair"),
    (REMOVE, "compaction"),
    (REMOVE, "hardtail drop"),
    (REMOVE, "removal"),
    (REMOVE, "relocation of a first pair"),
    (CREATE, "new dictionaries"),
];

fn coverage<'a>(
    workloads: impl IntoIterator<Item = &'a Workload>,
    contract: &'static Contract,
) -> Coverage {
    let mut all = Coverage::default();
    for workload in workloads {
        let subject = EngineSubject::default().moving_after(workload.block_cycles());
        let report = Sweep::new(&subject, workload).under(contract).run();
        assert_eq!(report.first_violation(), None, "{}", workload.name());
        all += &report.coverage;
    }
    all
}

/// The same, where units are single bytes on a device of larger ones: fewer to a write, and a tenth of the states.
fn with_larger_units(workload: Workload) -> Workload {
    let geometry = workload.geometry();
    if geometry.prog_size() > 1 {
        return workload;
    }
    let larger = Workload::new(workload.name(), geometry.with_prog_size(8).unwrap());
    larger.then_all(workload.operations().iter().cloned())
}

/// Those of the named that were never cut inside of.
fn missed(coverage: &Coverage) -> Vec<String> {
    let is_missed = |&&(work, phase): &&(Work, &'static str)| {
        coverage.inside(work, Phase::new(phase)).seen == 0
    };
    let missed = NAMED.iter().filter(is_missed);
    missed
        .map(|(work, phase)| format!("{work}: {phase}"))
        .collect()
}

fn assert_all_seen(coverage: &Coverage) {
    assert_eq!(missed(coverage), [""; 0]);
    for (work, phase, tally) in coverage.phases() {
        assert_eq!(tally.seen, tally.possible, "{work}: {phase}");
    }
    let Coverage {
        lost,
        kept,
        torn,
        both_orders,
        before_sync,
        after_sync,
        ..
    } = *coverage;
    for tally in [lost, kept, torn, both_orders, before_sync, after_sync] {
        assert_eq!(tally.seen, tally.possible);
    }
    assert!(lost.seen > 1000 && before_sync.seen > 1000);
}

#[test]
fn prefix_states_cut_inside_every_phase() {
    let coverage = coverage(&builtin::builtins(), &PREFIX);
    assert_all_seen(&coverage);
    assert_eq!(
        (coverage.torn.possible, coverage.both_orders.possible),
        (0, 0)
    );
}

#[test]
fn reordered_states_cut_inside_every_phase_and_keep_each_of_two_writes_without_the_other() {
    let coverage = coverage(&builtin::builtins(), &REORDER);
    assert_all_seen(&coverage);
    assert!(coverage.both_orders.seen > 1000);
}

#[test]
fn torn_states_cut_inside_every_phase_and_tear_each_write() {
    let builtins = builtin::builtins().into_iter();
    let small = builtins.filter(|workload| workload.geometry().block_size() < 4096);
    let workloads: Vec<_> = small.map(with_larger_units).collect();
    let coverage = coverage(&workloads, &TORN);
    assert_all_seen(&coverage);
    assert!(coverage.torn.seen > 1000);
}

/// What was cut short elsewhere is what is repaired here.
#[test]
fn a_repair_is_cut_inside_on_images_that_need_one() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/images");
    let images = images::read_images(&dir).unwrap();
    let workloads: Vec<_> = images.iter().filter_map(images::on_image).collect();
    let coverage = coverage(&workloads, &PREFIX);
    assert!(coverage.inside(SET_THROUGH, Phase::new("repair")).seen > 0);
}

#[test]
fn a_sweep_that_is_cut_short_says_what_it_has_not_seen() {
    let workload = builtin::builtin("sizes-512").unwrap();
    let subject = EngineSubject::default();
    let sweep = Sweep::new(&subject, &workload).under(&REORDER);
    let full = sweep.run().coverage;
    let bounded = sweep.with_bound(1, 0).run().coverage;
    let missed = |tally: Tally| tally.possible - tally.seen;
    assert_eq!(bounded.both_orders.possible, full.both_orders.possible);
    assert!(missed(bounded.kept) > 0);
    assert_eq!(missed(full.kept), 0);
}

#[test]
fn threads_change_nothing() {
    let workload = builtin::builtin("wear-128").unwrap();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        pool.install(|| coverage([&workload], &REORDER))
    };
    assert_eq!(run(1), run(3));
}
