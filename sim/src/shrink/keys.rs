//! Shorter keys.

use super::probe::Probe;
use crate::op::Operation;
use crate::workload::Workload;
use cutpoint_engine::Key;
use std::collections::{BTreeMap, BTreeSet};

/// A segment of a key and its new name.
type Names = BTreeMap<Vec<u8>, Vec<u8>>;

/// Moves what lies in dictionaries up, and gives segments short names that sort as the old ones did.
pub(super) fn shorten(probe: &mut Probe<'_>, workload: &mut Workload) -> bool {
    let mut is_shorter = false;
    for dictionary in dictionaries(workload) {
        let place = dictionary.segments().count() - 1;
        // What lies beside its new place is another key still, or the violation does not show.
        let moved = renamed(workload, |key| {
            if key.starts_with(&dictionary) {
                without_segment(key, place)
            } else {
                key.clone()
            }
        });
        is_shorter |= moved != workload.operations() && probe.takes_operations(workload, moved);
    }
    let short = short_names(workload);
    let is_new = short.iter().any(|(old, new)| new.len() < old.len());
    if is_new && takes_names(probe, workload, &short) {
        return true;
    }
    // Not all of them: then those that can.
    for (old, new) in short {
        let one: Names = [(old.clone(), new.clone())].into();
        let is_free = segments(workload).iter().all(|segment| *segment != new);
        if new.len() < old.len() && is_free {
            is_shorter |= takes_names(probe, workload, &one);
        }
    }
    is_shorter
}

fn takes_names(probe: &mut Probe<'_>, workload: &mut Workload, names: &Names) -> bool {
    let operations = renamed(workload, |key| {
        let segments = key.segments();
        segments.fold(Key::ROOT, |key, segment| {
            key.child(names.get(segment).map_or(segment, Vec::as_slice))
        })
    });
    probe.takes_operations(workload, operations)
}

fn segments(workload: &Workload) -> BTreeSet<Vec<u8>> {
    let keys = workload.operations().iter().flat_map(Operation::keys);
    keys.flat_map(|key| key.segments().map(<[u8]>::to_vec))
        .collect()
}

/// By segment, a name of one or two letters; they sort as the segments do.
fn short_names(workload: &Workload) -> Names {
    let segments = segments(workload);
    let is_many = segments.len() > 26;
    let name = |index: usize| {
        let (first, second) = (index / 26 % 26, index % 26);
        let letters = [first, second].map(|letter| b'a' + letter as u8);
        if is_many {
            letters.to_vec()
        } else {
            vec![letters[1]]
        }
    };
    segments
        .into_iter()
        .enumerate()
        .map(|(index, segment)| (segment, name(index)))
        .collect()
}

/// Those that something lies in, the deepest first.
fn dictionaries(workload: &Workload) -> Vec<Key> {
    let keys = workload.operations().iter().flat_map(Operation::keys);
    let mut found: Vec<Key> = keys
        .flat_map(|key| std::iter::successors(key.parent(), Key::parent))
        .filter(|key| !key.is_root())
        .collect();
    found.sort_unstable_by_key(|key| (std::cmp::Reverse(key.segments().count()), key.clone()));
    found.dedup();
    found
}

/// The key without one of its segments.
fn without_segment(key: &Key, place: usize) -> Key {
    let segments = key.segments().enumerate();
    let left = segments.filter(|&(index, _)| index != place);
    left.fold(Key::ROOT, |key, (_, segment)| key.child(segment))
}

fn renamed(workload: &Workload, rename: impl Fn(&Key) -> Key) -> Vec<Operation> {
    let mut operations = workload.operations().to_vec();
    for operation in &mut operations {
        match operation {
            Operation::Set { key, .. }
            | Operation::SetPartial { key, .. }
            | Operation::Truncate { key, .. }
            | Operation::Allocate { key, .. }
            | Operation::SetAttribute { key, .. }
            | Operation::RemoveAttribute { key, .. }
            | Operation::Remove { key }
            | Operation::CreateDictionary { key } => *key = rename(key),
            Operation::Rename { source, dest } => {
                *source = rename(source);
                *dest = rename(dest);
            }
            Operation::Sync | Operation::Remount => {}
        }
    }
    operations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Value;
    use cutpoint_engine::device::Geometry;

    #[test]
    fn names_sort_as_they_did() {
        let workload = (0..40).fold(
            Workload::new("keys", Geometry::new(128, 8).unwrap()),
            |workload, index| {
                let key = format!("/dictionary/key{:03}", index * 7 % 40);
                workload.then(Operation::set(&key, Value::literal("")))
            },
        );
        let names = short_names(&workload);
        assert_eq!(names.len(), 41);
        let new: Vec<_> = names.values().collect();
        assert!(new.is_sorted_by(|a, b| a < b), "{new:?}");
        assert_eq!(dictionaries(&workload), [Key::new("/dictionary")]);
        assert_eq!(without_segment(&Key::new("/a/b/c"), 1), Key::new("/a/c"));
    }
}
