//! What people read: the results of sweeps and replays, as text.

pub mod anatomy;
pub mod annotations;
pub mod audit;
pub mod bounded;
pub mod campaign;
pub mod case;
mod coverage;
pub mod decay;
pub mod faults;
pub mod junit;
pub mod mutants;
pub mod replay;
pub mod settle;
pub mod shrink;
pub mod summary;

use crate::contract;
use crate::crash::CrashState;
use crate::explore::{Count, Place};
use crate::subjects::EngineSubject;

/// The command that shows a place of a workload on a subject again, in full, beside a peer where there is one, under the
/// contract of that name.
pub fn replay_command(
    subject: &str,
    peer: Option<&str>,
    workload: &str,
    contract: &str,
    place: &Place,
) -> String {
    let (subject, peer) = (subject_option(subject), peer_option(peer));
    let options = format!("{subject}{peer}{}", contract_option(contract));
    match place {
        Place::State(state) => {
            format!("cutpoint replay {workload}{}{options}", state_option(state))
        }
        Place::Epoch { .. } | Place::Recording { .. } => {
            format!("cutpoint replay {workload}{options}")
        }
    }
}

/// The option that names a crash state, with a blank before it.
fn state_option(state: &CrashState) -> String {
    if state.flaws().is_empty() {
        format!(" --state {state}")
    } else {
        // A shell would read the braces.
        format!(" --state '{state}'")
    }
}

/// The option that names the subject, with a blank before it; empty for the one that goes without saying.
pub(crate) fn subject_option(subject: &str) -> String {
    match subject {
        EngineSubject::NAME => String::new(),
        other => format!(" --subject {other}"),
    }
}

/// The option that names the peer, with a blank before it; empty without one.
pub(crate) fn peer_option(peer: Option<&str>) -> String {
    peer.map_or(String::new(), |peer| format!(" --peer {peer}"))
}

fn contract_option(contract: &str) -> String {
    if contract == contract::PREFIX.name {
        String::new()
    } else {
        format!(" --contract {contract}")
    }
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    Count::from(number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_names_what_does_not_go_without_saying() {
        let recording = Place::Recording { step: None };
        assert_eq!(
            replay_command("engine", None, "full-128", "prefix", &recording),
            "cutpoint replay full-128"
        );
        let state = Place::State("9-{3}".parse().unwrap());
        assert_eq!(
            replay_command("other", Some("third"), "full-128", "reorder", &state),
            "cutpoint replay full-128 --state '9-{3}' --subject other --peer third --contract reorder"
        );
    }
}
