use crate::model::{Attributes, Content, Model, ModelNode, entry_bytes, room_is_tight};
use crate::op::Operation;
use crate::refusal::Refusal;
use cutpoint_engine::device::{BlockId, Geometry};
use cutpoint_engine::{Key, Timestamp};

/// What a subject promises, as data. The default is the most that every store can: everything durable on return,
/// every operation atomic.
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
    /// How many bytes of a block the name and the attributes of one key, and a value of at most an eighth of a block,
    /// cannot have, each attribute counted with 4 bytes more than its data: where they need more than what is left, the
    /// store may say that it takes no such key.
    pub entry_overhead: u64,
    /// The longest value that the store takes, in bytes.
    pub value_bytes: u64,
    /// The longest attribute that the store takes, in bytes.
    pub attribute_bytes: u64,
    /// Whether it keeps times.
    pub times: Times,
    /// What it does where a block takes no more writes.
    pub bad_blocks: BadBlocks,
    /// What its checksums tell of a medium that has decayed.
    pub checks: Checks,
}

impl Default for Promises {
    fn default() -> Self {
        Self {
            durability: Durability::OnReturn,
            intermediates: Vec::new(),
            uninitialised_after_cut_in_format: true,
            spare_blocks: 8,
            entry_overhead: 64,
            value_bytes: u64::MAX,
            attribute_bytes: 1022,
            times: Times::NotKept,
            bad_blocks: BadBlocks::Reported,
            checks: Checks::Nothing,
        }
    }
}

impl Promises {
    /// The time that a change made at `now` leaves on a value; none where the store keeps none.
    pub fn time(&self, now: Timestamp) -> Option<Timestamp> {
        match self.times {
            Times::NotKept => None,
            Times::Kept => Some(now),
        }
    }

    /// Whether the store may answer `refusal` to `operation`, which should lead from `before` to `after`: because the
    /// device is nearly full, or because a name with its attributes is too long. `lost` blocks of the device are out
    /// of use. Where the operation should be refused for another reason, `after` is `before`, and it does not matter
    /// which reason the store gives.
    pub fn excuse(
        &self,
        refusal: Refusal,
        operation: &Operation,
        [before, after]: [&Model; 2],
        geometry: &Geometry,
        lost: u64,
    ) -> bool {
        match refusal {
            Refusal::NoSpace => {
                let spare = self.spare_blocks.saturating_add(lost);
                let is_tight = |after| room_is_tight(before, operation, after, geometry, spare);
                // A commit goes to a block that its pair has for it; only where that one is bad, it needs another, and
                // what a removal frees is not free before its commit.
                is_tight(after) || (lost > 0 && is_tight(before))
            }
            Refusal::Unsupported => {
                self.is_too_long(operation) || self.has_large_entry(before, after, geometry)
            }
            _ => false,
        }
    }

    /// Whether the operation brings a value or an attribute that is longer than promised.
    fn is_too_long(&self, operation: &Operation) -> bool {
        match operation {
            Operation::Set { value, .. } => value.len() as u64 > self.value_bytes,
            Operation::SetAttribute { data, .. } => data.len() as u64 > self.attribute_bytes,
            _ => false,
        }
    }

    /// Whether something that is in `after` and not in `before` is too large to be promised.
    fn has_large_entry(&self, before: &Model, after: &Model, geometry: &Geometry) -> bool {
        let block_size = u64::from(geometry.block_size());
        let room = block_size.saturating_sub(self.entry_overhead);
        let is_large = |key: &Key, attributes: &Attributes, inline: u64| {
            entry_bytes(key, attributes) + inline > room
        };
        let inline = |node: &ModelNode| match node {
            ModelNode::Value { content, .. } if content.len() <= block_size / 8 => content.len(),
            ModelNode::Value { .. } | ModelNode::Dictionary { .. } => 0,
        };
        let of_root = after.root_attributes();
        let mut changed = after
            .nodes()
            .filter(|(key, node)| before.get(key) != Some(node));
        (before.root_attributes() != of_root && is_large(&Key::ROOT, of_root, 0))
            || changed.any(|(key, node)| is_large(key, node.attributes(), inline(node)))
    }
}

/// What a store does where a block takes no more programs or erases, or spoils them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadBlocks {
    /// The call returns a device error.
    Reported,
    /// The store takes another block in its place, and the call succeeds; unless it is one of the first blocks, so
    /// many, which have to be where they are.
    ReplacedBeyond(u32),
}

/// What a store's checksums tell of a medium on which bytes have changed since they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// Nothing: it may show anything then, but every call ends. What the device refuses to read is an error.
    Nothing,
    /// There are checksums over everything: it shows what it held at some time, or an error.
    Everything,
    /// Those of littlefs: each commit of a metadata pair has a checksum, and the blocks of values have none. A commit that
    /// does not match its checksum ends the log of its block, as if the power had been cut in it.
    LittlefsCommits,
}

impl BadBlocks {
    /// Whether the store takes another one in the place of this block.
    pub fn replaces(self, block: BlockId) -> bool {
        match self {
            Self::Reported => false,
            Self::ReplacedBeyond(fixed) => block.index() >= fixed,
        }
    }
}

/// Whether a store keeps the time at which each value was last set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// It does not: it need not care for [`Mounted::set_time`](super::Mounted::set_time).
    NotKept,
    /// It shows it as the attribute [`TIME_ATTRIBUTE`](crate::model::TIME_ATTRIBUTE) of the value.
    Kept,
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
    /// A value that was not there before is there, empty; what it should hold comes after.
    ValueEmpty,
    /// Of a dictionary that is removed, some of what it holds is gone and the rest is there: it goes key by key, the
    /// last in the order of the keys first, so that what is in a dictionary goes before it.
    RemovedInPart,
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
            Self::ValueEmpty => match operation {
                Operation::Set { key, .. }
                | Operation::SetPartial { key, .. }
                | Operation::Allocate { key, .. }
                    if before.get(key).is_none() =>
                {
                    after.insert(key.clone(), ModelNode::value(Content::bytes([])));
                    vec![after]
                }
                _ => Vec::new(),
            },
            Self::RemovedInPart => match operation {
                Operation::Remove { key } => removed_in_part(before, key),
                _ => Vec::new(),
            },
        }
    }
}

/// `before` without the last, the last two, ... of what is in the dictionary.
fn removed_in_part(before: &Model, dictionary: &Key) -> Vec<Model> {
    let sorted = before.sorted();
    let inside = |key: &Key| key != dictionary && key.starts_with(dictionary);
    let mut state = before.clone();
    let removals = sorted.iter().rev().filter(|(key, _)| inside(key));
    removals
        .map(|(key, _)| {
            // Nothing below it is left, and it is no root.
            let removed = state.apply(&Operation::Remove {
                key: (*key).clone(),
            });
            debug_assert_eq!(removed, Ok(()));
            state.clone()
        })
        .collect()
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
    fn excuses_refusals_near_the_limits_and_no_others() {
        let geometry = Geometry::new(128, 64).unwrap();
        let excuse = |refusal, operation: &Operation, lost| {
            let before = Model::default();
            let mut after = before.clone();
            after.apply(operation).unwrap();
            let models = [&before, &after];
            Promises::default().excuse(refusal, operation, models, &geometry, lost)
        };
        let named = |length: usize| Operation::create_dictionary(&"n".repeat(length));
        assert!(!excuse(Refusal::Unsupported, &named(64), 0));
        assert!(excuse(Refusal::Unsupported, &named(65), 0));
        let attribute = |length| Operation::set_attribute("/", 1, Value::generated(length, 1));
        assert!(!excuse(Refusal::Unsupported, &attribute(28), 0));
        assert!(excuse(Refusal::Unsupported, &attribute(29), 0));
        assert!(!excuse(Refusal::NoSpace, &named(1), 51));
        assert!(excuse(Refusal::NoSpace, &named(1), 53));
        assert!(!excuse(Refusal::NotFound, &named(1000), 100));
        // A removal needs no room, but for its commit where the block that its pair has for it may be bad.
        let mut before = Model::default();
        for key in 0..24 {
            before
                .apply(&Operation::create_dictionary(&format!("/d/{key}")))
                .unwrap();
        }
        let remove = Operation::remove("/d");
        let mut after = before.clone();
        after.apply(&remove).unwrap();
        let excuse_removal = |blocks, lost| {
            let geometry = Geometry::new(128, blocks).unwrap();
            let models = [&before, &after];
            Promises::default().excuse(Refusal::NoSpace, &remove, models, &geometry, lost)
        };
        assert!(!excuse_removal(56, 0));
        assert!(!excuse_removal(64, 1));
        assert!(excuse_removal(60, 1));
    }

    #[test]
    fn a_value_is_empty_only_where_it_is_new() {
        let mut before = Model::default();
        before
            .apply(&Operation::set("/a", Value::literal("1")))
            .unwrap();
        let states = |operation| Intermediate::ValueEmpty.states(&before, &operation);
        let shown = states(Operation::set("/d/b", Value::literal("2")));
        let mut expected = before.clone();
        expected
            .apply(&Operation::set("/d/b", Value::literal("")))
            .unwrap();
        assert_eq!(shown, [expected]);
        for operation in [
            Operation::set("/a", Value::literal("2")),
            Operation::rename("/a", "/b"),
            Operation::create_dictionary("/b"),
        ] {
            assert_eq!(states(operation), []);
        }
    }

    #[test]
    fn a_dictionary_goes_from_its_last_key_on() {
        let mut before = Model::default();
        for key in ["/d/a", "/d/e/v", "/d/f", "/e"] {
            before
                .apply(&Operation::set(key, Value::literal("1")))
                .unwrap();
        }
        let states = Intermediate::RemovedInPart.states(&before, &Operation::remove("/d"));
        assert_eq!(
            states.iter().map(keys).collect::<Vec<_>>(),
            [
                vec!["/d", "/d/a", "/d/e", "/d/e/v", "/e"],
                vec!["/d", "/d/a", "/d/e", "/e"],
                vec!["/d", "/d/a", "/e"],
                vec!["/d", "/e"],
            ]
        );
        assert_eq!(
            Intermediate::RemovedInPart.states(&before, &Operation::remove("/e")),
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
