//! The known limit of `docs/engine.md`: where the C littlefs loses power in the window that a power cut in the engine's
//! removal of a dictionary has left, its own repair can splice what is left of a split dictionary into another one.
//!
//! It is held down here so that nobody takes it for smaller or larger than it is.

use crate::changes;
use crate::model::{Change, Model};
use crate::sequence::{change_with_engine, read_with_engine};
use crate::worker::{Settings, Worker};
use cutpoint_engine::device::{Geometry, MemoryDevice};
use cutpoint_engine::{FormatOptions, MountOptions, Store};

#[test]
#[ignore = "needs the Python package littlefs-python: see interop/README.md"]
fn c_that_loses_power_in_the_window_splices() {
    let geometry = Geometry::new(512, 128).unwrap().with_prog_size(16).unwrap();
    let settings = Settings::new(geometry);
    let mut worker = Worker::start();
    let options = MountOptions::default();
    let mut device = MemoryDevice::new(geometry);
    Store::format(&mut device, &FormatOptions::default()).unwrap();
    let mut model = Model::default();
    let moved_in = changes::moved_in(512);
    for change in &moved_in {
        model.apply(change);
    }
    let image = device.into_image();
    let (_, full) = change_with_engine(&image, geometry, &options, &moved_in, None);

    // The removal, cut at each of its writes; the window is where the engine shows it done and has something to repair.
    let removal = [Change::Remove {
        path: changes::OUTER.to_vec(),
    }];
    let mut removed = model.clone();
    removed.apply(&removal[0]);
    let (whole, _) = change_with_engine(&full, geometry, &options, &removal, None);
    let (mut windows, mut tried, mut spliced) = (0, 0, 0);
    for cut in 0..whole.writes as u64 {
        let (_, left) = change_with_engine(&full, geometry, &options, &removal, Some(cut));
        let mut store = Store::mount(
            MemoryDevice::from_image(left.clone(), 512).unwrap(),
            &options,
        )
        .unwrap();
        let pending = store.check().unwrap().repair_pending;
        if !pending || read_with_engine(&left, geometry).tree() != removed.tree() {
            continue;
        }
        windows += 1;
        // C alone in the window, its power kept, is right.
        let (trees, _) = worker.trees(settings, &left);
        assert_eq!(trees.repaired, removed.tree(), "cut {cut}");
        // And where it loses power as it removes a dictionary, for which it announces orphans.
        let change = [Change::Remove {
            path: b"/between".to_vec(),
        }];
        let (progress, _) = worker.change(settings, &left, &change, None);
        for second in 0..=progress.writes as u64 {
            let (_, twice) = worker.change(settings, &left, &change, Some(second));
            let mut after = removed.clone();
            after.apply(&change[0]);
            let allowed = [removed.tree(), after.tree()];
            // The engine is right on all of them.
            let seen = read_with_engine(&twice, geometry).tree();
            assert!(allowed.contains(&seen), "cut {cut}, then {second}");
            tried += 1;
            if worker
                .try_trees(settings, &twice)
                .is_none_or(|trees| !allowed.contains(&trees.repaired))
            {
                spliced += 1;
            }
        }
    }
    println!("{windows} windows, {tried} cuts of C in them, {spliced} spliced");
    assert!(
        windows > 0 && spliced > 0,
        "the limit is gone: say so in docs/engine.md"
    );
    assert!(
        spliced < tried,
        "the limit is wider than docs/engine.md says"
    );
}
