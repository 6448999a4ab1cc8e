use super::*;
use crate::model::Attributes;
use crate::op::Value;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The model as a person would write it down: `/d/` for a dictionary, `/v=bytes` for a value.
fn shown(model: &Model) -> Vec<String> {
    model
        .sorted()
        .into_iter()
        .map(|(key, node)| match node {
            ModelNode::Dictionary { .. } => format!("{key}/"),
            ModelNode::Value { content, .. } => {
                let byte = (b'0'..=b'z').find(|&byte| content.matches(&[byte]));
                format!("{key}={}", byte.map_or('?', char::from))
            }
        })
        .collect()
}

fn set(key: &str, bytes: &str) -> Operation {
    Operation::set(key, Value::literal(bytes))
}

/// `/v` and `/w` are values, `/d` holds `x` and the dictionary `e`, which holds `y`.
fn model() -> Model {
    let mut model = Model::default();
    for operation in [
        set("/v", "1"),
        set("/w", "2"),
        set("/d/x", "3"),
        set("/d/e/y", "4"),
    ] {
        model.apply(&operation).unwrap();
    }
    model
}

#[track_caller]
fn refused(operation: &Operation, refusal: Refusal) {
    let mut changed = model();
    assert_eq!(changed.apply(operation), Err(refusal), "{operation}");
    assert_eq!(
        changed,
        model(),
        "{operation} was refused and changed something"
    );
}

#[track_caller]
fn leads_to(operation: &Operation, expected: &[&str]) {
    let mut model = model();
    model.apply(operation).unwrap();
    assert_eq!(shown(&model), expected, "{operation}");
}

const UNCHANGED: [&str; 6] = ["/d/", "/d/e/", "/d/e/y=4", "/d/x=3", "/v=1", "/w=2"];

#[test]
fn set_replaces_values_and_makes_dictionaries() {
    leads_to(
        &set("/v", "9"),
        &["/d/", "/d/e/", "/d/e/y=4", "/d/x=3", "/v=9", "/w=2"],
    );
    leads_to(
        &set("/n/m/k", "9"),
        &[
            "/d/", "/d/e/", "/d/e/y=4", "/d/x=3", "/n/", "/n/m/", "/n/m/k=9", "/v=1", "/w=2",
        ],
    );
    refused(&set("/d", "9"), Refusal::ValueExpected);
    refused(&set("/", "9"), Refusal::ValueExpected);
    refused(&set("/v/below", "9"), Refusal::DictionaryExpected);
    refused(&set("/v/far/below", "9"), Refusal::DictionaryExpected);
}

#[test]
fn remove_takes_values_and_whole_dictionaries() {
    leads_to(&Operation::remove("/absent"), &UNCHANGED);
    leads_to(&Operation::remove("/v/below"), &UNCHANGED);
    leads_to(
        &Operation::remove("/d/e/y"),
        &["/d/", "/d/e/", "/d/x=3", "/v=1", "/w=2"],
    );
    leads_to(
        &Operation::remove("/d/e"),
        &["/d/", "/d/x=3", "/v=1", "/w=2"],
    );
    leads_to(&Operation::remove("/d"), &["/v=1", "/w=2"]);
    refused(&Operation::remove("/"), Refusal::RootFixed);
}

#[test]
fn create_makes_only_what_is_not_there() {
    leads_to(
        &Operation::create_dictionary("/n/m"),
        &[
            "/d/", "/d/e/", "/d/e/y=4", "/d/x=3", "/n/", "/n/m/", "/v=1", "/w=2",
        ],
    );
    for present in ["/d", "/v", "/"] {
        refused(
            &Operation::create_dictionary(present),
            Refusal::AlreadyPresent,
        );
    }
    refused(
        &Operation::create_dictionary("/v/below"),
        Refusal::DictionaryExpected,
    );
}

#[test]
fn rename_moves_values() {
    let rename = Operation::rename;
    leads_to(
        &rename("/v", "/w"),
        &["/d/", "/d/e/", "/d/e/y=4", "/d/x=3", "/w=1"],
    );
    leads_to(
        &rename("/v", "/n/m"),
        &[
            "/d/", "/d/e/", "/d/e/y=4", "/d/x=3", "/n/", "/n/m=1", "/w=2",
        ],
    );
    leads_to(
        &rename("/v", "/d"),
        &["/d/", "/d/e/", "/d/e/y=4", "/d/v=1", "/d/x=3", "/w=2"],
    );
    leads_to(
        &rename("/d/x", "/"),
        &["/d/", "/d/e/", "/d/e/y=4", "/v=1", "/w=2", "/x=3"],
    );
    for (source, dest) in [("/v", "/v"), ("/v", "/"), ("/d/x", "/d")] {
        leads_to(&rename(source, dest), &UNCHANGED);
    }
    refused(&rename("/absent", "/absent"), Refusal::NotFound);
    refused(&rename("/", "/d"), Refusal::RootFixed);
    refused(&rename("/v", "/w/below"), Refusal::DictionaryExpected);
    refused(&rename("/v", "/v/below"), Refusal::DictionaryExpected);
}

#[test]
fn rename_moves_dictionaries_with_all_they_hold() {
    let rename = Operation::rename;
    leads_to(
        &rename("/d", "/n/m"),
        &[
            "/n/",
            "/n/m/",
            "/n/m/e/",
            "/n/m/e/y=4",
            "/n/m/x=3",
            "/v=1",
            "/w=2",
        ],
    );
    leads_to(
        &rename("/d/e", "/"),
        &["/d/", "/d/x=3", "/e/", "/e/y=4", "/v=1", "/w=2"],
    );
    leads_to(&rename("/d", "/d"), &UNCHANGED);
    leads_to(&rename("/d/e", "/d"), &UNCHANGED);
    for below in ["/d/n", "/d/e", "/d/x/n"] {
        refused(&rename("/d", below), Refusal::RenameSourcePrefix);
    }
    refused(&rename("/d", "/v"), Refusal::ValueExpected);
    refused(&rename("/d", "/v/n"), Refusal::DictionaryExpected);
}

#[test]
fn rename_into_a_dictionary_that_has_the_name_replaces_values_only() {
    let mut model = model();
    model.apply(&set("/x", "5")).unwrap();
    model.apply(&set("/e/z", "6")).unwrap();
    let before = model.clone();
    assert_eq!(
        model.apply(&Operation::rename("/e", "/d")),
        Err(Refusal::AlreadyPresent)
    );
    assert_eq!(model, before);
    model.apply(&Operation::rename("/x", "/d")).unwrap();
    assert!(model.get(&Key::new("/x")).is_none());
    assert!(shown(&model).contains(&"/d/x=5".to_owned()));
}

#[test]
fn attributes_stay_on_a_set_and_move_on_a_rename() {
    let attributes = Attributes::from([(0x74, vec![1, 2])]);
    let mut model = model();
    model.insert(
        Key::new("/v"),
        ModelNode::Value {
            content: Content::bytes(*b"1"),
            attributes: attributes.clone(),
        },
    );
    model.apply(&set("/v", "9")).unwrap();
    assert_eq!(
        model.get(&Key::new("/v")).unwrap().attributes(),
        &attributes
    );
    model.apply(&Operation::rename("/v", "/w")).unwrap();
    assert_eq!(
        model.get(&Key::new("/w")).unwrap().attributes(),
        &attributes
    );
    model.apply(&Operation::rename("/w", "/v")).unwrap();
    model.apply(&set("/w", "9")).unwrap();
    assert_eq!(
        model.get(&Key::new("/w")).unwrap().attributes(),
        &Attributes::new(),
        "a new value begins without"
    );
}

fn operation() -> impl Strategy<Value = Operation> {
    let key = || {
        prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..4)
            .prop_map(|segments| segments.join("/"))
    };
    prop_oneof![
        (key(), "[0-9]").prop_map(|(key, byte)| set(&key, &byte)),
        key().prop_map(|key| Operation::remove(&key)),
        (key(), key()).prop_map(|(source, dest)| Operation::rename(&source, &dest)),
        key().prop_map(|key| Operation::create_dictionary(&key)),
    ]
}

proptest! {
    #[test]
    fn stays_a_tree_and_loses_nothing_it_was_not_told_to(
        operations in prop::collection::vec(operation(), 0..40),
    ) {
        let mut model = Model::default();
        for operation in operations {
            let before = model.clone();
            let result = model.apply(&operation);
            for (key, _) in model.sorted() {
                prop_assert!(model.is_dictionary(&key.parent().unwrap()), "{key} hangs in the air");
            }
            let values = |model: &Model| -> BTreeMap<Key, String> {
                model
                    .sorted()
                    .into_iter()
                    .filter(|(_, node)| !node.is_dictionary())
                    .map(|(key, node)| (key.clone(), format!("{node:?}")))
                    .collect()
            };
            let (old, new) = (values(&before), values(&model));
            match (&operation, result) {
                (_, Err(_)) => prop_assert_eq!(&model, &before),
                (Operation::Set { key, .. }, Ok(())) => {
                    prop_assert!(new.contains_key(key));
                    for (other, value) in old.iter().filter(|(other, _)| *other != key) {
                        prop_assert_eq!(new.get(other), Some(value));
                    }
                }
                (Operation::Rename { .. }, Ok(())) => {
                    // At most the one value that the destination held is gone; all others are somewhere.
                    prop_assert!(new.len() == old.len() || new.len() + 1 == old.len());
                    let mut left: Vec<_> = old.into_values().collect();
                    for value in new.into_values() {
                        let place = left.iter().position(|other| *other == value);
                        prop_assert!(place.is_some(), "{value} came from nowhere");
                        left.swap_remove(place.unwrap());
                    }
                }
                (Operation::Remove { key }, Ok(())) => {
                    let removed = |(other, _): &(&Key, _)| other.starts_with(key);
                    let below = before.nodes().filter(removed).count();
                    prop_assert!(model.get(key).is_none());
                    prop_assert_eq!(before.len() - model.len(), below);
                }
                _ => {
                    prop_assert_eq!(new, old);
                    prop_assert!(model.len() >= before.len());
                }
            }
        }
    }
}
