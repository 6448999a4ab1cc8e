//! A subject that takes the whole process down leaves the name of the crash state on disk.

use cutpoint::crash::CrashState;
use cutpoint::explore::Sweep;
use cutpoint::inflight::{self, Inflight};
use cutpoint::subject::{Device, Mounted, Promises, Subject, SubjectError};
use cutpoint::subjects::EngineSubject;
use cutpoint::workload::builtin;
use cutpoint_engine::device::BlockId;
use std::path::Path;
use std::process::Command;

const FOLDER: &str = "CUTPOINT_TEST_IN_FLIGHT";
const WORKLOAD: &str = "split-ascending-512";

/// The engine, but that it aborts where the first block is blank: after the cut behind its first erase.
struct Aborts;

impl Subject for Aborts {
    fn name(&self) -> &'static str {
        "aborts"
    }

    fn promises(&self) -> Promises {
        EngineSubject::default().promises()
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        EngineSubject::default().format(device)
    }

    fn mount(&self, mut device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        let mut first = [0; 4];
        let mut second = [0; 4];
        device.read(BlockId::new(0), 0, &mut first)?;
        device.read(BlockId::new(1), 0, &mut second)?;
        if first == [0xff; 4] && second != [0xff; 4] {
            std::process::abort();
        }
        EngineSubject::default().mount(device)
    }
}

/// Does nothing but in the process that the other test starts.
#[test]
fn the_process_that_is_brought_down() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let inflight = Inflight::create(Path::new(&folder), 2).unwrap();
        let workload = builtin::builtin(WORKLOAD).unwrap();
        Sweep::new(&Aborts, &workload)
            .with_inflight(&inflight)
            .run();
        unreachable!("the sweep meets the state that aborts");
    }
}

#[test]
fn an_abort_leaves_the_name_of_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_process_that_is_brought_down"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), None, "a signal ended it: {output:?}");
    let records = inflight::read(folder.path()).unwrap();
    assert!(!records.is_empty());
    let workload = builtin::builtin(WORKLOAD).unwrap();
    let engine = EngineSubject::default();
    for record in records {
        assert_eq!(record.workload, WORKLOAD);
        let state: CrashState = record
            .place
            .strip_prefix("crash state ")
            .unwrap()
            .parse()
            .unwrap();
        // The name is all that it takes to be there again.
        let replay = Sweep::new(&engine, &workload).replay(&state).unwrap();
        assert_eq!(replay.candidate.state, state);
        assert_eq!(replay.recovery.verdict.violation(), None);
    }
}
