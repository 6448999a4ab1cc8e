//! The harness measured: mutants of the built-in workloads and engines with a fault are killed, and what is not is
//! explained; every check of the judge can fail.

mod toy;

use cutpoint::contract;
use cutpoint::explore::Sweep;
use cutpoint::mutants::{Last, Mutants, MutantsReport, Mutation, MutationKind, Outcome, Reason};
use cutpoint::op::{Operation, Value};
use cutpoint::record::Recording;
use cutpoint::report::mutants::MutantsSummary;
use cutpoint::subjects::EngineSubject;
use cutpoint::trace::Event;
use cutpoint::verdict::{Stage, ViolationKind};
use cutpoint::workload::{Workload, builtin};
use cutpoint_engine::{FormatOptions, MountOptions, Sabotage};
use std::collections::BTreeSet;
use std::fmt::Write;
use toy::{Fault, Toy};

fn built_in(name: &str) -> Workload {
    builtin::builtin(name).unwrap()
}

fn assert_reviewed(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../reports");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn mutants(workload: &Workload) -> MutantsReport {
    let subject = EngineSubject::default().moving_after(workload.block_cycles());
    Mutants::of(Sweep::new(&subject, workload)).run()
}

/// Some of the built-in workloads; `cutpoint mutants all` has the others.
#[test]
fn every_mutant_is_killed_or_explained() {
    let mut summary = MutantsSummary::default();
    for name in ["rename-512", "removal-512", "full-512"] {
        summary.push(mutants(&built_in(name)));
    }
    assert!(!summary.has_survivors(), "{}", summary.text(true, None));
    let made: u64 = summary
        .reports()
        .iter()
        .map(|report| report.score().made)
        .sum();
    assert!(made > 500, "{made}");
    assert_reviewed("mutants-some-512", &summary.text(false, None));
}

#[test]
fn mutants_do_not_depend_on_the_number_of_threads() {
    let workload = built_in("full-4096");
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| mutants(&workload))
    };
    assert_eq!(on(1), on(3));
}

/// Each mutation changes one thing, and the writes are the same.
#[test]
fn mutations_change_the_order_of_events_alone() {
    let (subject, workload) = (EngineSubject::default(), built_in("full-512"));
    let budget = cutpoint::default_budget(workload.geometry());
    let recording = Recording::of(&subject, &workload, budget).unwrap();
    let trace = recording.trace();
    let sorted = |events: &[Event]| {
        let mut texts: Vec<String> = events.iter().map(|event| format!("{event:?}")).collect();
        texts.sort_unstable();
        texts
    };
    let all = Mutation::all(trace);
    let counted = |kind| {
        all.iter()
            .filter(|mutation| mutation.kind() == kind)
            .count()
    };
    assert_eq!(
        counted(MutationKind::SyncDropped) as u32,
        trace.counts().syncs
    );
    assert_eq!(
        counted(MutationKind::WritesSwapped) as u32,
        trace.writes() - 1
    );
    assert!(counted(MutationKind::AcknowledgedBeforeSync) > 10);
    for mutation in all {
        let events = mutation.events(trace);
        assert_ne!(events, trace.events(), "{mutation}");
        match mutation {
            Mutation::SyncDropped { .. } => assert_eq!(events.len() + 1, trace.events().len()),
            _ => assert_eq!(sorted(&events), sorted(trace.events()), "{mutation}"),
        }
        if let Mutation::AcknowledgedEarly { step, last } = mutation {
            let end = events
                .iter()
                .position(|event| *event == Event::OperationEnd(step));
            let next = &events[end.unwrap() + 1];
            assert_eq!(*next == Event::Sync, last == Last::Sync, "{mutation}");
        }
    }
}

/// A store that writes each change to a block in turn, and waits for it: nothing can be left out, and only the format's
/// writes to different blocks have no order.
#[test]
fn a_small_store_needs_all_that_it_does() {
    let workload = Workload::new("toy", toy::geometry())
        .then(Operation::set("/a", Value::generated(20, 1)))
        .then(Operation::set("/b", Value::generated(20, 2)))
        .then(Operation::remove("/a"));
    let toy = Toy::with(Fault::None);
    let report = Mutants::of(Sweep::new(&toy, &workload)).run();
    assert_eq!(report.broken, None);
    // 4 syncs, 9 writes, 4 steps.
    let score = report.score();
    let counts = (score.made, score.killed, score.equivalent);
    assert_eq!(counts, (4 + 8 + 8, 18, 2), "{:?}", report.mutants);
    for mutant in &report.mutants {
        if let Outcome::Equivalent(reason) = mutant.outcome {
            assert_eq!(reason, Reason::Unordered, "{mutant:?}");
        }
    }
}

#[test]
fn there_are_no_mutants_of_a_run_that_is_not_clean() {
    let toy = Toy::with(Fault::AcksBeforeCommit);
    let workload = small();
    let report = Mutants::of(Sweep::new(&toy, &workload)).run();
    assert!(report.broken.is_some() && report.mutants.is_empty());
    let mut summary = MutantsSummary::default();
    summary.push(report);
    assert!(summary.has_survivors());
    let text = summary.text(false, None);
    assert!(
        text.contains("toy is not clean without any mutation: "),
        "{text}"
    );
}

/// Faults in the engine's own code, and how many recoveries it takes until one shows.
#[test]
fn engines_with_a_fault_are_killed() {
    let mut table = String::new();
    for (name, sabotage, contract, workloads) in [
        (
            "checksums not looked at",
            Sabotage::IgnoreChecksums,
            &contract::TORN,
            ["sizes-512", "split-ascending-512", "split-ascending-4096"],
        ),
        (
            "block freed early",
            Sabotage::FreeEarly,
            &contract::PREFIX,
            ["sizes-128", "sizes-512", "sizes-4096"],
        ),
        (
            "commit before its data",
            Sabotage::CommitBeforeData,
            &contract::PREFIX,
            ["sizes-128", "sizes-512", "sizes-4096"],
        ),
        (
            "hardtail lost",
            Sabotage::LoseHardtail,
            &contract::PREFIX,
            [
                "split-ascending-128",
                "split-ascending-512",
                "split-ascending-4096",
            ],
        ),
    ] {
        let mount = MountOptions::default().with_sabotage(sabotage);
        let subject = EngineSubject::new(FormatOptions::default(), mount);
        for workload in workloads.map(built_in) {
            let sweep = Sweep::new(&subject, &workload).under(contract);
            let (found, recoveries) = Mutants::of(sweep).first_of_subject();
            let kind = found.expect("it is caught").violation.kind;
            let (workload, contract) = (workload.name(), contract.name);
            writeln!(
                table,
                "{name:<24} {workload:<21} {contract:<8}{recoveries:>5}  {kind}"
            )
            .unwrap();
        }
    }
    assert_reviewed("mutants-engine", &table);
}

fn small() -> Workload {
    (0..4_u8)
        .fold(Workload::new("toy", toy::geometry()), |workload, index| {
            let key = format!("/k{index}");
            workload.then(Operation::set(&key, Value::generated(20, index.into())))
        })
        .then(Operation::set("/k0", Value::generated(30, 9)))
        .then(Operation::remove("/k1"))
        .then(Operation::remove("/absent"))
}

/// A check of the judge, and the fault that it is there for.
struct Check {
    name: &'static str,
    fault: Fault,
    /// The fault is the peer's, and the subject has none.
    of_peer: bool,
    kind: ViolationKind,
    stage: &'static str,
}

/// All that a recovery is judged by.
const CHECKS: &[Check] = &[
    check(
        "results are the model's",
        Fault::RefusesAbsent,
        ViolationKind::WrongResult,
        "recording",
    ),
    check(
        "the device's rules are kept",
        Fault::NeverErases,
        ViolationKind::DeviceMisuse,
        "recording",
    ),
    check(
        "two runs are the same",
        Fault::NotDeterministic,
        ViolationKind::NotDeterministic,
        "recording",
    ),
    check(
        "unmounting does not panic",
        Fault::PanicsOnUnmount,
        ViolationKind::Panic,
        "recording",
    ),
    check(
        "mounting does not panic",
        Fault::PanicsWhenCut,
        ViolationKind::Panic,
        "mount",
    ),
    check(
        "mounting ends",
        Fault::LoopsWhenCut,
        ViolationKind::Hang,
        "mount",
    ),
    check(
        "the store mounts",
        Fault::InPlace,
        ViolationKind::Unmountable,
        "mount",
    ),
    check(
        "a store can be made again",
        Fault::FormatsBlankOnly,
        ViolationKind::Wedged,
        "format again",
    ),
    check(
        "all can be read",
        Fault::UnreadableWhenCut,
        ViolationKind::Unreadable,
        "contents",
    ),
    check(
        "no key is lost",
        Fault::LosesKeyWhenCut,
        ViolationKind::LostKey,
        "contents",
    ),
    check(
        "no value is torn",
        Fault::InPlace,
        ViolationKind::TornValue,
        "contents",
    ),
    check(
        "no value is stale",
        Fault::AcksBeforeCommit,
        ViolationKind::StaleValue,
        "contents",
    ),
    check(
        "no removed key is back",
        Fault::AcksBeforeCommit,
        ViolationKind::ResurrectedKey,
        "contents",
    ),
    check(
        "no key appears",
        Fault::InventsKeyWhenCut,
        ViolationKind::GhostKey,
        "contents",
    ),
    check(
        "values are values",
        Fault::DictionaryWhenCut,
        ViolationKind::WrongKind,
        "contents",
    ),
    check(
        "attributes are right",
        Fault::AttributeWhenCut,
        ViolationKind::WrongAttributes,
        "contents",
    ),
    check(
        "the structure is sound",
        Fault::DamagedWhenCut,
        ViolationKind::CheckFailed,
        "check",
    ),
    check(
        "mounting again shows the same",
        Fault::WorseByMounting,
        ViolationKind::LostKey,
        "second mount",
    ),
    check(
        "the store takes changes",
        Fault::WedgedWhenCut,
        ViolationKind::Wedged,
        "epilogue",
    ),
    check(
        "changes show",
        Fault::ForgetsOnceChanged,
        ViolationKind::LostKey,
        "after epilogue",
    ),
    check(
        "changes survive",
        Fault::RefusesProbes,
        ViolationKind::Unmountable,
        "mount after epilogue",
    ),
    check(
        "nothing is left to repair",
        Fault::AlwaysPending,
        ViolationKind::CheckFailed,
        "mount after epilogue",
    ),
    of_peer(
        "a peer sees the same",
        Fault::LosesKeyWhenCut,
        "peer contents",
    ),
    of_peer(
        "a peer changes a copy",
        Fault::WedgedWhenCut,
        "peer changes",
    ),
    of_peer(
        "a peer sees the changes",
        Fault::RefusesProbes,
        "peer after epilogue",
    ),
];

const fn check(
    name: &'static str,
    fault: Fault,
    kind: ViolationKind,
    stage: &'static str,
) -> Check {
    Check {
        name,
        fault,
        of_peer: false,
        kind,
        stage,
    }
}

const fn of_peer(name: &'static str, fault: Fault, stage: &'static str) -> Check {
    Check {
        name,
        fault,
        of_peer: true,
        kind: ViolationKind::PeerDisagrees,
        stage,
    }
}

fn name_of(stage: &Stage) -> &'static str {
    match stage {
        Stage::Recording => "recording",
        Stage::Mount => "mount",
        Stage::Contents => "contents",
        Stage::Check => "check",
        Stage::FormatAgain => "format again",
        Stage::SecondMount => "second mount",
        Stage::Epilogue(_) => "epilogue",
        Stage::AfterEpilogue => "after epilogue",
        Stage::MountAfterEpilogue => "mount after epilogue",
        Stage::PeerContents => "peer contents",
        Stage::PeerChanges => "peer changes",
        Stage::PeerAfterEpilogue => "peer after epilogue",
    }
}

impl Check {
    /// Whether the fault makes it fail.
    fn fires(&self) -> bool {
        let faulty = Toy::with(self.fault);
        let sound = Toy::with(Fault::None);
        // A part of a format has to be left for one fault; of writes in part there are many.
        let (workload, contract) = match self.fault {
            Fault::FormatsBlankOnly => (Workload::new("toy", toy::geometry()), &contract::TORN),
            _ => (small(), &contract::PREFIX),
        };
        let sweep = if self.of_peer {
            Sweep::new(&sound, &workload).with_peer(&faulty)
        } else {
            Sweep::new(&faulty, &workload)
        };
        let report = sweep.under(contract).run();
        let mut witnesses = report.violations.iter().flat_map(|group| &group.witnesses);
        witnesses.any(|found| {
            let violation = &found.violation;
            violation.kind == self.kind && name_of(&violation.stage) == self.stage
        })
    }
}

#[test]
fn no_check_is_vacuous() {
    let silent: Vec<&str> = CHECKS
        .iter()
        .filter(|check| !check.fires())
        .map(|check| check.name)
        .collect();
    assert!(silent.is_empty(), "no fault makes these fail: {silent:?}");
    // And a store without a fault passes them all.
    let (toy, peer, workload) = (Toy::with(Fault::None), Toy::with(Fault::None), small());
    let report = Sweep::new(&toy, &workload).with_peer(&peer).run();
    assert_eq!(report.first_violation(), None);
}

#[test]
fn every_kind_of_violation_has_a_check() {
    let covered: BTreeSet<_> = CHECKS.iter().map(|check| check.kind).collect();
    let missing: Vec<_> = ViolationKind::ALL
        .into_iter()
        .filter(|kind| !covered.contains(kind))
        .map(|kind| kind.to_string())
        .collect();
    assert!(missing.is_empty(), "no check has one of these: {missing:?}");
}
