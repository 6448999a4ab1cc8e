//! That what is explored lazily is exact: on epochs small enough to enumerate, every crash state is in one leaf, and one
//! only, shows what that leaf has shown, and the sizes of the leaves add up to the number of states.
//!
//! `CUTPOINT_EXACTNESS` is the number of random workloads of each kind; the test says how many crash states it compared.

mod engine;
mod machine;

use cutpoint::contract::{self, Contract, Order, Sets, Sync, Tearing, Unit};
use cutpoint::crash::{CrashState, CrashView, LazyView, Leaves, Open, Space};
use cutpoint::shared::Shared;
use cutpoint::trace::Trace;
use num_bigint::BigUint;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Epochs with more crash states than this are left out.
const STATES_PER_EPOCH: usize = 3_000;

/// All sets of units, so that nothing is by class.
const ALL_SETS: Tearing = Tearing::Units {
    unit: Unit::Bytes(32),
    sets: Sets::All { up_to: 6 },
    noise: true,
    zeroed_tail: true,
};

/// What the contracts of the library do not combine.
const TORN_PER_BLOCK: Contract = Contract {
    name: "torn-per-block",
    order: Order::PerBlock,
    program: ALL_SETS,
    erase: ALL_SETS,
    ..contract::PREFIX
};
const TORN_IN_ANY_ORDER: Contract = Contract {
    name: "torn-in-any-order",
    order: Order::Any,
    ..TORN_PER_BLOCK
};
const IN_ANY_ORDER: Contract = Contract {
    name: "in-any-order",
    order: Order::Any,
    ..contract::PREFIX
};
const ONE_EPOCH: Contract = Contract {
    name: "one-epoch",
    sync: Sync::Ignored,
    ..contract::REORDER
};

const CONTRACTS: [&Contract; 9] = [
    &contract::PREFIX,
    &contract::TORN,
    &contract::REORDER,
    &contract::SECTOR_512,
    &contract::NOR_FLASH,
    &TORN_PER_BLOCK,
    &TORN_IN_ANY_ORDER,
    &IN_ANY_ORDER,
    &ONE_EPOCH,
];

/// A device that can be taken for a lazy one or an eager one, and what it showed in the end.
type Observe<'a, T> = &'a dyn Fn(&mut dyn cutpoint_engine::device::BlockDevice) -> T;

/// What was compared.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    epochs: u64,
    states: u64,
    runs: u64,
}

/// Compares the leaves of each epoch with its crash states one by one. What is run sees the lazy device through `wrap`.
fn compare<T: PartialEq + std::fmt::Debug>(
    trace: &Arc<Trace>,
    space: &Arc<Space>,
    wrap: &dyn Fn(LazyView) -> Box<dyn Lazy>,
    observe: Observe<'_, T>,
    tally: &mut Tally,
) -> Result<(), String> {
    for epoch in space.epochs() {
        let Some(all) = Open::all(epoch).each(STATES_PER_EPOCH) else {
            continue;
        };
        let mut leaves = Leaves::new(trace, space, epoch);
        let mut seen: BTreeSet<CrashState> = BTreeSet::new();
        let mut size = BigUint::default();
        while let Some(view) = leaves.next_view() {
            let mut device = wrap(view);
            let shown = observe(&mut *device);
            let leaf = leaves.finish(device.into_view());
            if leaf.strayed {
                return Err("strayed".into());
            }
            tally.runs += 1;
            size += leaf.open.states();
            let states = leaf
                .open
                .each(STATES_PER_EPOCH)
                .ok_or("a leaf larger than its epoch")?;
            for state in states {
                let mut eager = CrashView::new(Arc::clone(trace), state.clone())
                    .map_err(|error| error.to_string())?;
                let alone = observe(&mut eager);
                if alone != shown {
                    return Err(format!("{state} shows {alone:?}, its leaf {shown:?}"));
                }
                if !seen.insert(state.clone()) {
                    return Err(format!("{state} is in two leaves"));
                }
            }
        }
        let all: BTreeSet<CrashState> = all.into_iter().collect();
        if seen != all {
            return Err(format!(
                "{} states in leaves, {} in the epoch",
                seen.len(),
                all.len()
            ));
        }
        if size != epoch.states() {
            return Err(format!(
                "leaves of {size} states, an epoch of {}",
                epoch.states()
            ));
        }
        tally.epochs += 1;
        tally.states += all.len() as u64;
    }
    Ok(())
}

/// A lazy device, perhaps behind something.
trait Lazy: cutpoint_engine::device::BlockDevice {
    fn into_view(self: Box<Self>) -> LazyView;
}

impl Lazy for LazyView {
    fn into_view(self: Box<Self>) -> LazyView {
        *self
    }
}

fn exact(view: LazyView) -> Box<dyn Lazy> {
    Box::new(view)
}

fn cases(default: u64) -> u64 {
    std::env::var("CUTPOINT_EXACTNESS")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(default)
}

/// What was recorded.
fn traced(disk: Shared<cutpoint::disk::RecordingDisk>) -> Arc<Trace> {
    Arc::new(disk.into_inner().expect("the last handle").into_trace())
}
