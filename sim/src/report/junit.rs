//! Sweeps as JUnit XML, the form in which build servers take results of tests.

use super::{grouped, replay_command};
use crate::explore::{SweepReport, ViolationGroup};
use quick_junit::{
    NonSuccessKind, Property, Report, SerializeError, TestCase, TestCaseStatus, TestSuite,
};
use std::fmt::Write;
use std::time::Duration;

/// The sweeps as one JUnit document: a test case for each workload under each contract, whose failure names every kind
/// of violation with the command that replays it. A sweep that was left before its end is an error. How long each took
/// is told where it is given; without that, the document is the same at every run.
///
/// # Errors
///
/// Where the document cannot be written: a fault of the library.
pub fn junit<'r>(
    sweeps: impl IntoIterator<Item = (&'r SweepReport, Option<Duration>)>,
) -> Result<String, SerializeError> {
    let mut suite = TestSuite::new("cutpoint");
    for (report, elapsed) in sweeps {
        suite.add_test_case(case(report, elapsed));
    }
    let mut junit = Report::new("cutpoint");
    junit.add_test_suite(suite);
    junit.to_string()
}

fn case(report: &SweepReport, elapsed: Option<Duration>) -> TestCase {
    let status = if report.violation_count() > 0 {
        let mut failure = TestCaseStatus::non_success(NonSuccessKind::Failure);
        let said: Vec<String> = report
            .violations
            .iter()
            .map(|group| said(report, group))
            .collect();
        if let Some(first) = report.first_violation() {
            failure.set_message(first.to_string());
            failure.set_type(first.violation.kind.to_string());
        }
        failure.set_description(said.join("\n"));
        failure
    } else if report.is_finished() {
        TestCaseStatus::success()
    } else {
        let mut error = TestCaseStatus::non_success(NonSuccessKind::Error);
        error.set_message("cut short: not all crash states were covered");
        error
    };
    let mut case = TestCase::new(report.workload.as_str(), status);
    let under = match report.depth {
        1 => report.contract.clone(),
        depth => format!("{} x{depth}", report.contract),
    };
    case.set_classname(format!("{}.{under}", report.subject));
    case.add_properties([
        Property::new("states", report.states.exact().to_string()),
        Property::new("covered", report.covered.exact().to_string()),
        Property::new("recoveries", report.recoveries.to_string()),
        Property::new("sampled", report.sampled.to_string()),
    ]);
    if let Some(elapsed) = elapsed {
        case.set_time(elapsed);
    }
    case
}

/// A kind of violation, with its first witness.
fn said(report: &SweepReport, group: &ViolationGroup) -> String {
    let mut said = format!("{} x {}", grouped(group.count), group.kind);
    if let Some(first) = group.witnesses.first() {
        let peer = report.peer.as_ref().map(|peer| peer.name.as_str());
        let again = replay_command(
            &report.subject,
            peer,
            &report.workload,
            &report.contract,
            &first.place,
        );
        let step = first.step.as_deref().unwrap_or("after the last operation");
        // Writing to a string does not fail.
        let _ = write!(
            said,
            "\n  first: {first} ({step})\n  broken promise: {}\n  replay: {again}",
            first.violation.promise
        );
    }
    said
}
