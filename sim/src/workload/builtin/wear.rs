use super::{inline_length, push_set};
use crate::op::Operation;

/// Compactions between two moves of a pair: so few that each pair moves, some of them as they split.
pub(super) const BLOCK_CYCLES: u32 = 2;

/// So large that a pair's log has room for a few commits alone, and the next compaction is never far.
pub(super) fn prog_size(block_size: u32) -> u32 {
    block_size / 4
}

pub(super) fn operations(block_size: u32) -> Vec<Operation> {
    let length = inline_length(block_size);
    let mut operations = Vec::new();
    // A dictionary that splits, by names that come between those that are there.
    for index in (0..12).map(|n| n * 5 % 12) {
        push_set(&mut operations, &format!("/d/k{index:02}"), length);
    }
    // The root, until it leaves the first pair and moves on from there.
    for index in 0..12 {
        push_set(&mut operations, &format!("/r{}", index % 5), length);
    }
    operations.push(Operation::Remount);
    // Each pair of the dictionary moves: its first, those in the middle, its last.
    for round in 0..2 {
        for index in (0..12).step_by(2) {
            push_set(&mut operations, &format!("/d/k{index:02}"), length - round);
        }
    }
    // A pair that has been compacted as often as it may when it has to split.
    for index in 0..6 {
        for _ in 0..3 {
            push_set(&mut operations, &format!("/f/x{}", 9 - index), length);
        }
    }
    // As others bring it about: what makes dictionaries, moves or removes.
    for index in 0..4 {
        push_set(&mut operations, &format!("/d/n{index}/v"), length);
        let (source, dest) = (format!("/d/k{:02}", 3 * index), format!("/e/m{index}"));
        operations.push(Operation::rename(&source, &dest));
        operations.push(Operation::rename(&format!("/r{index}"), "/d"));
    }
    operations.push(Operation::Remount);
    for index in 0..4 {
        operations.push(Operation::remove(&format!("/d/n{index}")));
        operations.push(Operation::remove(&format!("/d/k{:02}", 3 * index + 1)));
    }
    operations.push(Operation::rename("/e", "/d"));
    operations.push(Operation::remove("/d"));
    operations
}
