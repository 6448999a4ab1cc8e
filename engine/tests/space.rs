//! Free blocks on small devices.

use cutpoint_engine::device::{Geometry, MemoryDevice};
use cutpoint_engine::{FormatOptions, Key, MountOptions, Store};

/// A search for free blocks that starts over within a call has to remember, beyond the end of that call, what the call
/// has taken before: here the blocks of a value that becomes visible only then.
#[test]
fn a_search_that_starts_over_within_a_call_counts_what_the_call_has_taken() {
    let geometry = Geometry::new(256, 24).unwrap();
    // The search moves on by a block with each of these sets, and starts over in the middle of the large value.
    for before in 0..geometry.block_count() {
        let mut device = MemoryDevice::new(geometry);
        Store::format(&mut device, &FormatOptions::default()).unwrap();
        let mut store = Store::mount(&mut device, &MountOptions::default()).unwrap();
        let mut set = |name: &str, length: usize| {
            store.set(&Key::new(name), &vec![1; length]).unwrap();
            let damage = store.check().unwrap().damage;
            assert_eq!(damage, [], "{before} small values before");
        };
        for _ in 0..before {
            set("/small", 100);
        }
        set("/large", 1500);
        for _ in 0..geometry.block_count() {
            set("/small", 100);
        }
    }
}
