//! What a test prints that holds an engine to its promises, and that the command it names shows the crash state again.

use cutpoint::files::File;
use cutpoint::subject::{KeyValueStore, KeyValueSubject, KeyValues, SubjectError};
use cutpoint_engine::device::Geometry;
use std::process::{Command, Output};

/// Keys and values as JSON in one file, which is cut to nothing before it is written anew.
struct InPlace(File);

impl InPlace {
    fn write(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), SubjectError> {
        let mut entries = self.entries()?;
        entries.retain(|(old, _)| old != key);
        entries.extend(value.map(|value| (key.into(), value.into())));
        self.0.set_len(0)?;
        self.0
            .write(0, serde_json::json!(entries).to_string().as_bytes())?;
        Ok(self.0.sync()?)
    }
}

impl KeyValueStore for InPlace {
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), SubjectError> {
        self.write(key, Some(value))
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), SubjectError> {
        self.write(key, None)
    }

    fn entries(&mut self) -> Result<KeyValues, SubjectError> {
        let mut text = vec![0; self.0.len()? as usize];
        self.0.read(0, &mut text)?;
        if text.is_empty() {
            return Ok(KeyValues::new());
        }
        serde_json::from_slice(&text).map_err(|error| SubjectError::Corrupt(error.to_string()))
    }
}

/// Fails on purpose; the tests below run it.
#[test]
#[ignore = "fails on purpose"]
fn in_place_survives() {
    use cutpoint::op::{Operation, Value};
    let subject = KeyValueSubject::on_file("in-place", |file| Ok(InPlace(file)));
    let disk = Geometry::new(512, 32).unwrap().with_prog_size(512).unwrap();
    let workload = cutpoint::workload::Workload::new("twice", disk)
        .then(Operation::set("/a", Value::literal("one")))
        .then(Operation::set("/a", Value::literal("two")));
    cutpoint::check(&subject, disk).workload(workload).run();
}

fn run(replay: Option<&str>) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--ignored", "--exact", "--nocapture", "in_place_survives"])
        .env_remove("CUTPOINT_REPLAY")
        .env("RUST_BACKTRACE", "0");
    if let Some(named) = replay {
        command.env("CUTPOINT_REPLAY", named);
    }
    command.output().unwrap()
}

#[test]
fn a_failing_test_says_what_was_lost_and_how_to_see_it_again() {
    let output = run(None);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    let lost = "first: crash state 4: lost key: /a is missing; expected 3 B (set /a 3 B)";
    assert!(text.contains(lost), "{text}");
    let command =
        "replay: CUTPOINT_REPLAY='twice prefix 4' cargo test in_place_survives -- --nocapture";
    assert!(text.contains(command), "{text}");
}

#[test]
fn the_command_shows_that_crash_state_alone() {
    let lost = run(Some("twice prefix 4"));
    let text = String::from_utf8_lossy(&lost.stderr);
    assert!(!lost.status.success());
    assert!(
        text.contains("cut       inside operation 2, set /a 3 B"),
        "{text}"
    );
    assert!(text.contains("verdict   lost key: /a is missing"), "{text}");
    let kept = run(Some("twice prefix 3"));
    let text = String::from_utf8_lossy(&kept.stdout);
    assert!(kept.status.success(), "{text}");
    assert!(text.contains("verdict   clean"), "{text}");
    let unknown = run(Some("twice prefix 600"));
    let text = String::from_utf8_lossy(&unknown.stderr);
    assert!(!unknown.status.success());
    assert!(
        text.contains("workload twice has no crash state 600"),
        "{text}"
    );
}
