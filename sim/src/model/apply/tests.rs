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

fn partial(key: &str, offset: u32, bytes: &str) -> Operation {
    Operation::set_partial(key, offset, Value::literal(bytes))
}

/// What `key` holds once these operations were done one second after the other.
#[track_caller]
fn holds(key: &str, operations: &[Operation], bytes: &[u8]) {
    let mut model = model();
    for operation in operations {
        model.apply(operation).unwrap();
    }
    let node = model.get(&Key::new(key));
    let Some(ModelNode::Value { content, .. }) = node else {
        panic!("{key} is {node:?}");
    };
    assert!(content.matches(bytes), "{key} holds {content:?}");
}

#[test]
fn set_partial_keeps_what_is_before_and_behind_and_appends_where_it_would_leave_a_gap() {
    let start = set("/v", "abcdef");
    for (offset, bytes, expected) in [
        (2, "XY", &b"abXYef"[..]),
        (5, "XY", b"abcdeXY"),
        (6, "XY", b"abcdefXY"),
        (u32::MAX, "XY", b"abcdefXY"),
        (1, "", b"abcdef"),
    ] {
        holds(
            "/v",
            &[start.clone(), partial("/v", offset, bytes)],
            expected,
        );
    }
    holds("/n/m", &[partial("/n/m", 7, "XY")], b"XY");
    holds("/n/m", &[partial("/n/m", 7, "")], b"");
    refused(&partial("/d", 0, "9"), Refusal::ValueExpected);
    refused(&partial("/", 0, ""), Refusal::ValueExpected);
    refused(&partial("/v/below", 0, "9"), Refusal::DictionaryExpected);
}

#[test]
fn truncate_cuts_and_lengthens_with_zeros() {
    let start = set("/v", "abc");
    for (size, expected) in [(0, &b""[..]), (2, b"ab"), (3, b"abc"), (5, b"abc\0\0")] {
        holds(
            "/v",
            &[start.clone(), Operation::truncate("/v", size)],
            expected,
        );
    }
    refused(&Operation::truncate("/absent", 1), Refusal::NotFound);
    refused(&Operation::truncate("/n/m", 0), Refusal::NotFound);
    refused(&Operation::truncate("/d", 1), Refusal::ValueExpected);
    refused(
        &Operation::truncate("/v/far/below", 1),
        Refusal::DictionaryExpected,
    );
}

#[test]
fn allocate_makes_only_new_values() {
    holds("/n/m", &[Operation::allocate("/n/m", 3)], b"\0\0\0");
    holds("/n", &[Operation::allocate("/n", 0)], b"");
    refused(&Operation::allocate("/v", 1), Refusal::AlreadyPresent);
    refused(&Operation::allocate("/d", 1), Refusal::ValueExpected);
    refused(
        &Operation::allocate("/v/below", 1),
        Refusal::DictionaryExpected,
    );
}

#[test]
fn attributes_are_set_on_what_is_there() {
    let mut model = model();
    for key in ["/v", "/d", "/"] {
        let attribute = Operation::set_attribute(key, 7, Value::literal("x"));
        model.apply(&attribute).unwrap();
        let key = Key::new(key);
        let attributes = |model: &Model| match model.get(&key) {
            Some(node) => node.attributes().clone(),
            None => model.root_attributes().clone(),
        };
        assert_eq!(attributes(&model), Attributes::from([(7, b"x".to_vec())]));
        let absent = Operation::remove_attribute(&key.to_string(), 8);
        model.apply(&absent).unwrap();
        assert_eq!(attributes(&model).len(), 1);
        let there = Operation::remove_attribute(&key.to_string(), 7);
        model.apply(&there).unwrap();
        assert_eq!(attributes(&model), Attributes::new());
    }
    for (key, refusal) in [
        ("/absent", Refusal::NotFound),
        ("/n/m", Refusal::NotFound),
        ("/v/below", Refusal::DictionaryExpected),
        ("/v/far/below", Refusal::DictionaryExpected),
    ] {
        let value = Value::literal("x");
        refused(&Operation::set_attribute(key, 7, value), refusal);
        refused(&Operation::remove_attribute(key, 7), refusal);
    }
}

#[test]
fn the_time_is_that_of_the_last_change_of_the_value() {
    let mut model = Model::default();
    let mut now = 0;
    let mut time_after = |operation: &Operation, key: &str| {
        now += 1;
        let time = Timestamp::from_unix(now, 0);
        model.apply_at(operation, time).unwrap();
        let data = model.get(&Key::new(key)).unwrap().attributes();
        data.get(&TIME_ATTRIBUTE).map(|data| {
            assert_eq!(data.len(), 12);
            u64::from_le_bytes(data[4..].try_into().unwrap()) / 1_000_000_000_000
        })
    };
    assert_eq!(time_after(&set("/d/v", "abc"), "/d/v"), Some(1));
    assert_eq!(time_after(&partial("/d/v", 1, "b"), "/d/v"), Some(2));
    assert_eq!(
        time_after(&partial("/d/v", 1, ""), "/d/v"),
        Some(2),
        "nothing happened"
    );
    assert_eq!(time_after(&Operation::truncate("/d/v", 2), "/d/v"), Some(4));
    assert_eq!(time_after(&Operation::truncate("/d/v", 2), "/d/v"), Some(4));
    let attribute = Operation::set_attribute("/d/v", 1, Value::literal("x"));
    assert_eq!(time_after(&attribute, "/d/v"), Some(4));
    assert_eq!(time_after(&Operation::rename("/d/v", "/w"), "/w"), Some(4));
    assert_eq!(time_after(&Operation::allocate("/z", 2), "/z"), Some(8));
    assert_eq!(
        time_after(&Operation::remove("/z"), "/d"),
        None,
        "dictionaries have none"
    );
}

#[test]
fn foresees_all_but_changes_to_parts_of_what_it_knows_by_digest() {
    let mut model = model();
    let content = Content::digest(5, [7; 32]);
    model.insert(Key::new("/v"), ModelNode::value(content));
    for (operation, foreseen) in [
        (partial("/v", 0, "x"), false),
        (Operation::truncate("/v", 0), false),
        (partial("/w", 0, "x"), true),
        (set("/v", "x"), true),
        (Operation::rename("/v", "/w"), true),
    ] {
        assert_eq!(model.foresees(&operation), foreseen, "{operation}");
    }
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
        (key(), 0..3_u32, "[0-9]").prop_map(|(key, offset, byte)| partial(&key, offset, &byte)),
        (key(), 0..3_u32).prop_map(|(key, size)| Operation::truncate(&key, size)),
        (key(), 0..3_u32).prop_map(|(key, size)| Operation::allocate(&key, size)),
        (key(), 0..3_u8, "[0-9]").prop_map(|(key, kind, byte)| {
            Operation::set_attribute(&key, kind, Value::literal(byte))
        }),
        (key(), 0..3_u8).prop_map(|(key, kind)| Operation::remove_attribute(&key, kind)),
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
                (
                    Operation::Set { key, .. }
                    | Operation::SetPartial { key, .. }
                    | Operation::Truncate { key, .. }
                    | Operation::Allocate { key, .. },
                    Ok(()),
                ) => {
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
                (
                    Operation::SetAttribute { key, .. } | Operation::RemoveAttribute { key, .. },
                    Ok(()),
                ) => {
                    for (other, value) in old.iter().filter(|(other, _)| *other != key) {
                        prop_assert_eq!(new.get(other), Some(value));
                    }
                    prop_assert_eq!(model.len(), before.len());
                }
                _ => {
                    prop_assert_eq!(new, old);
                    prop_assert!(model.len() >= before.len());
                }
            }
        }
    }
}
