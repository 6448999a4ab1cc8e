use super::CallBudget;
use super::mount::{SEALED, block_size};
use super::seal::seal;
use crate::anatomy::Anatomy;
use crate::report::anatomy::{drawing, dump, map};
use cutpoint_engine::device::MemoryDevice;
use cutpoint_engine::{MountOptions, Store};

/// Device calls that taking an image apart may take for each of its blocks: those of a mount and a check, and few more.
const CALLS_PER_BLOCK: u64 = 20_000;

/// Takes `bytes` as an image, as [`mount`](super::mount()) does, takes it apart and shows it in every form.
///
/// # Panics
///
/// Where that panics, does not end or writes to the device; where a sound store without a repair pending has other blocks in
/// use, or another tree, than the engine says.
///
/// ```
/// cutpoint::fuzzing::take_apart(b"not an image");
/// ```
pub fn take_apart(bytes: &[u8]) {
    let Some((&choice, image)) = bytes.split_first() else {
        return;
    };
    let block_size = block_size(choice);
    let mut image = image.to_vec();
    if choice & SEALED != 0 {
        seal(&mut image, block_size as usize);
    }
    let Ok(device) = MemoryDevice::from_image(image.clone(), block_size) else {
        return;
    };
    let blocks = image.len() as u64 / u64::from(block_size);
    let mut device = CallBudget::new(device, CALLS_PER_BLOCK * blocks);
    let anatomy = Anatomy::of(&mut device).expect("memory can be read");
    assert_eq!(anatomy.blocks.len() as u64, blocks);
    for shown in [dump(&anatomy, "image"), map(&anatomy, "image")] {
        assert!(!shown.is_empty());
    }
    assert!(drawing(&anatomy, "image").ends_with("</svg>\n"));
    serde_json::to_string(&anatomy).expect("plain data");
    let mounts = Store::mount(&mut device, &MountOptions::default()).is_ok();
    assert_eq!(mounts, anatomy.refusal.is_none());
    if mounts && anatomy.damage.is_empty() {
        agrees_with_the_engine(&anatomy, &mut device);
    }
    assert!(
        device.device().bytes() == image,
        "taking the image apart wrote to the device"
    );
}

/// A sound store is in the anatomy what it is for the engine.
fn agrees_with_the_engine(anatomy: &Anatomy, device: &mut CallBudget<MemoryDevice>) {
    let mut store = Store::mount(device, &MountOptions::default()).expect("it has mounted");
    if !anatomy.repair_pending {
        let report = store.check().expect("the store is sound");
        assert_eq!(anatomy.blocks_used(), report.blocks_used as usize);
    }
    let mut walked = Vec::new();
    store
        .walk(false, &mut |item| walked.push(item.key.as_bytes().to_vec()))
        .expect("the store is sound");
    let visible = anatomy.tree.iter().filter(|node| !node.hidden);
    let mut shown: Vec<_> = visible.map(|node| node.path_hex.clone()).collect();
    shown.sort();
    walked.sort();
    assert!(shown == walked, "{shown:?} is not {walked:?}");
}
