//! Every image in `corpus/images`, all written by the C littlefs, against what the C littlefs reads in it.

use cutpoint::fuzzing::CallBudget;
use cutpoint_engine::device::MemoryDevice;
use cutpoint_engine::{Attribute, Error, Item, Key, Kind, MountError, MountOptions, Node, Store};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Device calls for everything that is done with one image; the largest takes a fraction of it.
const CALLS: u64 = 5_000_000;

type ImageStore = Store<CallBudget<MemoryDevice>>;

#[derive(Deserialize)]
struct Manifest {
    images: Vec<Image>,
}

/// An image as the manifest describes it.
#[derive(Deserialize)]
struct Image {
    name: String,
    file: String,
    #[serde(rename = "image_sha256")]
    sha256: String,
    written_with: WrittenWith,
    /// Whether the C littlefs mounts it.
    valid: bool,
    #[serde(default)]
    tree: Vec<Entry>,
}

#[derive(Deserialize)]
struct WrittenWith {
    block_size: u32,
}

/// A file or directory as the C littlefs read it.
#[derive(Deserialize)]
struct Entry {
    path: String,
    /// The path's bytes; absent where the directory could not be opened.
    path_hex: Option<String>,
    #[serde(rename = "type")]
    kind: EntryKind,
    size: Option<u32>,
    sha256: Option<String>,
    /// Attributes: the type in decimal, the bytes in hexadecimal.
    #[serde(default)]
    attrs: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EntryKind {
    Dir,
    File,
}

/// What the two readers must agree on.
#[derive(Debug, PartialEq)]
enum Content {
    Dictionary,
    Value { size: u32, sha256: String },
}

type Tree = BTreeMap<Key, (Content, Vec<Attribute>)>;

#[derive(Clone, Copy, PartialEq)]
enum Class {
    /// Reads exactly as the C littlefs reads it.
    Sound,
    /// Mounts, with damage further in.
    Damaged,
    /// Does not mount.
    Invalid,
}

impl Image {
    fn class(&self) -> Class {
        if !self.valid {
            Class::Invalid
        } else if self.name.starts_with("odd_") || self.name.starts_with("halfbad_") {
            Class::Damaged
        } else {
            Class::Sound
        }
    }

    fn device(&self) -> MemoryDevice {
        let bytes = std::fs::read(images_dir().join(&self.file)).unwrap();
        assert_eq!(sha256(&bytes), self.sha256, "{} was changed", self.file);
        MemoryDevice::from_image(bytes, self.written_with.block_size).unwrap()
    }

    fn mount(&self) -> Result<ImageStore, MountError> {
        let device = CallBudget::new(self.device(), CALLS);
        Store::mount(device, &MountOptions::default())
    }

    fn tree(&self) -> Tree {
        self.tree
            .iter()
            .map(|entry| (entry.key(), (entry.content(), entry.attributes())))
            .collect()
    }
}

impl Entry {
    fn key(&self) -> Key {
        match &self.path_hex {
            Some(path) => Key::new(hex::decode(path).unwrap()),
            None => Key::new(&self.path),
        }
    }

    fn content(&self) -> Content {
        match self.kind {
            EntryKind::Dir => Content::Dictionary,
            EntryKind::File => Content::Value {
                size: self.size.unwrap(),
                // A file without a hash could not be read: nothing read equals it.
                sha256: self.sha256.clone().unwrap_or_default(),
            },
        }
    }

    fn attributes(&self) -> Vec<Attribute> {
        let mut attributes: Vec<_> = self
            .attrs
            .iter()
            .map(|(kind, data)| Attribute {
                kind: kind.parse().unwrap(),
                data: hex::decode(data).unwrap(),
            })
            .collect();
        attributes.sort_by_key(|attribute| attribute.kind);
        attributes
    }
}

fn images_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../corpus/images")
}

/// The images of a class, which must be `count`: none is left out unseen.
fn images(class: Class, count: usize) -> Vec<Image> {
    let manifest = std::fs::read(images_dir().join("manifest.json")).unwrap();
    let manifest: Manifest = serde_json::from_slice(&manifest).unwrap();
    let images: Vec<_> = manifest
        .images
        .into_iter()
        .filter(|image| image.class() == class)
        .collect();
    assert_eq!(images.len(), count, "images of this class in the manifest");
    images
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Everything in the store, the root included, in one pass.
fn walked(store: &mut ImageStore) -> Tree {
    let root_attributes = store.attributes(&Key::ROOT).unwrap();
    let mut tree = Tree::from([(Key::ROOT, (Content::Dictionary, root_attributes))]);
    store
        .walk(true, &mut |Item {
                              key,
                              node,
                              attributes,
                          }| {
            let content = match node {
                Node::Dictionary => Content::Dictionary,
                Node::Value { size, content } => Content::Value {
                    size,
                    sha256: sha256(&content.unwrap()),
                },
            };
            let twice = tree.insert(key.clone(), (content, attributes));
            assert!(twice.is_none(), "{key} walked twice");
        })
        .unwrap();
    tree
}

/// Everything in the store, the root included, key by key.
fn listed(store: &mut ImageStore) -> Tree {
    let mut tree = Tree::new();
    let mut open = vec![(Key::ROOT, Kind::Dictionary)];
    while let Some((key, kind)) = open.pop() {
        assert_eq!(store.exists(&key).unwrap(), Some(kind), "{key}");
        let content = match kind {
            Kind::Dictionary => {
                open.extend(store.list(&key).unwrap());
                Content::Dictionary
            }
            Kind::Value => {
                let value = store.get(&key).unwrap();
                Content::Value {
                    size: u32::try_from(value.len()).unwrap(),
                    sha256: sha256(&value),
                }
            }
        };
        let attributes = store.attributes(&key).unwrap();
        tree.insert(key, (content, attributes));
    }
    tree
}

#[test]
fn every_image_file_is_in_the_manifest() {
    let files = std::fs::read_dir(images_dir())
        .unwrap()
        .filter(|file| {
            file.as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|e| e == "img")
        })
        .count();
    let classes = [
        (Class::Sound, 35),
        (Class::Damaged, 3),
        (Class::Invalid, 16),
    ];
    let described: usize = classes
        .into_iter()
        .map(|(class, count)| images(class, count).len())
        .sum();
    assert_eq!(files, described);
}

#[test]
fn sound_images_read_as_the_c_littlefs_reads_them() {
    for image in images(Class::Sound, 35) {
        let name = &image.name;
        let mut store = image
            .mount()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = image.tree();
        assert_eq!(walked(&mut store), expected, "{name}, walked");
        assert_eq!(listed(&mut store), expected, "{name}, listed");
        let report = store.check().unwrap();
        assert_eq!(report.damage, [], "{name}");
    }
}

#[test]
fn reading_writes_nothing() {
    for image in images(Class::Sound, 35)
        .iter()
        .chain(&images(Class::Damaged, 3))
    {
        let mut store = image.mount().unwrap();
        let _ = store.check();
        let _ = store.walk(true, &mut |_| {});
        let device = store.unmount();
        assert!(
            device.device().bytes() == image.device().bytes(),
            "{}",
            image.name
        );
    }
}

#[test]
fn repairs_are_pending_where_a_power_cut_left_work() {
    let pending: Vec<_> = images(Class::Sound, 35)
        .iter()
        .filter(|image| image.mount().unwrap().check().unwrap().repair_pending)
        .map(|image| image.name.clone())
        .collect();
    assert_eq!(
        pending,
        [
            "pc_rmdir_512_v21",
            "pc_mkdir_split_512_v21",
            "pc_rename_over_dir_512_v21",
            "pc_rename_over_dir2_512_v21"
        ]
    );
}

#[test]
fn damaged_images_give_right_data_or_say_what_is_damaged() {
    for image in images(Class::Damaged, 3) {
        let name = &image.name;
        let mut store = image
            .mount()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut refused = 0;
        for (key, (content, _)) in image.tree() {
            let read = match content {
                Content::Dictionary => store.list(&key).map(|_| Content::Dictionary),
                Content::Value { .. } => store.get(&key).map(|value| Content::Value {
                    size: u32::try_from(value.len()).unwrap(),
                    sha256: sha256(&value),
                }),
            };
            match read {
                Ok(read) => assert_eq!(read, content, "{name}: {key}"),
                Err(Error::Corrupt(_)) => refused += 1,
                Err(error) => panic!("{name}: {key}: {error}"),
            }
        }
        let report = store.check().unwrap();
        if name.starts_with("odd_") {
            assert_eq!(refused, 1, "{name}: one pointer leads nowhere");
            assert!(!report.damage.is_empty(), "{name}");
        } else {
            assert_eq!(refused, 0, "{name}: the older half is whole");
        }
    }
}

#[test]
fn invalid_images_are_refused_with_the_reason() {
    let mut reasons = BTreeMap::new();
    for image in images(Class::Invalid, 16) {
        let bytes = std::fs::read(images_dir().join(&image.file)).unwrap();
        let reason = match MemoryDevice::from_image(bytes, image.written_with.block_size) {
            Err(error) => format!("{error:?}"),
            Ok(device) => {
                match Store::mount(CallBudget::new(device, CALLS), &MountOptions::default()) {
                    Err(error) => format!("{error:?}"),
                    Ok(_) => panic!("{} mounts", image.name),
                }
            }
        };
        reasons.insert(image.name, reason);
    }
    insta::assert_debug_snapshot!(reasons);
}
