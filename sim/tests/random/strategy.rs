//! Random workloads: few names, so that operations meet; lengths around the boundaries of the format.

use cutpoint::op::{Operation, Value};
use cutpoint::subjects::EngineSubject;
use cutpoint::workload::Workload;
use cutpoint_engine::device::Geometry;
use cutpoint_engine::{DiskVersion, FormatOptions, MountOptions};
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt;

/// A device, a way to use it, and what is done on it.
#[derive(Clone)]
pub(crate) struct Case {
    block_size: u32,
    block_count: u32,
    prog_size: u32,
    erase_value: u8,
    block_cycles: u32,
    version: DiskVersion,
    operations: Vec<Operation>,
}

impl Case {
    pub(crate) fn workload(&self) -> Workload {
        let geometry = Geometry::new(self.block_size, self.block_count)
            .and_then(|geometry| geometry.with_prog_size(self.prog_size))
            .unwrap();
        Workload::new("random", geometry)
            .with_erase_value(self.erase_value)
            .then_all(self.operations.iter().cloned())
    }

    pub(crate) fn subject(&self) -> EngineSubject {
        let format = FormatOptions::default().with_version(self.version);
        let mount = MountOptions::default().with_block_cycles(self.block_cycles);
        EngineSubject::new(format, mount)
    }
}

/// For a person, with all that is needed to do it again.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} blocks of {} B, prog {}, erased {:#04x}, cycles {}, {:?}",
            self.block_count,
            self.block_size,
            self.prog_size,
            self.erase_value,
            self.block_cycles,
            self.version
        )?;
        for operation in &self.operations {
            writeln!(f, "    {operation:?}")?;
        }
        Ok(())
    }
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let device = select(vec![128, 256, 512, 4096]).prop_flat_map(|block_size: u32| {
        let prog_sizes: Vec<u32> = [1, 4, 16, 64, 128, 512]
            .into_iter()
            .filter(|&size| size <= block_size)
            .collect();
        // A quarter of the devices are so small that they fill up.
        let block_count = prop_oneof![3 => Just(96_u32), 1 => 12..32_u32];
        (Just(block_size), block_count, select(prog_sizes))
    });
    device.prop_flat_map(|(block_size, block_count, prog_size)| {
        (
            select(vec![0xff_u8, 0x00]),
            select(vec![1, 2, 500_u32]),
            select(vec![DiskVersion::V2_0, DiskVersion::V2_1]),
            prop::collection::vec(operation(block_size), 1..64),
        )
            .prop_map(
                move |(erase_value, block_cycles, version, operations)| Case {
                    block_size,
                    block_count,
                    prog_size,
                    erase_value,
                    block_cycles,
                    version,
                    operations,
                },
            )
    })
}

fn operation(block_size: u32) -> impl Strategy<Value = Operation> {
    let content = move || value(length(block_size));
    prop_oneof![
        8 => (key(), content()).prop_map(|(key, value)| Operation::set(&key, value)),
        4 => (key(), length(block_size), content())
            .prop_map(|(key, offset, value)| Operation::set_partial(&key, offset, value)),
        3 => (key(), length(block_size)).prop_map(|(key, size)| Operation::truncate(&key, size)),
        2 => (key(), length(block_size)).prop_map(|(key, size)| Operation::allocate(&key, size)),
        4 => (key(), 0x70..0x76_u8, value(attribute_length(block_size)))
            .prop_map(|(key, kind, data)| Operation::set_attribute(&key, kind, data)),
        2 => (key(), 0x70..0x76_u8)
            .prop_map(|(key, kind)| Operation::remove_attribute(&key, kind)),
        3 => key().prop_map(|key| Operation::remove(&key)),
        4 => (key(), key()).prop_map(|(source, dest)| Operation::rename(&source, &dest)),
        2 => key().prop_map(|key| Operation::create_dictionary(&key)),
        1 => Just(Operation::Sync),
        2 => Just(Operation::Remount),
    ]
}

/// Keys of up to three segments: `a` to `d` are likely to be dictionaries, `0` to `9` values that make a pair split.
fn key() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => select(vec!["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]),
        1 => select(vec!["a", "b", "c", "d", "a-name-that-takes-some-room"]),
    ];
    let above = || select(vec!["a", "b", "c"]);
    prop_oneof![
        1 => Just("/".to_owned()),
        16 => leaf.clone().prop_map(|leaf| format!("/{leaf}")),
        16 => (above(), leaf.clone()).prop_map(|(above, leaf)| format!("/{above}/{leaf}")),
        4 => (above(), above(), leaf).prop_map(|(top, above, leaf)| format!("/{top}/{above}/{leaf}")),
    ]
}

/// Lengths and offsets, most of them next to where a value leaves its entry or its last block.
fn length(block_size: u32) -> impl Strategy<Value = u32> {
    let boundaries = [
        1,
        block_size / 8,
        block_size,
        2 * block_size - 4,
        3 * block_size - 12,
    ];
    prop_oneof![
        3 => 0..=block_size / 8,
        2 => (select(boundaries.to_vec()), 0..3_u32).prop_map(|(boundary, more)| boundary - 1 + more),
        1 => 0..4 * block_size,
    ]
}

/// From nothing to more than an entry can have.
fn attribute_length(block_size: u32) -> impl Strategy<Value = u32> {
    prop_oneof![
        3 => 0..=block_size / 8,
        1 => (0..=block_size).prop_map(|length| length.min(1023)),
    ]
}

fn value(length: impl Strategy<Value = u32>) -> impl Strategy<Value = Value> {
    (length, 0..1000_u64).prop_map(|(length, seed)| Value::generated(length, seed))
}
