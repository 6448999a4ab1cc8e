//! What becomes of the pairs of a dictionary.

use cutpoint_engine::device::{Geometry, MemoryDevice};
use cutpoint_engine::{FormatOptions, Key, MountOptions, Store};

fn name(number: u32) -> Key {
    Key::new(format!("/d/{number:02}"))
}

/// A pair that is not the first of its dictionary leaves it with its last entry, also where that entry takes the place of
/// one in the pair behind, which moves to other blocks for that: both are told by one commit to the pair it leaves.
#[test]
fn no_pair_without_entries_stays_in_a_dictionary() {
    const NAMES: u32 = 24;
    let geometry = Geometry::new(128, 256).unwrap();
    let options = MountOptions::default().with_block_cycles(1);
    let mut device = MemoryDevice::new(geometry);
    Store::format(&mut device, &FormatOptions::default()).unwrap();
    let mut store = Store::mount(&mut device, &options).unwrap();
    for number in 0..NAMES {
        store.set(&name(number), &[7; 15]).unwrap();
    }
    // Some pairs keep one entry.
    for number in (0..NAMES).filter(|number| number % 3 != 0) {
        store.remove(&name(number)).unwrap();
    }
    drop(store);
    let image = device.into_image();
    for from in (0..NAMES - 3).step_by(3) {
        let to = from + 3;
        // The pair behind moves in one of these, whatever its wear was.
        for changes in 0..12 {
            let device = MemoryDevice::from_image(image.clone(), 128).unwrap();
            let mut store = Store::mount(device, &options).unwrap();
            for change in 0..changes {
                store.set(&name(to), &[change; 15]).unwrap();
            }
            store.rename(&name(from), &name(to)).unwrap();
            let damage = store.check().unwrap().damage;
            assert_eq!(damage, [], "{from} to {to}, {changes} changes before");
        }
    }
}
