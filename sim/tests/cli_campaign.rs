//! `cutpoint campaign`, `shrink` and `merge` as they are typed.

use cutpoint::case::{Alone, Case};
use cutpoint::run::{Entry, Reader};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

fn command(arguments: &str) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cutpoint"));
    command.args(arguments.split_whitespace());
    command
}

/// Runs it; returns its exit code, and what it printed, errors last.
fn cutpoint(arguments: &str, folder: &Path) -> (i32, String) {
    let output = command(arguments).current_dir(folder).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(text).unwrap(),
    )
}

fn same(folder: &Path, one: &str, other: &str) {
    for name in ["run.jsonl", "summary.txt"] {
        let read = |run: &str| fs::read_to_string(folder.join(run).join(name)).unwrap();
        assert!(read(one) == read(other), "{name} of {one} and {other}");
    }
}

#[test]
fn shards_of_a_campaign_come_to_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let campaign = "campaign --count 6 --seed 3 --max-states 50 --models prefix,torn";
    let (code, text) = cutpoint(&format!("{campaign} --out whole"), at);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("6 workloads under seed 3"), "{text}");
    assert!(
        text.contains("No violation found.\nKept in whole.\n"),
        "{text}"
    );
    let log = fs::read_to_string(at.join("whole/log.jsonl")).unwrap();
    assert!(log.contains("\"workloads\":6"), "{log}");
    for shard in 1..=2 {
        let (code, text) = cutpoint(
            &format!("{campaign} --shard {shard}/2 --jobs 1 --out part{shard}"),
            at,
        );
        assert_eq!(code, 0, "{text}");
    }
    let (code, text) = cutpoint("merge part2 part1 --out merged", at);
    assert_eq!(code, 0, "{text}");
    same(at, "whole", "merged");
    assert_eq!(
        text,
        fs::read_to_string(at.join("whole/summary.txt")).unwrap()
    );
    let (code, text) = cutpoint("merge part2", at);
    assert_eq!(
        (code, text.as_str()),
        (2, "error: of 2 shards 1 is missing: 1\n")
    );
    let (code, text) = cutpoint(&format!("{campaign} --out whole"), at);
    assert_eq!(code, 2);
    assert!(text.contains("there is a run already"), "{text}");
    let (code, text) = cutpoint("campaign --count 7 --out whole --resume", at);
    assert_eq!(code, 2);
    assert!(text.contains("of another command line"), "{text}");
    // One of them again, by its name.
    let (code, text) = cutpoint("replay random:3:4 --contract torn --state 3", at);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn shards_of_a_sweep_come_to_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let sweep = "sweep nested split-ascending --models prefix,reorder";
    let (code, text) = cutpoint(&format!("{sweep} --out whole"), dir.path());
    assert_eq!(code, 0, "{text}");
    for shard in 1..=3 {
        let (code, text) = cutpoint(
            &format!("{sweep} --shard {shard}/3 --out {shard}"),
            dir.path(),
        );
        assert_eq!(code, 0, "{text}");
    }
    let (code, text) = cutpoint("merge 1 2 3 --out merged", dir.path());
    assert_eq!(code, 0, "{text}");
    same(dir.path(), "whole", "merged");
}

#[test]
fn a_campaign_that_is_asked_to_stop_has_saved_everything_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    let campaign = "campaign --models prefix --jobs 1 --out run";
    let mut running = command(&format!("{campaign} --time 10m"))
        .current_dir(dir.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let entries = || {
        let reader = Reader::open(&folder).into_iter().flatten();
        reader.collect::<Result<Vec<Entry>, _>>().unwrap()
    };
    while entries().is_empty() {
        thread::sleep(Duration::from_millis(50));
    }
    let pid = running.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(running.wait().unwrap().code(), Some(3));
    let before = entries();
    assert!(!before.is_empty());
    let summary = fs::read_to_string(folder.join("summary.txt")).unwrap();
    assert!(summary.contains("No violation found."), "{summary}");
    let (code, text) = cutpoint(&format!("{campaign} --time 1s --resume"), dir.path());
    assert_eq!(code, 0, "{text}");
    let after = entries();
    assert!(after.len() >= before.len());
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.last().unwrap().index + 1, after.len() as u64);
}

#[test]
fn a_witness_is_made_small_and_written_as_a_case() {
    let dir = tempfile::tempdir().unwrap();
    let shrink = "shrink split-shuffled-512 --contract emmc-untold -o small.kdl";
    let (code, text) = cutpoint(shrink, dir.path());
    assert_eq!(code, 1, "{text}");
    insta::assert_snapshot!(text);
    let case = fs::read_to_string(dir.path().join("small.kdl")).unwrap();
    insta::assert_snapshot!(case);
    Case::parse(&case, &Alone).unwrap();
    let (code, text) = cutpoint("shrink nested-128", dir.path());
    assert_eq!(code, 0);
    assert_eq!(
        text,
        "No violation found; there is nothing to make small.\n"
    );
    let (code, text) = cutpoint("shrink nested-128 --state 99999", dir.path());
    assert_eq!(code, 2);
    assert!(text.contains("has no crash state 99999"), "{text}");
}
