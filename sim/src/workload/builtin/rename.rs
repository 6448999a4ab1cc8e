use super::{inline_length, push_set};
use crate::op::Operation;

pub(super) fn operations(block_size: u32) -> Vec<Operation> {
    let small = inline_length(block_size);
    let large = 2 * block_size;
    let mut operations = Vec::new();
    for (key, length) in [
        ("/a", small),
        ("/big", large),
        ("/d/x", small),
        ("/d/y", large),
        ("/e/x", small),
        ("/e/deep/v", small),
    ] {
        push_set(&mut operations, key, length);
    }
    let mut rename = |source, dest| operations.push(Operation::rename(source, dest));
    // Within the root, across, over an existing key across and within, into a dictionary, to itself.
    rename("/a", "/b");
    rename("/b", "/d/b");
    rename("/d/x", "/e/x");
    rename("/d/y", "/d/b");
    rename("/big", "/d");
    rename("/d/big", "/d/big");
    // Dictionaries: within the root, into another, through one that does not exist, back.
    rename("/d", "/f");
    rename("/f", "/e");
    rename("/e/f", "/g/h");
    rename("/e/deep", "/");
    // Refused: below itself, nothing there, a value in the way.
    rename("/g", "/g/h/i");
    rename("/absent", "/a");
    rename("/deep", "/e/x");
    rename("/e/x", "/deep/v/below");
    operations.push(Operation::Remount);
    // Out of, into and within a dictionary that has split.
    for index in 0..10 {
        push_set(&mut operations, &format!("/s/k{index}"), small);
    }
    let mut rename = |source, dest| operations.push(Operation::rename(source, dest));
    rename("/s/k0", "/first");
    rename("/s/k9", "/s/a");
    rename("/s/k5", "/s/k4");
    rename("/first", "/s/zz");
    rename("/e/x", "/s/k3");
    rename("/s", "/g/h");
    rename("/g/h/s/k6", "/g/k6");
    operations.push(Operation::Remount);
    push_set(&mut operations, "/g/h/s/k6", small);
    operations.push(Operation::rename("/g/k6", "/g/h/s/k6"));
    operations.push(Operation::remove("/g/h/s/zz"));
    operations
}
