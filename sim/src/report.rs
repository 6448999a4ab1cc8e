//! What people read: the results of sweeps and replays, as text.

pub mod bounded;
pub mod replay;
pub mod summary;

use crate::contract;
use crate::explore::{Count, Place};

/// The command that shows a place of a workload again, in full, under the contract of that name.
pub fn replay_command(workload: &str, contract: &str, place: &Place) -> String {
    let contract = if contract == contract::PREFIX.name {
        String::new()
    } else {
        format!(" --contract {contract}")
    };
    match place {
        // A shell would read the braces.
        Place::State(state) if state.flaws().is_empty() => {
            format!("cutpoint replay {workload} --state {state}{contract}")
        }
        Place::State(state) => format!("cutpoint replay {workload} --state '{state}'{contract}"),
        Place::Epoch { .. } | Place::Recording { .. } => {
            format!("cutpoint replay {workload}{contract}")
        }
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    Count::from(number).to_string()
}
