use super::super::folder::{self, Node, NodeKind};
use super::fit::Fitted;
use crate::cli::CliError;
use cutpoint_engine::device::{Geometry, MemoryDevice};
use cutpoint_engine::{Clock, Error, FormatOptions, MountOptions, Store, Timestamp};
use std::cell::Cell;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Bytes that the store's index of names may take: enough for some hundred thousand files.
const INDEX: usize = 64 << 20;

/// A folder on its way into a store.
#[derive(Debug)]
pub(super) struct Packing {
    folder: PathBuf,
    nodes: Vec<Node>,
    options: FormatOptions,
}

/// The store that a folder has become.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) device: MemoryDevice,
    /// Blocks in use.
    pub(super) used: u32,
}

impl Fitted for Packed {
    fn used(&self) -> u32 {
        self.used
    }
}

impl Packing {
    /// All of `folder`, for stores made with `options`.
    pub(super) fn of(folder: &Path, options: FormatOptions) -> Result<Self, CliError> {
        Ok(Self {
            folder: folder.to_owned(),
            nodes: folder::read(folder)?,
            options,
        })
    }

    /// Blocks without which the contents of the files and the first pair surely do not fit; from 2.
    pub(super) fn least_blocks(&self, geometry: Geometry) -> u32 {
        let block_size = u64::from(geometry.block_size());
        let whole = self.nodes.iter().map(|node| match node.kind {
            NodeKind::File { size } => size / block_size,
            NodeKind::Folder => 0,
        });
        u32::try_from(2 + whole.sum::<u64>()).unwrap_or(u32::MAX)
    }

    /// A store on a device of this geometry that holds the folder; none where it does not fit.
    ///
    /// # Errors
    ///
    /// What cannot be read, and what no store with blocks of this size can hold.
    pub(super) fn onto(&self, geometry: Geometry) -> Result<Option<Packed>, CliError> {
        let mut device = MemoryDevice::new(geometry);
        match self.fill(&mut device) {
            Ok(used) => Ok(Some(Packed { device, used })),
            Err(Failure::NoSpace) => Ok(None),
            Err(Failure::Refused(error)) => Err(error),
        }
    }

    /// Fills the device; blocks in use afterwards.
    fn fill(&self, device: &mut MemoryDevice) -> Result<u32, Failure> {
        let top = &self.folder;
        Store::format(&mut *device, &self.options).map_err(|error| Failure::of(top, &error))?;
        // The image is written once: nothing need move for the sake of wear.
        let options = MountOptions::default()
            .with_index(INDEX)
            .with_block_cycles(0);
        let time = Rc::new(Cell::new(None));
        let clock = Rc::clone(&time);
        let mut store = Store::mount(device, &options)
            .map_err(|error| CliError::at(top, error))?
            .with_clock(move || clock.get());
        for node in &self.nodes {
            time.set(node.modified);
            put(&mut store, node)?;
        }
        let usage = store.usage().map_err(|error| Failure::of(top, &error))?;
        Ok(usage.used)
    }
}

/// Puts a file or a folder into the store, whose clock says when it was changed.
fn put<C: Clock>(store: &mut Store<&mut MemoryDevice, C>, node: &Node) -> Result<(), Failure> {
    let failed = |error: Error| Failure::of(&node.path, &error);
    match node.kind {
        NodeKind::Folder => {
            if !node.key.is_root() {
                store.create_dictionary(&node.key).map_err(failed)?;
            }
            if let Some(time) = node.modified {
                store
                    .set_attribute(&node.key, Timestamp::ATTRIBUTE, &time.encode())
                    .map_err(failed)?;
            }
        }
        NodeKind::File { size } => {
            let limit = store.info().value_max;
            if size > u64::from(limit) {
                // Before it is read.
                let key = node.key.clone();
                return Err(failed(Error::ValueTooLong { key, limit }));
            }
            let content = fs::read(&node.path).map_err(|error| CliError::at(&node.path, error))?;
            store.set(&node.key, &content).map_err(failed)?;
        }
    }
    Ok(())
}

/// Why a folder did not get into a store.
enum Failure {
    /// The device is too small.
    NoSpace,
    /// Anything else.
    Refused(CliError),
}

impl Failure {
    /// `error` came up at what is at `path`.
    fn of(path: &Path, error: &Error) -> Self {
        let what = match error {
            Error::NoSpace => return Self::NoSpace,
            Error::NameTooLong { limit, .. } => {
                format!("its name is longer than the {limit} bytes that an image takes; shorten it")
            }
            Error::ValueTooLong { limit, .. } => {
                format!("is larger than the {limit} bytes that an image takes; split it")
            }
            Error::EntryTooLarge(_) => {
                "its name does not fit a block; shorten it, or take larger blocks with --block-size"
                    .to_owned()
            }
            other => other.to_string(),
        };
        Self::Refused(CliError::at(path, what))
    }
}

impl From<CliError> for Failure {
    fn from(error: CliError) -> Self {
        Self::Refused(error)
    }
}

/// How much it is, for people.
impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folders = self
            .nodes
            .iter()
            .filter(|node| node.kind == NodeKind::Folder);
        // The folder itself is the image's root.
        let below = folders.count() - 1;
        let files = self.nodes.len() - 1 - below;
        write!(f, "files: {files}, folders: {below}")
    }
}
