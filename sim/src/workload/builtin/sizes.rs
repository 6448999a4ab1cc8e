use super::push_set;
use crate::op::Operation;

pub(super) fn operations(block_size: u32) -> Vec<Operation> {
    let lengths = lengths(block_size);
    let mut operations = Vec::new();
    for &length in &lengths {
        push_set(&mut operations, "/grow", length);
    }
    operations.push(Operation::Remount);
    // Down again, beside a value that jumps to and fro, and one that stays.
    push_set(&mut operations, "/d/stays", 2 * block_size + 100);
    for (index, &length) in lengths.iter().enumerate().rev().step_by(2) {
        push_set(&mut operations, "/grow", length);
        let other = lengths[(index + lengths.len() / 2) % lengths.len()];
        push_set(&mut operations, "/d/jumps", other);
    }
    operations.push(Operation::remove("/d/jumps"));
    operations.push(Operation::remove("/d/stays"));
    operations.push(Operation::Remount);
    push_set(&mut operations, "/d/jumps", 5 * block_size);
    operations
}

/// Both sides of each boundary: inline values end at an eighth of a block; the first block of a longer one holds
/// nothing else, the second one pointer of 4 bytes, the third two.
fn lengths(block_size: u32) -> Vec<u32> {
    let inline = block_size / 8;
    let one = block_size;
    let two = 2 * block_size - 4;
    let three = 3 * block_size - 12;
    let mut lengths = vec![0, 1];
    for boundary in [inline, one - 4, one, two, three] {
        lengths.extend([boundary - 1, boundary, boundary + 1]);
    }
    lengths
}
