mod build;
mod epoch;
mod open;
mod seen;

pub use epoch::Epoch;
pub use open::Open;
pub(super) use open::{Class, Effect};
pub(crate) use seen::{Seen, SeenWrite};

use super::{CrashState, Cuts, Outlook};
use crate::contract::{Contract, Order, Sync};
use crate::trace::Event;
use build::Build;
use cutpoint_engine::device::Geometry;
use epoch::EpochWrite;
use num_bigint::BigUint;
use std::sync::Arc;

/// The crash states of a run that a contract allows, epoch by epoch.
///
/// A state is counted in one epoch only: the one of the last write of which anything reached the medium.
#[derive(Clone, Debug)]
pub struct Space {
    epochs: Vec<Arc<Epoch>>,
    cuts: Cuts,
}

impl Space {
    /// The states of a run with these events on a device of these sizes that erases to `erase_value`. Its first write has
    /// the number `first`.
    pub fn of(
        events: &[Event],
        first: u32,
        geometry: Geometry,
        erase_value: u8,
        contract: &Contract,
        cuts: Cuts,
    ) -> Self {
        let mut epochs = Vec::new();
        let mut open: Vec<EpochWrite> = Vec::new();
        let (mut number, mut start) = (first, 0);
        let mut close = |open: &mut Vec<EpochWrite>, next: u32, start: usize, end: usize| {
            let writes = std::mem::take(open);
            let before = next - writes.len() as u32;
            let follows = !epochs.is_empty();
            let build = Build {
                geometry,
                erase_value,
                contract,
            };
            epochs.push(Arc::new(build.epoch(before, writes, start, end, follows)));
        };
        for (cut, event) in events.iter().enumerate() {
            if event.written_block().is_some() {
                let event = event.clone();
                // In the order of issue, a state lasts until the next write, over syncs and all.
                if contract.order == Order::Issued
                    && let Some(last) = open.last()
                    && epoch_ended(events, last.cut, cut, contract)
                {
                    let begin = start;
                    start = last.cut + 1;
                    close(&mut open, number, begin, cut);
                }
                open.push(EpochWrite { number, event, cut });
                number += 1;
            } else if *event == Event::Sync
                && contract.sync == Sync::Trusted
                && contract.order != Order::Issued
            {
                if !open.is_empty() {
                    close(&mut open, number, start, cut);
                }
                start = cut + 1;
            }
        }
        if !open.is_empty() || contract.order != Order::Issued || number == first {
            close(&mut open, number, start, events.len());
        }
        Self { epochs, cuts }
    }

    /// The epochs, in order.
    pub fn epochs(&self) -> &[Arc<Epoch>] {
        &self.epochs
    }

    /// How many states there are.
    pub fn states(&self) -> BigUint {
        self.epochs.iter().map(|epoch| epoch.states()).sum()
    }

    /// The epoch that the write with this number is in; none where there is no such write.
    pub fn epoch_with(&self, write: u32) -> Option<&Arc<Epoch>> {
        let has = |epoch: &&Arc<Epoch>| {
            let first = epoch.before();
            (first..first + epoch.len() as u32).contains(&write)
        };
        self.epochs.iter().find(has)
    }

    /// The last epoch that has the state; none where the contract does not allow it.
    pub fn epoch_of(&self, state: &CrashState) -> Option<&Arc<Epoch>> {
        let mut last_first = self.epochs.iter().rev();
        last_first.find(|epoch| epoch.window_of(state).is_some())
    }

    /// What may be shown of the states that `open` stands for, all of them.
    pub fn outlook(&self, open: &Open) -> Outlook {
        let (first, last) = open.window();
        self.cuts.outlook(first, last)
    }

    /// What may be shown of one state; none where the contract does not allow the state.
    pub fn outlook_of(&self, state: &CrashState) -> Option<Outlook> {
        let windows = self
            .epochs
            .iter()
            .filter_map(|epoch| epoch.window_of(state));
        let (first, last) = windows.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        Some(self.cuts.outlook(first, last))
    }
}

/// Whether a sync closed the epoch between two writes, given by their cuts.
fn epoch_ended(events: &[Event], write: usize, next: usize, contract: &Contract) -> bool {
    contract.sync == Sync::Trusted && events[write..next].contains(&Event::Sync)
}
