//! What a run leaves is read back as it was, wherever its last line was cut off.

mod toy;

use cutpoint::contract;
use cutpoint::explore::{Sweep, SweepReport};
use cutpoint::op::{Operation, Value};
use cutpoint::run::{
    Command, Configuration, Entry, Explored, Finding, Header, Reader, RunError, Writer,
};
use cutpoint::subjects::EngineSubject;
use cutpoint::workload::{Workload, builtin};
use std::fs;
use std::path::Path;
use toy::{Fault, Toy};

fn workload() -> Workload {
    Workload::new("toy", toy::geometry())
        .then(Operation::set("/k", Value::generated(20, 1)))
        .then(Operation::set("/k", Value::generated(30, 2)))
        .then(Operation::rename("/k", "/l"))
        .then(Operation::remove("/absent"))
}

fn header(count: u64) -> Header {
    let configuration = Configuration {
        command: Command::Sweep,
        version: "0".into(),
        subject: "toy".into(),
        subject_version: "toy".into(),
        peer: None,
        seed: 0,
        max_states: 100,
        models: vec![Explored {
            contract: "prefix".into(),
            depth: 1,
        }],
        workloads: vec!["toy".into()],
    };
    Header::new(configuration, Some(count), None)
}

fn entry(index: u64, sweep: Sweep<'_>) -> Entry {
    let report = sweep.run();
    Entry {
        index,
        findings: Finding::all(&sweep, &report),
        report,
    }
}

/// Sweeps that find a little of everything.
fn entries() -> Vec<Entry> {
    let faults = [
        Fault::None,
        Fault::AcksBeforeCommit,
        Fault::PanicsWhenCut,
        Fault::WedgedWhenCut,
        Fault::RefusesAbsent,
        Fault::RepairsInPlace,
    ];
    let workload = workload();
    let of_toys = (0..).zip(faults).map(|(index, fault)| {
        let toy = Toy::with(fault);
        entry(index, Sweep::new(&toy, &workload).with_depth(2))
    });
    let mut entries: Vec<Entry> = of_toys.collect();
    let engine = EngineSubject::default();
    let rename = builtin::builtin("rename-512").unwrap();
    let sweep = Sweep::new(&engine, &rename).under(&contract::SD_NO_FLUSH);
    entries.push(entry(9, sweep.with_bound(20, 1)));
    entries
}

fn write(folder: &Path, entries: &[Entry]) {
    let mut writer = Writer::create(folder, &header(entries.len() as u64)).unwrap();
    for entry in entries {
        writer.push(entry.clone()).unwrap();
    }
    writer.finish(true, "all").unwrap();
}

#[test]
fn reads_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let entries = entries();
    let found: Vec<String> = entries
        .iter()
        .flat_map(|entry| &entry.findings)
        .map(|finding| finding.cause.to_string())
        .collect();
    for cause in [
        "stale value, set",
        "panic, set",
        "wedged, set",
        "wrong result, remove",
    ] {
        assert!(found.iter().any(|found| found == cause), "{found:?}");
    }
    write(dir.path(), &entries);
    let mut reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.header(), &header(7));
    let read: Vec<Entry> = reader.by_ref().collect::<Result<_, _>>().unwrap();
    assert_eq!(read, entries);
    let totals = reader.totals().unwrap();
    let sum = |figure: fn(&SweepReport) -> u64| -> u64 {
        entries.iter().map(|entry| figure(&entry.report)).sum()
    };
    assert_eq!(totals.recoveries, sum(|report| report.recoveries));
    assert_eq!(totals.sampled, sum(|report| report.sampled));
    assert_eq!(totals.violations, sum(SweepReport::violation_count));
    assert!(totals.sampled > 0 && totals.violations > 0);
    let models = totals.models.iter();
    let models: Vec<_> = models
        .map(|model| (model.contract.as_str(), model.depth))
        .collect();
    // Where something is wrong without a power cut, there is none.
    assert_eq!(models, [("prefix", 1), ("prefix", 2), ("sd-no-flush", 1)]);
}

/// The power is cut all over the file, at the ends of its lines most of all: what was whole is read, and the rest done again
/// leaves the same run.
#[test]
fn goes_on_from_wherever_it_was_cut() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let entries = entries();
    write(&whole, &entries);
    let bytes = fs::read(whole.join("run.jsonl")).unwrap();
    let first = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let folder = dir.path().join("cut");
    fs::create_dir_all(folder.join("cases")).unwrap();
    let file = folder.join("run.jsonl");
    let mut resumed_behind = Vec::new();
    let is_at_an_end = |cut: usize| bytes[cut - 2..(cut + 2).min(bytes.len())].contains(&b'\n');
    for cut in (first..=bytes.len()).filter(|&cut| cut % 1999 == 0 || is_at_an_end(cut)) {
        fs::write(&file, &bytes[..cut]).unwrap();
        let read = Reader::open(&folder)
            .unwrap()
            .collect::<Result<Vec<_>, _>>();
        let read = read.unwrap();
        assert_eq!(read, entries[..read.len()]);
        resumed_behind.push(read.len());
        let mut writer = Writer::resume(&folder, &header(7)).unwrap();
        assert_eq!(writer.totals().entries, read.len() as u64);
        for entry in &entries[read.len()..] {
            writer.push(entry.clone()).unwrap();
        }
        writer.finish(true, "all").unwrap();
        assert!(fs::read(&file).unwrap() == bytes, "cut at {cut}");
    }
    resumed_behind.dedup();
    assert_eq!(resumed_behind, (0..=7).collect::<Vec<_>>());
    for cut in 0..first {
        fs::write(&file, &bytes[..cut]).unwrap();
        assert!(Reader::open(&folder).is_err(), "{cut}");
    }
}

#[test]
fn goes_on_with_no_other_run() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &entries()[..2]);
    let refused = |result: Result<Writer, RunError>| result.unwrap_err().to_string();
    let again = refused(Writer::create(dir.path(), &header(2)));
    assert!(again.contains("there is a run already"), "{again}");
    let other = refused(Writer::resume(dir.path(), &header(3)));
    assert!(other.contains("of another command line"), "{other}");
    let file = dir.path().join("run.jsonl");
    let mut bytes = fs::read_to_string(&file).unwrap();
    bytes.insert_str(bytes.find('\n').unwrap() + 1, "{\"entry\":7}\n");
    fs::write(&file, bytes).unwrap();
    let bad = Reader::open(dir.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap_err();
    assert!(bad.to_string().contains("run.jsonl:2: "), "{bad}");
}
