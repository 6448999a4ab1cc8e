//! The time at which a value was last set.

use cutpoint_engine::device::{Geometry, MemoryDevice};
use cutpoint_engine::{Error, FormatOptions, Key, MountOptions, Store, Timestamp};

/// No change goes without its time: where there is no room for that in the entry, it is refused.
#[test]
fn a_value_is_not_cut_where_its_time_finds_no_room() {
    let mut device = MemoryDevice::new(Geometry::new(128, 64).unwrap());
    Store::format(&mut device, &FormatOptions::default()).unwrap();
    let key = Key::new("/v");
    let mut store = Store::mount(&mut device, &MountOptions::default()).unwrap();
    store.set(&key, &[1; 300]).unwrap();
    store.set_attribute(&key, 1, &[2; 60]).unwrap();
    let noon = Timestamp::from_unix(1_646_395_200, 0);
    let mut store = store.with_clock(move || noon);
    for refused in [store.truncate(&key, 200), store.set(&key, &[1; 200])] {
        assert_eq!(refused, Err(Error::EntryTooLarge(key.clone())));
    }
    assert_eq!(store.size(&key), Ok(300));
    store.remove_attribute(&key, 1).unwrap();
    store.truncate(&key, 200).unwrap();
    assert_eq!(store.last_modified(&key), Ok(noon));
    assert_eq!(store.get(&key), Ok(vec![1; 200]));
}
