use super::CallBudget;
use super::seal::seal;
use cutpoint_engine::device::{BlockDevice, MemoryDevice};
use cutpoint_engine::{Item, Key, Kind, MountOptions, Node, Store};

/// Block sizes that the first byte chooses from: small, so that a small input holds many blocks.
const BLOCK_SIZES: [u32; 3] = [128, 256, 512];

/// The bit of the first byte that asks for the image's checksums to be put right first.
const SEALED: u8 = 0x80;

/// Device calls that reading everything may take for each block of the image: far above what any image needs.
const CALLS_PER_BLOCK: u64 = 20_000;

/// Takes `bytes` as an image, mounts it, and where that works reads everything there is.
///
/// The first byte chooses the block size (its low seven bits, modulo 3: 128, 256 or 512 bytes) and whether the
/// checksums of all commits are put right first (its top bit); the rest is the image.
///
/// # Panics
///
/// Where a promise about arbitrary bytes is broken: a panic inside the engine, a call that does not end, a write to
/// the device, a store without damage that
/// is one tree for `walk` and another for `list` and `get`.
///
/// ```
/// cutpoint::fuzzing::mount(b"not an image");
/// ```
pub fn mount(bytes: &[u8]) {
    let Some((&choice, image)) = bytes.split_first() else {
        return;
    };
    let block_size = BLOCK_SIZES[usize::from(choice & !SEALED) % BLOCK_SIZES.len()];
    let mut image = image.to_vec();
    if choice & SEALED != 0 {
        seal(&mut image, block_size as usize);
    }
    let Ok(device) = MemoryDevice::from_image(image.clone(), block_size) else {
        return;
    };
    let blocks = image.len() as u64 / u64::from(block_size);
    let mut device = CallBudget::new(device, CALLS_PER_BLOCK * blocks);
    if let Ok(mut store) = Store::mount(&mut device, &MountOptions::default()) {
        read_everything(&mut store);
    }
    assert!(
        device.device().bytes() == image,
        "mounting and reading wrote to the device"
    );
}

/// Calls everything that only reads. Where the check finds no damage, all ways to read must agree.
fn read_everything<D: BlockDevice>(store: &mut Store<D>) {
    let sound = store.check().is_ok_and(|report| report.damage.is_empty());
    let mut items = Vec::new();
    let walked = store.walk(true, &mut |item| items.push(item));
    assert!(!sound || walked.is_ok(), "checked sound, but: {walked:?}");
    let _ = store.list(&Key::ROOT);
    let _ = store.attributes(&Key::ROOT);
    for item in items {
        let agreed = read_again(store, &item);
        assert!(!sound || agreed, "walk shows {item:?}, other calls do not");
    }
}

/// Whether the item is found, listed and read by its key as it was met on the walk.
fn read_again<D: BlockDevice>(store: &mut Store<D>, item: &Item) -> bool {
    let key = &item.key;
    let (kind, same_content) = match &item.node {
        Node::Dictionary => (Kind::Dictionary, store.list(key).is_ok()),
        Node::Value { content, .. } => (Kind::Value, store.get(key).ok() == *content),
    };
    let same_attributes = store.attributes(key).as_ref() == Ok(&item.attributes);
    let found = store.exists(key) == Ok(Some(kind));
    let parent = key.parent().unwrap_or(Key::ROOT);
    let listed = store
        .list(&parent)
        .is_ok_and(|entries| entries.contains(&(key.clone(), kind)));
    same_content && same_attributes && found && listed
}
