//! `cutpoint image pack` and `unpack`: a folder into an image and back.
#![cfg(unix)]

mod cli;

use cli::{Scratch, corpus, cutpoint, printed, refusal};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file, or a folder with what is in it.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    File(Vec<u8>),
    Folder(BTreeMap<Vec<u8>, (Node, SystemTime)>),
}

impl Node {
    fn make(&self, path: &Path, modified: SystemTime) {
        match self {
            Self::File(content) => fs::write(path, content).unwrap(),
            Self::Folder(nodes) => {
                fs::create_dir(path).unwrap();
                for (name, (node, modified)) in nodes {
                    node.make(&path.join(OsStr::from_bytes(name)), *modified);
                }
            }
        }
        File::open(path).unwrap().set_modified(modified).unwrap();
    }

    fn read(path: &Path) -> (Self, SystemTime) {
        let metadata = fs::symlink_metadata(path).unwrap();
        let node = if metadata.is_symlink() {
            Self::File(
                fs::read_link(path)
                    .unwrap()
                    .into_os_string()
                    .into_encoded_bytes(),
            )
        } else if metadata.is_dir() {
            let entries = fs::read_dir(path).unwrap().map(|entry| {
                let entry = entry.unwrap();
                (
                    entry.file_name().as_bytes().to_vec(),
                    Self::read(&entry.path()),
                )
            });
            Self::Folder(entries.collect())
        } else {
            Self::File(fs::read(path).unwrap())
        };
        (node, metadata.modified().unwrap())
    }

    /// The same with no times.
    fn timeless(self) -> Self {
        match self {
            Self::File(_) => self,
            Self::Folder(nodes) => {
                let nodes = nodes.into_iter();
                Self::Folder(
                    nodes
                        .map(|(name, (node, _))| (name, (node.timeless(), UNIX_EPOCH)))
                        .collect(),
                )
            }
        }
    }
}

/// Any name that a file can have, odd ones among them.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let bytes = vec(any::<u8>(), 1..40).prop_filter("a name", |name| {
        !matches!(&name[..], b"." | b"..") && !name.contains(&0) && !name.contains(&b'/')
    });
    prop_oneof![bytes, "[a-c]{1,3}".prop_map(String::into_bytes)]
}

/// To the nanosecond, before 1970 as well.
fn time() -> impl Strategy<Value = SystemTime> {
    (-2_000_000_000_i64..4_000_000_000, 0..1_000_000_000_u32).prop_map(|(seconds, nanoseconds)| {
        let whole = Duration::from_secs(seconds.unsigned_abs());
        let second = if seconds < 0 {
            UNIX_EPOCH - whole
        } else {
            UNIX_EPOCH + whole
        };
        second + Duration::from_nanos(nanoseconds.into())
    })
}

fn folder() -> impl Strategy<Value = Node> {
    let size = prop_oneof![0..70_usize, 100..600_usize, 3000..9000_usize];
    let file = (size, any::<u8>()).prop_map(|(size, first)| {
        Node::File((0..size).map(|i| first.wrapping_add(i as u8)).collect())
    });
    let nodes = |node| btree_map(name(), (node, time()), 0..8).prop_map(Node::Folder);
    nodes(
        file.prop_recursive(4, 40, 8, move |node| nodes(node.boxed()).boxed())
            .boxed(),
    )
}

/// The one directory of a test, as text.
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_folder_comes_back_as_it_was(
        node in folder(), modified in time(), block_size in prop::sample::select(vec!["256", "512", "4096"])
    ) {
        let scratch = Scratch::empty();
        let (from, to) = (scratch.path("from"), scratch.path("to"));
        node.make(&from, modified);
        printed(["pack", &scratch.image, text(&from), "--block-size", block_size]);
        printed(["check", &scratch.image]);
        printed(["unpack", &scratch.image, text(&to)]);
        prop_assert_eq!(Node::read(&to), (node, modified));
        prop_assert_eq!(fs::read_dir(&scratch.directory).unwrap().count(), 3, "files were left behind");
    }
}

/// A folder with a bit of everything.
fn sample(scratch: &Scratch) -> PathBuf {
    let folder = scratch.path("folder");
    fs::create_dir_all(folder.join("deep/er")).unwrap();
    fs::create_dir(folder.join("empty")).unwrap();
    fs::write(folder.join("deep/er/large"), [7; 3000]).unwrap();
    for i in 0..40 {
        fs::write(folder.join(format!("deep/small{i}")), [i; 40]).unwrap();
    }
    folder
}

#[test]
fn the_same_folder_makes_the_same_image() {
    let scratch = Scratch::empty();
    let folder = sample(&scratch);
    printed(["pack", &scratch.image, text(&folder)]);
    let first = scratch.bytes();
    printed(["pack", &scratch.image, text(&folder), "--force"]);
    assert!(scratch.bytes() == first);
}

#[test]
fn the_image_is_as_small_as_can_be() {
    for block_size in [128, 512, 4096] {
        let scratch = Scratch::empty();
        let folder = sample(&scratch);
        let size = block_size.to_string();
        let pack = ["pack", &scratch.image, text(&folder), "--block-size", &size];
        printed(pack);
        let blocks = scratch.bytes().len() / block_size;
        fs::remove_file(&scratch.image).unwrap();

        let fewer = (blocks - 1).to_string();
        let line = refusal(pack.into_iter().chain(["--block-count", &fewer]));
        assert!(
            line.contains(&format!("does not fit {fewer} blocks")),
            "{line}"
        );
        assert!(!Path::new(&scratch.image).exists());
        printed(
            pack.into_iter()
                .chain(["--block-count", &blocks.to_string()]),
        );
    }
}

#[test]
fn geometry_and_version_are_as_asked_for() {
    let scratch = Scratch::empty();
    let folder = sample(&scratch);
    let geometry = [
        "--block-size",
        "512",
        "--block-count",
        "200",
        "--prog-size",
        "16",
    ];
    let version = ["--disk-version", "2.0"];
    let pack = ["pack", &scratch.image, text(&folder)];
    printed(pack.into_iter().chain(geometry).chain(version));
    let stat = printed(["stat", &scratch.image]);
    assert!(
        stat.contains("format version    2.0\nblocks            200 of 512 bytes\n"),
        "{stat}"
    );
    // There is room, and the program size fits.
    printed([
        "write",
        &scratch.image,
        "/new",
        "value",
        "--prog-size",
        "16",
    ]);
}

/// The refusal of packing `folder`, which leaves nothing behind.
fn pack_refuses(scratch: &Scratch, folder: &Path, options: &[&str]) -> String {
    let before = fs::read_dir(&scratch.directory).unwrap().count();
    let pack = ["pack", &scratch.image, text(folder)];
    let line = refusal(pack.into_iter().chain(options.iter().copied()));
    assert_eq!(
        fs::read_dir(&scratch.directory).unwrap().count(),
        before,
        "files were left behind"
    );
    line.replace(text(scratch.directory.path()), "DIR")
}

#[test]
fn what_no_image_holds_is_refused_by_its_path() {
    let mut lines = Vec::new();
    let scratch = Scratch::empty();
    let folder = sample(&scratch);
    let odd = folder.join("deep/er/odd");

    std::os::unix::fs::symlink("large", &odd).unwrap();
    lines.push(pack_refuses(&scratch, &folder, &[]));
    fs::remove_file(&odd).unwrap();

    let socket = UnixListener::bind(&odd).unwrap();
    lines.push(pack_refuses(&scratch, &folder, &[]));
    drop(socket);
    fs::remove_file(&odd).unwrap();

    File::create(&odd).unwrap().set_len(1 << 31).unwrap();
    lines.push(pack_refuses(&scratch, &folder, &[]));
    fs::remove_file(&odd).unwrap();

    let long = folder.join("n".repeat(200));
    fs::write(&long, "").unwrap();
    let line = pack_refuses(&scratch, &folder, &["--block-size", "128"]);
    lines.push(line.replace(&"n".repeat(200), "nnn..."));
    fs::remove_file(&long).unwrap();

    lines.push(pack_refuses(&scratch, &folder.join("deep/er/large"), &[]));
    lines.push(pack_refuses(&scratch, &folder.join("missing"), &[]));
    lines.push(pack_refuses(&scratch, scratch.directory.path(), &[]));
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn an_image_is_replaced_only_with_force_and_stays_where_packing_fails() {
    let elsewhere = Scratch::empty();
    let folder = sample(&elsewhere);
    let scratch = Scratch::formatted();
    insta::assert_snapshot!(
        scratch.refuses("pack", &[text(&folder)]),
        @"error: DIR/store.img: exists already; --force replaces it"
    );
    std::os::unix::fs::symlink("nowhere", folder.join("link")).unwrap();
    let line = scratch.refuses("pack", &[text(&folder), "--force"]);
    assert!(line.contains("is a symbolic link"), "{line}");
    fs::remove_file(folder.join("link")).unwrap();
    printed(["pack", &scratch.image, text(&folder), "--force"]);
    printed(["check", &scratch.image]);
}

/// The refusal of unpacking into `folder`, which leaves nothing behind.
fn unpack_refuses(scratch: &Scratch, folder: &Path, options: &[&str]) -> String {
    let before = Node::read(scratch.directory.path()).0.timeless();
    let unpack = ["unpack", &scratch.image, text(folder)];
    let line = refusal(unpack.into_iter().chain(options.iter().copied()));
    assert!(
        Node::read(scratch.directory.path()).0.timeless() == before,
        "files have changed"
    );
    line.replace(text(scratch.directory.path()), "DIR")
}

#[test]
fn unpacking_into_a_folder_keeps_what_is_not_in_the_image() {
    let scratch = Scratch::empty();
    printed(["pack", &scratch.image, text(&sample(&scratch))]);
    let there = scratch.path("there");
    fs::create_dir_all(there.join("deep/er")).unwrap();
    fs::write(there.join("deep/small1"), "old").unwrap();
    fs::write(there.join("deep/mine"), "mine").unwrap();
    let outside = scratch.path("outside");
    fs::write(&outside, "outside").unwrap();
    std::os::unix::fs::symlink(&outside, there.join("deep/er/large")).unwrap();

    insta::assert_snapshot!(
        unpack_refuses(&scratch, &there, &[]),
        @"error: DIR/there: exists already; --force unpacks into it"
    );
    insta::assert_snapshot!(
        unpack_refuses(&scratch, &outside, &["--force"]),
        @"error: DIR/outside: is not a folder"
    );
    printed(["unpack", &scratch.image, text(&there), "--force"]);
    assert_eq!(fs::read(there.join("deep/small1")).unwrap(), [1; 40]);
    assert_eq!(fs::read(there.join("deep/er/large")).unwrap(), [7; 3000]);
    assert_eq!(fs::read(there.join("deep/mine")).unwrap(), b"mine");
    assert_eq!(
        fs::read(&outside).unwrap(),
        b"outside",
        "a link was followed"
    );
    assert!(there.join("empty").is_dir());
    assert_eq!(
        fs::read_dir(&there).unwrap().count(),
        2,
        "files were left behind"
    );
}

#[test]
fn what_is_in_the_way_is_refused_before_anything_moves() {
    let mut lines = Vec::new();
    let scratch = Scratch::empty();
    printed(["pack", &scratch.image, text(&sample(&scratch))]);
    let there = scratch.path("there");
    // The last in the order of names: all else could have moved before.
    fs::create_dir(&there).unwrap();
    let empty = there.join("empty");
    fs::write(&empty, "a file").unwrap();
    lines.push(unpack_refuses(&scratch, &there, &["--force"]));
    fs::remove_file(&empty).unwrap();
    // A link to a folder is not gone through.
    std::os::unix::fs::symlink(scratch.path("folder"), &empty).unwrap();
    lines.push(unpack_refuses(&scratch, &there, &["--force"]));
    fs::remove_file(&empty).unwrap();
    fs::create_dir_all(there.join("deep/er/large")).unwrap();
    lines.push(unpack_refuses(&scratch, &there, &["--force"]));
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn images_of_the_c_littlefs_unpack_and_damaged_ones_do_not() {
    let scratch = Scratch::empty();
    let to = scratch.path("to");
    printed(["unpack", &corpus("mixed_1m_4096_v21.img"), text(&to)]);
    for line in printed(["tree", &corpus("mixed_1m_4096_v21.img"), "--json"]).lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let path = to.join(line["path"].as_str().unwrap().trim_start_matches('/'));
        let metadata = fs::metadata(path).unwrap();
        assert_eq!(metadata.is_dir(), line["type"] == "dictionary");
        if metadata.is_file() {
            assert_eq!(metadata.len(), line["size"].as_u64().unwrap());
        }
    }
    let line = refusal([
        "unpack",
        &corpus("odd_dir_pointer.img"),
        text(&scratch.path("no")),
    ]);
    assert!(
        line.contains("odd_dir_pointer.img: damaged at block"),
        "{line}"
    );
    assert!(!scratch.path("no").exists());
}

#[test]
fn what_is_no_image_makes_no_folder() {
    let scratch = Scratch::holding(b"no image");
    let line = scratch.refuses("unpack", &[text(&scratch.path("to"))]);
    assert!(line.contains("not a littlefs image"), "{line}");
}

#[test]
fn attributes_that_no_folder_holds_are_counted() {
    let scratch = Scratch::empty();
    let to = scratch.path("to");
    let told = cutpoint(["unpack", &corpus("attrs_1024_v21.img"), text(&to)])
        .assert()
        .success();
    insta::assert_snapshot!(
        String::from_utf8_lossy(&told.get_output().stdout),
        @"files: 2, folders: 1; attributes left out: 6"
    );
}
