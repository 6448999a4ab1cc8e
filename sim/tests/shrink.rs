//! Witnesses of all broken subjects are made small: few operations, one power cut, in a moment.

mod engines;
mod toy;

use cutpoint::contract::{self, Contract};
use cutpoint::explore::{Place, Sweep};
use cutpoint::op::{Operation, Value};
use cutpoint::shrink::{Shrink, Shrunk, Witness};
use cutpoint::subject::Subject;
use cutpoint::subjects::EngineSubject;
use cutpoint::workload::{Workload, builtin};
use cutpoint_engine::Sabotage;
use engines::{Broken, Unsynced, late, loop_if_interrupted, panic_if_interrupted, sabotaged};
use std::fmt::Write;
use std::time::Instant;
use toy::{Fault, Toy};

/// The toy's workload of the other tests, and a few more.
fn toys() -> Workload {
    let sets = (0..6_u8)
        .map(|index| Operation::set(&format!("/k{index}"), Value::generated(20, index.into())));
    Workload::new("toy", toy::geometry())
        .then_all(sets)
        .then(Operation::set("/k2", Value::generated(30, 12)))
        .then(Operation::remove("/k3"))
        .then(Operation::remove("/absent"))
        .then(Operation::rename("/k4", "/k5"))
        .then(Operation::set("/k0", Value::generated(20, 13)))
}

struct Broke {
    name: &'static str,
    subject: Box<dyn Subject>,
    workloads: Vec<Workload>,
    contract: &'static Contract,
    depth: u32,
}

#[allow(clippy::too_many_lines, reason = "a list")]
fn broken() -> Vec<Broke> {
    let mut all = Vec::new();
    let mut engine = |name, subject: Box<dyn Subject>, names: &[&str], contract, depth| {
        let workloads = names.iter().map(|name| builtin::builtin(name).unwrap());
        all.push(Broke {
            name,
            subject,
            workloads: workloads.map(|workload| workload.on(contract)).collect(),
            contract,
            depth,
        });
    };
    let with = |sabotage| Box::new(sabotaged(sabotage));
    let unsynced = || Box::new(Unsynced(EngineSubject::default()));
    let (prefix, reorder) = (&contract::PREFIX, &contract::REORDER);
    let sizes = ["sizes-512", "sizes-4096", "partial-512"];
    let splits = ["split-ascending-128", "split-shuffled-4096", "rename-512"];
    let early = with(Sabotage::CommitBeforeData);
    engine("commit before its data", early, &sizes, prefix, 1);
    let early = with(Sabotage::CommitBeforeData);
    engine("commit before its data", early, &sizes, reorder, 1);
    let frees = with(Sabotage::FreeEarly);
    engine("block freed early", frees, &sizes[..2], prefix, 1);
    engine(
        "hardtail lost",
        with(Sabotage::LoseHardtail),
        &splits,
        prefix,
        1,
    );
    let blind = with(Sabotage::IgnoreChecksums);
    engine(
        "checksums not looked at",
        blind,
        &["rename-512"],
        &contract::TORN,
        1,
    );
    engine(
        "no sync at all",
        unsynced(),
        &["removal-512", "rename-512"],
        reorder,
        1,
    );
    engine(
        "no sync at all",
        unsynced(),
        &["nested-512"],
        &contract::EMMC,
        1,
    );
    let untold = &contract::EMMC_UNTOLD;
    let real = Box::new(EngineSubject::default());
    engine(
        "not told of its device",
        real,
        &["split-shuffled-512"],
        untold,
        1,
    );
    let late = || Box::new(Broken::new(|_| {}, late));
    engine(
        "acknowledged early",
        late(),
        &["split-ascending-512", "removal-512"],
        prefix,
        1,
    );
    let panics = Box::new(Broken::new(panic_if_interrupted, |store| store));
    engine(
        "panic in recovery",
        panics,
        &["split-ascending-512"],
        prefix,
        1,
    );
    let loops = Box::new(Broken::new(loop_if_interrupted, |store| store));
    engine(
        "loop in recovery",
        loops,
        &["split-ascending-512"],
        prefix,
        1,
    );
    for (name, fault, depth) in [
        ("toy: acknowledged early", Fault::AcksBeforeCommit, 1),
        ("toy: panic when cut", Fault::PanicsWhenCut, 1),
        ("toy: key lost when cut", Fault::LosesKeyWhenCut, 1),
        ("toy: older state mounted", Fault::MountsOlder, 1),
        ("toy: key made up when cut", Fault::InventsKeyWhenCut, 1),
        ("toy: wedged when cut", Fault::WedgedWhenCut, 1),
        ("toy: damaged when cut", Fault::DamagedWhenCut, 1),
        ("toy: worse by mounting", Fault::WorseByMounting, 1),
        ("toy: repair in place", Fault::RepairsInPlace, 2),
        ("toy: rewritten in place", Fault::InPlace, 1),
        ("toy: rename in two steps", Fault::RenamesInTwoSteps, 1),
        ("toy: absent key refused", Fault::RefusesAbsent, 1),
    ] {
        all.push(Broke {
            name,
            subject: Box::new(Toy::with(fault)),
            workloads: vec![toys()],
            contract: prefix,
            depth,
        });
    }
    all
}

/// The first that a sweep finds.
fn witness(broke: &Broke, workload: &Workload) -> Witness {
    let sweep = Sweep::new(&*broke.subject, workload).under(broke.contract);
    let report = sweep.with_depth(broke.depth).with_bound(100, 0).run();
    Witness {
        workload: workload.clone(),
        contract: broke.contract,
        found: report.first_violation().expect("it is broken").clone(),
    }
}

fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

#[test]
fn witnesses_are_made_small() {
    let mut table = format!(
        "{:<26}{:<22}{:<12}{:<18}{:>10}{:>7}  {:<17}{:<13}decided by\n",
        "subject", "workload", "contract", "verdict", "operations", "tried", "device", "state"
    );
    let (mut operations, mut cuts) = (Vec::new(), Vec::new());
    for broke in broken() {
        for workload in &broke.workloads {
            let before = witness(&broke, workload);
            let begun = Instant::now();
            let shrink = Shrink::new(&*broke.subject, before.clone());
            let Shrunk {
                witness,
                flip,
                tried,
            } = shrink.run().unwrap();
            println!("{} {}: {:?}", broke.name, workload.name(), begun.elapsed());
            let (small, violation) = (&witness.workload, &witness.found.violation);
            assert_eq!(violation.kind, before.found.violation.kind);
            assert_eq!(violation.promise, before.found.violation.promise);
            let left = small.operations().len() as u64;
            operations.push(left);
            let geometry = small.geometry();
            let state = match &witness.found.place {
                Place::State(state) => {
                    cuts.push(u64::from(state.cuts()));
                    // It is a crash state of what is left, and shows the same alone.
                    let sweep = Sweep::new(&*broke.subject, small).under(broke.contract);
                    let replay = sweep.replay(state).unwrap();
                    assert_eq!(replay.recovery.verdict.violation(), Some(violation));
                    state.to_string()
                }
                Place::Recording { .. } | Place::Epoch { .. } => "no cut".to_owned(),
            };
            writeln!(
                table,
                "{:<26}{:<22}{:<12}{:<18}{:>10}{tried:>7}  {:<17}{state:<13}{}",
                broke.name,
                workload.name(),
                broke.contract.name,
                violation.kind.to_string(),
                format!("{} -> {left}", workload.operations().len()),
                format!(
                    "{} x {} / {}",
                    geometry.block_count(),
                    geometry.block_size(),
                    geometry.prog_size()
                ),
                flip.map_or("-".to_owned(), |flip| format!("write {}", flip.write)),
            )
            .unwrap();
        }
    }
    let (witnesses, operations, cuts) = (operations.len(), median(operations), median(cuts));
    writeln!(
        table,
        "\n{witnesses} witnesses; median: {operations} operations, {cuts} power cut"
    )
    .unwrap();
    assert!(operations <= 4 && cuts == 1, "{table}");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../reports");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("shrink-broken", table));
}

/// What does not show is not made small, and a budget is kept.
#[test]
fn says_where_nothing_shows_and_stops_in_time() {
    let broken = Toy::with(Fault::AcksBeforeCommit);
    let workload = toys();
    let report = Sweep::new(&broken, &workload).run();
    let witness = Witness {
        workload,
        contract: &contract::PREFIX,
        found: report.first_violation().unwrap().clone(),
    };
    let sound = Toy::with(Fault::None);
    let error = Shrink::new(&sound, witness.clone()).run().unwrap_err();
    assert!(
        error.to_string().ends_with("does not show again on toy"),
        "{error}"
    );
    let hurried = Shrink::new(&broken, witness.clone())
        .with_budget(20)
        .run()
        .unwrap();
    assert!(hurried.tried <= 60, "{}", hurried.tried);
    let patient = Shrink::new(&broken, witness).run().unwrap();
    let text = |shrunk: &Shrunk| {
        let operations = shrunk.witness.workload.operations().iter();
        operations.map(ToString::to_string).collect::<String>()
    };
    assert!(text(&patient).len() < text(&hurried).len());
}
