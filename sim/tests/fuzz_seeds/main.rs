//! Every fuzz seed and every finding, replayed without a fuzzer. `corpus/fuzz/README.md` says how seeds are made.

mod make;

use cutpoint::fuzzing;
use cutpoint_engine::{MountOptions, Sabotage};
use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

/// The folder of a target's seeds.
fn folder(target: &str) -> PathBuf {
    let fuzz = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../corpus/fuzz");
    fuzz.join(target)
}

/// Gives each seed to the target; there must be as many as `at_least`.
fn replay(target: &str, body: fn(&[u8]), at_least: usize) {
    let mut replayed = 0;
    let mut broken = Vec::new();
    for seed in fs::read_dir(folder(target)).unwrap() {
        let path = seed.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        if catch_unwind(|| body(&bytes)).is_err() {
            broken.push(path.file_name().unwrap().to_owned());
        }
        replayed += 1;
    }
    broken.sort();
    assert!(broken.is_empty(), "each for a reason above: {broken:?}");
    assert!(replayed >= at_least, "only {replayed} seeds found");
}

#[test]
fn mount_keeps_its_promises_on_every_seed() {
    replay("mount", fuzzing::mount, 14);
    replay("mount_repaired", fuzzing::mount, 20);
}

#[test]
fn mount_repaired_keeps_its_promises_on_every_seed() {
    replay("mount", fuzzing::mount_repaired, 14);
    replay("mount_repaired", fuzzing::mount_repaired, 20);
}

#[test]
fn operations_are_clean_on_every_seed() {
    replay("operations", fuzzing::operations, 8);
}

#[test]
fn commit_keeps_its_promises_on_every_seed() {
    replay("commit", fuzzing::commit, 8);
}

#[test]
fn case_keeps_its_promises_on_every_seed() {
    replay("case", fuzzing::case, 3);
    replay("../cases", fuzzing::case, 30);
}

#[test]
fn operations_find_an_engine_that_takes_commits_with_wrong_checksums() {
    let broken = MountOptions::default().with_sabotage(Sabotage::IgnoreChecksums);
    let torn = fs::read(folder("operations").join("split_torn")).unwrap();
    // The same with the cut at other places, in all ways that 256 bytes choose.
    let found = (0..=255_u8).find_map(|byte| {
        let mut input = torn.clone();
        input[6..24].fill(byte);
        catch_unwind(|| fuzzing::operations_with(&input, broken)).err()
    });
    let found = found.expect("a fault that no input shows");
    let message = found.downcast_ref::<String>().unwrap();
    assert!(message.contains("contract torn"), "{message}");
    assert!(message.contains("set /a/3 "), "{message}");
}

/// Writes the seeds that are made and not found anew: after a change of what an input means, or to add some.
#[test]
#[ignore = "writes into the corpus"]
fn makes_seeds() {
    for (target, name, bytes) in make::all() {
        fs::create_dir_all(folder(target)).unwrap();
        fs::write(folder(target).join(name), bytes).unwrap();
    }
}

#[test]
fn seeds_that_are_made_are_small_and_of_different_names() {
    let made = make::all();
    let mut names: Vec<_> = made
        .iter()
        .map(|(target, name, _)| (target, name))
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), made.len());
    assert!(made.iter().all(|(_, _, bytes)| bytes.len() <= 8193));
}
