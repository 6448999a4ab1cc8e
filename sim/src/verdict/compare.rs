//! What a store shows against what it should: the same, or the most telling difference.

use super::{Promise, Stage, Violation, ViolationKind};
use crate::model::{Content, Model, ModelNode};
use crate::subject::{Contents, Entry, EntryNode};
use cutpoint_engine::Key;
use std::collections::{BTreeMap, BTreeSet};

/// Whether `contents` are what `model` says, no more and no less.
pub(crate) fn shows(contents: &Contents, model: &Model) -> bool {
    let entries = contents.entries();
    entries.len() == model.len()
        && entries.is_sorted_by(|one, next| one.key < next.key)
        && contents.root_attributes() == model.root_attributes()
        && entries.iter().all(|entry| {
            model
                .get(&entry.key)
                .is_some_and(|node| entry_is(entry, node))
        })
}

/// As [`shows`], but of the keys `apart`, the values of the model may hold other bytes, as many, and others may be there.
pub(crate) fn shows_apart_from(contents: &Contents, model: &Model, apart: &BTreeSet<Key>) -> bool {
    let entries = contents.entries();
    let known = entries
        .iter()
        .filter(|entry| model.get(&entry.key).is_some());
    known.count() == model.len()
        && entries.is_sorted_by(|one, next| one.key < next.key)
        && contents.root_attributes() == model.root_attributes()
        && entries.iter().all(|entry| match model.get(&entry.key) {
            Some(node) if apart.contains(&entry.key) => entry_is_like(entry, node),
            Some(node) => entry_is(entry, node),
            None => apart.contains(&entry.key),
        })
}

/// Whether it is a value as long as that of the model, with the same attributes.
fn entry_is_like(entry: &Entry, node: &ModelNode) -> bool {
    let same = match (&entry.node, node) {
        (EntryNode::Value(bytes), ModelNode::Value { content, .. }) => {
            content.len() == bytes.len() as u64
        }
        _ => false,
    };
    same && entry.attributes == *node.attributes()
}

fn entry_is(entry: &Entry, node: &ModelNode) -> bool {
    let same = match (&entry.node, node) {
        (EntryNode::Dictionary, ModelNode::Dictionary { .. }) => true,
        (EntryNode::Value(bytes), ModelNode::Value { content, .. }) => content.matches(bytes),
        _ => false,
    };
    same && entry.attributes == *node.attributes()
}

/// One key that is not as it should be.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) kind: ViolationKind,
    pub(crate) key: Key,
    detail: String,
    /// How many further keys differ.
    others: usize,
}

impl Difference {
    pub(crate) fn into_violation(self, promise: Promise, stage: Stage) -> Violation {
        let detail = match self.others {
            0 => self.detail,
            1 => format!("{}; 1 more key differs", self.detail),
            others => format!("{}; {others} more keys differ", self.detail),
        };
        Violation {
            kind: self.kind,
            promise,
            stage,
            detail,
        }
    }
}

/// The gravest difference between `contents` and the nearest of the `allowed` models: the one that fewest keys differ
/// from, of several the one whose lengths fit best, of several still the first. None where there is no difference. The
/// `past` versions of the model tell stale from torn, and back from the dead from never there.
pub(crate) fn nearest_difference(
    contents: &Contents,
    allowed: &[Model],
    past: &[Model],
) -> Option<Difference> {
    let mut differences = allowed
        .iter()
        .map(|model| (differences(contents, model, past), model))
        .min_by_key(|(found, model)| (found.len(), lengths_off(contents, model)))?
        .0;
    let others = differences.len().checked_sub(1)?;
    differences.sort_by(|one, other| (one.kind, &one.key).cmp(&(other.kind, &other.key)));
    let mut gravest = differences.swap_remove(0);
    gravest.others = others;
    Some(gravest)
}

/// By how many bytes the lengths of values are off, all together.
fn lengths_off(contents: &Contents, model: &Model) -> u64 {
    let off = |entry: &Entry| match (&entry.node, model.get(&entry.key)?) {
        (EntryNode::Value(bytes), ModelNode::Value { content, .. }) => {
            Some(content.len().abs_diff(bytes.len() as u64))
        }
        _ => None,
    };
    contents.entries().iter().filter_map(off).sum()
}

fn differences(contents: &Contents, model: &Model, past: &[Model]) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut report = |kind, key: &Key, detail| {
        found.push(Difference {
            kind,
            key: key.clone(),
            detail,
            others: 0,
        });
    };
    if contents.root_attributes() != model.root_attributes() {
        let detail = "the attributes of the root are not as they were set".into();
        report(ViolationKind::WrongAttributes, &Key::ROOT, detail);
    }
    let mut shown = BTreeMap::new();
    for entry in contents.entries() {
        let key = &entry.key;
        if shown.insert(key, entry).is_some() {
            report(
                ViolationKind::GhostKey,
                key,
                format!("{key} is there twice"),
            );
        } else if let Some(node) = model.get(key) {
            if let Some((kind, detail)) = entry_difference(entry, node, past) {
                report(kind, key, detail);
            }
        } else {
            let seen = describe_entry(entry);
            if past.iter().any(|version| version.get(key).is_some()) {
                let detail = format!("{key} was removed and is there again; seen {seen}");
                report(ViolationKind::ResurrectedKey, key, detail);
            } else {
                let detail = format!("{key} was never there; seen {seen}");
                report(ViolationKind::GhostKey, key, detail);
            }
        }
    }
    for (key, node) in model.sorted() {
        if !shown.contains_key(key) {
            let detail = format!("{key} is missing; expected {}", describe_node(node));
            report(ViolationKind::LostKey, key, detail);
        }
    }
    found
}

fn entry_difference(
    entry: &Entry,
    node: &ModelNode,
    past: &[Model],
) -> Option<(ViolationKind, String)> {
    let key = &entry.key;
    match (&entry.node, node) {
        (EntryNode::Value(bytes), ModelNode::Value { content, .. }) if !content.matches(bytes) => {
            let was_set = |version: &Model| match version.get(key) {
                Some(ModelNode::Value { content, .. }) => content.matches(bytes),
                _ => false,
            };
            Some(if past.iter().any(was_set) {
                let (expected, seen) = (content.len(), bytes.len());
                let detail =
                    format!("{key} holds an earlier value; expected {expected} B, seen {seen} B");
                (ViolationKind::StaleValue, detail)
            } else {
                let detail = format!(
                    "{key} holds bytes that were never set; {}",
                    first_wrong(content, bytes)
                );
                (ViolationKind::TornValue, detail)
            })
        }
        (EntryNode::Value(_), ModelNode::Value { .. })
        | (EntryNode::Dictionary, ModelNode::Dictionary { .. }) => {
            (entry.attributes != *node.attributes()).then(|| {
                let detail = format!("the attributes of {key} are not as they were set");
                (ViolationKind::WrongAttributes, detail)
            })
        }
        _ => {
            let (expected, seen) = (describe_node(node), describe_entry(entry));
            let detail = format!("{key} is of the wrong kind; expected {expected}, seen {seen}");
            Some((ViolationKind::WrongKind, detail))
        }
    }
}

fn first_wrong(content: &Content, bytes: &[u8]) -> String {
    let sizes = format!("expected {} B, seen {} B", content.len(), bytes.len());
    match content.first_difference(bytes) {
        Some(offset) => format!("{sizes}, wrong from offset {offset} on"),
        None => sizes,
    }
}

fn describe_node(node: &ModelNode) -> String {
    match node {
        ModelNode::Dictionary { .. } => "a dictionary".into(),
        ModelNode::Value { content, .. } => format!("{} B", content.len()),
    }
}

fn describe_entry(entry: &Entry) -> String {
    match &entry.node {
        EntryNode::Dictionary => "a dictionary".into(),
        EntryNode::Value(bytes) => format!("{} B", bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Attributes;
    use crate::op::{Operation, Value};

    fn model(values: &[(&str, &str)]) -> Model {
        let mut model = Model::default();
        for (key, bytes) in values {
            model
                .apply(&Operation::set(key, Value::literal(bytes)))
                .unwrap();
        }
        model
    }

    fn contents(values: &[(&str, &str)]) -> Contents {
        Contents::of_values(
            values
                .iter()
                .map(|(key, bytes)| (Key::new(key), bytes.as_bytes().to_vec())),
        )
    }

    #[track_caller]
    fn found(seen: &Contents, allowed: &[Model], past: &[Model]) -> (ViolationKind, String) {
        let difference = nearest_difference(seen, allowed, past).unwrap();
        let violation = difference.into_violation(Promise::Intact, Stage::Contents);
        (violation.kind, violation.detail)
    }

    #[test]
    fn equal_contents_show_the_model_and_differ_in_nothing() {
        let values = [("/a", "1"), ("/d/b", "22")];
        assert!(shows(&contents(&values), &model(&values)));
        assert!(nearest_difference(&contents(&values), &[model(&values)], &[]).is_none());
    }

    /// What is seen, and the kind and the detail of what is found.
    type Case<'a> = (&'a [(&'a str, &'a str)], ViolationKind, &'a str);

    #[test]
    fn names_each_kind_of_difference() {
        let past = [model(&[("/a", "old"), ("/gone", "x")])];
        let allowed = [model(&[("/a", "new"), ("/b", "bb")])];
        let cases: [Case<'_>; 6] = [
            (
                &[("/a", "new")],
                ViolationKind::LostKey,
                "/b is missing; expected 2 B",
            ),
            (
                &[("/a", "old"), ("/b", "bb")],
                ViolationKind::StaleValue,
                "/a holds an earlier value; expected 3 B, seen 3 B",
            ),
            (
                &[("/a", "nex"), ("/b", "bb")],
                ViolationKind::TornValue,
                "/a holds bytes that were never set; expected 3 B, seen 3 B, wrong from offset 2 on",
            ),
            (
                &[("/a", "new"), ("/b", "bb"), ("/gone", "x")],
                ViolationKind::ResurrectedKey,
                "/gone was removed and is there again; seen 1 B",
            ),
            (
                &[("/a", "new"), ("/b", "bb"), ("/ghost", "x")],
                ViolationKind::GhostKey,
                "/ghost was never there; seen 1 B",
            ),
            (
                &[("/a/deep", "x"), ("/b", "bb")],
                ViolationKind::GhostKey,
                "/a/deep was never there; seen 1 B; 1 more key differs",
            ),
        ];
        for (seen, kind, detail) in cases {
            let seen = contents(seen);
            assert!(!shows(&seen, &allowed[0]));
            assert_eq!(found(&seen, &allowed, &past), (kind, detail.to_owned()));
        }
    }

    #[test]
    fn attributes_and_duplicates_count() {
        let allowed = [model(&[("/a", "1")])];
        let mut entries = contents(&[("/a", "1")]).entries().to_vec();
        let twice = Contents::new(
            [entries.clone(), entries.clone()].concat(),
            Attributes::new(),
        );
        assert_eq!(
            found(&twice, &allowed, &[]),
            (ViolationKind::GhostKey, "/a is there twice".to_owned())
        );
        let attributes = Attributes::from([(1, vec![1])]);
        let root = Contents::new(entries.clone(), attributes.clone());
        entries[0].attributes = attributes;
        let entry = Contents::new(entries, Attributes::new());
        for seen in [root, entry] {
            assert!(!shows(&seen, &allowed[0]));
            assert_eq!(
                found(&seen, &allowed, &[]).0,
                ViolationKind::WrongAttributes
            );
        }
    }

    #[test]
    fn compares_with_the_nearest_allowed_model() {
        let allowed = [
            model(&[("/x", "1"), ("/y", "2"), ("/z", "3")]),
            model(&[("/a", "1")]),
        ];
        let (kind, detail) = found(&contents(&[]), &allowed, &[]);
        assert_eq!(kind, ViolationKind::LostKey);
        assert_eq!(detail, "/a is missing; expected 1 B");
        let allowed = [model(&[("/a", "longer")]), model(&[("/a", "1234")])];
        let (_, detail) = found(&contents(&[("/a", "12xx")]), &allowed, &[]);
        assert!(
            detail.contains("expected 4 B, seen 4 B, wrong from offset 2 on"),
            "{detail}"
        );
    }
}
