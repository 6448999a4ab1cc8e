//! Every fuzz seed and every finding, replayed without a fuzzer.

use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

#[test]
fn mount_keeps_its_promises_on_every_seed() {
    let seeds = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../corpus/fuzz/mount");
    let mut replayed = 0;
    let mut broken = Vec::new();
    for seed in fs::read_dir(seeds).unwrap() {
        let path = seed.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        if catch_unwind(|| cutpoint::fuzzing::mount(&bytes)).is_err() {
            broken.push(path.file_name().unwrap().to_owned());
        }
        replayed += 1;
    }
    broken.sort();
    assert!(broken.is_empty(), "each for a reason above: {broken:?}");
    assert!(replayed >= 14, "only {replayed} seeds found");
}
