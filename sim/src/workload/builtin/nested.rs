use super::{inline_length, push_set};
use crate::op::Operation;

pub(super) fn operations(block_size: u32) -> Vec<Operation> {
    let length = inline_length(block_size);
    let mut operations = Vec::new();
    // Five dictionaries made by one set, and more beside them.
    push_set(&mut operations, "/a/b/c/d/e/leaf", length);
    push_set(&mut operations, "/a/b/c/side", length);
    operations.push(Operation::create_dictionary("/a/b/x/y"));
    push_set(&mut operations, "/a/b/x/y/z/v", block_size + 1);
    push_set(&mut operations, "/a/b/c/d/e/leaf", length / 2);
    operations.push(Operation::Remount);
    // So many dictionaries in one that it splits.
    for index in 0..10 {
        push_set(&mut operations, &format!("/many/d{index}/v"), length);
    }
    operations.push(Operation::create_dictionary("/many/empty"));
    for index in [4, 5, 0, 9] {
        operations.push(Operation::remove(&format!("/many/d{index}/v")));
        operations.push(Operation::remove(&format!("/many/d{index}")));
    }
    operations.push(Operation::remove("/many/empty"));
    // From the leaf up.
    for key in [
        "/a/b/c/d/e/leaf",
        "/a/b/c/d/e",
        "/a/b/c/d",
        "/a/b/c/side",
        "/a/b/c",
    ] {
        operations.push(Operation::remove(key));
    }
    operations.push(Operation::Remount);
    // Made again where something was removed; refused: it is there.
    push_set(&mut operations, "/a/b/c/d/again", length);
    operations.push(Operation::create_dictionary("/a/b/c"));
    // Refused: a value is in the way.
    push_set(&mut operations, "/a/b/c/d/again/below", length);
    push_set(&mut operations, "/many/d4/v", length);
    operations
}
