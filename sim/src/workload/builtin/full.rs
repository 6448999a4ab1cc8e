use super::{inline_length, push_set};
use crate::op::Operation;

/// So few that a dozen values of three blocks do not fit.
pub(super) fn block_count(block_size: u32) -> u32 {
    // Small blocks need more of them for the same directory.
    if block_size <= 256 { 40 } else { 24 }
}

pub(super) fn operations(block_size: u32) -> Vec<Operation> {
    let large = 3 * block_size - 40;
    let key = |index: u32| format!("/d/v{index:02}");
    let mut operations = Vec::new();
    push_set(&mut operations, "/small", inline_length(block_size));
    // From some point on refused: no space.
    for index in 0..12 {
        push_set(&mut operations, &key(index), large);
    }
    operations.push(Operation::Remount);
    // On the full device: overwrites, a removal, what it freed used again.
    push_set(&mut operations, &key(0), large);
    push_set(&mut operations, "/small", 1);
    operations.push(Operation::remove(&key(1)));
    push_set(&mut operations, &key(20), large);
    push_set(&mut operations, &key(21), large);
    operations.push(Operation::rename(&key(0), "/moved"));
    for index in (0..12).step_by(2) {
        operations.push(Operation::remove(&key(index)));
    }
    operations.push(Operation::Remount);
    for index in 30..34 {
        push_set(&mut operations, &key(index), large);
    }
    for index in (1..12).step_by(2).chain(30..34) {
        operations.push(Operation::remove(&key(index)));
    }
    push_set(&mut operations, "/d/last", 5 * block_size);
    operations
}
