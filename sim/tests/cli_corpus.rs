//! `cutpoint corpus` as it is typed, and cases wherever a workload is named; wrong input included.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

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

fn case(name: &str) -> String {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/cases");
    cases.join(name).to_str().unwrap().to_owned()
}

#[test]
fn lists_runs_and_shows_cases() {
    let list = cutpoint(["corpus", "list"]);
    assert_eq!((list.code, list.stderr.as_str()), (0, ""));
    assert!(
        list.stdout.contains("rename-shows-one-name"),
        "{}",
        list.stdout
    );
    let json = cutpoint(["corpus", "list", "--json"]);
    assert_eq!(json.stdout.lines().count() + 1, list.stdout.lines().count());
    for line in json.stdout.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            line["origin"]
                .as_str()
                .is_some_and(|origin| !origin.is_empty()),
            "{line}"
        );
    }
    let run = cutpoint(["corpus", "run", "rename-shows-one-name", "no-store-all-ff"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(
        run.stdout.ends_with("2 of 2 cases as expected.\n"),
        "{}",
        run.stdout
    );
    let json = cutpoint(["corpus", "run", "no-store-all-ff", "--json"]);
    let line: serde_json::Value = serde_json::from_str(json.stdout.trim()).unwrap();
    assert_eq!(
        (&line["as_expected"], &line["outcome"]["expected"]),
        (&true.into(), &"refused".into())
    );
    let shown = cutpoint(["corpus", "show", "rename-shows-one-name"]);
    insta::assert_snapshot!(shown.stdout);
    let unknown = cutpoint(["corpus", "show", "rename-shows-two-names"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (2, ""));
    assert_eq!(
        unknown.stderr,
        "error: rename-shows-two-names: there is no such case; 'cutpoint corpus list' shows all\n"
    );
}

const TEXT: &str = "
origin \"Made here\" // and the comment goes
title \"Two: names\"
device block-size=512 block-count=16
set \"/a\" file=\"a.bin\"
expect engine lost-key
explore prefix
";

#[test]
fn adds_a_case_in_its_canonical_form_once() {
    let from = tempfile::tempdir().unwrap();
    let corpus = tempfile::tempdir().unwrap();
    let file = from.path().join("found.kdl");
    fs::write(&file, TEXT).unwrap();
    let (file, folder) = (file.to_str().unwrap(), corpus.path().to_str().unwrap());
    let add = || cutpoint(["corpus", "add", file, "--corpus", folder]);
    let missing = add();
    assert_eq!(missing.code, 2);
    assert!(
        missing
            .stderr
            .contains("found.kdl:5:10: cannot read 'a.bin'"),
        "{}",
        missing.stderr
    );
    fs::write(from.path().join("a.bin"), "bytes").unwrap();
    let added = add();
    assert_eq!((added.code, added.stderr.as_str()), (0, ""));
    let text = fs::read_to_string(corpus.path().join("two-names.kdl")).unwrap();
    assert!(
        text.starts_with("title \"Two: names\"\norigin \"Made here\"\n\ndevice "),
        "{text}"
    );
    assert_eq!(fs::read(corpus.path().join("a.bin")).unwrap(), b"bytes");
    let again = add();
    assert_eq!(again.code, 2);
    assert!(
        again
            .stderr
            .contains("the case 'two-names' runs the same operations"),
        "{}",
        again.stderr
    );
    // The same title for something else.
    fs::write(file, TEXT.replace("\"/a\"", "\"/b\"")).unwrap();
    let taken = add();
    assert_eq!(taken.code, 2);
    assert!(
        taken.stderr.contains("two-names.kdl is there already"),
        "{}",
        taken.stderr
    );

    // It expects what the engine does not show.
    let run = cutpoint(["corpus", "run", "--corpus", folder]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    assert!(
        run.stdout.contains("clean; expected lost-key"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.ends_with("0 of 1 cases as expected.\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_case_is_a_workload() {
    let path = case("stale-commit-behind-a-lost-erase.kdl");
    let sweep = cutpoint(["sweep", &path, "--contract", "emmc-untold"]);
    assert_eq!((sweep.code, sweep.stderr.as_str()), (1, ""));
    let replay = sweep
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("replay: cutpoint "));
    let words = replay
        .unwrap()
        .split(' ')
        .map(|word| word.trim_matches('\''));
    let again = cutpoint(words);
    assert_eq!(again.code, 1, "{}{}", again.stdout, again.stderr);
    assert!(
        again.stdout.contains("verdict   stale value"),
        "{}",
        again.stdout
    );
    let audit = cutpoint(["audit", &case("rename-shows-one-name.kdl")]);
    assert_eq!((audit.code, audit.stderr.as_str()), (0, ""));
    let wrong = cutpoint(["sweep", "no-such.kdl"]);
    assert_eq!((wrong.code, wrong.stdout.as_str()), (2, ""));
    assert!(
        wrong
            .stderr
            .starts_with("error: no-such.kdl: cannot read the case: "),
        "{}",
        wrong.stderr
    );
}

/// A state that a case names is replayed while the trace is the one that it was written down for.
#[test]
fn replay_of_a_case_begins_with_the_states_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = cutpoint(["sweep", &case("acknowledged-is-durable.kdl"), "--json"]);
    let report: serde_json::Value = serde_json::from_str(sweep.stdout.trim()).unwrap();
    let text = fs::read_to_string(case("acknowledged-is-durable.kdl")).unwrap();
    let replay = |fingerprint: &str| {
        let path = folder.path().join("named.kdl");
        let state = format!("state 3 under=prefix subject=engine fingerprint=\"{fingerprint}\"\n");
        fs::write(&path, format!("{text}{state}")).unwrap();
        cutpoint(["replay", path.to_str().unwrap()])
    };
    let same = replay(report["fingerprint"].as_str().unwrap());
    assert_eq!((same.code, same.stderr.as_str()), (0, ""));
    assert!(
        same.stdout.contains("state     3: the first 3 of"),
        "{}",
        same.stdout
    );
    assert!(
        same.stdout.contains("left out: no-syncs"),
        "{}",
        same.stdout
    );
    let other = replay(&"0".repeat(32));
    assert_eq!(other.code, 0);
    assert!(
        other
            .stdout
            .starts_with("state 3 was written down for other writes"),
        "{}",
        other.stdout
    );
}
