//! How much a call reads: a small multiple of the device, whatever the image says.

use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry, MemoryDevice};
use cutpoint_engine::{Key, MountOptions, Store, probe_block_size};
use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What one call may read, in bytes for each byte of the device.
const BOUND: u64 = 4;

/// Counts the bytes that are read.
struct Metered {
    device: MemoryDevice,
    read: Rc<Cell<u64>>,
}

impl BlockDevice for Metered {
    fn geometry(&self) -> Geometry {
        self.device.geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.read.set(self.read.get() + buffer.len() as u64);
        self.device.read(block, offset, buffer)
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.device.prog(block, offset, data)
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.device.erase(block)
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.device.sync()
    }
}

/// The most that a single call reads from the image, in bytes for each byte of the device, rounded up.
fn most_read(image: Vec<u8>, block_size: u32) -> u64 {
    let capacity = image.len() as u64;
    let Ok(device) = MemoryDevice::from_image(image, block_size) else {
        return 0;
    };
    let read = Rc::new(Cell::new(0));
    let metered = Metered {
        device,
        read: Rc::clone(&read),
    };
    let mut most = 0;
    let mut note = || most = most.max(read.take());
    let mounted = Store::mount(metered, &MountOptions::default());
    note();
    if let Ok(mut store) = mounted {
        let _ = store.check();
        note();
        let _ = store.walk(true, &mut |_| ());
        note();
        let _ = store.digest(&Key::ROOT);
        note();
        let _ = store.size(&Key::ROOT);
        note();
        let _ = store.usage();
        note();
        // The first change repairs.
        let _ = store.set(&Key::new("/new"), &[1; 2000]);
        note();
        let _ = store.remove(&Key::new("/d"));
        note();
    }
    most.div_ceil(capacity)
}

fn corpus(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../corpus")
        .join(folder);
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

fn block_size_of(image: &[u8]) -> u32 {
    let read = |offset: u64, buffer: &mut [u8]| {
        let bytes = image.get(offset as usize..offset as usize + buffer.len());
        bytes.map(|bytes| buffer.copy_from_slice(bytes)).is_some()
    };
    probe_block_size(read).unwrap_or(512)
}

#[test]
fn images_of_the_corpus() {
    for path in corpus("images") {
        if path.extension().is_some_and(|extension| extension == "img") {
            let image = fs::read(&path).unwrap();
            let block_size = block_size_of(&image);
            let most = most_read(image, block_size);
            assert!(most <= BOUND, "{}: {most}", path.display());
        }
    }
}

#[test]
fn what_fuzzers_found() {
    for path in corpus("fuzz/mount") {
        let bytes = fs::read(&path).unwrap();
        let (choice, image) = bytes.split_first().unwrap();
        let block_size = [128, 256, 512][usize::from(choice & 0x7f) % 3];
        let most = most_read(image.to_vec(), block_size);
        assert!(most <= BOUND, "{}: {most}", path.display());
    }
}
