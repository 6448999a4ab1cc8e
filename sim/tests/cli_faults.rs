//! `cutpoint faults` and `cutpoint sweep --models decay` as they are typed, and the replay of one fault and of one
//! damaged crash state; wrong input included.

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
fn damage_is_counted_by_kind_and_by_what_came_of_it() {
    let arguments = [
        "sweep",
        "nested-128",
        "--models",
        "decay",
        "--max-states",
        "400",
    ];
    let run = cutpoint(&arguments);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80));
    insta::assert_snapshot!(run.stdout);
    let run = cutpoint(&[&arguments[..], &["--json"]].concat());
    let result: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(result["kinds"]["unreadable"]["tried"], 100);
    assert!(result["not_told"]["rollback"].as_u64().unwrap() > 0);
}

#[test]
fn one_damaged_state_is_shown_in_full() {
    for (state, line) in [
        (
            "60+flip:0.20.3",
            "damage    bit 3 of byte 20 of block 0 is flipped\n",
        ),
        ("60+unreadable:1", "damage    block 1 cannot be read\n"),
    ] {
        let run = cutpoint(&["replay", "nested-128", "--state", state]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        assert!(run.stdout.contains(line), "{}", run.stdout);
        assert!(run.stdout.contains("\nverdict   "), "{}", run.stdout);
    }
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
            ["replay", "nested-128", "--state", "60+flip:0.1.8", ""],
            "error: --state: '60+flip:0.1.8' is no crash state with damage: a form such as 117+flip:3.120.5, \
             117+garbled:3.96/16 or 117+unreadable:3 is needed\n",
        ),
        (
            ["replay", "nested-128", "--state", "60+unreadable:256", ""],
            "error: --state: the device has no such place as that of unreadable:256\n",
        ),
        (
            ["sweep", "nested-128", "--models", "decay,torn", ""],
            "error: --models: decay is swept alone, on the prefix model: leave out other models, --depth, --coverage, \
             --shard and --peer\n",
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
