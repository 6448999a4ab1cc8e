//! The model: what a store should hold, as a hash map.

mod apply;
mod content;
mod space;

pub use apply::TIME_ATTRIBUTE;
pub use content::{Content, Sha256Digest};
pub use space::{entry_bytes, room_is_tight};

use cutpoint_engine::Key;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use xxhash_rust::xxh3::Xxh3;

/// User attributes: bytes by type.
pub type Attributes = BTreeMap<u8, Vec<u8>>;

/// What stands under a key of a [`Model`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelNode {
    /// A dictionary. What it holds stands under longer keys.
    Dictionary {
        /// Its attributes.
        attributes: Attributes,
    },
    /// A value.
    Value {
        /// What it holds.
        content: Content,
        /// Its attributes.
        attributes: Attributes,
    },
}

impl ModelNode {
    /// A dictionary without attributes.
    pub const fn dictionary() -> Self {
        Self::Dictionary {
            attributes: Attributes::new(),
        }
    }

    /// A value without attributes.
    pub const fn value(content: Content) -> Self {
        Self::Value {
            content,
            attributes: Attributes::new(),
        }
    }

    /// Its attributes.
    pub fn attributes(&self) -> &Attributes {
        match self {
            Self::Dictionary { attributes } | Self::Value { attributes, .. } => attributes,
        }
    }

    /// Whether it is a dictionary.
    pub fn is_dictionary(&self) -> bool {
        matches!(self, Self::Dictionary { .. })
    }
}

/// A state of a store, as it should be.
///
/// Values are shared between clones. Two models are equal where they hold the same keys, kinds, bytes and attributes.
///
/// ```
/// use cutpoint::model::{Model, ModelNode};
/// use cutpoint::op::{Operation, Value};
/// use cutpoint::refusal::Refusal;
/// use cutpoint_engine::Key;
///
/// let mut model = Model::default();
/// model.apply(&Operation::set("/a/b", Value::literal("1")))?;
/// assert!(model.get(&Key::new("/a")).is_some_and(ModelNode::is_dictionary));
/// assert_eq!(model.apply(&Operation::set("/a", Value::literal("2"))), Err(Refusal::ValueExpected));
/// # Ok::<(), Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Model {
    /// Everything but the root. What is printed or chosen from it is sorted first: its own order reaches no result.
    nodes: HashMap<Key, ModelNode>,
    root_attributes: Attributes,
}

impl Model {
    /// What stands under `key`; none for the root, which always is a dictionary.
    pub fn get(&self, key: &Key) -> Option<&ModelNode> {
        self.nodes.get(key)
    }

    /// The attributes of the root.
    pub fn root_attributes(&self) -> &Attributes {
        &self.root_attributes
    }

    /// How many keys there are, the root not counted.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing but the root.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All keys with what stands under them, in no particular order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&Key, &ModelNode)> {
        self.nodes.iter()
    }

    /// All keys with what stands under them, sorted.
    pub fn sorted(&self) -> Vec<(&Key, &ModelNode)> {
        let mut nodes: Vec<_> = self.nodes.iter().collect();
        nodes.sort_unstable_by_key(|&(key, _)| key);
        nodes
    }

    /// A 128-bit name. Models of the same name are equal, and as much is known of their values.
    pub(crate) fn name(&self) -> u128 {
        let named = |key: &Key, attributes: &Attributes, content: Option<u128>| {
            let mut hash = Xxh3::new();
            (key, attributes, content).hash(&mut hash);
            hash.digest128()
        };
        let nodes = self.nodes.iter().map(|(key, node)| match node {
            ModelNode::Dictionary { attributes } => named(key, attributes, None),
            ModelNode::Value {
                content,
                attributes,
            } => named(key, attributes, Some(content.name())),
        });
        // In whatever order they come, the sum is the same.
        let root = named(&Key::ROOT, &self.root_attributes, None);
        nodes.fold(root, u128::wrapping_add)
    }

    /// Whether `key` is a dictionary; the root is one.
    pub fn is_dictionary(&self, key: &Key) -> bool {
        key.is_root() || self.get(key).is_some_and(ModelNode::is_dictionary)
    }

    /// Puts a node there as it is, without asking whether its dictionary exists: for models read from a description.
    /// For the root, only the attributes count.
    pub fn insert(&mut self, key: Key, node: ModelNode) {
        if key.is_root() {
            node.attributes().clone_into(&mut self.root_attributes);
        } else {
            self.nodes.insert(key, node);
        }
    }
}
