//! What docs/tutorial.md says: its code is that of the example, and its output that of the harness.

#[path = "../examples/tutorial/log.rs"]
mod log;

use cutpoint::check::Outcome;
use cutpoint::subject::KeyValueSubject;
use cutpoint_engine::device::Geometry;
use log::Log;

const TUTORIAL: &str = include_str!("../../docs/tutorial.md");

fn outcome(fixed: bool) -> Outcome {
    let disk = Geometry::new(4096, 64).unwrap();
    let disk = disk.with_prog_size(512).unwrap();
    let subject = KeyValueSubject::on_files("log", move |files| Log::open(files, fixed));
    cutpoint::check(&subject, disk).outcome()
}

#[test]
fn the_log_survives_power_cuts() {
    let fixed = true;
    let disk = Geometry::new(4096, 64)
        .unwrap()
        .with_prog_size(512)
        .unwrap();
    let subject = KeyValueSubject::on_files("log", move |files| Log::open(files, fixed));
    cutpoint::check(&subject, disk).run();
}

/// The blocks of the tutorial that are fenced as `language`.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let behind = TUTORIAL.split(fence.as_str()).skip(1);
    behind
        .map(|text| text.split("```").next().unwrap())
        .collect()
}

#[test]
fn the_first_version_loses_what_the_tutorial_shows() {
    let text = outcome(false).to_string();
    let blocks = blocks("text");
    assert_eq!(blocks.len(), 4);
    for block in &blocks[..3] {
        let command = "the_log_survives_power_cuts";
        let here = "the_first_version_loses_what_the_tutorial_shows";
        assert!(
            text.contains(&block.replace(command, here)),
            "{text}\nhas not\n{block}"
        );
    }
}

#[test]
fn the_second_version_keeps_its_promises() {
    let outcome = outcome(true);
    assert!(outcome.is_clean(), "{outcome}");
    assert_eq!(blocks("text")[3], outcome.to_string());
}

#[test]
fn the_code_is_that_of_the_example() {
    let source = concat!(
        include_str!("../examples/tutorial/log.rs"),
        include_str!("tutorial.rs")
    );
    // Code stands indented here, and parts of it are left out there.
    let squeeze = |text: &str| -> String {
        let lines = text.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    };
    let source = squeeze(source);
    let blocks = blocks("rust");
    assert!(blocks.len() >= 5);
    for block in blocks {
        assert!(
            source.contains(&squeeze(block)),
            "the example has not\n{block}"
        );
    }
}
