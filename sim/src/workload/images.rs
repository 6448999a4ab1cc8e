//! Workloads on top of the images in the corpus, whose contents their manifest states.

use super::{Workload, builtin};
use crate::model::{Attributes, Content, Model, ModelNode, Sha256Digest};
use crate::op::{Operation, Value};
use cutpoint_engine::Key;
use cutpoint_engine::device::{Geometry, GeometryError};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};
use thiserror::Error;

/// The manifest's file name.
const MANIFEST: &str = "manifest.json";

/// An image of the corpus.
#[derive(Clone, Debug)]
pub struct CorpusImage {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// All its bytes; of an invalid image, any number of them.
    pub bytes: Arc<[u8]>,
    /// The sizes of the device that it was written with.
    pub geometry: Geometry,
    /// What erased bytes read as on that device.
    pub erase_value: u8,
    /// What it holds; none where it must not mount, or where its state is damaged on purpose, so that the manifest's
    /// tree is no description of a sound store.
    pub model: Option<Model>,
}

/// Why the corpus of images could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImagesError {
    /// A file could not be read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The manifest is no JSON of the form that is expected.
    #[error("cannot understand {path}: {error}")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Where and why.
        #[source]
        error: serde_json::Error,
    },
    /// The sizes of an image make no device.
    #[error("image {image}: {error}")]
    Geometry {
        /// The image's name.
        image: String,
        /// Why.
        #[source]
        error: GeometryError,
    },
    /// An entry of an image's tree lacks a part.
    #[error("image {image}: {error} in an entry of its tree")]
    Entry {
        /// The image's name.
        image: String,
        /// What is missing.
        #[source]
        error: serde_json::Error,
    },
    /// A part of an image's description is not what it should be.
    #[error("image {image}: {field} of {path} is missing or not what it should be")]
    Description {
        /// The image's name.
        image: String,
        /// The path of the entry, in hexadecimal.
        path: String,
        /// The part.
        field: &'static str,
    },
}

/// Reads all images below `dir`, which holds their manifest too, in the order of the manifest.
///
/// # Errors
///
/// [`ImagesError`], with the file or the image.
pub fn read_images(dir: &Path) -> Result<Vec<CorpusImage>, ImagesError> {
    let path = dir.join(MANIFEST);
    let text = read(&path)?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| ImagesError::Manifest { path, error })?;
    manifest
        .images
        .iter()
        .map(|image| read_image(dir, image))
        .collect()
}

fn read(path: &Path) -> Result<Vec<u8>, ImagesError> {
    fs::read(path).map_err(|error| ImagesError::Read {
        path: path.to_owned(),
        error,
    })
}

fn read_image(dir: &Path, image: &ManifestImage) -> Result<CorpusImage, ImagesError> {
    let bytes = read(&dir.join(&image.file))?;
    let made_with = &image.written_with;
    // An image that was cut short or is no whole number of blocks was meant for the stated number of blocks.
    let geometry = if image.is_sound() {
        Geometry::of_image(bytes.len() as u64, made_with.block_size)
    } else {
        Geometry::new(made_with.block_size, made_with.block_count)
    }
    .and_then(|geometry| geometry.with_prog_size(made_with.prog_size))
    .map_err(|error| ImagesError::Geometry {
        image: image.name.clone(),
        error,
    })?;
    Ok(CorpusImage {
        name: image.name.clone(),
        description: image.desc.clone(),
        bytes: bytes.into(),
        geometry,
        erase_value: made_with.erase_value,
        model: image.is_sound().then(|| image.model()).transpose()?,
    })
}

#[derive(Deserialize)]
struct Manifest {
    images: Vec<ManifestImage>,
}

#[derive(Deserialize)]
struct ManifestImage {
    name: String,
    file: String,
    desc: String,
    written_with: WrittenWith,
    valid: bool,
    /// Read entry by entry, and only of sound images: those of damaged ones lack parts.
    #[serde(default)]
    tree: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct WrittenWith {
    block_size: u32,
    block_count: u32,
    prog_size: u32,
    erase_value: u8,
}

#[derive(Deserialize)]
struct TreeEntry {
    path_hex: String,
    #[serde(rename = "type")]
    kind: EntryKind,
    size: Option<u64>,
    sha256: Option<String>,
    #[serde(default)]
    attrs: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum EntryKind {
    Dir,
    File,
}

impl ManifestImage {
    fn is_sound(&self) -> bool {
        self.valid && !self.name.starts_with("odd_") && !self.name.starts_with("halfbad_")
    }

    fn model(&self) -> Result<Model, ImagesError> {
        let mut model = Model::default();
        for entry in &self.tree {
            let entry: TreeEntry =
                serde_json::from_value(entry.clone()).map_err(|error| ImagesError::Entry {
                    image: self.name.clone(),
                    error,
                })?;
            let (key, node) = entry.node().map_err(|field| ImagesError::Description {
                image: self.name.clone(),
                path: entry.path_hex.clone(),
                field,
            })?;
            model.insert(key, node);
        }
        Ok(model)
    }
}

impl TreeEntry {
    /// The key and the node; or the name of the part that is wrong.
    fn node(&self) -> Result<(Key, ModelNode), &'static str> {
        let key = Key::new(of_hex(&self.path_hex).ok_or("path_hex")?);
        let attributes: Attributes = self
            .attrs
            .iter()
            .map(|(kind, data)| Some((kind.parse().ok()?, of_hex(data)?)))
            .collect::<Option<_>>()
            .ok_or("attrs")?;
        let node = match self.kind {
            EntryKind::Dir => ModelNode::Dictionary { attributes },
            EntryKind::File => {
                let sha256 = self.sha256.as_deref().and_then(of_hex);
                let sha256: Sha256Digest = sha256
                    .and_then(|bytes| bytes.try_into().ok())
                    .ok_or("sha256")?;
                ModelNode::Value {
                    content: Content::digest(self.size.ok_or("size")?, sha256),
                    attributes,
                }
            }
        };
        Ok((key, node))
    }
}

fn of_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|&[high, low]| Some((digit(high)? * 16 + digit(low)?) as u8))
        .collect()
}

/// The dictionary that the workload on an image fills.
const DICTIONARY: &str = "cut";

/// A workload that starts from `image`: a new dictionary is filled until it splits, and keys that the image holds are
/// overwritten, removed and renamed. None where the image's contents are not known.
pub fn on_image(image: &CorpusImage) -> Option<Workload> {
    let model = image.model.clone()?;
    let operations = operations(&model, image.geometry.block_size());
    let name = format!("split-on-{}", image.name);
    Workload::new(name, image.geometry)
        .with_erase_value(image.erase_value)
        .starting_from(Arc::clone(&image.bytes), model)
        .ok()
        .map(|workload| workload.then_all(operations))
}

fn operations(model: &Model, block_size: u32) -> Vec<Operation> {
    let dictionary = Key::ROOT.child(DICTIONARY);
    let key = |index: u32| dictionary.child(format!("k{index:03}"));
    let inline = builtin::inline_length(block_size);
    let set = |index: u32, seed: u64| Operation::Set {
        key: key(index),
        value: Value::generated(inline, seed),
    };
    let (mut values, mut dictionaries) = (Vec::new(), Vec::new());
    for (key, node) in model.sorted() {
        match node {
            ModelNode::Value { .. } => values.push(key),
            ModelNode::Dictionary { .. } => dictionaries.push(key),
        }
    }
    let mut operations: Vec<_> = (0..6).map(|index| set(index, index.into())).collect();
    // The image's own first, middle and last value: before the new dictionary splits and after.
    let (first, middle, last) = match values.as_slice() {
        [] => (None, None, None),
        [only] => (Some(*only), None, None),
        [first, last] => (Some(*first), None, Some(*last)),
        [first, between @ .., last] => (Some(*first), between.get(between.len() / 2), Some(*last)),
    };
    operations.extend(first.map(|key| Operation::Set {
        key: key.clone(),
        value: Value::generated(inline, 100),
    }));
    operations.extend(middle.map(|&key| Operation::Remove { key: key.clone() }));
    operations.extend((6..12).map(|index| set(index, index.into())));
    operations.push(Operation::Remount);
    operations.extend(
        (0..12)
            .step_by(4)
            .map(|index| set(index, 200 + u64::from(index))),
    );
    operations.extend(last.map(|source| Operation::Rename {
        source: source.clone(),
        dest: dictionary.clone(),
    }));
    // A whole dictionary of the image moves, where it has one.
    operations.extend(dictionaries.first().map(|&source| Operation::Rename {
        source: source.clone(),
        dest: Key::ROOT.child("moved"),
    }));
    operations.extend([5, 6, 7].map(|index| Operation::Remove { key: key(index) }));
    operations.push(Operation::Set {
        key: key(3),
        value: Value::generated(block_size + 1, 300),
    });
    operations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus() -> Vec<CorpusImage> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/images");
        read_images(&dir).unwrap()
    }

    #[test]
    fn reads_every_image_and_keeps_the_damaged_from_being_starts() {
        let images = corpus();
        assert!(images.len() > 40);
        for image in &images {
            let damaged = ["bad_", "odd_", "halfbad_"]
                .iter()
                .any(|prefix| image.name.starts_with(prefix));
            assert_eq!(image.model.is_none(), damaged, "{}", image.name);
            assert_eq!(on_image(image).is_none(), damaged, "{}", image.name);
        }
    }

    #[test]
    fn a_model_is_what_the_manifest_states() {
        let images = corpus();
        let find = |name: &str| images.iter().find(|image| image.name == name).unwrap();
        let basic = find("basic_512_v21").model.as_ref().unwrap();
        assert_eq!(basic.len(), 9);
        assert!(basic.is_dictionary(&Key::new("/dir/sub")));
        let hello = basic.get(&Key::new("/hello")).unwrap();
        assert_eq!(
            hello.attributes(),
            &Attributes::from([(116, vec![1, 2, 3, 4])])
        );
        assert!(matches!(hello, ModelNode::Value { content, .. } if content.len() == 5));
        let empty = basic.get(&Key::new("/empty")).unwrap();
        assert!(matches!(empty, ModelNode::Value { content, .. } if content.matches(b"")));
        let root = find("attrs_1024_v21")
            .model
            .as_ref()
            .unwrap()
            .root_attributes();
        assert_eq!(root.keys().copied().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn every_operation_on_an_image_is_one_that_its_model_takes() {
        for workload in corpus().iter().filter_map(on_image) {
            let super::super::Start::Store { model, .. } = workload.start() else {
                panic!("{} starts from nothing", workload.name());
            };
            let mut model = model.clone();
            for operation in workload.operations() {
                assert_eq!(
                    model.apply(operation),
                    Ok(()),
                    "{}: {operation}",
                    workload.name()
                );
            }
            assert!(workload.operations().len() >= 20, "{}", workload.name());
        }
    }

    #[test]
    fn names_what_is_wrong_with_a_manifest() {
        let dir = tempfile::tempdir().unwrap();
        let error = read_images(dir.path()).unwrap_err().to_string();
        assert!(error.starts_with("cannot read "), "{error}");
        fs::write(dir.path().join(MANIFEST), r#"{"images": [{"name": 1}]}"#).unwrap();
        let error = read_images(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains("manifest.json") && error.contains("line 1"),
            "{error}"
        );
    }
}
