use super::*;
use crate::contract;
use crate::crash::{Cuts, History, Leaves, Space};
use crate::disk::RecordingDisk;
use crate::medium::Medium;
use crate::shared::Shared;
use crate::trace::Event;
use cutpoint_engine::device::{BlockId, Geometry};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn geometry() -> Geometry {
    let geometry = Geometry::new(512, 96).unwrap();
    geometry.with_prog_size(128).unwrap()
}

fn disk() -> Shared<RecordingDisk> {
    Shared::new(RecordingDisk::new(geometry(), 0).with_medium(Medium::Disk))
}

fn mounted(disk: &Shared<RecordingDisk>) -> Files {
    Files::mount(Box::new(disk.clone())).unwrap()
}

fn bytes_of(files: &Files, name: &str) -> Option<Vec<u8>> {
    let file = files.exists(name).then(|| files.open(name).unwrap())?;
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read(0, &mut bytes).unwrap();
    Some(bytes)
}

#[derive(Clone, Debug)]
enum Call {
    Write(&'static str, u64, Vec<u8>),
    SetLength(&'static str, u64),
    Remove(&'static str),
    Rename(&'static str, &'static str),
    Sync,
    Mount,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let name = || prop_oneof![Just("a"), Just("b")];
    let data = prop::collection::vec(1_u8.., 1..700);
    let call = prop_oneof![
        4 => (name(), 0..1500_u64, data).prop_map(|(name, at, data)| Call::Write(name, at, data)),
        2 => (name(), 0..2000_u64).prop_map(|(name, length)| Call::SetLength(name, length)),
        1 => name().prop_map(Call::Remove),
        1 => Just(Call::Rename("a", "b")),
        1 => Just(Call::Sync),
        1 => Just(Call::Mount),
    ];
    prop::collection::vec(call, 1..12)
}

proptest! {
    /// What files hold is what a plain map of byte strings holds.
    #[test]
    fn files_hold_what_was_written(calls in calls()) {
        let disk = disk();
        let mut files = mounted(&disk);
        let mut model: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        for call in calls {
            match call {
                Call::Write(name, at, data) => {
                    let file = model.entry(name).or_default();
                    let end = at as usize + data.len();
                    file.resize(file.len().max(end), 0);
                    file[at as usize..end].copy_from_slice(&data);
                    files.open(name).unwrap().write(at, &data).unwrap();
                }
                Call::SetLength(name, length) => {
                    model.entry(name).or_default().resize(length as usize, 0);
                    files.open(name).unwrap().set_len(length).unwrap();
                }
                Call::Remove(name) => {
                    model.remove(name);
                    files.remove(name).unwrap();
                }
                Call::Rename(from, to) => {
                    let renamed = files.rename(from, to);
                    let file = model.remove(from).map(|file| model.insert(to, file));
                    let expected = file.map(drop).ok_or(FileError::NotFound(from.into()));
                    prop_assert_eq!(renamed, expected);
                }
                Call::Sync => files.sync().unwrap(),
                Call::Mount => files = mounted(&disk),
            }
            for name in ["a", "b"] {
                prop_assert_eq!(bytes_of(&files, name), model.get(name).cloned());
            }
        }
    }
}

/// What the files of each crash state of `run` show, under each contract that a disk may keep.
fn shown(run: impl Fn(&Files)) -> Vec<BTreeSet<BTreeMap<&'static str, Vec<u8>>>> {
    let disk = disk();
    run(&mounted(&disk));
    let trace = Arc::new(disk.take().into_trace());
    [&contract::TORN, &contract::SECTOR_512, &contract::EMMC]
        .into_iter()
        .map(|contract| {
            let cuts = Cuts::of(trace.events(), &History::default());
            let (geometry, blank) = (trace.geometry(), trace.erase_value());
            let space = Arc::new(Space::of(
                trace.events(),
                0,
                geometry,
                blank,
                contract,
                cuts,
            ));
            let mut shown = BTreeSet::new();
            for epoch in space.epochs() {
                let mut leaves = Leaves::new(&trace, &space, epoch);
                while let Some(view) = leaves.next_view() {
                    let device = Shared::new(view);
                    let files = Files::mount(Box::new(device.clone())).unwrap();
                    let seen = ["a", "b"].map(|name| Some((name, bytes_of(&files, name)?)));
                    shown.insert(seen.into_iter().flatten().collect());
                    drop(files);
                    leaves.finish(device.take());
                }
            }
            shown
        })
        .collect()
}

#[test]
fn no_cut_loses_what_was_synced_or_shows_bytes_of_a_removed_file() {
    let shown = shown(|files| {
        let a = files.open("a").unwrap();
        a.write(0, &[1; 600]).unwrap();
        files.sync().unwrap();
        for fill in 2..5 {
            let b = files.open("b").unwrap();
            b.write(0, &[fill; 520]).unwrap();
            files.remove("b").unwrap();
        }
        files.open("b").unwrap().set_len(700).unwrap();
    });
    for states in shown {
        let synced: Vec<_> = states
            .iter()
            .filter(|files| files.get("a").is_some_and(|a| *a == [1; 600]))
            .collect();
        let with_b: Vec<_> = states.iter().filter_map(|files| files.get("b")).collect();
        assert!(synced.len() > 4, "the cuts behind the sync");
        for files in states.iter().filter(|files| files.contains_key("b")) {
            assert_eq!(files.get("a"), Some(&vec![1; 600]));
        }
        assert!(with_b.iter().any(|b| **b == [0; 700]), "the last length");
        for b in with_b {
            let fill = b.iter().max().copied().unwrap_or(0);
            let whole = |byte: &u8| *byte == 0 || *byte == fill;
            // Torn, or without its bytes; but never with those of another file of this name.
            assert!(b.len() == 700 || b.iter().all(whole), "{b:?}");
        }
    }
}

#[test]
fn a_rename_over_a_synced_file_shows_one_or_the_other() {
    let shown = shown(|files| {
        files.open("a").unwrap().write(0, b"old").unwrap();
        files.open("b").unwrap().write(0, b"new").unwrap();
        files.sync().unwrap();
        files.rename("b", "a").unwrap();
        files.sync().unwrap();
    });
    for states in shown {
        let both = BTreeMap::from([("a", b"old".to_vec()), ("b", b"new".to_vec())]);
        let renamed = BTreeMap::from([("a", b"new".to_vec())]);
        assert!(states.contains(&both) && states.contains(&renamed));
        let a_is_new = states
            .iter()
            .filter(|files| files.get("a") == Some(&b"new".to_vec()));
        assert!(a_is_new.into_iter().all(|files| *files == renamed));
    }
}

#[test]
fn a_full_disk_says_so_and_a_small_one_is_refused() {
    let disk = disk();
    let files = mounted(&disk);
    let file = files.open("a").unwrap();
    assert_eq!(file.write(0, &vec![1; 512 * 94]), Err(FileError::Full));
    assert_eq!(file.set_len(u64::MAX), Err(FileError::Full));
    assert_eq!(file.len(), Ok(0));
    let small = RecordingDisk::new(Geometry::new(512, 3).unwrap(), 0).with_medium(Medium::Disk);
    assert_eq!(
        Files::mount(Box::new(small)).unwrap_err(),
        FileError::TooSmall
    );
}

#[test]
fn the_medium_sees_whole_sectors_and_nothing_where_the_table_stays_as_it_is() {
    let disk = disk();
    let files = mounted(&disk);
    let file = files.open("a").unwrap();
    file.write(0, &[7; 512]).unwrap();
    let before = disk.with(|disk| disk.writes());
    file.write(200, &[8; 10]).unwrap();
    drop((file, files));
    let trace = disk.take().into_trace();
    assert_eq!(trace.writes(), before + 1);
    let mut sector = vec![7; 128];
    sector[72..82].fill(8);
    let written = Event::Prog {
        block: BlockId::new(3),
        offset: 128,
        data: sector.into(),
    };
    assert_eq!(trace.write(before), Some(&written));
}
