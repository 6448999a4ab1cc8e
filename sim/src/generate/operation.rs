//! Random operations: few names, so that they meet; lengths around the boundaries of the format.

use super::profile::Profile;
use crate::op::{Operation, Value};
use proptest::prelude::*;
use proptest::sample::select;

pub(super) fn operation(block_size: u32, profile: Profile) -> impl Strategy<Value = Operation> {
    let content = move || value(value_length(block_size, profile));
    let key = move || key(profile);
    let weights = profile.weights();
    prop_oneof![
        weights[0] => (key(), content()).prop_map(|(key, value)| Operation::set(&key, value)),
        weights[1] => (key(), length(block_size), content())
            .prop_map(|(key, offset, value)| Operation::set_partial(&key, offset, value)),
        weights[2] => (key(), length(block_size))
            .prop_map(|(key, size)| Operation::truncate(&key, size)),
        weights[3] => (key(), length(block_size))
            .prop_map(|(key, size)| Operation::allocate(&key, size)),
        weights[4] => (key(), 0x70..0x76_u8, value(attribute_length(block_size)))
            .prop_map(|(key, kind, data)| Operation::set_attribute(&key, kind, data)),
        weights[5] => (key(), 0x70..0x76_u8)
            .prop_map(|(key, kind)| Operation::remove_attribute(&key, kind)),
        weights[6] => key().prop_map(|key| Operation::remove(&key)),
        weights[7] => (key(), key()).prop_map(|(source, dest)| Operation::rename(&source, &dest)),
        weights[8] => key().prop_map(|key| Operation::create_dictionary(&key)),
        weights[9] => Just(Operation::Sync),
        weights[10] => Just(Operation::Remount),
    ]
}

/// Keys of up to three segments: `a` to `d` are likely to be dictionaries, `0` to `9` values that make a pair split.
fn key(profile: Profile) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => select(vec!["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]),
        1 => select(vec!["a", "b", "c", "d", "a-name-that-takes-some-room"]),
    ];
    let above = || select(vec!["a", "b", "c"]);
    // Of splits there are more where most keys share a dictionary.
    let (beside, below) = match profile {
        Profile::Splits => (4, 24),
        _ => (16, 16),
    };
    prop_oneof![
        1 => Just("/".to_owned()),
        beside => leaf.clone().prop_map(|leaf| format!("/{leaf}")),
        below => (above(), leaf.clone()).prop_map(|(above, leaf)| format!("/{above}/{leaf}")),
        4 => (above(), above(), leaf)
            .prop_map(|(top, above, leaf)| format!("/{top}/{above}/{leaf}")),
    ]
}

fn value_length(block_size: u32, profile: Profile) -> BoxedStrategy<u32> {
    match profile {
        // So that few entries fill a pair.
        Profile::Splits => prop_oneof![
            4 => block_size / 16..=block_size / 8,
            1 => length(block_size),
        ]
        .boxed(),
        Profile::Crowded => prop_oneof![
            2 => block_size..=4 * block_size,
            1 => length(block_size),
        ]
        .boxed(),
        Profile::Mixed | Profile::Renames | Profile::Remounts => length(block_size).boxed(),
    }
}

/// Lengths and offsets, most of them next to where a value leaves its entry or its last block.
fn length(block_size: u32) -> impl Strategy<Value = u32> {
    let boundaries = [
        1,
        block_size / 8,
        block_size,
        2 * block_size - 4,
        3 * block_size - 12,
    ];
    prop_oneof![
        3 => 0..=block_size / 8,
        2 => (select(boundaries.to_vec()), 0..3_u32).prop_map(|(boundary, more)| boundary - 1 + more),
        1 => 0..4 * block_size,
    ]
}

/// From nothing to more than an entry can have.
fn attribute_length(block_size: u32) -> impl Strategy<Value = u32> {
    prop_oneof![
        3 => 0..=block_size / 8,
        1 => (0..=block_size).prop_map(|length| length.min(1023)),
    ]
}

fn value(length: impl Strategy<Value = u32>) -> impl Strategy<Value = Value> {
    (length, 0..1000_u64).prop_map(|(length, seed)| Value::generated(length, seed))
}
