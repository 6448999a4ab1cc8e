//! What people read: the results of sweeps and replays, as text.

pub mod bounded;
pub mod replay;
pub mod summary;

use crate::explore::Place;

/// The command that shows a place of a workload again, in full.
pub fn replay_command(workload: &str, place: Place) -> String {
    match place {
        Place::State(state) => format!("cutpoint replay {workload} --state {state}"),
        Place::Recording { .. } => format!("cutpoint replay {workload}"),
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
