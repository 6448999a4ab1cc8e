//! Workloads in bounds: every sequence of a few operations over a few keys.
//!
//! Most of what a power cut brings out needs few operations on few keys: so found the authors of `CrashMonkey`, whose ACE
//! makes such workloads for file systems. Here every kind of [`Operation`] is tried on two values, the dictionaries around
//! them and a place beside, with values that are empty, fit into their entries or take several blocks.
//!
//! The sequences are numbered through, the shorter ones first. A number names a sequence for good, on a device of given
//! sizes: `bounded:1234` is a workload like any other.

mod alphabet;
mod length;
mod name;

pub use length::{Length, LengthError};
pub use name::SequenceNameError;

use super::Workload;
use crate::model::Model;
use crate::op::Operation;
use cutpoint_engine::device::Geometry;
use std::ops::Range;

/// The length up to which a sequence is worth a run though the model refuses one of its operations.
const LONGEST_WITH_REFUSAL: usize = 2;

/// The sizes of the device where nothing else is said.
const USUAL: Geometry = match Geometry::new(128, 64) {
    Ok(geometry) => geometry,
    Err(_) => panic!("there are devices of 64 blocks of 128 bytes"),
};

/// All sequences of up to [`Length::MAX`] operations on a device of given sizes.
///
/// ```
/// use cutpoint::workload::bounded::{Length, Sequences};
///
/// let sequences = Sequences::new();
/// let pairs = "2".parse::<Length>()?;
/// let count = sequences.alphabet().len() as u64;
/// assert_eq!(sequences.count(pairs), count * count);
/// let workload = sequences.workload(1 + count).expect("the first pair");
/// assert_eq!(workload.operations().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sequences {
    geometry: Geometry,
    /// By place in the sequence: the operations that may stand there. They differ in the bytes that they set, so that an
    /// operation never sets what is there already.
    alphabets: Vec<Vec<Operation>>,
}

impl Sequences {
    /// On 64 blocks of 128 bytes, the smallest there are: values need several blocks and directories split soonest.
    pub fn new() -> Self {
        Self::on(USUAL)
    }

    /// On a device of these sizes. The lengths of values follow the block size.
    pub fn on(geometry: Geometry) -> Self {
        let places = 0..u64::from(Length::MAX.get());
        let alphabets = places.map(|place| alphabet::operations(geometry.block_size(), place));
        Self {
            geometry,
            alphabets: alphabets.collect(),
        }
    }

    /// The sizes of the device.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// The operations that sequences are made of, as they stand in the first place.
    pub fn alphabet(&self) -> &[Operation] {
        &self.alphabets[0]
    }

    /// The sequences that continue the one with this number by one operation: their numbers and that operation, in order.
    /// None where they would be longer than [`Length::MAX`].
    pub fn below(&self, number: u64) -> impl Iterator<Item = (u64, &Operation)> {
        let place = self.nth(number).map(|operations| operations.len());
        let alphabet = place.and_then(|place| self.alphabets.get(place));
        let last = alphabet.into_iter().flatten();
        last.zip(1..)
            .map(move |(last, letter)| (number * self.base() + letter, last))
    }

    /// How many sequences of this length there are.
    pub fn count(&self, length: Length) -> u64 {
        self.base().pow(length.get().into())
    }

    /// The numbers of the sequences of this length.
    pub fn numbers(&self, length: Length) -> Range<u64> {
        let end = length.up_to().map(|length| self.count(length)).sum();
        end - self.count(length)..end
    }

    /// The number of the last of the longest sequences.
    pub fn last(&self) -> u64 {
        self.numbers(Length::MAX).end - 1
    }

    /// The operations of the sequence with this number; none where a sequence would be longer than [`Length::MAX`].
    pub fn nth(&self, number: u64) -> Option<Vec<Operation>> {
        // The numbers are those of a tree in which each sequence stands below the one it continues, read line by line.
        let mut letters = Vec::new();
        let mut rest = number;
        while let Some(below) = rest.checked_sub(1) {
            letters.push((below % self.base()) as usize);
            rest = below / self.base();
            if letters.len() > self.alphabets.len() {
                return None;
            }
        }
        if letters.len() > self.alphabets.len() {
            return None;
        }
        let places = letters.into_iter().rev().zip(&self.alphabets);
        Some(
            places
                .map(|(letter, alphabet)| alphabet[letter].clone())
                .collect(),
        )
    }

    /// The sequence with this number as a workload; none where there is no such number.
    pub fn workload(&self, number: u64) -> Option<Workload> {
        let operations = self.nth(number)?;
        Some(Workload::new(name::of(self, number), self.geometry).then_all(operations))
    }

    /// All sequences of this length, in order.
    pub fn iter(&self, length: Length) -> impl Iterator<Item = Vec<Operation>> + '_ {
        self.numbers(length).filter_map(|number| self.nth(number))
    }

    fn base(&self) -> u64 {
        self.alphabet().len() as u64
    }
}

impl Default for Sequences {
    fn default() -> Self {
        Self::new()
    }
}

/// What the model makes of a sequence that longer ones begin with.
///
/// It says which of these are left out: those of more than two operations of which one is refused. A refused call changes
/// nothing, neither on the device nor, as far as promised, in memory. That is tried in all sequences of at most two
/// operations; what a longer one does beside it is tried in the sequence without it.
#[derive(Clone, Debug)]
pub struct Beginning {
    length: usize,
    /// What it leads to; none where one of its operations is refused.
    model: Option<Model>,
}

impl Beginning {
    /// Of the sequences that begin with `operations`.
    pub fn new(operations: &[Operation]) -> Self {
        let mut model = Model::default();
        let is_accepted = operations
            .iter()
            .all(|operation| model.apply(operation).is_ok());
        Self {
            length: operations.len(),
            model: is_accepted.then_some(model),
        }
    }

    /// Whether the sequence that ends with `last` after this is left out.
    pub fn leaves_out(&self, last: &Operation) -> bool {
        let accepts = |model: &Model| model.clone().apply(last).is_ok();
        self.is_told_elsewhere() && !self.model.as_ref().is_some_and(accepts)
    }

    /// Whether every sequence that is longer by one is left out.
    pub fn leaves_out_all(&self) -> bool {
        self.is_told_elsewhere() && self.model.is_none()
    }

    /// Whether a refusal in a sequence longer by one tells nothing new.
    fn is_told_elsewhere(&self) -> bool {
        self.length >= LONGEST_WITH_REFUSAL
    }
}

#[cfg(test)]
mod tests;
