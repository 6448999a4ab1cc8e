//! From cases to workloads, and back.

use super::{Case, CaseDevice, CaseImage, CaseStart};
use crate::model::{Attributes, Model, ModelNode};
use crate::op::{Operation, Value};
use crate::trace::Image;
use crate::workload::{Start, Workload};
use cutpoint_engine::Key;
use thiserror::Error;

/// A workload starts from an image some of whose values are known by their digest alone, so that no case can say what
/// it holds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "only size and digest are known of {0} in the image that the workload starts from; name the image of the corpus"
)]
pub struct UnknownContents(pub Key);

impl Case {
    /// What is run, under this name.
    pub fn workload(&self, name: &str) -> Workload {
        let device = match &self.start {
            CaseStart::Blank(device) => *device,
            CaseStart::Image(image) => image.device(),
        };
        let workload = Workload::new(name, device.geometry).with_erase_value(device.erase_value);
        let workload = match &self.start {
            CaseStart::Blank(_) => workload,
            CaseStart::Image(image) => image.start_of(workload),
        };
        let workload = match self.block_cycles {
            Some(compactions) => workload.with_block_cycles(compactions),
            None => workload,
        };
        let workload = match self.disk_version {
            Some(version) => workload.with_disk_version(version),
            None => workload,
        };
        workload.then_all(self.operations.iter().cloned())
    }

    /// The case that this workload is, without crash models and expectations. An image that it starts from stands beside
    /// it in the file `NAME.img`, with the workload's name.
    ///
    /// # Errors
    ///
    /// [`UnknownContents`] where nobody can say in a case what that image holds.
    pub fn of(
        workload: &Workload,
        title: impl Into<String>,
        origin: impl Into<String>,
    ) -> Result<Self, UnknownContents> {
        let device = CaseDevice {
            geometry: workload.geometry().with_erase_unordered(false),
            erase_value: workload.erase_value(),
        };
        let start = match workload.start() {
            Start::Blank
            | Start::Store {
                image: Image::Erased,
                ..
            } => CaseStart::Blank(device),
            Start::Store { image, model } => {
                let bytes = image.to_vec(device.geometry, device.erase_value);
                let name = format!("{}.img", workload.name());
                let holds = operations_to(model)?;
                match CaseImage::beside(device, name, bytes, holds) {
                    Ok(image) => CaseStart::Image(image),
                    Err(error) => unreachable!("a workload's image fills its device: {error}"),
                }
            }
        };
        Ok(Self {
            title: title.into(),
            origin: origin.into(),
            links: Vec::new(),
            tags: Vec::new(),
            start,
            disk_version: workload.disk_version(),
            block_cycles: workload.block_cycles(),
            operations: workload.operations().to_vec(),
            explorations: Vec::new(),
            expectations: Vec::new(),
            witnesses: Vec::new(),
        })
    }
}

/// Operations that make a new store hold what the model says.
fn operations_to(model: &Model) -> Result<Vec<Operation>, UnknownContents> {
    let mut operations = Vec::new();
    let attributes = |key: &Key, node: &Attributes| {
        let set = |(&kind, data): (&u8, &Vec<u8>)| Operation::SetAttribute {
            key: key.clone(),
            kind,
            data: Value::literal(data),
        };
        node.iter().map(set).collect::<Vec<_>>()
    };
    operations.extend(attributes(&Key::ROOT, model.root_attributes()));
    // A key sorts before the keys below it.
    for (key, node) in model.sorted() {
        operations.push(match node {
            ModelNode::Dictionary { .. } => Operation::CreateDictionary { key: key.clone() },
            ModelNode::Value { content, .. } => Operation::Set {
                key: key.clone(),
                value: Value::literal(
                    content
                        .known()
                        .ok_or_else(|| UnknownContents(key.clone()))?,
                ),
            },
        });
        operations.extend(attributes(key, node.attributes()));
    }
    Ok(operations)
}
