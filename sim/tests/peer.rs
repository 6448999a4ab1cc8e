//! A peer that sees something else is a verdict of its own, whichever of the two is wrong, and wherever it shows.

use cutpoint::contract::{self, Contract};
use cutpoint::explore::{Found, Sweep, SweepReport};
use cutpoint::op::{Operation, Value};
use cutpoint::subject::{Contents, Device, Health, Mounted, Promises, Subject, SubjectError};
use cutpoint::subjects::EngineSubject;
use cutpoint::verdict::{Stage, ViolationKind};
use cutpoint::workload::{Workload, builtin};
use cutpoint_engine::device::Geometry;
use cutpoint_engine::{FormatOptions, Key, MountOptions, Sabotage, Timestamp};

/// The engine as its own peer, with a fault.
struct Peer {
    engine: EngineSubject,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// It does not mount.
    Blind,
    /// It overlooks the last key.
    Overlooks,
    /// Its sets set something else.
    WritesElse,
    /// It sees a key that the last changes add only where it has made them itself.
    OverlooksProbes,
    /// It panics when it is to change something.
    Panics,
}

struct MountedPeer {
    store: Box<dyn Mounted>,
    fault: Fault,
    has_changed: bool,
}

impl Subject for Peer {
    fn name(&self) -> &'static str {
        "peer"
    }

    fn full_name(&self) -> String {
        "peer 7".into()
    }

    fn promises(&self) -> Promises {
        self.engine.promises()
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        self.engine.format(device)
    }

    fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        if self.fault == Fault::Blind {
            return Err(SubjectError::Unmountable("not on purpose".into()));
        }
        Ok(Box::new(MountedPeer {
            store: self.engine.mount(device)?,
            fault: self.fault,
            has_changed: false,
        }))
    }
}

impl Mounted for MountedPeer {
    fn set_time(&mut self, now: Timestamp) {
        self.store.set_time(now);
    }

    fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError> {
        self.has_changed = true;
        match (self.fault, operation) {
            (Fault::Panics, _) => panic!("on purpose"),
            (Fault::WritesElse, Operation::Set { key, .. }) => self.store.apply(&Operation::Set {
                key: key.clone(),
                value: Value::literal("else"),
            }),
            _ => self.store.apply(operation),
        }
    }

    fn contents(&mut self) -> Result<Contents, SubjectError> {
        let contents = self.store.contents()?;
        let mut entries = contents.entries().to_vec();
        match self.fault {
            Fault::Overlooks => drop(entries.pop()),
            Fault::OverlooksProbes if !self.has_changed => {
                entries.retain(|entry| entry.key != Key::new("/probe"));
            }
            _ => {}
        }
        Ok(Contents::new(entries, contents.root_attributes().clone()))
    }

    fn check(&mut self) -> Result<Health, SubjectError> {
        self.store.check()
    }
}

fn sweep(fault: Fault, workload: &Workload, contract: &'static Contract) -> SweepReport {
    let engine = EngineSubject::default();
    let peer = Peer {
        engine: engine.clone(),
        fault,
    };
    Sweep::new(&engine, workload)
        .under(contract)
        .with_peer(&peer)
        .run()
}

fn workload() -> Workload {
    Workload::new("rename-over", Geometry::new(512, 64).unwrap())
        .then(Operation::set("/new", Value::generated(700, 1)))
        .then(Operation::set("/d/old", Value::literal("old")))
        .then(Operation::rename("/new", "/d/old"))
}

#[test]
fn a_peer_that_sees_the_same_is_clean_under_each_model() {
    for contract in contract::MODELS {
        let report = sweep(Fault::None, &workload(), contract);
        assert_eq!(report.first_violation(), None, "{}", contract.name);
        assert!(report.is_complete());
        assert_eq!(report.peer.unwrap().full_name, "peer 7");
    }
}

#[test]
fn a_peer_that_sees_something_else_is_caught_where_it_does() {
    for (fault, stage, detail) in [
        (
            Fault::Blind,
            Stage::PeerContents,
            "peer 7: cannot be mounted",
        ),
        (
            Fault::Overlooks,
            Stage::PeerChanges,
            "peer 7: /probe2 is missing",
        ),
        (
            Fault::WritesElse,
            Stage::PeerChanges,
            "peer 7: /probe holds",
        ),
        (
            Fault::OverlooksProbes,
            Stage::PeerAfterEpilogue,
            "peer 7: /probe is missing",
        ),
        (
            Fault::Panics,
            Stage::PeerChanges,
            "peer 7 on set /probe 32 B: panicked: on purpose",
        ),
    ] {
        for contract in [&contract::PREFIX, &contract::REORDER] {
            let report = sweep(fault, &workload(), contract);
            let kinds: Vec<_> = report.violations.iter().map(|group| group.kind).collect();
            assert_eq!(kinds, [ViolationKind::PeerDisagrees], "{fault:?}");
            // Where there may be no store yet, none of the two has to see one.
            let mut found = report.violations[0].witnesses.iter();
            let is_it = |found: &Found| {
                let violation = &found.violation;
                violation.stage == stage && violation.detail.starts_with(detail)
            };
            assert!(found.any(is_it), "{fault:?}: {:?}", report.violations);
            assert!(report.is_complete());
        }
    }
}

/// The subject's own violations are told, and a peer that is right adds nothing to them.
#[test]
fn what_the_subject_breaks_by_itself_goes_before_what_the_peer_says() {
    let mount = MountOptions::default().with_sabotage(Sabotage::LoseHardtail);
    let broken = EngineSubject::new(FormatOptions::default(), mount);
    let workload = builtin::builtin("split-ascending-512").unwrap();
    let alone = Sweep::new(&broken, &workload).run();
    let peer = EngineSubject::default();
    let beside = Sweep::new(&broken, &workload).with_peer(&peer).run();
    assert!(alone.violation_count() > 0);
    assert_eq!(beside.first_violation(), alone.first_violation());
}
