//! Instruction counts: this very program, run under callgrind on one row and one side at a time.

use crate::row::Row;
use crate::setting::Setting;
use crate::subject::Side;
use clap::ValueEnum;
use std::path::Path;
use std::process::Command;
use std::{env, io};

/// The function whose instructions count, with all that it calls.
const COUNTED: &str = "*measured_loop*";

/// Counts the instructions that a row takes on a side, and leaves callgrind's profile of them in `profile`.
///
/// # Errors
///
/// Valgrind could not be run, or failed; what it said is in the error.
pub(crate) fn count(
    setting: Setting,
    row: Row,
    side: Side,
    profile: &Path,
) -> Result<u64, io::Error> {
    let side = side.to_possible_value().ok_or(io::ErrorKind::Other)?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(env::current_exe()?)
        .args(["one", "--side", side.get_name()])
        .args(["--setting", &setting.to_string(), &row.to_string()])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    collected(&said)
        .filter(|_| output.status.success())
        .ok_or_else(|| io::Error::other(format!("valgrind failed on {setting}/{row}:\n{said}")))
}

/// The count in what callgrind says at its end.
fn collected(said: &str) -> Option<u64> {
    let (_, count) = said.split_once("Collected : ")?;
    count.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::collected;

    #[test]
    fn the_count_is_read_from_what_callgrind_says() {
        let said = "==7== Events    : Ir\n==7== Collected : 123456\n==7== \n";
        assert_eq!(collected(said), Some(123_456));
        assert_eq!(collected("valgrind: no such file"), None);
    }
}
