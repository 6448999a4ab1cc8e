//! Campaigns find what is broken, keep it as small cases, and come to the same however the work is shared out.

mod engines;

use cutpoint::campaign::Campaign;
use cutpoint::case::{Alone, Case, CrashModel};
use cutpoint::contract;
use cutpoint::explore::Sweep;
use cutpoint::report::campaign::CampaignText;
use cutpoint::run::{
    Command, Configuration, Explored, Header, Parts, Reader, Shard, Totals, Writer,
};
use cutpoint::subject::Subject;
use cutpoint::subjects::EngineSubject;
use cutpoint::workload::Workload;
use cutpoint_engine::{FormatOptions, MountOptions, Sabotage};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const MODELS: [CrashModel; 2] = [
    CrashModel::of(&contract::PREFIX),
    CrashModel::of(&contract::REORDER),
];
const SEED: u64 = 5;
const COUNT: u64 = 20;

/// The engine as the workload wants it, with a fault.
fn broken(workload: &Workload) -> Box<dyn Subject> {
    let mut format = FormatOptions::default();
    let mut mount = MountOptions::default().with_sabotage(Sabotage::CommitBeforeData);
    if let Some(version) = workload.disk_version() {
        format = format.with_version(version);
    }
    if let Some(cycles) = workload.block_cycles() {
        mount = mount.with_block_cycles(cycles);
    }
    Box::new(EngineSubject::new(format, mount))
}

fn header(shard: Option<Shard>) -> Header {
    let models = MODELS.iter().map(|model| Explored {
        contract: model.contract.name.to_owned(),
        depth: model.depth,
    });
    let configuration = Configuration {
        command: Command::Campaign,
        version: "0".into(),
        subject: "broken".into(),
        subject_version: "broken".into(),
        peer: None,
        seed: SEED,
        max_states: 100,
        models: models.collect(),
        workloads: Vec::new(),
    };
    Header::new(configuration, Some(COUNT), shard)
}

/// Runs a shard into the folder, or goes on with it, until `stop` workloads have been begun.
fn run(folder: &Path, shard: Option<Shard>, threads: usize, stop: u64) -> bool {
    let header = header(shard);
    let mut writer = if folder.join("run.jsonl").exists() {
        Writer::resume(folder, &header).unwrap()
    } else {
        Writer::create(folder, &header).unwrap()
    };
    let (begun, cancel) = (AtomicU64::new(0), AtomicBool::new(false));
    let subject = |workload: &Workload| {
        if begun.fetch_add(1, Ordering::Relaxed) >= stop {
            cancel.store(true, Ordering::Relaxed);
        }
        broken(workload)
    };
    let campaign = Campaign::new(&subject, &MODELS, SEED)
        .with_bound(100)
        .with_cancel(&cancel);
    let shard = shard.unwrap_or(Shard::WHOLE);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.unwrap();
    let done = pool.install(|| campaign.run(&mut writer, shard, Some(COUNT)).unwrap());
    let summary = CampaignText::new(&header, writer.totals()).to_string();
    writer.finish(done, &summary).unwrap();
    done
}

/// All files below a folder.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for part in ["", "cases"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                files.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    files
}

#[test]
fn what_is_broken_is_found_and_comes_to_the_same_however_it_is_shared_out() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    assert!(run(&at("whole"), None, 2, u64::MAX));
    let whole = files(&at("whole"));
    let reader = Reader::open(&at("whole")).unwrap();
    let findings: usize = reader.map(|entry| entry.unwrap().findings.len()).sum();
    let cases: Vec<_> = whole
        .iter()
        .filter(|(name, _)| name.starts_with("cases"))
        .collect();
    // Less than one for each, as causes come again.
    assert!(
        (1..findings).contains(&cases.len()),
        "{} of {findings}",
        cases.len()
    );
    for (name, text) in cases {
        let case = Case::parse(text, &Alone).unwrap();
        let workload = case.workload("case");
        let witness = &case.witnesses[0];
        let contract = witness.under.contract;
        let workload = workload.on(contract);
        let subject = broken(&workload);
        let replay = Sweep::new(&*subject, &workload)
            .under(contract)
            .replay(&witness.state);
        let replay = replay.unwrap();
        assert_eq!(replay.recording.trace().fingerprint(), witness.fingerprint);
        assert!(replay.recovery.verdict.violation().is_some(), "{name}");
        assert!(case.operations.len() <= 12, "{text}");
        // It is the fault that it shows, not the workload.
        let sound = EngineSubject::for_workload(&workload);
        let report = Sweep::new(&sound, &workload).under(contract).run();
        assert_eq!(report.first_violation(), None, "{name}");
    }

    // One thread; cut short, and gone on with; four parts, merged in any order, one of them twice.
    assert!(!run(&at("cut"), None, 1, 7));
    let cut = Reader::open(&at("cut")).unwrap().count() as u64;
    assert!(cut < COUNT, "{cut}");
    assert!(Parts::open([at("cut")]).is_err());
    assert!(run(&at("cut"), None, 1, u64::MAX));
    assert!(files(&at("cut")) == whole, "what was cut short differs");
    let parts = ["3/4", "1/4", "4/4", "2/4"].map(|shard| {
        let folder = at(&shard.replace('/', "-"));
        assert!(run(&folder, Some(shard.parse().unwrap()), 2, u64::MAX));
        folder
    });
    let merge = |folders: &[&Path], into: &Path| {
        let parts = Parts::open(folders).map_err(|error| error.to_string())?;
        let header = parts.header().clone();
        let mut writer = Writer::create(into, &header).unwrap();
        parts.join(|entry| writer.push(entry)).unwrap();
        let summary = CampaignText::new(&header, writer.totals()).to_string();
        let totals: Totals = writer.finish(true, &summary).unwrap();
        Ok::<Totals, String>(totals)
    };
    let [third, first, fourth, second] = parts.each_ref().map(PathBuf::as_path);
    let totals = merge(&[third, first, fourth, second, first], &at("merged")).unwrap();
    assert_eq!(totals.entries, COUNT);
    assert!(files(&at("merged")) == whole, "what was merged differs");
    merge(&[&at("merged")], &at("again")).unwrap();
    assert!(
        files(&at("again")) == whole,
        "what was merged again differs"
    );
    let missing = merge(&[first, third], &at("none")).unwrap_err();
    assert_eq!(missing, "of 4 shards some are missing: 2, 4");
    let different = merge(&[first, &at("whole")], &at("none")).unwrap_err();
    assert!(
        different.contains("not of the same command line"),
        "{different}"
    );
    assert!(!at("none").exists());
}

#[test]
fn the_engine_is_clean_in_a_short_campaign() {
    let models = Campaign::default_models();
    let subject = |workload: &Workload| -> Box<dyn Subject> {
        Box::new(EngineSubject::for_workload(workload))
    };
    let campaign = Campaign::new(&subject, &models, 0).with_bound(60);
    let mut totals = Totals::default();
    for index in 0..24 {
        let entry = campaign.explore(index).unwrap();
        let found = entry
            .findings
            .first()
            .map(|finding| finding.found.to_string());
        assert_eq!(found, None, "{}", entry.report.workload);
        totals.add(&entry);
    }
    assert!(totals.models.len() > 5, "{:?}", totals.models);
    assert!(totals.coverage.phases_cut().seen > 20);
}
