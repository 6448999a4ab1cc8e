//! The turns with power cuts, from seeds.
//!
//! `CUTPOINT_TURNS` is the number of sequences, `CUTPOINT_TURNS_SEED` the seed of the first; each further one takes the
//! next number.

use crate::sequence::{Sequence, Tally};
use crate::worker::Worker;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Some seconds.
const SEQUENCES: u64 = 50;

#[test]
#[ignore = "needs the Python package littlefs-python: see interop/README.md"]
fn power_cuts_on_both_sides() {
    let sequences = from_environment("CUTPOINT_TURNS").unwrap_or(SEQUENCES);
    let first = from_environment("CUTPOINT_TURNS_SEED").unwrap_or(0);
    let next = AtomicU64::new(first);
    let run = || {
        let mut worker = Worker::start();
        let mut tally = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed - first >= sequences {
                return tally;
            }
            tally.add(&sequence(&mut worker, seed));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut tally = Tally::default();
    let failure = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let mut failure = None;
        for thread in running {
            match thread.join() {
                Ok(part) => tally.add(&part),
                Err(payload) => failure = Some(payload),
            }
        }
        failure
    });
    println!("{tally:?}");
    if let Some(payload) = failure {
        resume_unwind(payload);
    }
    assert_eq!(u64::from(tally.sequences), sequences);
}

/// Runs the sequence of one seed; where it fails, says how to run it again and what it did.
fn sequence(worker: &mut Worker, seed: u64) -> Tally {
    let mut log = Vec::new();
    let run = || Sequence::new(worker, seed, &mut log).run(&mut log);
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        eprintln!(
            "\nThis sequence failed:\n{}\nTo run it again:\n  CUTPOINT_TURNS=1 CUTPOINT_TURNS_SEED={seed} cargo test \
             --package cutpoint --test interop -- --ignored power_cuts_on_both_sides\n",
            log.join("\n")
        );
        resume_unwind(payload)
    })
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a whole number, not {text:?}")),
    )
}
