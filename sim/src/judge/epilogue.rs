use crate::model::{Model, ModelNode};
use crate::op::{Operation, Value};
use cutpoint_engine::Key;
use cutpoint_engine::device::Geometry;

/// Seeds of the values that the epilogue sets; any fixed numbers would do.
const PROBE_SEED: u64 = 1001;
const OVERWRITE_SEED: u64 = 1002;

/// What is done to a recovered store that holds `model`, to see whether it works. All of it must succeed.
///
/// Removals come first: a store that is full or waits for a repair must be able to do those. Then a new key in the
/// root, one in the dictionary that the `interrupted` operation was about, and a value of several blocks in the place
/// of one that is there; none of them longer than `value_bytes`. Where the operation was about a part of a value or about an attribute, another of its kind
/// follows on the same key.
pub(super) fn operations(
    model: &Model,
    geometry: &Geometry,
    value_bytes: u64,
    interrupted: Option<&Operation>,
) -> Vec<Operation> {
    let at_most = |length: u32| u64::from(length).min(value_bytes) as u32;
    let is_value = |node: &ModelNode| !node.is_dictionary();
    let mut values: Vec<&Key> = model
        .nodes()
        .filter(|(_, node)| is_value(node))
        .map(|(key, _)| key)
        .collect();
    values.sort_unstable();
    let mut operations = Vec::new();
    let mut remove = |key: &Key| operations.push(Operation::Remove { key: key.clone() });
    let left = match values.as_slice() {
        [first, middle @ .., last] => {
            remove(first);
            remove(last);
            middle
        }
        [only] => {
            remove(only);
            &[]
        }
        [] => &[],
    };
    let in_root = absent(model, &Key::ROOT, None);
    let beside = absent(model, &dictionary_of(model, interrupted), Some(&in_root));
    for key in [in_root, beside] {
        let value = Value::generated(at_most(geometry.block_size() / 16), PROBE_SEED);
        operations.push(Operation::Set { key, value });
    }
    if let Some(&middle) = left.get(left.len() / 2) {
        operations.push(Operation::Set {
            key: middle.clone(),
            value: Value::generated(at_most(2 * geometry.block_size() + 1), OVERWRITE_SEED),
        });
    }
    let again = interrupted.and_then(|interrupted| again(interrupted, model, geometry));
    operations.extend(again.filter(|operation| {
        let is_removed = |other: &Operation| match other {
            Operation::Remove { key } => operation.keys().any(|again| again == key),
            _ => false,
        };
        !operations.iter().any(is_removed)
    }));
    operations
}

/// What changes nothing in a store that holds `model`: it has the store make the repairs that it puts off until it is changed.
pub(super) fn touch(model: &Model) -> Operation {
    let key = absent(model, &Key::ROOT, None);
    Operation::Remove { key }
}

/// An operation like the `interrupted` one, on the same key, where that is still there.
fn again(interrupted: &Operation, model: &Model, geometry: &Geometry) -> Option<Operation> {
    match interrupted {
        Operation::SetPartial { key, .. } | Operation::Truncate { key, .. } => {
            let Some(ModelNode::Value { content, .. }) = model.get(key) else {
                return None;
            };
            let operation = Operation::SetPartial {
                key: key.clone(),
                offset: content.len() as u32 / 2,
                value: Value::generated(geometry.block_size(), PROBE_SEED),
            };
            model.foresees(&operation).then_some(operation)
        }
        Operation::SetAttribute { key, kind, .. } | Operation::RemoveAttribute { key, kind } => {
            let there = key.is_root() || model.get(key).is_some();
            there.then(|| Operation::SetAttribute {
                key: key.clone(),
                kind: *kind,
                data: Value::generated(geometry.block_size() / 16, PROBE_SEED),
            })
        }
        _ => None,
    }
}

/// The dictionary that holds the operation's key, its destination where it has two, or the nearest above it that is
/// there.
fn dictionary_of(model: &Model, operation: Option<&Operation>) -> Key {
    let mut place = operation
        .and_then(|operation| operation.keys().last())
        .and_then(Key::parent)
        .unwrap_or(Key::ROOT);
    while !model.is_dictionary(&place) {
        place = place.parent().unwrap_or(Key::ROOT);
    }
    place
}

/// A key in `dictionary` that is neither in the model nor `taken`.
fn absent(model: &Model, dictionary: &Key, taken: Option<&Key>) -> Key {
    let free = |key: &Key| model.get(key).is_none() && taken != Some(key);
    let names = std::iter::once("probe".to_owned()).chain((2_u32..).map(|n| format!("probe{n}")));
    names
        .map(|name| dictionary.child(name))
        .find(free)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(model: &Model, interrupted: Option<&Operation>) -> Vec<String> {
        let geometry = Geometry::new(512, 64).unwrap();
        operations(model, &geometry, u64::MAX, interrupted)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn removes_then_sets_and_all_of_it_can_be_done() {
        let mut model = Model::default();
        for key in ["/a", "/d/k1", "/d/k2", "/probe", "/z"] {
            model
                .apply(&Operation::set(key, Value::literal("1")))
                .unwrap();
        }
        let interrupted = Operation::set("/d/new/k", Value::literal("1"));
        assert_eq!(
            printed(&model, Some(&interrupted)),
            [
                "remove /a",
                "remove /z",
                "set /probe2 32 B",
                "set /d/probe 32 B",
                "set /d/k2 1025 B"
            ]
        );
        let geometry = Geometry::new(512, 64).unwrap();
        for operation in operations(&model, &geometry, u64::MAX, Some(&interrupted)) {
            assert_eq!(model.apply(&operation), Ok(()), "{operation}");
        }
    }

    #[test]
    fn does_again_what_was_interrupted_where_that_can_be_done() {
        let mut model = Model::default();
        for key in ["/a", "/b", "/c", "/d", "/e"] {
            let operation = Operation::set(key, Value::generated(100, 1));
            model.apply(&operation).unwrap();
        }
        let last = |interrupted: Operation| printed(&model, Some(&interrupted)).pop().unwrap();
        let partial = |key: &str| Operation::set_partial(key, 3, Value::literal("x"));
        assert_eq!(last(partial("/b")), "set-partial /b at 50 512 B");
        assert_eq!(
            last(Operation::truncate("/d", 3)),
            "set-partial /d at 50 512 B"
        );
        let attribute = |key: &str| Operation::remove_attribute(key, 7);
        assert_eq!(last(attribute("/")), "set-attribute / 0x07 32 B");
        assert_eq!(last(attribute("/b")), "set-attribute /b 0x07 32 B");
        for gone in [partial("/a"), attribute("/e"), attribute("/absent")] {
            assert_eq!(last(gone), "set /c 1025 B");
        }
    }

    #[test]
    fn an_empty_store_is_only_written_to() {
        assert_eq!(
            printed(&Model::default(), None),
            ["set /probe 32 B", "set /probe2 32 B"]
        );
    }
}
