//! Workloads: a device, what it holds at first, and the operations that run on it.

pub mod bounded;
pub mod builtin;
pub mod images;
pub mod key_value;

use crate::contract::Contract;
use crate::model::Model;
use crate::op::Operation;
use crate::trace::{Image, ImageLengthError};
use cutpoint_engine::DiskVersion;
use cutpoint_engine::device::Geometry;
use std::collections::BTreeSet;
use std::fmt;
use thiserror::Error;

/// What is run: a geometry, an optional starting image, and a sequence of operations.
///
/// ```
/// use cutpoint::op::{Operation, Value};
/// use cutpoint::workload::Workload;
/// use cutpoint_engine::device::Geometry;
///
/// let workload = Workload::new("two-sets", Geometry::new(512, 64)?)
///     .then(Operation::set("/a", Value::literal("1")))
///     .then(Operation::set("/d/b", Value::generated(700, 1)));
/// assert_eq!(workload.operations().len(), 2);
/// # Ok::<(), cutpoint_engine::device::GeometryError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Workload {
    name: String,
    geometry: Geometry,
    erase_value: u8,
    start: Start,
    block_cycles: Option<u32>,
    disk_version: Option<DiskVersion>,
    operations: Vec<Operation>,
}

/// What the device holds before the first operation.
#[derive(Clone, Debug)]
pub enum Start {
    /// Nothing: every byte is erased, and step 0 is the format.
    Blank,
    /// A store, and step 0 mounts it.
    Store {
        /// The device's bytes.
        image: Image,
        /// What the store holds.
        model: Model,
    },
}

impl Workload {
    /// A workload without operations on a blank device that erases to `0xff`.
    pub fn new(name: impl Into<String>, geometry: Geometry) -> Self {
        Self {
            name: name.into(),
            geometry,
            erase_value: 0xff,
            start: Start::Blank,
            block_cycles: None,
            disk_version: None,
            operations: Vec::new(),
        }
    }

    /// The same operations on a device of this kind, which says what the contract says of it.
    #[must_use]
    pub fn on(self, contract: &Contract) -> Self {
        Self {
            geometry: contract.device(self.geometry),
            ..self
        }
    }

    /// The same, on a device whose erased bytes read as `erase_value`.
    #[must_use]
    pub fn with_erase_value(self, erase_value: u8) -> Self {
        Self {
            erase_value,
            ..self
        }
    }

    /// The same, for a store that moves what it has written `compactions` times to other blocks, from 1. Whoever makes the
    /// subject tells it; one that cannot be told runs the workload all the same.
    #[must_use]
    pub fn with_block_cycles(self, compactions: u32) -> Self {
        Self {
            block_cycles: Some(compactions),
            ..self
        }
    }

    /// The same, for a store whose format has versions and is to be made in this one. Whoever makes the subject tells it.
    #[must_use]
    pub fn with_disk_version(self, version: DiskVersion) -> Self {
        Self {
            disk_version: Some(version),
            ..self
        }
    }

    /// The same, starting from an image whose store holds what `model` says.
    ///
    /// # Errors
    ///
    /// [`ImageLengthError`] where the image does not fill the device.
    pub fn starting_from(
        self,
        bytes: impl Into<std::sync::Arc<[u8]>>,
        model: Model,
    ) -> Result<Self, ImageLengthError> {
        let image = Image::new(bytes, self.geometry)?;
        Ok(Self {
            start: Start::Store { image, model },
            ..self
        })
    }

    /// The same with another name.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    /// The same on another device. One that starts from an image keeps its device: the image would not fit.
    #[must_use]
    pub fn on_device(self, geometry: Geometry) -> Self {
        match self.start {
            Start::Blank => Self { geometry, ..self },
            Start::Store { .. } => self,
        }
    }

    /// The same from a blank device on.
    #[must_use]
    pub fn from_blank(self) -> Self {
        Self {
            start: Start::Blank,
            ..self
        }
    }

    /// The same with these operations in the place of its own.
    #[must_use]
    pub fn with_operations(self, operations: Vec<Operation>) -> Self {
        Self { operations, ..self }
    }

    /// The same with one more operation.
    #[must_use]
    pub fn then(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }

    /// The same with more operations.
    #[must_use]
    pub fn then_all(mut self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.operations.extend(operations);
        self
    }

    /// Its name, for reports and command lines.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The device's sizes.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// What erased bytes read as.
    pub fn erase_value(&self) -> u8 {
        self.erase_value
    }

    /// After how many compactions the store is to move what it has written; none where that is left to it.
    pub fn block_cycles(&self) -> Option<u32> {
        self.block_cycles
    }

    /// In which version of its format the store is to be made; none where that is left to it.
    pub fn disk_version(&self) -> Option<DiskVersion> {
        self.disk_version
    }

    /// What the device holds at first.
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// The operations, in order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Checks that the model can tell what each operation leads to. Only a workload that starts from an image can fail
    /// this; it cannot be run then.
    ///
    /// # Errors
    ///
    /// [`UnforeseenOperation`], the first.
    pub fn check(&self) -> Result<(), UnforeseenOperation> {
        let Start::Store { model, .. } = &self.start else {
            return Ok(());
        };
        let mut model = model.clone();
        for (index, operation) in (1..).zip(&self.operations) {
            if !model.foresees(operation) {
                let operation = operation.clone();
                return Err(UnforeseenOperation { index, operation });
            }
            // What is refused changes nothing.
            let _ = model.apply(operation);
        }
        Ok(())
    }

    /// The types of all attributes that the operations set or remove or that are there at first: for subjects that must
    /// know what they look for.
    pub fn attribute_kinds(&self) -> BTreeSet<u8> {
        let mut kinds: BTreeSet<u8> =
            self.operations
                .iter()
                .filter_map(|operation| match operation {
                    Operation::SetAttribute { kind, .. }
                    | Operation::RemoveAttribute { kind, .. } => Some(*kind),
                    _ => None,
                })
                .collect();
        if let Start::Store { model, .. } = &self.start {
            kinds.extend(model.root_attributes().keys());
            let nodes = model.nodes();
            kinds.extend(nodes.flat_map(|(_, node)| node.attributes().keys()));
        }
        kinds
    }

    /// All steps, in order: the start, then the operations. The marks in a trace are indices into these, so that
    /// operations are numbered from 1.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let start = match self.start {
            Start::Blank => Step::Format,
            Start::Store { .. } => Step::Mount,
        };
        std::iter::once(start).chain(self.operations.iter().map(Step::Operation))
    }
}

/// An operation changes part of a value of the starting image that is known by its digest alone, so that nobody can
/// tell what it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "operation {index}, '{operation}', changes part of a value of which only size and digest are known; set the value first"
)]
pub struct UnforeseenOperation {
    /// The operation's number, from 1.
    pub index: u32,
    /// The operation.
    pub operation: Operation,
}

/// One step of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The format of a blank device.
    Format,
    /// The first mount of an image.
    Mount,
    /// An operation.
    Operation(&'a Operation),
}

impl<'a> Step<'a> {
    /// The operation, where it is one.
    pub fn operation(self) -> Option<&'a Operation> {
        match self {
            Self::Format | Self::Mount => None,
            Self::Operation(operation) => Some(operation),
        }
    }
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format => f.write_str("format"),
            Self::Mount => f.write_str("mount"),
            Self::Operation(operation) => operation.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Content, ModelNode};
    use crate::op::Value;
    use cutpoint_engine::Key;

    #[test]
    fn attribute_kinds_are_those_set_or_removed_and_those_there() {
        let mut model = Model::default();
        model
            .apply(&Operation::set_attribute("/", 9, Value::literal("there")))
            .unwrap();
        let geometry = Geometry::new(128, 4).unwrap();
        let workload = Workload::new("attributes", geometry)
            .starting_from(vec![0; 512], model)
            .unwrap()
            .then(Operation::set_attribute("/", 7, Value::literal("set")))
            .then(Operation::remove_attribute("/", 8));
        assert_eq!(workload.attribute_kinds(), [7, 8, 9].into());
    }

    #[test]
    fn check_names_what_cannot_be_foreseen() {
        let mut model = Model::default();
        let content = Content::digest(5, [7; 32]);
        model.insert(Key::new("/v"), ModelNode::value(content));
        let geometry = Geometry::new(128, 4).unwrap();
        let start = Workload::new("digest", geometry)
            .starting_from(vec![0; 512], model)
            .unwrap()
            .then(Operation::rename("/v", "/w"))
            .then(Operation::truncate("/v", 1));
        assert_eq!(start.check(), Ok(()));
        let partial = Operation::set_partial("/w", 0, Value::literal("x"));
        let set = Operation::set("/w", Value::literal("abc"));
        let known = start.clone().then(set).then(partial.clone());
        assert_eq!(known.check(), Ok(()));
        let error = start.then(partial).check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "operation 3, 'set-partial /w at 0 1 B', changes part of a value of which only size and digest are \
             known; set the value first"
        );
    }
}
