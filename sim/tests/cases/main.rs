//! The regression corpus: every case comes to what it expects, of the engine and of broken ones, and shows what has been
//! reviewed in reports/cases.

mod broken;

use cutpoint::case::{Case, Corpus, CrashModel, Outcome};
use cutpoint::report::case::CaseReview;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn corpus() -> Corpus {
    Corpus::read(&folder("corpus/cases"), &folder("corpus/images")).unwrap()
}

#[test]
fn every_case_comes_to_what_it_expects() {
    let corpus = corpus();
    let runs: Vec<_> = corpus
        .cases()
        .par_iter()
        .map(|named| (named, named.case.run(&named.name, &broken::subject)))
        .collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../reports/cases");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut surprises = Vec::new();
    for (named, mut run) in runs {
        // Snapshots are of what every build has.
        let of_c = |outcome: &Outcome| outcome.report.subject == "littlefs-c";
        for outcome in run.outcomes.extract_if(.., |outcome| of_c(outcome)) {
            if !outcome.is_as_expected() {
                let found = outcome.report.first_violation().map(ToString::to_string);
                surprises.push(format!(
                    "{}: littlefs-c, {}: {found:?}",
                    named.name, outcome.model
                ));
            }
        }
        let run = &run;
        let review = CaseReview::new(named, run).to_string();
        settings.bind(|| insta::assert_snapshot!(named.name.clone(), review));
        // Each other name must be that of a broken subject here.
        let has_all = run.left_out.iter().all(|name| name == "littlefs-c");
        if !run.is_as_expected() || !has_all {
            surprises.push(review);
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

/// A case that no longer exists leaves no snapshot behind.
#[test]
fn every_snapshot_is_of_a_case() {
    let cases: BTreeSet<_> = corpus()
        .cases()
        .iter()
        .map(|named| named.name.clone())
        .collect();
    let snapshots: BTreeSet<_> = fs::read_dir(folder("reports/cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == "snap"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(snapshots, cases);
}

#[test]
fn every_case_is_written_in_its_canonical_form() {
    for named in corpus().cases() {
        let path = folder("corpus/cases")
            .join(&named.name)
            .with_extension("kdl");
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            named.case.to_string(),
            "{}",
            named.name
        );
    }
}

/// A case that nothing fails guards nothing. Those that no broken subject is known for are counted in the README.
#[test]
fn cases_that_no_broken_subject_fails_are_named() {
    let readme = fs::read_to_string(folder("corpus/cases/README.md")).unwrap();
    for named in corpus().cases() {
        let fails = |case: &Case| {
            case.expectations.iter().any(|expectation| {
                !["engine", "littlefs-c"].contains(&expectation.subject.as_str())
                    && case.expected("engine", expectation.under.unwrap_or(CrashModel::NESTED))
                        != Some(&expectation.verdict)
            })
        };
        let told = case_without(&readme, &named.name);
        assert_ne!(fails(&named.case), told, "{}", named.name);
    }
}

fn case_without(readme: &str, name: &str) -> bool {
    readme
        .lines()
        .any(|line| line.starts_with(&format!("- `{name}`")))
}
