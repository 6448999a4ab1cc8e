use crate::model::{Attributes, Content, Model, ModelNode};
use cutpoint_engine::Key;

/// All that a store holds, as it shows it, in the order of the keys.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Contents {
    entries: Vec<Entry>,
    root_attributes: Attributes,
}

/// One key below the root and what stands under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// What stands there.
    pub node: EntryNode,
    /// Its attributes.
    pub attributes: Attributes,
}

/// What stands under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryNode {
    /// A dictionary.
    Dictionary,
    /// A value with these bytes.
    Value(Vec<u8>),
}

impl Contents {
    /// These entries, in any order, and the attributes of the root.
    pub fn new(mut entries: Vec<Entry>, root_attributes: Attributes) -> Self {
        entries.sort_by(|one, other| one.key.cmp(&other.key));
        Self {
            entries,
            root_attributes,
        }
    }

    /// Values without attributes, for stores that have neither those nor dictionaries of their own: each dictionary
    /// that the keys name is taken to exist.
    pub fn of_values(values: impl IntoIterator<Item = (Key, Vec<u8>)>) -> Self {
        let mut entries = Vec::new();
        let mut dictionaries = std::collections::BTreeSet::new();
        for (key, bytes) in values {
            let mut above = key.parent();
            while let Some(dictionary) = above.filter(|dictionary| !dictionary.is_root()) {
                above = dictionary.parent();
                dictionaries.insert(dictionary);
            }
            entries.push(Entry {
                key,
                node: EntryNode::Value(bytes),
                attributes: Attributes::new(),
            });
        }
        entries.extend(dictionaries.into_iter().map(|key| Entry {
            key,
            node: EntryNode::Dictionary,
            attributes: Attributes::new(),
        }));
        Self::new(entries, Attributes::new())
    }

    /// The entries, sorted by key. A store that shows a key twice has two.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The attributes of the root.
    pub fn root_attributes(&self) -> &Attributes {
        &self.root_attributes
    }

    /// A model of what they show.
    pub fn to_model(&self) -> Model {
        let mut model = Model::default();
        let attributes = self.root_attributes.clone();
        model.insert(Key::ROOT, ModelNode::Dictionary { attributes });
        for entry in &self.entries {
            let attributes = entry.attributes.clone();
            let node = match &entry.node {
                EntryNode::Dictionary => ModelNode::Dictionary { attributes },
                EntryNode::Value(bytes) => ModelNode::Value {
                    content: Content::bytes(bytes.as_slice()),
                    attributes,
                },
            };
            model.insert(entry.key.clone(), node);
        }
        model
    }
}

/// What a structural check found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Health {
    /// Damage, each with its place. Empty for a sound store.
    pub damage: Vec<String>,
    /// Whether something awaits repair that the store knows of and that its next change will do. Not damage.
    pub repair_pending: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_values_shows_each_dictionary_once_and_sorts() {
        let values = ["/d/e/y", "/a", "/d/x"].map(|key| (Key::new(key), vec![1]));
        let contents = Contents::of_values(values);
        let keys: Vec<_> = contents
            .entries()
            .iter()
            .map(|entry| (entry.key.to_string(), entry.node == EntryNode::Dictionary))
            .collect();
        let expected = [
            ("/a", false),
            ("/d", true),
            ("/d/e", true),
            ("/d/e/y", false),
            ("/d/x", false),
        ];
        assert_eq!(
            keys,
            expected.map(|(key, dictionary)| (key.to_owned(), dictionary))
        );
    }
}
