//! Random operations of the engine, recovered from by the engine.

use crate::{CONTRACTS, Tally, cases, compare, exact};
use cutpoint::default_budget;
use cutpoint::op::{Operation, Value};
use cutpoint::record::Recording;
use cutpoint::subjects::EngineSubject;
use cutpoint::workload::Workload;
use cutpoint_engine::device::{BlockDevice, Geometry};
use cutpoint_engine::{FormatOptions, Item, Key, MountOptions, Store};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write;
use std::sync::Arc;

/// Block size, block count, program size.
const GEOMETRIES: [(u32, u32, u32); 4] =
    [(128, 64, 16), (128, 64, 64), (256, 32, 128), (512, 32, 512)];

fn workload(rng: &mut ChaCha8Rng) -> Workload {
    let &(block_size, block_count, prog_size) = GEOMETRIES.choose(rng).unwrap();
    let geometry = Geometry::new(block_size, block_count).unwrap();
    let geometry = geometry.with_prog_size(prog_size).unwrap();
    let keys = ["/a", "/b", "/d/a", "/d/e/b"];
    (0..rng.random_range(2..8)).fold(Workload::new("random", geometry), |workload, _| {
        let key = *keys.choose(rng).unwrap();
        workload.then(match rng.random_range(0..6) {
            0 => Operation::remove(["/a", "/b", "/d"].choose(rng).unwrap()),
            1 => Operation::rename(key, keys.choose(rng).unwrap()),
            2 => Operation::set(
                key,
                Value::generated(block_size * 3 / 2, rng.random_range(0..2)),
            ),
            _ => Operation::set(
                key,
                Value::generated(rng.random_range(0..24), rng.random_range(0..2)),
            ),
        })
    })
}

/// Everything that is there, before and after a change, and what the check says.
fn observe(device: &mut dyn BlockDevice) -> String {
    let mut log = String::new();
    for _ in 0..2 {
        match Store::mount(&mut *device, &MountOptions::default()) {
            Err(error) => return format!("{log}{error:?}"),
            Ok(mut store) => {
                let mut show = |item: Item| write!(log, "{item:?};").unwrap();
                let walked = store.walk(true, &mut show);
                let checked = store.check();
                let set = store.set(&Key::new("/probe"), &[1; 40]);
                writeln!(log, "{walked:?} {checked:?} {set:?}").unwrap();
            }
        }
    }
    log
}

#[test]
fn leaves_are_the_crash_states_of_the_engine() {
    let mut tally = Tally::default();
    for seed in 0..cases(40) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let workload = workload(&mut rng);
        let mount = MountOptions::default().with_block_cycles(rng.random_range(0..3));
        let subject = EngineSubject::new(FormatOptions::default(), mount);
        let budget = default_budget(workload.geometry());
        let recording = Recording::of(&subject, &workload, budget).unwrap();
        let contract = CONTRACTS[seed as usize % CONTRACTS.len()];
        let space = Arc::new(recording.space(contract));
        let observe: crate::Observe<'_, String> = &observe;
        compare(recording.trace(), &space, &exact, observe, &mut tally)
            .unwrap_or_else(|error| panic!("{} from seed {seed}: {error}", contract.name));
    }
    println!("{tally:?}");
    assert!(tally.runs < tally.states, "{tally:?}");
}
