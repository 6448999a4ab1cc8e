//! Seeds that are made: crash states of sweeps, blocks of images, operations written down.

use cutpoint::contract::{self, Contract};
use cutpoint::crash::{CrashState, CrashView, Open};
use cutpoint::explore::Sweep;
use cutpoint::subjects::EngineSubject;
use cutpoint::trace::Image;
use cutpoint::workload::{Workload, builtin};
use cutpoint_engine::device::Geometry;
use cutpoint_engine::{FormatOptions, MountOptions};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The target, the name, the bytes.
type Seed = (&'static str, String, Vec<u8>);

pub(super) fn all() -> Vec<Seed> {
    let mut seeds = crash_states();
    seeds.extend(commits());
    seeds.extend(operations());
    seeds
}

/// Crash states of the built-in workloads on a device of 64 blocks of 128 bytes, three of each: at a quarter, at half and
/// at three quarters of the epochs, with half of
/// every second chain of writes that are open and nothing of the others.
fn crash_states() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (index, group) in builtin::Group::ALL.into_iter().enumerate() {
        let of_group = group.workload(128).unwrap();
        let contract: &Contract = [&contract::TORN, &contract::REORDER][index % 2];
        let geometry = Geometry::new(128, 64).unwrap();
        let name = of_group.name().to_owned();
        let workload = Workload::new(name, geometry).then_all(of_group.operations().to_vec());
        // Every second one with pairs that move.
        let mount = MountOptions::default().with_block_cycles([500, 2][index / 2 % 2]);
        let subject = EngineSubject::new(FormatOptions::default(), mount);
        for quarter in 1..=3 {
            let (state, image) = crash_state(&subject, &workload, contract, quarter);
            let id = state.to_string().replace('/', "_");
            let name = format!("state_{}_{}_{id}", workload.name(), contract.name);
            seeds.push(("mount_repaired", name, [&[0], &image[..]].concat()));
        }
    }
    seeds
}

fn crash_state(
    subject: &EngineSubject,
    workload: &Workload,
    contract: &Contract,
    quarter: usize,
) -> (CrashState, Vec<u8>) {
    let sweep = Sweep::new(subject, workload);
    let recording = match sweep.replay(&CrashState::prefix(0)) {
        Ok(replay) => replay.recording,
        Err(error) => panic!("{}: {error}", workload.name()),
    };
    let space = recording.space(contract);
    let epoch = &space.epochs()[space.epochs().len() * quarter / 4];
    let mut lost = true;
    let state = Open::all(epoch).pick(|count| {
        lost = !lost;
        if lost { 0 } else { count / 2 }
    });
    let view = CrashView::new(Arc::clone(recording.trace()), state.clone()).unwrap();
    match view.image() {
        Image::Bytes(bytes) => (state, bytes.to_vec()),
        image => panic!("{}: no bytes, but {image:?}", workload.name()),
    }
}

/// First blocks of images, and others that hold logs with all that logs can hold.
fn commits() -> Vec<Seed> {
    let blocks = [
        ("basic_512_v21", 512, 0),
        ("basic_512_v20", 512, 0),
        ("basic_128_v21", 128, 1),
        ("attrs_1024_v21", 1024, 0),
        ("renames_512_v21", 512, 1),
        ("split_512_v21", 512, 1),
        ("pc_rename_over_dir_512_v21", 512, 0),
        ("pc_torn_append_512_v21", 512, 1),
        ("lastcommit_bad_512_v21", 512, 1),
    ];
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/images");
    let mut seeds = Vec::new();
    for (image, size, block) in blocks {
        let bytes = fs::read(images.join(image).with_extension("img")).unwrap();
        let block_bytes = &bytes[block * size..(block + 1) * size];
        // Checksums put right, in steps of 16 bytes.
        let seed = [&[0x90], block_bytes].concat();
        seeds.push(("commit", format!("{image}_block_{block}"), seed));
    }
    seeds
}

/// The first 24 bytes of an input of `operations`.
fn head(device: [u8; 6], cut: u16, fate: u8) -> Vec<u8> {
    [&device[..], &cut.to_le_bytes(), &[fate; 16]].concat()
}

/// An operation; lengths as `8 * n + class`.
fn step(kind: u8, key: u8, other: u8, length: u16, offset: u16) -> Vec<u8> {
    let [length, offset] = [length.to_le_bytes(), offset.to_le_bytes()];
    [&[kind, key, other, kind], &length[..], &offset].concat()
}

const SET: u8 = 0;
const SET_PARTIAL: u8 = 8;
const TRUNCATE: u8 = 12;
const ALLOCATE: u8 = 15;
const SET_ATTRIBUTE: u8 = 17;
const REMOVE_ATTRIBUTE: u8 = 21;
const REMOVE: u8 = 23;
const RENAME: u8 = 26;
const CREATE: u8 = 31;
const REMOUNT: u8 = 34;

/// `/a` and what is below it; `/b`.
const A: u8 = 0x10;
const B: u8 = 0x20;

/// The number of the key `/a` and of `/b` themselves.
const A_ITSELF: u8 = A | 15;
const B_ITSELF: u8 = B | 15;

/// Half an epoch, in the middle and towards the end.
const MIDDLE: u16 = 0x8000;
const LATE: u16 = 0xe000;

fn operations() -> Vec<Seed> {
    let split: Vec<_> = (0..10)
        .map(|key| step(SET, A | key, 0, 8 * 12, 0))
        .collect();
    let moves = |from, to| step(RENAME, from, to, 0, 0);
    let remove_a = step(REMOVE, A_ITSELF, 0, 0, 0);
    let with = |more: Vec<Vec<u8>>| [split.clone(), more].concat();
    let seeds = [
        ("split_torn", [0, 0, 0, 0, 1, 0], MIDDLE, split.clone()),
        ("split_emmc", [0, 0, 1, 1, 6, 0], LATE, split.clone()),
        (
            "split_moving_pairs",
            [0, 0, 1, 0, 2, 1],
            LATE,
            split.clone(),
        ),
        ("split_disk_2_0", [0, 0, 1, 2, 3, 2], LATE, split.clone()),
        (
            "remove_split_dictionary",
            [0, 0, 0, 0, 2, 0],
            LATE,
            with(vec![remove_a.clone(), step(SET, 0, 0, 4, 0)]),
        ),
        (
            "rename_split_dictionary",
            [0, 0, 2, 0, 2, 1],
            LATE,
            with(vec![
                moves(A_ITSELF, B_ITSELF),
                moves(B, 5),
                step(REMOUNT, 0, 0, 0, 0),
                remove_a,
            ]),
        ),
        (
            "rename_over",
            [2, 0, 3, 0, 5, 0],
            LATE,
            vec![
                step(SET, A, 0, 4, 0),
                step(SET, B | 1, 0, 5, 0),
                moves(A, B | 1),
                moves(B | 1, 0),
            ],
        ),
        (
            "values_in_part",
            [1, 0, 2, 0, 7, 0],
            MIDDLE,
            vec![
                step(ALLOCATE, 0, 0, 6, 0),
                step(SET_PARTIAL, 0, 0, 3, 5),
                step(TRUNCATE, 0, 0, 4, 0),
                step(SET_PARTIAL, 0, 0, 5, 4),
                step(TRUNCATE, 0, 0, 3, 0),
            ],
        ),
        (
            "attributes",
            [3, 0, 0, 0, 3, 0],
            LATE,
            vec![
                step(CREATE, A_ITSELF, 0, 0, 0),
                step(SET_ATTRIBUTE, A_ITSELF, 1, 3, 0),
                step(SET_ATTRIBUTE, 15, 2, 3, 0),
                step(REMOVE_ATTRIBUTE, A_ITSELF, 1, 0, 0),
                moves(A_ITSELF, 3),
            ],
        ),
        (
            "full_device",
            [0, 200, 0, 0, 1, 0],
            LATE,
            (0..12)
                .map(|key| step(SET, key, 0, 6, 0))
                .chain([step(REMOVE, 3, 0, 0, 0), step(SET, 4, 0, 5, 0)])
                .collect(),
        ),
    ];
    seeds
        .into_iter()
        .map(|(name, device, cut, steps)| {
            let bytes = [vec![head(device, cut, 0x55)], steps].concat().concat();
            ("operations", name.to_owned(), bytes)
        })
        .collect()
}
