use super::*;
use crate::model::Model;
use crate::refusal::Refusal;
use std::collections::BTreeSet;

#[test]
fn names_are_unique_and_found_again() {
    let all = builtins();
    assert_eq!(all.len(), Group::ALL.len() * BLOCK_SIZES.len());
    let names: BTreeSet<_> = all.iter().map(Workload::name).collect();
    assert_eq!(names.len(), all.len());
    for name in names {
        assert_eq!(builtin(name).unwrap().name(), name);
    }
}

#[test]
fn selects_by_name_group_and_common_beginning() {
    let names = |name: &str| -> Vec<String> {
        let workloads = select(name).unwrap();
        workloads
            .iter()
            .map(|workload| workload.name().to_owned())
            .collect()
    };
    assert_eq!(names("nested-512"), ["nested-512"]);
    assert_eq!(names("full"), ["full-128", "full-512", "full-4096"]);
    assert_eq!(names("split").len(), 9);
    assert_eq!(names("all").len(), builtins().len());
    let error = select("spl").unwrap_err().to_string();
    assert!(
        error.contains("'spl'") && error.contains("nested"),
        "{error}"
    );
}

#[test]
fn each_is_of_a_size_to_be_swept_on_every_change_and_remounts() {
    for workload in builtins() {
        let operations = workload.operations();
        assert!(
            (30..=80).contains(&operations.len()),
            "{} has {} operations",
            workload.name(),
            operations.len()
        );
        assert!(
            operations.contains(&Operation::Remount),
            "{}",
            workload.name()
        );
    }
}

#[test]
fn only_what_is_meant_to_be_refused_is() {
    for workload in builtins() {
        let mut model = Model::default();
        let refused: BTreeSet<String> = workload
            .operations()
            .iter()
            .filter_map(|operation| model.apply(operation).err())
            .map(|refusal: Refusal| refusal.to_string())
            .collect();
        let expected: &[&str] = if workload.name().starts_with("nested") {
            &["already present", "dictionary expected"]
        } else if workload.name().starts_with("rename") {
            &[
                "a dictionary cannot move below itself",
                "dictionary expected",
                "not found",
                "value expected",
            ]
        } else if workload.name().starts_with("partial") {
            &[
                "already present",
                "dictionary expected",
                "not found",
                "value expected",
            ]
        } else if workload.name().starts_with("attributes") {
            &["dictionary expected", "not found"]
        } else {
            // Also the full device: its lack of room is not the model's to tell.
            &[]
        };
        let expected: BTreeSet<String> = expected.iter().map(|&text| text.to_owned()).collect();
        assert_eq!(refused, expected, "{}", workload.name());
    }
}

#[test]
fn entries_fit_small_blocks() {
    for workload in builtins() {
        let block_size = workload.geometry().block_size();
        for operation in workload.operations() {
            for key in operation.keys() {
                let inline = (block_size / 8) as usize;
                let name = key.name().map_or(0, <[u8]>::len);
                assert!(name + inline + 8 <= 90 * block_size as usize / 128, "{key}");
            }
        }
    }
}
