//! How fast the harness is: what a crash state costs to make, and how many recoveries a core does in a second.

use crate::clock;
use cutpoint::crash::{CrashState, CrashView};
use cutpoint::default_budget;
use cutpoint::judge::judge;
use cutpoint::op::{Operation, Value};
use cutpoint::record::Recording;
use cutpoint::subject::Subject;
use cutpoint::subjects::EngineSubject;
use cutpoint::trace::{Event, Image, Trace};
use cutpoint::workload::Workload;
use cutpoint_engine::device::{BlockId, Geometry};
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

/// Each figure is the best of so many runs: what is slower was disturbed.
const RUNS: u32 = 7;

/// Prints all of it.
pub(crate) fn print() -> Result<(), Box<dyn Error>> {
    println!("What a crash state costs to make ({}):", clock::NAME);
    for (writes, blocks) in [
        (100, 128),
        (1_000, 128),
        (10_000, 128),
        (100_000, 128),
        (1_000, 1_024),
        (1_000, 16_384),
        (1_000, 131_072),
    ] {
        let trace = Arc::new(trace(writes, blocks)?);
        let making = best(|| {
            for persisted in (0..1_000).map(|step| step * writes / 1_000) {
                let state = CrashState::prefix(persisted);
                black_box(CrashView::new(Arc::clone(&trace), state)).ok();
            }
        });
        let size = blocks / 2;
        let each = making.as_nanos() / 1_000;
        println!("  {writes:>7} writes on {size:>6} KiB: {each:>5} ns");
    }
    println!("\nRecoveries a second, one core ({}):", clock::NAME);
    println!("  steps 1 to 3: mount, read everything, check; 1 to 5: the whole judgement");
    let engine = EngineSubject::default();
    let mut subjects: Vec<(&str, Box<dyn Subject>)> = vec![("engine", Box::new(engine))];
    subjects.extend(c_littlefs());
    for (keys, block_size, block_count) in [(8, 512, 64), (16, 4096, 16)] {
        let workload = workload(
            keys,
            Geometry::new(block_size, block_count)?.with_prog_size(16)?,
        );
        for (name, subject) in &subjects {
            let (looking, judging) = rates(&**subject, &workload)?;
            println!(
                "  {keys:>2} keys, blocks of {block_size:>4}, {name:<14} {looking:>7} for steps 1 to 3, {judging:>6} for 1 to 5"
            );
        }
    }
    Ok(())
}

#[cfg(feature = "littlefs-c")]
fn c_littlefs() -> Vec<(&'static str, Box<dyn Subject>)> {
    let subject = cutpoint::subjects::LittlefsCSubject::looking_for([]);
    vec![("C littlefs 2.9", Box::new(subject))]
}

#[cfg(not(feature = "littlefs-c"))]
fn c_littlefs() -> Vec<(&'static str, Box<dyn Subject>)> {
    Vec::new()
}

/// So many programs, all over the device.
fn trace(writes: u32, blocks: u32) -> Result<Trace, Box<dyn Error>> {
    let geometry = Geometry::new(512, blocks)?.with_prog_size(16)?;
    let events = (0..writes).map(|write| Event::Prog {
        block: BlockId::new(write * 7 % blocks),
        offset: write % 32 * 16,
        data: vec![write as u8; 16].into(),
    });
    Ok(Trace::new(geometry, 0xff, Image::Erased, events.collect()))
}

/// Values of 32 bytes set and set again.
fn workload(keys: u32, geometry: Geometry) -> Workload {
    (0..4 * keys).fold(Workload::new("rates", geometry), |workload, step| {
        let value = Value::generated(32, step.into());
        workload.then(Operation::set(&format!("/d/k{:02}", step % keys), value))
    })
}

/// Recoveries a second from all crash states of the prefix model after the format.
fn rates(subject: &dyn Subject, workload: &Workload) -> Result<(u64, u64), Box<dyn Error>> {
    let budget = default_budget(workload.geometry());
    let recording = Recording::of(subject, workload, budget)
        .map_err(|found| format!("{}: {}", subject.name(), found.violation))?;
    let mut candidates = recording.candidates();
    candidates.retain(|candidate| !candidate.outlook.before_first_return);
    let looking = best(|| {
        for candidate in &candidates {
            let view = CrashView::new(Arc::clone(recording.trace()), candidate.state.clone());
            let mounted = view
                .ok()
                .and_then(|view| subject.mount(Box::new(view)).ok());
            if let Some(mut store) = mounted {
                black_box(store.contents()).ok();
                black_box(store.check()).ok();
            }
        }
    });
    let judging = best(|| {
        for candidate in &candidates {
            black_box(judge(subject, &recording, candidate, budget));
        }
    });
    let rate = |time: Duration| {
        let per_second = candidates.len() as u128 * 1_000_000_000 / time.as_nanos().max(1);
        per_second as u64
    };
    Ok((rate(looking), rate(judging)))
}

fn best(mut run: impl FnMut()) -> Duration {
    let times = (0..RUNS).map(|_| {
        let begun = clock::now();
        run();
        clock::now().saturating_sub(begun)
    });
    times.min().unwrap_or_default()
}
