//! What an input of the target `operations` stands for.

use crate::contract::{self, Contract};
use crate::op::{Operation, Value};
use crate::subjects::EngineSubject;
use crate::workload::Workload;
use arbitrary::{Arbitrary, Unstructured};
use cutpoint_engine::device::Geometry;
use cutpoint_engine::{DiskVersion, FormatOptions, MountOptions};
use std::fmt;

/// The most operations: recordings stay short.
const MOST_OPERATIONS: usize = 64;

/// The contracts that the engine promises itself on.
const CONTRACTS: [&Contract; 8] = [
    &contract::PREFIX,
    &contract::TORN,
    &contract::REORDER,
    &contract::NOR_FLASH,
    &contract::NAND_PAGE,
    &contract::SECTOR_512,
    &contract::EMMC,
    &contract::NVME_AWU,
];

/// Last segments of keys. With the ten short ones in one dictionary its pair splits on the smallest blocks.
const LEAVES: [&str; 15] = [
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "a",
    "b",
    "c",
    "d",
    "a-name-that-takes-some-room",
];

/// What stands before a key's last segment, by two bits; likely to be dictionaries.
const ABOVE: [&str; 4] = ["", "/a", "/b", "/c"];

/// On what, and which crash state: 24 bytes.
#[derive(Clone, Copy, Debug, Arbitrary)]
struct Head {
    block_size: u8,
    block_count: u8,
    prog_size: u8,
    settings: u8,
    contract: u8,
    cycles: u8,
    cut: u16,
    fates: [u8; 16],
}

/// An operation: eight bytes.
#[derive(Clone, Copy, Debug, Arbitrary)]
struct Step {
    kind: u8,
    key: u8,
    other: u8,
    seed: u8,
    length: u16,
    offset: u16,
}

/// A device, a way to use it, what is done on it, and what becomes of it.
#[derive(Debug)]
pub(super) struct Plan {
    geometry: Geometry,
    erase_value: u8,
    block_cycles: u32,
    version: DiskVersion,
    head: Head,
    operations: Vec<Operation>,
}

impl Plan {
    /// Any bytes stand for one; where they end too soon, zeros follow.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut bytes = Unstructured::new(bytes);
        let head = match Head::arbitrary(&mut bytes) {
            Ok(head) => head,
            Err(error) => unreachable!("{error}, but fixed sizes are filled up with zeros"),
        };
        let block_size = of([128, 256, 512, 1024], head.block_size);
        let prog_size = of([1, 4, 16, 64], head.prog_size).min(block_size);
        // A quarter of the devices are so small that they fill up.
        let block_count = match head.block_count {
            0..192 => 96,
            small => 12 + u32::from(small) % 20,
        };
        let geometry = Geometry::new(block_size, block_count)
            .and_then(|geometry| geometry.with_prog_size(prog_size));
        let geometry = match geometry {
            Ok(geometry) => geometry,
            Err(error) => unreachable!("{error}, but all of these can be used"),
        };
        let mut operations = Vec::new();
        while operations.len() < MOST_OPERATIONS && !bytes.is_empty() {
            let Ok(step) = Step::arbitrary(&mut bytes) else {
                break;
            };
            operations.push(step.operation(block_size));
        }
        Self {
            geometry,
            erase_value: of([0xff, 0x00], head.settings),
            block_cycles: of([500, 1, 2, 500], head.cycles),
            version: of([DiskVersion::V2_1, DiskVersion::V2_0], head.settings >> 1),
            head,
            operations,
        }
    }

    pub(super) fn subject(&self, mount: MountOptions) -> EngineSubject {
        let format = FormatOptions::default().with_version(self.version);
        let mount = mount.with_block_cycles(self.block_cycles);
        EngineSubject::new(format, mount)
    }

    pub(super) fn workload(&self) -> Workload {
        Workload::new("fuzzed", self.geometry)
            .on(self.contract())
            .with_erase_value(self.erase_value)
            .with_block_cycles(self.block_cycles)
            .then_all(self.operations.iter().cloned())
    }

    pub(super) fn contract(&self) -> &'static Contract {
        of(CONTRACTS, self.head.contract)
    }

    /// Which of `epochs` is cut, from 0: with more operations, the same input cuts about as far on.
    pub(super) fn cut_among(&self, epochs: usize) -> usize {
        (usize::from(self.head.cut) * epochs) >> 16
    }

    pub(super) fn fates(&self) -> Fates {
        Fates {
            bytes: self.head.fates,
            next: 0,
        }
    }
}

/// Choices, one byte each; after the last, the first comes again.
pub(super) struct Fates {
    bytes: [u8; 16],
    next: usize,
}

impl Fates {
    /// A number below `count`.
    pub(super) fn choose(&mut self, count: usize) -> usize {
        let byte = self.bytes[self.next % self.bytes.len()];
        self.next += 1;
        if count > 256 {
            return usize::from(byte) * count / 256;
        }
        usize::from(byte) % count
    }
}

impl Step {
    fn operation(self, block_size: u32) -> Operation {
        let key = &key(self.key);
        let kind = 0x70 + self.other % 6;
        let seed = u64::from(self.seed);
        let value = |length| Value::generated(length, seed);
        let long = length(self.length, block_size);
        let offset = length(self.offset, block_size);
        match self.kind % 36 {
            0..8 => Operation::set(key, value(long)),
            8..12 => Operation::set_partial(key, offset, value(long)),
            12..15 => Operation::truncate(key, long),
            15..17 => Operation::allocate(key, long),
            17..21 => Operation::set_attribute(key, kind, value(long.min(1023))),
            21..23 => Operation::remove_attribute(key, kind),
            23..26 => Operation::remove(key),
            26..31 => Operation::rename(key, &self::key(self.other)),
            31..33 => Operation::create_dictionary(key),
            33 => Operation::Sync,
            _ => Operation::Remount,
        }
    }
}

/// The one of `all` that the byte comes to.
fn of<T: Copy, const N: usize>(all: [T; N], byte: u8) -> T {
    all[usize::from(byte) % N]
}

/// Up to three segments; one number is the root.
fn key(byte: u8) -> String {
    let bits = usize::from(byte);
    let above = [ABOVE[bits >> 6], ABOVE[bits >> 4 & 3]].concat();
    match LEAVES.get(bits & 15) {
        Some(leaf) => format!("{above}/{leaf}"),
        None if above.is_empty() => "/".into(),
        None => above,
    }
}

/// A length or an offset, most of them next to where a value leaves its entry or its last block.
fn length(word: u16, block_size: u32) -> u32 {
    let rest = u32::from(word >> 3);
    let boundary = match word & 7 {
        0..3 => return rest % (block_size / 8 + 1),
        3 => block_size / 8,
        4 => block_size,
        5 => 2 * block_size - 4,
        6 => 3 * block_size - 12,
        _ => return rest % (4 * block_size),
    };
    boundary - 1 + rest % 3
}

/// For a person, with all that is needed to do it again.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.version.numbers();
        let contract = self.contract().name;
        writeln!(
            f,
            "{} blocks of {} B, programs of {} B, erased to {:#04x}, moving after {} compactions, disk version \
             {major}.{minor}, contract {contract}",
            self.geometry.block_count(),
            self.geometry.block_size(),
            self.geometry.prog_size(),
            self.erase_value,
            self.block_cycles,
        )?;
        for operation in &self.operations {
            write!(f, "    {operation}")?;
            if let Operation::Set { value, .. }
            | Operation::SetPartial { value, .. }
            | Operation::SetAttribute { data: value, .. } = operation
                && let Value::Generated { seed, .. } = value
            {
                write!(f, " of seed {seed}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_and_a_step_have_the_sizes_that_are_documented() {
        let mut bytes = vec![0; 24];
        assert_eq!(Plan::of(&bytes).operations, []);
        bytes.push(0);
        assert_eq!(Plan::of(&bytes).operations.len(), 1);
        bytes.extend([0; 8]);
        assert_eq!(Plan::of(&bytes).operations.len(), 2);
    }

    #[test]
    fn what_stands_behind_an_operation_does_not_hang_on_it() {
        let head = [7; 24];
        let steps: Vec<u8> = (0..80).collect();
        let all = Plan::of(&[&head[..], &steps].concat()).operations;
        let without = Plan::of(&[&head[..], &steps[8..]].concat()).operations;
        assert_eq!(all[1..], without);
    }

    #[test]
    fn a_plan_prints_with_all_that_it_does() {
        let mut bytes = vec![0; 24];
        bytes.extend([0, 1, 0, 5, 40, 0, 0, 0]);
        bytes.extend([26, 0x40, 0x11, 0, 0, 0, 0, 0]);
        assert_eq!(
            Plan::of(&bytes).to_string(),
            "96 blocks of 128 B, programs of 1 B, erased to 0xff, moving after 500 compactions, disk version 2.1, \
             contract prefix\n    set /1 5 B of seed 5\n    rename /a/0 -> /a/1\n"
        );
    }
}
