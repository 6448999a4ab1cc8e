//! Workloads for stores of keys and values that know nothing else: only sets, removals, syncs and remounts, on keys of one
//! segment.

use super::Workload;
use crate::op::{Operation, Value};
use cutpoint_engine::device::Geometry;

/// How many sets there are in the longest of the workloads.
const CHURN: u32 = 48;

/// A few small workloads on a device of these sizes: values set and set again, keys that come and go, and the same few
/// keys over and over, which makes a store clean up behind itself. No value is longer than an eighth of a block.
pub fn key_values(geometry: Geometry) -> Vec<Workload> {
    let longest = geometry.block_size() / 8;
    let set = |key: &str, length: u32, seed: u32| {
        Operation::set(key, Value::generated(length.clamp(1, longest), seed.into()))
    };
    let overwrite = Workload::new("overwrite", geometry).then_all((0..9).map(|turn| {
        let key = ["/a", "/b", "/c"][turn as usize % 3];
        set(key, longest / (1 + turn % 4), turn)
    }));
    let removal = Workload::new("removal", geometry)
        .then(set("/a", longest, 1))
        .then(set("/b", 8, 2))
        .then(Operation::remove("/a"))
        .then(Operation::Remount)
        .then(set("/a", 16, 3))
        .then(Operation::remove("/b"))
        .then(Operation::remove("/absent"))
        .then(set("/b", longest / 2, 4))
        .then(Operation::Sync);
    let churn = Workload::new("churn", geometry)
        .then_all((0..CHURN).map(|turn| set(["/a", "/b"][turn as usize % 2], longest, turn)))
        .then(Operation::Remount)
        .then(set("/a", longest, CHURN));
    vec![overwrite, removal, churn]
}
