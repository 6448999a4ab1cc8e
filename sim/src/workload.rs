//! Workloads: a device, what it holds at first, and the operations that run on it.

pub mod builtin;
pub mod images;

use crate::model::Model;
use crate::op::Operation;
use crate::trace::{Image, ImageLengthError};
use cutpoint_engine::device::Geometry;
use std::fmt;

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
            operations: Vec::new(),
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

    /// What the device holds at first.
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// The operations, in order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
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
