//! The C littlefs reads what `cutpoint image pack` has made, though no block is left free.

use crate::image::Image;
use crate::model::{Change, Model};
use cutpoint_engine::Timestamp;
use cutpoint_engine::device::Geometry;
use std::fs::{self, File};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[test]
#[ignore = "needs the Python package littlefs-python: see interop/README.md"]
fn a_packed_folder_is_read_by_the_c_littlefs() {
    for block_size in [128, 512, 4096] {
        let mut model = Model::default();
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path();
        for (number, name) in ["a", "a/b", "empty"].into_iter().enumerate() {
            fs::create_dir(folder.join(name)).unwrap();
            model.apply(&Change::MakeDictionary { path: key(name) });
            for size in [0, 1, 40, 600, 5000] {
                let file = format!("{name}-{size}");
                let data = vec![number as u8 + 1; size];
                fs::write(folder.join(&file), &data).unwrap();
                let path = key(&file);
                model.apply(&Change::Set { path, data });
            }
        }
        // Folders after what has come into them.
        let entries = ["a-600", "a/b-40", "a/b", "a", "empty"];
        for (seconds, name) in (1_700_000_000..).zip(entries) {
            let time = UNIX_EPOCH + Duration::new(seconds, 5);
            let file = File::open(folder.join(name)).unwrap();
            file.set_modified(time).unwrap();
        }
        for path in model.paths() {
            let name = std::str::from_utf8(&path[1..]).unwrap();
            let time = fs::metadata(folder.join(name)).unwrap().modified();
            let data = encoded(time.unwrap());
            let kind = Timestamp::ATTRIBUTE;
            model.apply(&Change::SetAttribute { path, kind, data });
        }
        let image = Image::packed(folder, Geometry::new(block_size, 2).unwrap());
        image.expect_everywhere(&model, "packing");
    }
}

fn key(name: &str) -> Vec<u8> {
    format!("/{name}").into_bytes()
}

fn encoded(time: SystemTime) -> Vec<u8> {
    let time = Timestamp::from_system_time(time).unwrap();
    time.encode().to_vec()
}
