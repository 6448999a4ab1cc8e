use super::CallBudget;
use super::seal::seal;
use cutpoint_engine::device::{BlockDevice, MemoryDevice};
use cutpoint_engine::{Item, Key, Kind, MountOptions, Node, Store};
use std::collections::{BTreeMap, BTreeSet};

/// Block sizes that the first byte chooses from: small, so that a small input holds many blocks.
const BLOCK_SIZES: [u32; 3] = [128, 256, 512];

/// The bit of the first byte that asks for the image's checksums to be put right first.
pub(super) const SEALED: u8 = 0x80;

/// Device calls that reading everything may take for each block of the image: far above what any image needs.
const CALLS_PER_BLOCK: u64 = 20_000;

/// An input, as an image on a device.
struct Input {
    image: Vec<u8>,
    block_size: u32,
}

impl Input {
    /// What `bytes` stand for: the first chooses the block size (its low seven bits, modulo 3: 128, 256 or 512 bytes)
    /// and whether the checksums of all commits are put right first (its top bit); the rest is the image.
    fn of(bytes: &[u8]) -> Option<Self> {
        let (&choice, image) = bytes.split_first()?;
        let block_size = block_size(choice);
        let mut image = image.to_vec();
        if choice & SEALED != 0 {
            seal(&mut image, block_size as usize);
        }
        Some(Self { image, block_size })
    }

    /// A device that holds the image and answers as many calls as it may take, where there is one of that size.
    fn device(&self) -> Option<CallBudget<MemoryDevice>> {
        let device = MemoryDevice::from_image(self.image.clone(), self.block_size).ok()?;
        let blocks = self.image.len() as u64 / u64::from(self.block_size);
        Some(CallBudget::new(device, CALLS_PER_BLOCK * blocks))
    }

    #[track_caller]
    fn assert_untouched(&self, device: &CallBudget<MemoryDevice>) {
        assert!(
            device.device().bytes() == self.image,
            "mounting and reading wrote to the device"
        );
    }
}

/// Takes `bytes` as an image, mounts it, and where that works reads the whole tree with its values once.
///
/// The first byte chooses the block size (its low seven bits, modulo 3: 128, 256 or 512 bytes) and whether the
/// checksums of all commits are put right first (its top bit); the rest is the image. This is the target for many
/// inputs; [`mount_repaired`] does more with each.
///
/// # Panics
///
/// Where a promise about arbitrary bytes is broken: a panic inside the engine, a call that does not end, a write to
/// the device.
///
/// ```
/// cutpoint::fuzzing::mount(b"not an image");
/// ```
pub fn mount(bytes: &[u8]) {
    let Some(input) = Input::of(bytes) else {
        return;
    };
    let Some(mut device) = input.device() else {
        return;
    };
    if let Ok(mut store) = Store::mount(&mut device, &MountOptions::default()) {
        let _ = store.walk(true, &mut |_| {});
    }
    input.assert_untouched(&device);
}

/// Takes `bytes` as an image as [`mount`] does, with the checksums of all commits put right whatever the top bit says,
/// mounts it, and where that works reads everything there is in all ways, then changes some of it: for a fuzzer that
/// [damages](super::damage()) what commits say.
///
/// # Panics
///
/// As [`mount`]; and where a store without damage is one tree for `walk` and another for `list` and `get`, or a change
/// of such a store is not there when it is read again.
///
/// ```
/// cutpoint::fuzzing::mount_repaired(b"not an image");
/// ```
pub fn mount_repaired(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    if let Some(choice) = bytes.first_mut() {
        *choice |= SEALED;
    }
    let Some(input) = Input::of(&bytes) else {
        return;
    };
    let Some(mut device) = input.device() else {
        return;
    };
    let sound = match Store::mount(&mut device, &MountOptions::default()) {
        Ok(mut store) => read_everything(&mut store),
        Err(_) => return,
    };
    input.assert_untouched(&device);
    // What an image holds need not be erased where its commits say so: refusing to program it is no fault of the
    // engine's, and the store must take that, too.
    if let Ok(mut store) = Store::mount(&mut device, &MountOptions::default()) {
        change_some(&mut store, sound);
    }
}

/// The block size that the first byte of an input chooses.
pub(super) fn block_size(choice: u8) -> u32 {
    BLOCK_SIZES[usize::from(choice & !SEALED) % BLOCK_SIZES.len()]
}

/// Sets, renames and removes, in the root and where the image has something. In a store that is `sound`, what has been
/// set is there; in a damaged one each call must end.
fn change_some<D: BlockDevice>(store: &mut Store<D>, sound: bool) {
    let mut first = None;
    let _ = store.walk(false, &mut |item| {
        first.get_or_insert(item.key);
    });
    let set = [
        (Key::new("/fuzz"), vec![1; 3]),
        (Key::new("/fuzzed/below/it"), vec![2; 1500]),
    ];
    for (key, value) in &set {
        if store.set(key, value).is_ok() && sound {
            assert_eq!(store.get(key).as_ref(), Ok(value), "{key} was just set");
        }
    }
    let moved = Key::new("/fuzzed/moved");
    if let Some(first) = first {
        let _ = store.rename(&first, &moved);
        let _ = store.remove(&first);
    }
    let _ = store.remove(&moved);
    let removed = store.remove(&Key::new("/fuzzed")).is_ok();
    if removed && sound {
        assert_eq!(store.exists(&moved), Ok(None), "just removed");
        let report = store.check();
        assert!(
            report.as_ref().is_ok_and(|report| report.damage.is_empty()),
            "damage after changes: {report:?}"
        );
    }
}

/// Calls everything that only reads. Where the check finds no damage, all ways to read must agree. Says whether that
/// is so.
fn read_everything<D: BlockDevice>(store: &mut Store<D>) -> bool {
    let sound = store.check().is_ok_and(|report| report.damage.is_empty());
    let mut items = Vec::new();
    let walked = store.walk(true, &mut |item| items.push(item));
    assert!(!sound || walked.is_ok(), "checked sound, but: {walked:?}");
    let _ = store.list(&Key::ROOT);
    let _ = store.attributes(&Key::ROOT);
    // Each dictionary is listed once, however much it holds: nothing changes meanwhile.
    let mut lists = BTreeMap::new();
    for item in items {
        let agreed = read_again(store, &mut lists, &item);
        assert!(!sound || agreed, "walk shows {item:?}, other calls do not");
    }
    sound
}

/// What dictionaries list; none where they cannot be listed.
type Lists = BTreeMap<Key, Option<BTreeSet<(Key, Kind)>>>;

/// What the dictionary lists, once.
fn list<'l, D: BlockDevice>(
    store: &mut Store<D>,
    lists: &'l mut Lists,
    dictionary: Key,
) -> Option<&'l BTreeSet<(Key, Kind)>> {
    let listed = lists.entry(dictionary).or_insert_with_key(|dictionary| {
        let entries = store.list(dictionary).ok()?;
        Some(entries.into_iter().collect())
    });
    listed.as_ref()
}

/// Whether the item is found, listed and read by its key as it was met on the walk.
fn read_again<D: BlockDevice>(store: &mut Store<D>, lists: &mut Lists, item: &Item) -> bool {
    let key = &item.key;
    let (kind, same_content) = match &item.node {
        Node::Dictionary => {
            let can_be_listed = list(store, lists, key.clone()).is_some();
            (Kind::Dictionary, can_be_listed)
        }
        Node::Value { content, .. } => (Kind::Value, store.get(key).ok() == *content),
    };
    let same_attributes = store.attributes(key).as_ref() == Ok(&item.attributes);
    let found = store.exists(key) == Ok(Some(kind));
    let parent = key.parent().unwrap_or(Key::ROOT);
    let listed =
        list(store, lists, parent).is_some_and(|entries| entries.contains(&(key.clone(), kind)));
    same_content && same_attributes && found && listed
}
