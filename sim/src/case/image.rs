use super::CaseDevice;
use crate::model::Model;
use crate::op::Operation;
use crate::refusal::Refusal;
use crate::trace::{Image, ImageLengthError};
use crate::workload::Workload;
use crate::workload::images::CorpusImage;
use std::sync::Arc;
use thiserror::Error;

/// An image that a case starts from: all bytes of a device, and what the store on it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseImage {
    device: CaseDevice,
    name: String,
    bytes: Arc<[u8]>,
    /// Operations that make a store hold what this one holds; none of an image of the corpus, whose manifest says it.
    holds: Option<Vec<Operation>>,
    model: Model,
}

/// Why an image is none that a case can start from.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CaseImageError {
    /// It does not fill the device.
    #[error(transparent)]
    Length(#[from] ImageLengthError),
    /// An operation that says what it holds is refused.
    #[error("'{operation}' is refused: {refusal}")]
    Refused {
        /// Which, from 0.
        index: usize,
        /// The operation.
        operation: Operation,
        /// Why.
        refusal: Refusal,
    },
}

impl CaseImage {
    /// An image of the corpus. One that is damaged on purpose is taken to hold nothing: it is a start for cases whose
    /// subjects must refuse it.
    ///
    /// # Errors
    ///
    /// It does not fill the device that it was written for.
    pub fn of_corpus(image: &CorpusImage) -> Result<Self, ImageLengthError> {
        Image::new(Arc::clone(&image.bytes), image.geometry)?;
        Ok(Self {
            device: CaseDevice {
                geometry: image.geometry,
                erase_value: image.erase_value,
            },
            name: image.name.clone(),
            bytes: Arc::clone(&image.bytes),
            holds: None,
            model: image.model.clone().unwrap_or_default(),
        })
    }

    /// An image in a file beside the case. It holds what a new store holds after these operations.
    ///
    /// # Errors
    ///
    /// It does not fill the device, or an operation would be refused.
    pub fn beside(
        device: CaseDevice,
        name: impl Into<String>,
        bytes: impl Into<Arc<[u8]>>,
        holds: Vec<Operation>,
    ) -> Result<Self, CaseImageError> {
        let bytes = bytes.into();
        Image::new(Arc::clone(&bytes), device.geometry)?;
        let mut model = Model::default();
        for (index, operation) in holds.iter().enumerate() {
            model
                .apply(operation)
                .map_err(|refusal| CaseImageError::Refused {
                    index,
                    operation: operation.clone(),
                    refusal,
                })?;
        }
        Ok(Self {
            device,
            name: name.into(),
            bytes,
            holds: Some(holds),
            model,
        })
    }

    /// What it is an image of.
    pub fn device(&self) -> CaseDevice {
        self.device
    }

    /// Its name in the corpus, or that of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is one of the corpus.
    pub fn is_of_corpus(&self) -> bool {
        self.holds.is_none()
    }

    /// All its bytes.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// Operations that make a store hold what this one holds; none where the manifest of the corpus says it.
    pub fn holds(&self) -> &[Operation] {
        self.holds.as_deref().unwrap_or_default()
    }

    /// What it holds.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The same workload, starting from it.
    pub(super) fn start_of(&self, workload: Workload) -> Workload {
        match workload.starting_from(Arc::clone(&self.bytes), self.model.clone()) {
            Ok(workload) => workload,
            Err(error) => unreachable!("checked when it was made: {error}"),
        }
    }

    /// The file beside the case, by name; none where it is of the corpus.
    pub(super) fn file(&self) -> Option<(&str, &[u8])> {
        (!self.is_of_corpus()).then_some((&*self.name, &*self.bytes))
    }
}
