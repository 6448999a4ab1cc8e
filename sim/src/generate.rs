//! Random workloads, each told by a seed and a number.
//!
//! They are made for what goes wrong: few names, so that operations meet; lengths around the boundaries of the format;
//! directories that split; renames across dictionaries; devices that fill up; stores that are mounted again and again.
//!
//! [`workload`] is a strategy for tests with proptest. [`numbered`] drives it with a generator of its own for each number,
//! so that a number means the same workload on every machine, whatever was made before it.

mod operation;
mod profile;

use crate::workload::Workload;
use cutpoint_engine::DiskVersion;
use cutpoint_engine::device::Geometry;
use operation::operation;
use profile::Profile;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Any workload: a device, a way to use it, and what is done on it.
pub fn workload() -> impl Strategy<Value = Workload> {
    let device = (select(vec![128, 256, 512, 4096]), profile::any()).prop_flat_map(
        |(block_size, profile): (u32, Profile)| {
            let prog_sizes: Vec<u32> = [1, 4, 16, 64, 128, 512]
                .into_iter()
                .filter(|&size| size <= block_size)
                .collect();
            let block_count = profile.block_count();
            (Just((block_size, profile)), block_count, select(prog_sizes))
        },
    );
    device.prop_flat_map(|((block_size, profile), block_count, prog_size)| {
        let geometry = Geometry::new(block_size, block_count)
            .and_then(|geometry| geometry.with_prog_size(prog_size));
        let geometry = match geometry {
            Ok(geometry) => geometry,
            Err(error) => unreachable!("the sizes above are those of devices: {error}"),
        };
        (
            select(vec![0xff_u8, 0x00]),
            select(vec![1, 2, 500_u32]),
            select(vec![DiskVersion::V2_0, DiskVersion::V2_1]),
            prop::collection::vec(operation(block_size, profile), 1..64),
        )
            .prop_map(move |(erase_value, block_cycles, version, operations)| {
                Workload::new("random", geometry)
                    .with_erase_value(erase_value)
                    .with_block_cycles(block_cycles)
                    .with_disk_version(version)
                    .then_all(operations)
            })
    })
}

/// The number of a random workload, under a seed. It prints as the name of the workload: `random:7:123` is the one with
/// the number 123 under the seed 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    /// The seed.
    pub seed: u64,
    /// The number.
    pub index: u64,
}

const PREFIX: &str = "random:";

impl Number {
    /// The workload that it stands for.
    pub fn workload(self) -> Workload {
        numbered(self)
    }

    /// The number of the workload of this name; none where it is no name of a random one.
    ///
    /// # Errors
    ///
    /// [`ParseNumberError`] where it is one, but holds no numbers.
    pub fn named(name: &str) -> Result<Option<Self>, ParseNumberError> {
        if name.starts_with(PREFIX) {
            name.parse().map(Some)
        } else {
            Ok(None)
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}:{}", self.seed, self.index)
    }
}

/// A text that is no name of a random workload.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "'{0}' is no random workload: a form such as random:7:123 is needed, for number 123 under seed 7"
)]
pub struct ParseNumberError(String);

impl FromStr for Number {
    type Err = ParseNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.strip_prefix(PREFIX);
        let numbers = numbers.and_then(|numbers| numbers.split_once(':'));
        numbers
            .and_then(|(seed, index)| {
                let (seed, index) = (seed.parse().ok()?, index.parse().ok()?);
                Some(Self { seed, index })
            })
            // One workload, one name.
            .filter(|number| number.to_string() == text)
            .ok_or_else(|| ParseNumberError(text.to_owned()))
    }
}

/// The random workload with this number, under its name.
///
/// ```
/// use cutpoint::generate::{Number, numbered};
///
/// let number = Number { seed: 7, index: 123 };
/// let workload = numbered(number);
/// assert_eq!(workload.name(), "random:7:123");
/// assert_eq!(workload.operations(), numbered(number).operations());
/// ```
pub fn numbered(number: Number) -> Workload {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.seed.to_le_bytes());
    seed[8..16].copy_from_slice(&number.index.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    match workload().new_tree(&mut runner) {
        Ok(tree) => tree.current().named(number.to_string()),
        Err(reason) => unreachable!("no strategy above rejects anything: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::OperationKind;
    use std::collections::BTreeSet;

    /// What a number means must not change unseen: cases are found again by it.
    #[test]
    fn a_number_means_one_workload() {
        let workload = numbered(Number { seed: 1, index: 2 });
        let text = format!("{}: {}\n", workload.name(), workload.geometry());
        let operations = workload.operations().iter();
        let text = operations.fold(text, |text, operation| format!("{text}{operation}\n"));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn numbers_bring_all_kinds_of_everything() {
        let workloads: Vec<Workload> = (0..300)
            .map(|index| numbered(Number { seed: 0, index }))
            .collect();
        let operations = workloads.iter().flat_map(Workload::operations);
        let kinds: BTreeSet<OperationKind> = operations.map(crate::op::Operation::kind).collect();
        assert_eq!(kinds, BTreeSet::from(OperationKind::ALL));
        let sizes = workloads
            .iter()
            .map(|workload| workload.geometry().block_size());
        assert_eq!(sizes.collect::<BTreeSet<_>>(), [128, 256, 512, 4096].into());
        let small = |workload: &&Workload| workload.geometry().block_count() < 40;
        assert!(workloads.iter().filter(small).count() > 50);
        let others = (0..300).map(|index| numbered(Number { seed: 1, index }));
        let alike = workloads.iter().zip(others);
        let alike = alike.filter(|(one, other)| one.operations() == other.operations());
        assert!(alike.count() < 10);
    }

    #[test]
    fn names_read_back() {
        let number = Number {
            seed: 7,
            index: 123,
        };
        assert_eq!(Number::named("random:7:123"), Ok(Some(number)));
        assert_eq!(Number::named("rename-512"), Ok(None));
        for text in [
            "random:",
            "random:7",
            "random:7:x",
            "random:07:1",
            "random:1:2:3",
        ] {
            assert!(Number::named(text).is_err(), "{text}");
        }
    }
}
