//! Random writes, read back by a random machine: where it reads next, and what it writes, hangs on what it has read.

use crate::{CONTRACTS, Lazy, Tally, cases, compare, exact, traced};
use cutpoint::crash::{CrashView, Cuts, History, LazyView, Space};
use cutpoint::disk::RecordingDisk;
use cutpoint::shared::Shared;
use cutpoint::trace::Trace;
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

const BLOCKS: u32 = 4;
const BLOCK_SIZE: u32 = 128;
const UNIT: u32 = 16;

fn geometry() -> Geometry {
    Geometry::new(BLOCK_SIZE, BLOCKS)
        .unwrap()
        .with_prog_size(UNIT)
        .unwrap()
}

fn record(rng: &mut ChaCha8Rng) -> Arc<Trace> {
    let mut disk = Shared::new(RecordingDisk::new(geometry(), 0xff));
    for _ in 0..rng.random_range(2..14) {
        let block = BlockId::new(rng.random_range(0..BLOCKS));
        // Few different bytes, so that different fates look alike now and then. Refused calls leave no trace.
        let _ = match rng.random_range(0..8) {
            0 => disk.sync(),
            1 | 2 => disk.erase(block),
            _ => {
                let first = rng.random_range(0..BLOCK_SIZE / UNIT);
                let units = rng.random_range(1..=(BLOCK_SIZE / UNIT - first).min(3));
                let data: Vec<u8> = (0..units * UNIT).map(|_| rng.random_range(0..3)).collect();
                disk.prog(block, first * UNIT, &data)
            }
        };
    }
    traced(disk)
}

/// Reads, and sometimes writes; the places hang on a digest of all that was read.
fn run(device: &mut dyn BlockDevice, seed: u64) -> Vec<u64> {
    let mut digest = seed;
    let mut log = Vec::new();
    for _ in 0..6 {
        let mut place = ChaCha8Rng::seed_from_u64(digest % 64);
        let block = BlockId::new(place.random_range(0..BLOCKS));
        let offset = place.random_range(0..BLOCK_SIZE);
        let length = place.random_range(1..=(BLOCK_SIZE - offset).min(40));
        let mut buffer = vec![0; length as usize];
        device.read(block, offset, &mut buffer).unwrap();
        // Few outcomes, so that different reads lead to the same next step.
        let sum: u64 = buffer.iter().map(|&byte| u64::from(byte)).sum();
        digest = digest.wrapping_mul(31).wrapping_add(sum % 5);
        log.push(sum);
        match place.random_range(0..6) {
            0 => log.push(u64::from(device.erase(block).is_err())),
            // Whether it is taken hangs on what is there.
            1 => {
                let unit = offset / UNIT * UNIT;
                log.push(u64::from(
                    device.prog(block, unit, &[7; UNIT as usize]).is_err(),
                ));
            }
            _ => {}
        }
    }
    log
}

fn compare_all(count: u64, wrap: &dyn Fn(LazyView) -> Box<dyn Lazy>) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for seed in 0..count {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let trace = record(&mut rng);
        let contract = CONTRACTS[seed as usize % CONTRACTS.len()];
        let cuts = Cuts::of(trace.events(), &History::default());
        let space = Space::of(trace.events(), 0, geometry(), 0xff, contract, cuts);
        let reader = rng.random();
        let observe = |device: &mut dyn BlockDevice| run(device, reader);
        compare(&trace, &Arc::new(space), wrap, &observe, &mut tally)
            .map_err(|error| format!("{} from seed {seed}: {error}", contract.name))?;
    }
    Ok(tally)
}

#[test]
fn leaves_are_the_crash_states() {
    let tally = compare_all(cases(600), &exact).unwrap();
    println!("{tally:?}");
    assert!(tally.states > 10 * tally.epochs, "{tally:?}");
    assert!(tally.runs < tally.states, "{tally:?}");
}

/// A wrong pruning: reads of more than some bytes are answered from one of the states, and nothing is decided.
struct ShortSighted(LazyView, Arc<Trace>);

impl BlockDevice for ShortSighted {
    fn geometry(&self) -> Geometry {
        self.0.geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        if buffer.len() > 24 {
            let one = self.0.open().least();
            return CrashView::new(Arc::clone(&self.1), one)
                .unwrap()
                .read(block, offset, buffer);
        }
        self.0.read(block, offset, buffer)
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.0.prog(block, offset, data)
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.0.erase(block)
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.0.sync()
    }
}

impl Lazy for ShortSighted {
    fn into_view(self: Box<Self>) -> LazyView {
        self.0
    }
}

#[test]
fn a_wrong_pruning_is_caught() {
    let wrap = |view: LazyView| -> Box<dyn Lazy> {
        let trace = Arc::clone(view.trace());
        Box::new(ShortSighted(view, trace))
    };
    let error = compare_all(100, &wrap).unwrap_err();
    assert!(error.contains("shows"), "{error}");
}
