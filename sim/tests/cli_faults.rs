//! `cutpoint faults` as it is typed, and the replay of one fault; wrong input included.

/// What became of a command.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

fn cutpoint(arguments: &[&str]) -> Run {
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
fn a_table_for_all_classes_on_one_screen() {
    let run = cutpoint(&["faults", "nested-128", "--stride", "19", "--quiet"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80));
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn crash_states_and_workloads_apart_and_results_for_programs() {
    let arguments = [
        "faults",
        "nested-128",
        "nested-512",
        "--class",
        "prog-bad-block,no-space",
        "--stride",
        "20",
        "--crashes",
    ];
    let run = cutpoint(&[&arguments[..], &["--each"]].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    for line in ["nested-128", "nested-512"] {
        assert!(
            run.stdout.lines().any(|shown| shown == line),
            "{}",
            run.stdout
        );
    }
    assert!(
        run.stdout.contains(" crash states from a fault on"),
        "{}",
        run.stdout
    );
    let run = cutpoint(&[&arguments[..], &["--json"]].concat());
    assert_eq!(run.code, 0);
    let results: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(results.len(), 4);
    assert_eq!(results[0]["class"], "prog-bad-block");
    assert_eq!(results[3]["workload"], "nested-512");
    for result in results {
        let count = |name: &str| result[name].as_u64().unwrap();
        assert_eq!(count("tried"), count("worked_around") + count("told"));
        assert_eq!(count("violations"), 0);
    }
}

#[test]
fn one_fault_is_shown_in_full() {
    let run = cutpoint(&["replay", "nested-128", "--fault", "no-space:9"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(run.stdout);
    let with_a_cut = [
        "replay",
        "nested-128",
        "--fault",
        "prog-bad-block:15",
        "--state",
        "60",
    ];
    let run = cutpoint(&with_a_cut);
    assert_eq!(run.code, 0);
    assert!(
        run.stdout.contains("\nstate     60: clean\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn wrong_input_is_refused_in_one_line() {
    for (arguments, line) in [
        (
            ["replay", "nested-128", "--fault", "no-space:999", ""],
            "error: --fault: workload nested-128 has no fault no-space:999: there are 38 of this class, counted from 0\n",
        ),
        (
            ["replay", "nested-128", "--fault", "no-space:9", "--state=3"],
            "error: --state: no-space:9 is not worked around; power cuts are tried where it is\n",
        ),
        (
            ["faults", "nested-128", "--peer", "littlefs-c", ""],
            "error: --peer: a peer has its say on crash states, not on faults\n",
        ),
    ] {
        let given: Vec<&str> = arguments
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect();
        let run = cutpoint(&given);
        assert_eq!((run.code, run.stderr.as_str()), (2, line));
    }
    for arguments in [["faults", "--class", "bad"], ["replay", "--fault", "bad:7"]] {
        let run = cutpoint(&[&arguments[..], &["nested-128"]].concat());
        assert_eq!(run.code, 2);
        assert!(
            run.stderr.contains("there is no class of faults 'bad'"),
            "{}",
            run.stderr
        );
    }
}
