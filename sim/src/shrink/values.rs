//! Shorter values, sizes and offsets, and plainer bytes.

use super::probe::Probe;
use crate::op::{Operation, Value};
use crate::workload::Workload;

/// Up to this length, the bytes of a value are spelled out.
const SPELLED_OUT: usize = 8;

/// Makes values, sizes and offsets smaller: all at once, then one by one.
pub(super) fn shorten(probe: &mut Probe<'_>, workload: &mut Workload) -> bool {
    let mut is_smaller = false;
    for (of, parts) in [(0, 1), (1, 4), (1, 2), (3, 4)] {
        let operations = workload.operations().to_vec();
        let scaled: Vec<Operation> = operations
            .iter()
            .map(|operation| {
                let numbers = numbers(operation);
                (0..numbers.len()).fold(operation.clone(), |operation, place| {
                    with_number(&operation, place, numbers[place] / parts * of)
                })
            })
            .collect();
        if scaled != operations && probe.takes_operations(workload, scaled) {
            is_smaller = true;
            break;
        }
    }
    for index in 0..workload.operations().len() {
        for place in 0..numbers(&workload.operations()[index]).len() {
            while shorten_one(probe, workload, index, place) {
                is_smaller = true;
            }
        }
    }
    is_smaller
}

/// Makes one number smaller: as small as it can be, or else by less and less.
fn shorten_one(probe: &mut Probe<'_>, workload: &mut Workload, index: usize, place: usize) -> bool {
    let number = numbers(&workload.operations()[index])[place];
    let mut tried = Vec::new();
    for smaller in [
        0,
        1,
        number / 4,
        number / 2,
        number / 4 * 3,
        number.saturating_sub(number / 8),
        number.saturating_sub(1),
    ] {
        if smaller >= number || tried.contains(&smaller) {
            continue;
        }
        tried.push(smaller);
        let mut operations = workload.operations().to_vec();
        operations[index] = with_number(&operations[index], place, smaller);
        if probe.takes_operations(workload, operations) {
            return true;
        }
    }
    false
}

/// Spells short values out, and generates the others from the number of their operation.
pub(super) fn plain(probe: &mut Probe<'_>, workload: &mut Workload) -> bool {
    let mut is_plainer = false;
    for index in 0..workload.operations().len() {
        let operation = &workload.operations()[index];
        let Some(value) = value_of(operation) else {
            continue;
        };
        let plain = plain_value(index, value.len());
        if *value == plain {
            continue;
        }
        let mut operations = workload.operations().to_vec();
        operations[index] = with_value(operation, plain);
        is_plainer |= probe.takes_operations(workload, operations);
    }
    is_plainer
}

fn plain_value(index: usize, length: usize) -> Value {
    if length <= SPELLED_OUT {
        // Letters in turn, so that values that were different stay so.
        let letter = b'a' + (index % 26) as u8;
        Value::literal(vec![letter; length])
    } else {
        Value::generated(length as u32, index as u64)
    }
}

/// The numbers of an operation that can be made smaller: offset first, then the length or size.
fn numbers(operation: &Operation) -> Vec<u32> {
    match operation {
        Operation::Set { value, .. } | Operation::SetAttribute { data: value, .. } => {
            vec![value.len() as u32]
        }
        Operation::SetPartial { offset, value, .. } => vec![*offset, value.len() as u32],
        Operation::Truncate { size, .. } | Operation::Allocate { size, .. } => vec![*size],
        _ => Vec::new(),
    }
}

/// The operation with another number in that place.
fn with_number(operation: &Operation, place: usize, number: u32) -> Operation {
    let mut operation = operation.clone();
    match (&mut operation, place) {
        (Operation::SetPartial { offset, .. }, 0) => *offset = number,
        (Operation::Truncate { size, .. } | Operation::Allocate { size, .. }, _) => *size = number,
        _ => {
            if let Some(value) = value_of(&operation) {
                let shorter = match value {
                    Value::Generated { seed, .. } => Value::generated(number, *seed),
                    Value::Repeated { byte, .. } => Value::repeated(number, *byte),
                    Value::Literal(bytes) | Value::File { bytes, .. } => {
                        let length = (number as usize).min(bytes.len());
                        Value::literal(&bytes[..length])
                    }
                };
                operation = with_value(&operation, shorter);
            }
        }
    }
    operation
}

fn value_of(operation: &Operation) -> Option<&Value> {
    match operation {
        Operation::Set { value, .. }
        | Operation::SetPartial { value, .. }
        | Operation::SetAttribute { data: value, .. } => Some(value),
        _ => None,
    }
}

fn with_value(operation: &Operation, new: Value) -> Operation {
    let mut operation = operation.clone();
    match &mut operation {
        Operation::Set { value, .. }
        | Operation::SetPartial { value, .. }
        | Operation::SetAttribute { data: value, .. } => *value = new,
        _ => {}
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_put_where_they_were_found() {
        for operation in [
            Operation::set("/a", Value::generated(100, 1)),
            Operation::set_partial("/a", 20, Value::generated(30, 1)),
            Operation::set_partial("/a", 20, Value::literal("0123456789")),
            Operation::truncate("/a", 7),
            Operation::allocate("/a", 600),
            Operation::set_attribute("/a", 0x70, Value::generated(9, 1)),
            Operation::remove("/a"),
        ] {
            let before = numbers(&operation);
            for (place, &number) in before.iter().enumerate() {
                assert_eq!(with_number(&operation, place, number), operation);
                let smaller = with_number(&operation, place, number - 1);
                let mut after = before.clone();
                after[place] -= 1;
                assert_eq!(numbers(&smaller), after);
            }
        }
    }
}
