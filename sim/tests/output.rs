//! What programs read: JSON, JUnit XML, annotations and pages of runs; and screens that are to be short.

mod toy;

use cutpoint::explore::{Sweep, SweepReport};
use cutpoint::op::{Operation, Value};
use cutpoint::report::annotations::github;
use cutpoint::report::audit::AuditSummary;
use cutpoint::report::junit::junit;
use cutpoint::report::summary::Summary;
use cutpoint::workload::Workload;
use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use serde_json::Value as Json;
use std::time::Duration;
use toy::{Fault, Toy};

fn cutpoint<'a>(arguments: impl IntoIterator<Item = &'a str>) -> assert_cmd::assert::Assert {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("cutpoint");
    command.args(arguments).assert()
}

fn stdout(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

fn lines<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Vec<Json> {
    let printed = stdout(&cutpoint(arguments));
    let lines = printed.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The sweep of a store that loses a key, in a workload whose name is markup.
fn broken() -> SweepReport {
    let workload = Workload::new("<50%:\n>", toy::geometry())
        .then(Operation::set("/a", Value::literal("1")))
        .then(Operation::set("/b", Value::literal("2")));
    Sweep::new(&Toy::with(Fault::LosesKeyWhenCut), &workload).run()
}

fn clean() -> SweepReport {
    let workload =
        Workload::new("clean", toy::geometry()).then(Operation::set("/a", Value::literal("1")));
    Sweep::new(&Toy::with(Fault::None), &workload).run()
}

#[test]
fn every_line_of_json_says_its_schema() {
    for arguments in [
        &["sweep", "full-512", "--json"][..],
        &["sweep", "--bounded", "1", "--json"],
        &["audit", "full-512", "--json"],
        &["faults", "full-512", "--class", "wears-out", "--json"],
        &["replay", "full-512", "--json"],
        &["replay", "full-512", "--state", "7", "--json"],
    ] {
        let lines = lines(arguments.iter().copied());
        assert!(!lines.is_empty(), "{arguments:?}");
        assert!(
            lines.iter().all(|line| line["schema"] == 1),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_replay_as_json_says_what_was_allowed_and_shown() {
    let replay = ["replay", "rename-512", "--state", "23", "--json"];
    let replay = &lines(replay)[0];
    assert_eq!(replay["state"], "23");
    assert_eq!(replay["contract"], "prefix");
    assert_eq!(replay["violation"], Json::Null);
    assert_eq!(replay["cuts"][0]["issued"], 23);
    let shown = replay["shown"]["version"].as_u64().unwrap();
    let allowed: Vec<u64> = serde_json::from_value(replay["allowed"].clone()).unwrap();
    assert!((allowed[0]..=allowed[1]).contains(&shown), "{replay}");
    let tree = replay["contents"].as_array().unwrap();
    assert!(
        tree.iter()
            .any(|node| node["type"] == "value" && node["sha256"].is_string())
    );
}

#[test]
fn a_quiet_sweep_prints_its_last_line_alone() {
    let quiet = |command| stdout(&cutpoint([command, "rename-512", "--quiet"]).code(0));
    assert_eq!(quiet("sweep"), "No violation found.\n");
    assert_eq!(
        quiet("audit"),
        "No violation found with all syncs in place.\n"
    );
    assert_eq!(AuditSummary::default().quiet_text(), quiet("audit"));
}

#[test]
fn a_quiet_screen_keeps_what_was_found() {
    let mut summary = Summary::default();
    summary.push(broken(), Duration::ZERO);
    let (text, quiet) = (summary.text(true, None), summary.quiet_text());
    assert!(quiet.contains("lost key") && quiet.contains("  replay: cutpoint replay "));
    assert!(text.contains(quiet.lines().next().unwrap()));
    assert_eq!(text.lines().last(), quiet.lines().last());
    assert!(!quiet.contains("recoveries"), "{quiet}");
}

#[test]
fn junit_has_a_case_for_each_sweep_and_its_failure_says_how_to_see_it_again() {
    let (broken, clean) = (broken(), clean());
    let sweeps = [(&broken, Some(Duration::from_millis(1500))), (&clean, None)];
    let xml = junit(sweeps).unwrap();
    let report = Report::deserialize_from_str(&xml).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (2, 1, 0));
    let cases = &report.test_suites[0].test_cases;
    assert_eq!(cases[0].classname.as_ref().unwrap().as_str(), "toy.prefix");
    assert_eq!(cases[0].time, Some(Duration::from_millis(1500)));
    let TestCaseStatus::NonSuccess {
        kind: NonSuccessKind::Failure,
        message: Some(message),
        ty: Some(kind),
        description: Some(description),
        ..
    } = &cases[0].status
    else {
        panic!("{:?}", cases[0].status);
    };
    assert!(message.as_str().contains("lost key: /"), "{message:?}");
    assert_eq!(kind.as_str(), "lost key");
    assert!(description.as_str().contains("replay: cutpoint replay "));
    assert!(matches!(cases[1].status, TestCaseStatus::Success { .. }));
}

#[test]
fn the_command_writes_junit_and_annotates_nothing_where_nothing_was_found() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sweep.xml");
    let path = file.to_str().unwrap();
    let sweep = [
        "sweep",
        "full-512",
        "--models",
        "prefix,torn",
        "--junit",
        path,
    ];
    let run = cutpoint(sweep.into_iter().chain(["--annotations", "github", "-q"])).code(0);
    assert_eq!(stdout(&run), "No violation found.\n");
    let xml = std::fs::read_to_string(&file).unwrap();
    let report = Report::deserialize_from_str(&xml).unwrap();
    assert_eq!((report.tests, report.failures), (2, 0));
}

#[test]
fn an_annotation_is_one_line_for_each_kind() {
    let annotations = github([&broken(), &clean()]);
    let line = annotations.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "{annotations}");
    let title = "::error title=<50%25%3A%0A> under prefix%3A lost key::";
    assert!(line.starts_with(title), "{line}");
    assert!(line.contains("%0Areplay: cutpoint replay "), "{line}");
}

#[test]
fn a_run_becomes_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let (run, page) = (dir.path().join("run"), dir.path().join("run.html"));
    let (run, page) = (run.to_str().unwrap(), page.to_str().unwrap());
    let models = ["--models", "prefix,reorder", "--out", run, "-q"];
    cutpoint(["sweep", "full-512"].into_iter().chain(models)).code(0);
    cutpoint(["report", run, "-o", page]).code(0).stdout("");
    let html = std::fs::read_to_string(page).unwrap();
    assert!(html.contains("<b>full-512</b>"), "a timeline");
    assert!(html.contains("Operations and phases cut inside"), "a chart");
    assert!(html.contains("after 2 entries"));

    let refused = cutpoint(["report", "no-such-run", "-o", page]).code(2);
    let line = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
    assert!(line.starts_with("error: no-such-run/run.jsonl: "), "{line}");
}
