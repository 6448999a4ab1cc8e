use super::{inline_length, push_set};
use crate::op::Operation;

/// How many keys are set: enough for several splits in every block size.
const KEYS: u32 = 28;

pub(super) fn ascending(block_size: u32) -> Vec<Operation> {
    operations(block_size, (0..KEYS).collect())
}

pub(super) fn descending(block_size: u32) -> Vec<Operation> {
    operations(block_size, (0..KEYS).rev().collect())
}

/// Steps of 9 through the keys: 9 and 28 have no common divisor, so each comes once.
pub(super) fn shuffled(block_size: u32) -> Vec<Operation> {
    operations(block_size, (0..KEYS).map(|n| n * 9 % KEYS).collect())
}

fn operations(block_size: u32, order: Vec<u32>) -> Vec<Operation> {
    let length = inline_length(block_size);
    let mut operations = Vec::new();
    let mut there: Vec<u32> = Vec::new();
    for index in order {
        push_set(&mut operations, &key(index), length);
        there.push(index);
        there.sort_unstable();
        // A pair splits in its middle: this comes upon the first key of the new one soon after.
        if there.len().is_multiple_of(4) {
            push_set(
                &mut operations,
                &key(there[there.len() * 3 / 4]),
                length - 1,
            );
        }
        if there.len() == KEYS as usize / 2 {
            operations.push(Operation::Remount);
        }
    }
    // Every key once more, so the first of each pair too, in an order of its own.
    for index in (0..KEYS).map(|n| n * 5 % KEYS) {
        push_set(&mut operations, &key(index), length);
    }
    for index in KEYS / 3..KEYS * 2 / 3 {
        operations.push(Operation::remove(&key(index)));
    }
    operations.push(Operation::Remount);
    for index in [KEYS / 2, 0, KEYS] {
        push_set(&mut operations, &key(index), length + 1);
    }
    operations
}

fn key(index: u32) -> String {
    format!("/d/k{index:03}")
}
