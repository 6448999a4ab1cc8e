//! What people read: the results of sweeps and replays, as text.

pub mod bounded;
mod coverage;
pub mod replay;
pub mod summary;

use crate::contract;
use crate::explore::{Count, Place};
use crate::subjects::EngineSubject;

/// The command that shows a place of a workload on a subject again, in full, under the contract of that name.
pub fn replay_command(subject: &str, workload: &str, contract: &str, place: &Place) -> String {
    let options = format!("{}{}", subject_option(subject), contract_option(contract));
    match place {
        // A shell would read the braces.
        Place::State(state) if state.flaws().is_empty() => {
            format!("cutpoint replay {workload} --state {state}{options}")
        }
        Place::State(state) => format!("cutpoint replay {workload} --state '{state}'{options}"),
        Place::Epoch { .. } | Place::Recording { .. } => {
            format!("cutpoint replay {workload}{options}")
        }
    }
}

/// The option that names the subject, with a blank before it; empty for the one that goes without saying.
pub(crate) fn subject_option(subject: &str) -> String {
    match subject {
        EngineSubject::NAME => String::new(),
        other => format!(" --subject {other}"),
    }
}

fn contract_option(contract: &str) -> String {
    if contract == contract::PREFIX.name {
        String::new()
    } else {
        format!(" --contract {contract}")
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    Count::from(number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_names_what_does_not_go_without_saying() {
        let command =
            |subject, contract, place| replay_command(subject, "full-128", contract, &place);
        let recording = Place::Recording { step: None };
        assert_eq!(
            command("engine", "prefix", recording),
            "cutpoint replay full-128"
        );
        let state = Place::State("9-{3}".parse().unwrap());
        assert_eq!(
            command("other", "reorder", state),
            "cutpoint replay full-128 --state '9-{3}' --subject other --contract reorder"
        );
    }
}
