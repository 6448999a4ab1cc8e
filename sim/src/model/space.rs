use super::{Attributes, Model, ModelNode};
use crate::op::Operation;
use cutpoint_engine::Key;
use cutpoint_engine::device::Geometry;

/// Whether a store that holds `before` and is asked to do `operation`, which leads to `after`, may say that it has no
/// room: live data can need all blocks of the device but fewer than `spare`.
///
/// A value that is replaced counts twice: the old one must stay until the new one is there.
pub fn room_is_tight(
    before: &Model,
    operation: &Operation,
    after: &Model,
    geometry: &Geometry,
    spare: u64,
) -> bool {
    let attributes_alone = matches!(
        operation,
        Operation::SetAttribute { .. } | Operation::RemoveAttribute { .. }
    );
    let replaced: u64 = operation
        .keys()
        .filter(|_| !attributes_alone)
        .filter_map(|key| Some(data_blocks(key, before.get(key)?, geometry)))
        .sum();
    let needed = after.blocks_at_most(geometry) + replaced;
    needed.saturating_add(spare) > u64::from(geometry.block_count())
}

impl Model {
    /// The number of blocks that this state can need at most on the littlefs format: two for each dictionary, the root
    /// included, two for each value's entry (where each directory pair holds a single one), and the data blocks of
    /// values that do not fit into their entries.
    pub fn blocks_at_most(&self, geometry: &Geometry) -> u64 {
        let entries = 2 * (self.nodes.len() as u64 + 1);
        let data: u64 = self
            .nodes
            .iter()
            .map(|(key, node)| data_blocks(key, node, geometry))
            .sum();
        entries + data
    }
}

/// Blocks beside the entry. A block of a skip-list holds 8 bytes of pointers on average, fewer in a short list. A short
/// value needs one where its name and its attributes leave it no room in the entry.
fn data_blocks(key: &Key, node: &ModelNode, geometry: &Geometry) -> u64 {
    let block_size = u64::from(geometry.block_size());
    match node {
        ModelNode::Value { content, .. } if content.len() > block_size / 8 => {
            content.len().div_ceil(block_size - 8)
        }
        ModelNode::Value { content, .. } => {
            let crowded = entry_bytes(key, node.attributes()) + content.len() > block_size / 2;
            u64::from(crowded && !content.is_empty())
        }
        ModelNode::Dictionary { .. } => 0,
    }
}

/// The bytes that a name and attributes need at least, in any format: their own, and 4 for each attribute. For the
/// root, what stands in for its name in the superblock.
pub fn entry_bytes(key: &Key, attributes: &Attributes) -> u64 {
    let name = key.name().map_or(SUPERBLOCK, <[u8]>::len) as u64;
    let attributes: u64 = attributes.values().map(|data| 4 + data.len() as u64).sum();
    name + attributes
}

/// The superblock's data and its longer name, in bytes.
const SUPERBLOCK: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Value;

    /// Data blocks of a CTZ skip-list: block i holds trailing-zeros(i) + 1 pointers of 4 bytes, block 0 none.
    fn skip_list_blocks(length: u64, block_size: u64) -> u64 {
        let mut held = 0;
        let mut blocks = 0_u64;
        while held < length {
            let pointers = if blocks == 0 {
                0
            } else {
                u64::from(blocks.trailing_zeros()) + 1
            };
            held += block_size - 4 * pointers;
            blocks += 1;
        }
        blocks
    }

    #[test]
    fn never_states_fewer_data_blocks_than_the_format_takes() {
        let geometry = Geometry::new(128, 64).unwrap();
        for length in 17..5000_u32 {
            let mut model = Model::default();
            let operation = Operation::set("/v", Value::generated(length, 0));
            model.apply(&operation).unwrap();
            let stated = model.blocks_at_most(&geometry);
            let taken = 4 + skip_list_blocks(length.into(), 128);
            assert!(
                stated >= taken,
                "{length} B: {stated} stated, {taken} taken"
            );
            assert!(
                stated <= taken + 2,
                "{length} B: {stated} stated, {taken} taken"
            );
        }
    }

    #[test]
    fn room_is_tight_only_near_the_end_and_counts_what_is_replaced() {
        let geometry = Geometry::new(512, 32).unwrap();
        let set = |blocks: u32| Operation::set("/v", Value::generated(504 * blocks, 1));
        let tight = |before: &Model, operation: &Operation| {
            let mut after = before.clone();
            after.apply(operation).unwrap();
            room_is_tight(before, operation, &after, &geometry, 8)
        };
        let mut model = Model::default();
        assert!(!tight(&model, &set(20)));
        assert!(tight(&model, &set(21)));
        model.apply(&set(10)).unwrap();
        assert!(!tight(&model, &set(10)));
        assert!(tight(&model, &set(11)));
    }
}
