//! Fewer operations, and plainer ones.

use super::probe::Probe;
use crate::model::{Model, ModelNode};
use crate::op::{Operation, Value};
use crate::workload::{Start, Workload};

/// Leaves out operations: first many at once, the last ones first, then each.
pub(super) fn drop(probe: &mut Probe<'_>, workload: &mut Workload) -> bool {
    let before = workload.operations().len();
    let mut size = before.div_ceil(2).max(1);
    loop {
        let mut end = workload.operations().len();
        while end > 0 {
            let begin = end.saturating_sub(size);
            let mut rest = workload.operations().to_vec();
            rest.drain(begin..end);
            probe.takes_operations(workload, rest);
            end = begin;
        }
        if size == 1 {
            break;
        }
        size = size.div_ceil(2);
    }
    workload.operations().len() < before
}

/// Puts a plain set in the place of an operation that leads to the same: two operations on a key become one.
pub(super) fn merge(probe: &mut Probe<'_>, workload: &mut Workload) -> bool {
    let mut is_smaller = false;
    let mut index = workload.operations().len();
    while index > 0 {
        index -= 1;
        let Some(set) = as_set(workload, index) else {
            continue;
        };
        let mut operations = workload.operations().to_vec();
        let keys: Vec<_> = operations[index].keys().cloned().collect();
        operations[index] = set;
        // Without the operation before it that the set makes needless.
        let earlier = operations[..index]
            .iter()
            .rposition(|operation| operation.keys().any(|key| keys.contains(key)));
        let without = earlier.map(|earlier| {
            let mut operations = operations.clone();
            operations.remove(earlier);
            operations
        });
        let merged = without.is_some_and(|without| probe.takes_operations(workload, without));
        is_smaller |= merged || probe.takes_operations(workload, operations);
        index = index.min(workload.operations().len());
    }
    is_smaller
}

/// The set that leads to what the operation with this index leads to; none where it is one, or there is none.
fn as_set(workload: &Workload, index: usize) -> Option<Operation> {
    let (Operation::SetPartial { key, .. }
    | Operation::Truncate { key, .. }
    | Operation::Allocate { key, .. }
    | Operation::Rename { dest: key, .. }) = &workload.operations()[index]
    else {
        return None;
    };
    let mut model = match workload.start() {
        Start::Blank => Model::default(),
        Start::Store { model, .. } => model.clone(),
    };
    for operation in &workload.operations()[..=index] {
        // What is refused changes nothing.
        let _ = model.apply(operation);
    }
    match model.get(key)? {
        ModelNode::Value { content, .. } => Some(Operation::Set {
            key: key.clone(),
            value: Value::literal(content.known()?),
        }),
        ModelNode::Dictionary { .. } => None,
    }
}
