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

/// A disk whose dictionary with a split one moved into it is removed, and what power cuts in that leave.
struct Removal {
    model: Model,
    /// Where the engine shows the removal done and has something to repair.
    windows: Vec<Vec<u8>>,
}

impl Removal {
    /// After `changes` further changes, which bring pairs nearer to a move for the sake of wear.
    fn new(geometry: Geometry, options: &MountOptions, changes: usize) -> Self {
        let mut device = MemoryDevice::new(geometry);
        Store::format(&mut device, &FormatOptions::default()).unwrap();
        let mut before = changes::moved_in(geometry.block_size());
        before.extend((0..changes).map(|change| Change::Set {
            path: b"/between/v".to_vec(),
            data: vec![change as u8; geometry.block_size() as usize / 8],
        }));
        let removal = [Change::Remove {
            path: changes::OUTER.to_vec(),
        }];
        let mut model = Model::default();
        for change in before.iter().chain(&removal) {
            model.apply(change);
        }
        let image = device.into_image();
        let (_, full) = change_with_engine(&image, geometry, options, &before, None);
        let (whole, _) = change_with_engine(&full, geometry, options, &removal, None);
        let lefts = (0..whole.writes as u64)
            .map(|cut| change_with_engine(&full, geometry, options, &removal, Some(cut)).1);
        let windows = lefts.filter(|left| {
            let device = MemoryDevice::from_image(left.clone(), geometry.block_size()).unwrap();
            let mut store = Store::mount(device, &MountOptions::default()).unwrap();
            store.check().unwrap().repair_pending
                && read_with_engine(left, geometry).tree() == model.tree()
        });
        Self {
            windows: windows.collect(),
            model,
        }
    }
}

#[test]
#[ignore = "needs the Python package littlefs-python: see interop/README.md"]
fn c_that_keeps_its_power_in_the_window_is_right() {
    let mut worker = Worker::start();
    let mut windows = 0;
    for (block_size, prog_size) in [(128, 1), (256, 64), (512, 16)] {
        let geometry = Geometry::new(block_size, 256).unwrap();
        let geometry = geometry.with_prog_size(prog_size).unwrap();
        let settings = Settings::new(geometry);
        for cycles in [0, 1, 2] {
            let options = MountOptions::default().with_block_cycles(cycles);
            for changes in 0..6 {
                let removal = Removal::new(geometry, &options, changes);
                for window in &removal.windows {
                    let (trees, _) = worker.trees(settings, window);
                    let what =
                        format!("blocks of {block_size}, cycles {cycles}, {changes} changes");
                    assert_eq!(trees.repaired, removal.model.tree(), "{what}");
                    windows += 1;
                }
            }
        }
    }
    assert!(windows > 50, "{windows} windows");
}

#[test]
#[ignore = "needs the Python package littlefs-python: see interop/README.md"]
fn c_that_loses_power_in_the_window_splices() {
    let geometry = Geometry::new(512, 128).unwrap();
    let geometry = geometry.with_prog_size(16).unwrap();
    let settings = Settings::new(geometry);
    let mut worker = Worker::start();
    let removal = Removal::new(geometry, &MountOptions::default(), 0);
    // For the removal of a dictionary it announces orphans.
    let change = [Change::Remove {
        path: b"/between".to_vec(),
    }];
    let mut after = removal.model.clone();
    after.apply(&change[0]);
    let allowed = [removal.model.tree(), after.tree()];
    let (mut tried, mut spliced) = (0, 0);
    for window in &removal.windows {
        let (progress, _) = worker.change(settings, window, &change, None);
        for cut in 0..=progress.writes as u64 {
            let (_, twice) = worker.change(settings, window, &change, Some(cut));
            // The engine is right on all of them.
            assert!(
                allowed.contains(&read_with_engine(&twice, geometry).tree()),
                "cut {cut}"
            );
            tried += 1;
            let repaired = worker
                .try_trees(settings, &twice)
                .map(|trees| trees.repaired);
            spliced += u32::from(repaired.is_none_or(|tree| !allowed.contains(&tree)));
        }
    }
    println!(
        "{} windows, {tried} cuts of C in them, {spliced} spliced",
        removal.windows.len()
    );
    assert!(spliced > 0, "the limit is gone: say so in docs/engine.md");
    assert!(
        spliced < tried,
        "the limit is wider than docs/engine.md says"
    );
}
