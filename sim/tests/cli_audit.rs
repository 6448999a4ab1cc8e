//! `cutpoint audit` as it is typed, and the replay of what it finds; wrong input included.

use std::ffi::OsStr;
use std::fs;

/// What became of a command.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

fn cutpoint<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    let output = assert_cmd::cargo::cargo_bin_cmd!("cutpoint")
        .args(arguments)
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn every_printed_command_shows_its_witness() {
    let run = cutpoint(["audit", "full-512", "--each"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let lines: Vec<&str> = run.stdout.lines().map(str::trim).collect();
    let mut replayed = 0;
    for (violation, command) in lines.iter().zip(&lines[1..]) {
        let Some(command) = command.strip_prefix("cutpoint ") else {
            let columns = command.chars().count();
            assert!(columns <= 80, "{command}");
            continue;
        };
        let words = command.split(' ').map(|word| word.trim_matches('\''));
        let again = cutpoint(words);
        assert_eq!(again.code, 1, "{command}: {}{}", again.stdout, again.stderr);
        let kind = violation.split(':').next().unwrap();
        assert!(
            again.stdout.contains(&format!("verdict   {kind}")),
            "{}",
            again.stdout
        );
        assert!(
            again.stdout.contains("syncs     all but sync "),
            "{}",
            again.stdout
        );
        replayed += 1;
    }
    assert_eq!(replayed, 30);
}

/// Untold, the engine syncs no erase before the programs behind it, which this kind of device needs.
#[test]
fn a_workload_that_is_not_clean_gets_the_place_for_one_more_sync() {
    let run = cutpoint(["audit", "full-128", "--contract", "emmc-untold"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    assert!(run.stdout.contains("resurrected key"), "{}", run.stdout);
    assert!(
        run.stdout.contains("1 workload is not clean"),
        "{}",
        run.stdout
    );
    let headings = run.stdout.lines().filter_map(|line| line.strip_suffix(':'));
    let mut states = headings.filter_map(|line| line.split_once(", crash state "));
    let state = states.next().unwrap().1;
    let alone = cutpoint([
        "audit",
        "full-128",
        "--contract",
        "emmc-untold",
        "--state",
        state,
    ]);
    assert_eq!((alone.code, alone.stderr.as_str()), (1, ""));
    assert!(run.stdout.contains(&alone.stdout), "{}", alone.stdout);
    assert!(
        alone.stdout.contains("the only one is behind write "),
        "{}",
        alone.stdout
    );
    let mut lines = alone.stdout.lines();
    let again = lines.find_map(|line| line.split_once("what is left then: cutpoint "));
    let left = cutpoint(again.unwrap().1.split(' '));
    assert_eq!(
        (left.code, left.stderr.as_str()),
        (0, ""),
        "{}",
        left.stdout
    );
}

#[test]
fn results_are_kept_and_do_not_depend_on_the_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    let audit = |jobs: &str, rest: &[&str]| {
        let first = ["audit", "rename-512", "full", "--json", "--jobs", jobs];
        cutpoint(first.iter().chain(rest))
    };
    let one = audit("1", &[]);
    let three = audit("3", &["--out", folder.to_str().unwrap()]);
    assert_eq!((one.code, three.code), (0, 0), "{}", three.stderr);
    assert_eq!(one.stdout, three.stdout);
    assert_eq!(
        fs::read_to_string(folder.join("results.jsonl")).unwrap(),
        one.stdout
    );
    let first = one.stdout.lines().next().unwrap();
    let audit: serde_json::Value = serde_json::from_str(first).unwrap();
    assert_eq!(audit["sweep"]["workload"], "rename-512");
    assert_eq!(audit["syncs"].as_array().unwrap().len(), 61);
    let is_ordering = |sync: &serde_json::Value| sync["need"]["ordering"]["place"].is_string();
    assert_eq!(
        audit["syncs"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|sync| is_ordering(sync))
            .count(),
        29
    );
}

#[test]
fn wrong_input_is_one_line_and_code_2() {
    refused(&[
        (vec!["audit"], "required"),
        (
            vec!["audit", "splitt"],
            "there is no built-in workload 'splitt'",
        ),
        (
            vec!["audit", "full-128", "--contract", "nor"],
            "no contract 'nor'",
        ),
        (
            vec!["audit", "full-128", "--contract", "prefix"],
            "--contract: under the contract prefix it makes no difference where syncs are",
        ),
        (
            vec!["audit", "full-128", "--contract", "sd-no-flush"],
            "under the contract sd-no-flush it makes no difference",
        ),
        (
            vec!["audit", "full-128", "--max-states", "0"],
            "0 is not in",
        ),
        (
            vec!["audit", "full-128", "--state", "x"],
            "'x' is no crash state",
        ),
        (
            vec!["audit", "full", "--state", "5"],
            "stands for 3 workloads",
        ),
        (
            vec!["audit", "full-128", "full-512", "--state", "5"],
            "belongs to one workload",
        ),
        (
            vec!["audit", "full-128", "--state", "5"],
            "crash state 5 of full-128 is clean under the contract reorder",
        ),
        (
            vec!["audit", "full-128", "--state", "100-{3}"],
            "does not allow the crash state 100-{3}",
        ),
        (
            vec!["audit", "full-128", "--state", "9999"],
            "has no crash state 9999",
        ),
    ]);
}

#[test]
fn a_replay_without_a_sync_says_what_it_lacks() {
    refused(&[
        (
            vec!["replay", "full-128", "--without-sync", "3"],
            "required",
        ),
        (
            vec!["replay", "full-128", "--state", "5", "--without-sync", "3"],
            "--contract",
        ),
        (
            vec![
                "replay",
                "full-128",
                "--state",
                "5",
                "--contract",
                "reorder",
                "--without-sync",
                "999",
            ],
            "--without-sync: there is no sync 999: there are 47",
        ),
        (
            vec![
                "replay",
                "full-128",
                "--state",
                "5",
                "--contract",
                "reorder",
                "--with-sync-after",
                "999",
            ],
            "--with-sync-after: there is no write 999",
        ),
        (
            vec![
                "replay",
                "full-128",
                "--contract",
                "reorder",
                "--with-sync-after",
                "999",
            ],
            "--with-sync-after: there is no write 999",
        ),
        (
            vec!["replay", "full-128", "--with-sync-after", "9"],
            "--contract",
        ),
        (
            vec![
                "replay",
                "full-128",
                "--state",
                "100-{3}",
                "--contract",
                "reorder",
                "--without-sync",
                "2",
            ],
            "has no crash state 100-{3}",
        ),
    ]);
}

#[track_caller]
fn refused(cases: &[(Vec<&str>, &str)]) {
    for (arguments, expected) in cases {
        let run = cutpoint(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{arguments:?}");
        assert!(
            run.stderr.contains(*expected),
            "{arguments:?}: {}",
            run.stderr
        );
        if !run.stderr.contains("--help") {
            assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        }
    }
}
