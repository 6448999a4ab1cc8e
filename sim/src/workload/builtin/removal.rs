use super::{inline_length, push_set};
use crate::op::Operation;

pub(super) fn operations(block_size: u32) -> Vec<Operation> {
    let length = inline_length(block_size);
    let mut operations = Vec::new();
    push_set(&mut operations, "/keep/v", length);
    // A dictionary that splits, with dictionaries in it.
    for index in 0..8 {
        push_set(&mut operations, &format!("/tree/k{index}"), length);
    }
    push_set(&mut operations, "/tree/sub/below/v", 2 * block_size);
    push_set(&mut operations, "/tree/sub/w", length);
    operations.push(Operation::Remount);
    operations.push(Operation::remove("/tree"));
    // Its blocks are taken again.
    push_set(&mut operations, "/tree/again", 3 * block_size);
    // Dictionaries that are moved in stand elsewhere on the list of pairs; one of them is split.
    push_set(&mut operations, "/one/v", length);
    for index in 0..8 {
        push_set(&mut operations, &format!("/split/k{index}"), length);
    }
    push_set(&mut operations, "/between/v", length);
    operations.push(Operation::rename("/one", "/tree"));
    operations.push(Operation::rename("/split", "/tree"));
    operations.push(Operation::remove("/tree"));
    // Moved in, none of them split.
    push_set(&mut operations, "/single/v", length);
    push_set(&mut operations, "/other/a/b", length);
    operations.push(Operation::rename("/single", "/other/a"));
    operations.push(Operation::remove("/other"));
    // From the middle of a split dictionary, where the entry is the last of its pair.
    for index in 0..6 {
        operations.push(Operation::create_dictionary(&format!("/row/d{index}")));
        push_set(&mut operations, &format!("/row/d{index}/v"), length);
    }
    for index in [2, 3, 5, 0] {
        operations.push(Operation::remove(&format!("/row/d{index}")));
    }
    operations.push(Operation::Remount);
    operations.push(Operation::remove("/row"));
    push_set(&mut operations, "/keep/w", block_size);
    operations.push(Operation::remove("/between"));
    operations
}
