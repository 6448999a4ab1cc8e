//! What people read: the results of sweeps and replays, as text.

pub mod replay;
pub mod summary;

use crate::explore::Place;
use crate::subjects::EngineSubject;

/// The command that shows a place of a workload on a subject again, in full.
pub fn replay_command(subject: &str, workload: &str, place: Place) -> String {
    let subject = subject_option(subject);
    match place {
        Place::State(state) => format!("cutpoint replay {workload}{subject} --state {state}"),
        Place::Recording { .. } => format!("cutpoint replay {workload}{subject}"),
    }
}

/// The option that names the subject, with a blank before it; empty for the one that goes without saying.
pub(crate) fn subject_option(subject: &str) -> String {
    match subject {
        EngineSubject::NAME => String::new(),
        other => format!(" --subject {other}"),
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_names_the_subject_unless_it_is_the_engine() {
        let command =
            |subject| replay_command(subject, "full-128", Place::Recording { step: None });
        assert_eq!(command("engine"), "cutpoint replay full-128");
        assert_eq!(command("other"), "cutpoint replay full-128 --subject other");
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1 000"),
            (1_234_567, "1 234 567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
