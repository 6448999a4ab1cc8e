//! `cutpoint sweep`, `replay` and `list` as they are typed, wrong input included.

use cutpoint::run::{Entry, Reader, Totals};
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

fn stdout(run: &Run) -> &str {
    assert_eq!(run.code, 0, "{}", run.stderr);
    &run.stdout
}

#[test]
fn a_bare_sweep_explores_directory_splits_and_images_and_finds_nothing() {
    let run = cutpoint(["sweep"]);
    let screen = stdout(&run);
    for name in [
        "split-ascending-128",
        "split-shuffled-4096",
        "split on 35 images",
    ] {
        assert!(screen.contains(name), "{screen}");
    }
    assert!(screen.contains("No violation found."), "{screen}");
    assert!(screen.lines().count() <= 24 && screen.lines().all(|line| line.chars().count() <= 80));
    // No terminal, no progress.
    assert_eq!(run.stderr, "");
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let of = |jobs: &str| cutpoint(["sweep", "rename", "removal-128", "--json", "--jobs", jobs]);
    let (one, three) = (of("1"), of("3"));
    assert_eq!(stdout(&one), stdout(&three));
    let workloads: Vec<String> = one
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|sweep| {
            assert_eq!(sweep["states"], sweep["covered"]);
            assert_eq!(sweep["violations"].as_array().map(Vec::len), Some(0));
            sweep["workload"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        workloads,
        ["rename-128", "rename-512", "rename-4096", "removal-128"]
    );
}

#[test]
fn a_sweep_in_bounds_has_a_line_for_each_length() {
    let run = cutpoint(["sweep", "--bounded", "2"]);
    let screen = stdout(&run);
    for line in [
        "      0          1         0",
        "      2      2 500         0",
    ] {
        assert!(
            screen.lines().any(|shown| shown.starts_with(line)),
            "{screen}"
        );
    }
    assert!(
        screen.contains("covered exactly, each once, none sampled"),
        "{screen}"
    );
    assert!(screen.contains("No violation found."), "{screen}");
    assert!(
        screen.lines().all(|line| line.chars().count() <= 80),
        "{screen}"
    );
    assert_eq!(run.stderr, "");
}

#[test]
fn a_sweep_in_bounds_keeps_its_results_and_prints_them_the_same_on_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    let out = folder.to_str().unwrap();
    let one = cutpoint(["sweep", "--bounded", "2", "--json", "--jobs", "1"]);
    let three = cutpoint([
        "sweep",
        "--bounded",
        "2",
        "--json",
        "--jobs",
        "3",
        "--out",
        out,
    ]);
    assert_eq!(stdout(&one), stdout(&three));
    let kept = fs::read_to_string(folder.join("results.jsonl")).unwrap();
    assert_eq!(kept, one.stdout);
    let lengths: Vec<serde_json::Value> = kept
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lengths.len(), 3);
    assert_eq!(lengths[2]["sequences"], 2500);
    assert_eq!(lengths[2]["explored"], 2500);
    assert!(folder.join("summary.txt").exists());
}

#[test]
fn replays_a_sequence_by_its_number() {
    let run = cutpoint(["replay", "bounded:12678", "--state", "18"]);
    insta::assert_snapshot!(stdout(&run));
    let run = cutpoint(["replay", "bounded:1234@512x32x16"]);
    assert!(
        stdout(&run).contains("No violation found."),
        "{}",
        run.stdout
    );
}

#[test]
fn keeps_the_results_in_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("new/run");
    let out = folder.to_str().unwrap();
    let run = cutpoint(["sweep", "nested-128", "--out", out]);
    let summary = fs::read_to_string(folder.join("summary.txt")).unwrap();
    assert!(summary.ends_with("No violation found.\n"), "{summary}");
    let mut reader = Reader::open(&folder).unwrap();
    assert_eq!(reader.header().count, Some(1));
    let entries: Vec<Entry> = reader.by_ref().collect::<Result<_, _>>().unwrap();
    assert_eq!(entries[0].report.workload, "nested-128");
    let recoveries = format!("{} recoveries", entries[0].report.recoveries);
    assert!(stdout(&run).contains(&recoveries), "{recoveries}");
    let mut totals = Totals::default();
    totals.add(&entries[0]);
    assert_eq!(reader.totals(), Some(&totals));
    // Another one does not go over it.
    let again = cutpoint(["sweep", "nested-128", "--out", out]);
    assert_eq!(again.code, 2);
    assert!(
        again.stderr.contains("there is a run already"),
        "{}",
        again.stderr
    );
    // The workers' places are of no use once the work is done.
    assert_eq!(fs::read_dir(folder.join("in-flight")).unwrap().count(), 0);
}

#[test]
fn replays_a_state_in_full() {
    let run = cutpoint(["replay", "rename-512", "--state", "23"]);
    insta::assert_snapshot!(stdout(&run));
}

#[test]
fn cuts_in_recoveries_are_followed_until_all_is_at_rest() {
    let run = cutpoint(["sweep", "rename-512", "--depth", "all"]);
    let screen = stdout(&run);
    assert!(
        screen.contains("Every path comes to rest in an allowed state"),
        "{screen}"
    );
    assert!(screen.lines().all(|line| line.chars().count() <= 80));
    let run = cutpoint(["sweep", "rename-512", "--depth", "all", "--json"]);
    let report: serde_json::Value = serde_json::from_str(stdout(&run)).unwrap();
    assert!(report["edges"].as_u64() > Some(0), "{report}");
    assert_eq!(
        (&report["violations"], &report["cut_short"]),
        (&0.into(), &false.into())
    );
    let run = cutpoint(["replay", "rename-512", "--state", "23", "--depth", "all"]);
    assert!(stdout(&run).contains("verdict   clean"), "{}", run.stdout);
}

#[test]
fn replays_a_state_on_an_image() {
    let run = cutpoint(["replay", "split-on-basic_512_v21", "--state", "12"]);
    insta::assert_snapshot!(stdout(&run));
}

#[test]
fn replays_the_state_before_the_first_write() {
    let run = cutpoint(["replay", "full-128", "--state", "0"]);
    let text = stdout(&run);
    assert!(
        text.contains("no store, as the subject's promises allow here"),
        "{text}"
    );
}

#[test]
fn lists_what_can_be_named() {
    let run = cutpoint(["list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(stdout(&run)).unwrap();
    for group in listed["groups"].as_array().unwrap() {
        for workload in group["workloads"].as_array().unwrap() {
            let run = cutpoint(["replay", workload.as_str().unwrap(), "--state", "1"]);
            assert_eq!(run.code, 0, "{}", run.stderr);
        }
    }
    assert!(listed["images"].as_array().unwrap().len() > 30);
}

#[test]
fn misspelt_names_get_a_suggestion() {
    for (arguments, meant) in [
        (vec!["sweep", "full-128", "--models", "torm"], "torn"),
        (
            vec!["sweep", "full-128", "--contract", "nor-flsh"],
            "nor-flash",
        ),
        (vec!["sweep", "renam-512"], "rename-512"),
    ] {
        let run = cutpoint(&arguments);
        assert_eq!(run.code, 2, "{arguments:?}");
        let suggestion = format!("; did you mean '{meant}'?\n");
        assert!(run.stderr.ends_with(&suggestion), "{}", run.stderr);
    }
}

#[test]
fn wrong_input_is_one_line_and_code_2() {
    let empty = tempfile::tempdir().unwrap();
    let corpus = empty.path().to_str().unwrap();
    for (arguments, expected) in [
        (
            vec!["sweep", "splitt"],
            "there is no built-in workload 'splitt'",
        ),
        (
            vec!["sweep", "split-ascending-513"],
            "there is no built-in workload",
        ),
        (
            vec!["sweep", "split-on-nothing"],
            "no sound image of the corpus has this name",
        ),
        (vec!["sweep", "images", "--corpus", corpus], "manifest.json"),
        (vec!["sweep", "--corpus", corpus], "manifest.json"),
        (vec!["list", "--corpus", corpus], "manifest.json"),
        (vec!["replay", "split"], "stands for 9 workloads"),
        (
            vec!["sweep", "--bounded", "0"],
            "'0' is no length of sequences",
        ),
        (
            vec!["sweep", "--bounded", "9"],
            "a number from 1 to 4 is needed",
        ),
        (
            vec!["sweep", "--bounded", "x"],
            "'x' is no length of sequences",
        ),
        (vec!["sweep", "--bounded", "-1"], "-1"),
        (vec!["sweep", "--bounded"], "a value is required"),
        (
            vec!["sweep", "split", "--bounded", "1"],
            "cannot be used with",
        ),
        (
            vec!["replay", "bounded:x"],
            "'x' is no number of a sequence",
        ),
        (vec!["replay", "bounded:6377551"], "0 to 6377550 are"),
        (
            vec!["replay", "bounded:1@512"],
            "'512' are no sizes of a device",
        ),
        (vec!["replay", "bounded:1@513x8x1"], "block size 513"),
        (
            vec!["replay", "bounded:0", "--state", "5"],
            "has no crash state 5: its last one is 4",
        ),
        (
            vec!["replay", "full-128", "--state", "x"],
            "'x' is no crash state",
        ),
        (vec!["replay", "full-128", "--state", "-1"], "-1"),
        (
            vec!["replay", "full-128", "--state", "117~300/16"],
            "has no crash state 117~300/16 under prefix, torn, reorder",
        ),
        (
            vec!["sweep", "full-128", "--contract", "nor"],
            "no contract 'nor'; there are prefix, torn,",
        ),
        (
            vec!["sweep", "full-128", "--models", "torm,torn"],
            "no crash model 'torm'",
        ),
        (
            vec!["sweep", "full-128", "--depth", "9"],
            "a number from 1 to 8 is needed, or all",
        ),
        (
            vec!["sweep", "full-128", "--depth", "all", "--models", "torn"],
            "goes with the prefix model alone",
        ),
        (
            vec!["sweep", "full-128", "--depth", "all", "--out", corpus],
            "does not go with --peer, --out",
        ),
        (
            vec!["replay", "full-128", "--state", "100000"],
            "has no crash state 100000",
        ),
    ] {
        let run = cutpoint(&arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{arguments:?}");
        assert!(
            run.stderr.contains(expected),
            "{arguments:?}: {}",
            run.stderr
        );
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        if !run.stderr.contains("--help") {
            assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        }
    }
}

#[cfg(not(feature = "littlefs-c"))]
#[test]
fn a_subject_that_is_not_built_in_is_one_line_and_code_2() {
    for arguments in [
        vec!["sweep", "full-128", "--subject", "littlefs-c"],
        vec!["replay", "full-128", "--subject", "littlefs-c"],
        vec!["sweep", "full-128", "--peer", "littlefs-c"],
        vec!["replay", "full-128", "--peer", "littlefs-c"],
    ] {
        let run = cutpoint(&arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}");
        assert_eq!(
            run.stderr,
            format!(
                "error: {} littlefs-c: not built into this command; with libclang and a C compiler at hand, \
                 build it with 'cargo build --release --features littlefs-c'\n",
                arguments[2]
            )
        );
    }
}

#[cfg(feature = "littlefs-c")]
#[test]
fn the_c_littlefs_is_swept_replayed_and_listed() {
    let run = cutpoint(["sweep", "nested-512", "--subject", "littlefs-c", "--json"]);
    assert!(
        stdout(&run).starts_with(r#"{"schema":1,"subject":"littlefs-c","workload":"nested-512""#),
        "{}",
        run.stdout
    );
    let run = cutpoint(["sweep", "rename-512", "--subject", "littlefs-c"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let again = run
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("replay: cutpoint "));
    let run = cutpoint(again.unwrap().split(' '));
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stdout.contains("subject   littlefs-c"),
        "{}",
        run.stdout
    );
    let run = cutpoint(["list"]);
    assert!(
        stdout(&run).contains("littlefs-c         C littlefs 2.9"),
        "{}",
        run.stdout
    );
}

#[cfg(feature = "littlefs-c")]
#[test]
fn the_c_littlefs_is_a_peer_in_sweeps_and_replays() {
    let run = cutpoint(["sweep", "rename-512", "--peer", "littlefs-c"]);
    let line = "Each crash state was held against C littlefs 2.9 too.";
    assert!(stdout(&run).contains(line), "{}", run.stdout);
    let run = cutpoint(["sweep", "rename-512", "--peer", "littlefs-c", "--json"]);
    let peer = r#""peer":{"name":"littlefs-c","full_name":"C littlefs 2.9"}"#;
    assert!(stdout(&run).contains(peer), "{}", run.stdout);
    let state = ["rename-512", "--state", "23", "--peer", "littlefs-c"];
    let run = cutpoint(["replay"].into_iter().chain(state));
    assert!(
        stdout(&run).contains("\npeer      C littlefs 2.9\n"),
        "{}",
        run.stdout
    );
}
