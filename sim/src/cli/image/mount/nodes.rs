//! The numbers by which the kernel knows files and folders.

use cutpoint_engine::Key;
use std::collections::BTreeMap;

/// The kernel's number for a file or a folder, while it has it in mind.
pub(super) type Number = u64;

/// The root's number.
pub(super) const ROOT: Number = 1;

/// Which key has which number.
#[derive(Debug)]
pub(super) struct Nodes {
    known: BTreeMap<Number, Node>,
    numbers: BTreeMap<Key, Number>,
    next: Number,
}

#[derive(Debug)]
struct Node {
    /// None for what has been removed while it was in use.
    key: Option<Key>,
    /// How often the kernel has been told the number; it says when it forgets.
    lookups: u64,
}

impl Nodes {
    pub(super) fn new() -> Self {
        let root = Node {
            key: Some(Key::ROOT),
            lookups: 1,
        };
        Self {
            known: BTreeMap::from([(ROOT, root)]),
            numbers: BTreeMap::from([(Key::ROOT, ROOT)]),
            next: ROOT + 1,
        }
    }

    /// The key with this number; none where it has been removed.
    pub(super) fn key(&self, number: Number) -> Option<&Key> {
        self.known.get(&number)?.key.as_ref()
    }

    /// The number of `key`, where it has one.
    pub(super) fn number(&self, key: &Key) -> Option<Number> {
        self.numbers.get(key).copied()
    }

    /// The number of `key`, which the kernel is told now.
    pub(super) fn told(&mut self, key: &Key) -> Number {
        let number = *self.numbers.entry(key.clone()).or_insert_with(|| {
            self.next += 1;
            self.next - 1
        });
        let node = self.known.entry(number).or_insert_with(|| Node {
            key: Some(key.clone()),
            lookups: 0,
        });
        node.lookups += 1;
        number
    }

    /// The kernel has forgotten `lookups` of the times that it was told the number.
    pub(super) fn forget(&mut self, number: Number, lookups: u64) {
        let Some(node) = self.known.get_mut(&number) else {
            return;
        };
        node.lookups = node.lookups.saturating_sub(lookups);
        if node.lookups == 0 && number != ROOT {
            if let Some(key) = &node.key {
                self.numbers.remove(key);
            }
            self.known.remove(&number);
        }
    }

    /// There is nothing under `key` any more.
    pub(super) fn remove(&mut self, key: &Key) {
        if let Some(number) = self.numbers.remove(key)
            && let Some(node) = self.known.get_mut(&number)
        {
            node.key = None;
        }
    }

    /// What was under `source` is under `dest` now, and what was there is not.
    pub(super) fn rename(&mut self, source: &Key, dest: &Key) {
        self.remove(dest);
        let behind = self.numbers.range(source.clone()..);
        let moved: Vec<_> = behind
            .filter(|(key, _)| key.starts_with(source))
            .map(|(key, number)| (key.clone(), *number))
            .collect();
        for (key, number) in moved {
            self.numbers.remove(&key);
            let below = key.segments().skip(source.segments().count());
            let key = below.fold(dest.clone(), |key, name| key.child(name));
            if let Some(node) = self.known.get_mut(&number) {
                node.key = Some(key.clone());
            }
            self.numbers.insert(key, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_what_is_renamed_and_end_with_what_is_forgotten() {
        let mut nodes = Nodes::new();
        let keys = ["/a", "/a/b", "/a!", "/ab", "/z"].map(Key::new);
        let numbers = keys.clone().map(|key| nodes.told(&key));
        nodes.rename(&keys[0], &keys[4]);
        let renamed = ["/z", "/z/b", "/a!", "/ab"].map(Key::new);
        for (key, number) in renamed.iter().zip(numbers) {
            assert_eq!(nodes.key(number), Some(key));
            assert_eq!(nodes.number(key), Some(number));
        }
        assert_eq!(nodes.key(numbers[4]), None, "replaced");

        assert_eq!(nodes.told(&renamed[1]), numbers[1]);
        nodes.forget(numbers[1], 1);
        assert_eq!(nodes.number(&renamed[1]), Some(numbers[1]));
        nodes.forget(numbers[1], 1);
        assert_eq!(nodes.number(&renamed[1]), None);
        assert_ne!(nodes.told(&renamed[1]), numbers[1]);
        nodes.forget(ROOT, 5);
        assert_eq!(nodes.key(ROOT), Some(&Key::ROOT));
    }
}
