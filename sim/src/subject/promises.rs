use crate::model::{Model, ModelNode};
use crate::op::Operation;

/// What a subject promises, as data. The default is the most: everything durable on return, every operation atomic,
/// also the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promises {
    /// When a change survives a power cut.
    pub durability: Durability,
    /// What a cut inside an operation may show beside the states before and after it. Empty: every operation is
    /// atomic.
    pub intermediates: Vec<Intermediate>,
    /// Whether a cut inside the first format may leave a medium that does not mount, but can be formatted.
    pub uninitialised_after_cut_in_format: bool,
    /// How many blocks the store needs free to work: it may say that it has no room only where fewer are left.
    pub spare_blocks: u64,
}

impl Default for Promises {
    fn default() -> Self {
        Self {
            durability: Durability::OnReturn,
            intermediates: Vec::new(),
            uninitialised_after_cut_in_format: true,
            spare_blocks: 8,
        }
    }
}

/// When a change survives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Once its call has returned.
    OnReturn,
    /// Once an [`Operation::Sync`] or [`Operation::Remount`] after it has returned. Until then a cut may show any state
    /// since the last of these, but no other.
    OnSync,
}

/// A state between before and after that a subject says a cut inside an operation may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Intermediate {
    /// Some or all of the dictionaries that had to be made on the way are there, empty, and what was to go into them
    /// is not.
    DictionariesMade,
    /// A rename shows what moves in both places.
    BothPlaces,
}

impl Intermediate {
    /// The states that this allows for a cut inside `operation` on a store that held `before`.
    pub(crate) fn states(self, before: &Model, operation: &Operation) -> Vec<Model> {
        let mut after = before.clone();
        if after.apply(operation).is_err() {
            return Vec::new();
        }
        match self {
            Self::DictionariesMade => made_on_the_way(before, operation, &after),
            Self::BothPlaces => match operation {
                Operation::Rename { source, .. } => {
                    for (key, node) in before.sorted() {
                        if key.starts_with(source) {
                            after.insert(key.clone(), node.clone());
                        }
                    }
                    vec![after]
                }
                _ => Vec::new(),
            },
        }
    }
}

/// `before` with the first, the first two, ... of the dictionaries above the target that only `after` has.
fn made_on_the_way(before: &Model, operation: &Operation, after: &Model) -> Vec<Model> {
    let Some(target) = operation.keys().last() else {
        return Vec::new();
    };
    let mut states = Vec::new();
    let mut state = before.clone();
    for (key, node) in after.sorted() {
        let above = key != target && target.starts_with(key);
        if above && node.is_dictionary() && before.get(key).is_none() {
            state.insert(key.clone(), ModelNode::dictionary());
            states.push(state.clone());
        }
    }
    states
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Value;

    fn keys(model: &Model) -> Vec<String> {
        model
            .sorted()
            .iter()
            .map(|(key, _)| key.to_string())
            .collect()
    }

    #[test]
    fn dictionaries_are_made_from_the_root_down() {
        let mut before = Model::default();
        before.apply(&Operation::create_dictionary("/a")).unwrap();
        let set = Operation::set("/a/b/c/v", Value::literal("1"));
        let states = Intermediate::DictionariesMade.states(&before, &set);
        let shown: Vec<_> = states.iter().map(keys).collect();
        assert_eq!(shown, [vec!["/a", "/a/b"], vec!["/a", "/a/b", "/a/b/c"]]);
        assert_eq!(
            Intermediate::DictionariesMade.states(&before, &Operation::remove("/a")),
            []
        );
    }

    #[test]
    fn a_rename_may_show_both_places() {
        let mut before = Model::default();
        before
            .apply(&Operation::set("/a/v", Value::literal("1")))
            .unwrap();
        let states = Intermediate::BothPlaces.states(&before, &Operation::rename("/a", "/b"));
        assert_eq!(
            states.iter().map(keys).collect::<Vec<_>>(),
            [vec!["/a", "/a/v", "/b", "/b/v"]]
        );
    }
}
