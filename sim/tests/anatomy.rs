//! Images taken apart: every image of the corpus, every fuzz seed, under every block size; and how they are shown.

#[allow(dead_code, reason = "other tests of the command line share the rest")]
mod cli;

use cli::{corpus, cutpoint, printed};
use cutpoint::anatomy::{Anatomy, CommitState, Use};
use cutpoint::fuzzing;
use cutpoint::report::anatomy::{drawing, dump, map};
use cutpoint_engine::device::{Geometry, MemoryDevice};
use cutpoint_engine::{DiskVersion, FormatOptions, Key, MountOptions, Store};
use std::fs;
use std::path::{Path, PathBuf};

fn anatomy(name: &str, block_size: u32) -> Anatomy {
    let image = fs::read(corpus(name)).unwrap();
    Anatomy::of(&mut MemoryDevice::from_image(image, block_size).unwrap()).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.collect();
    paths.sort();
    paths
}

/// What the command prints about an image of the corpus, which may be damaged.
fn shown(command: &str, name: &str, code: i32) -> String {
    let assert = cutpoint([command, &corpus(name)])
        .assert()
        .code(code)
        .stderr("");
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

#[test]
fn every_image_and_every_seed_is_taken_apart() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let mut taken = 0;
    for path in files(&corpus.join("images")) {
        let image = fs::read(path).unwrap();
        // Some are of other block sizes: then they are as good as any bytes.
        for choice in [0, 1, 2, 0x82] {
            fuzzing::take_apart(&[&[choice], &image[..]].concat());
            taken += 1;
        }
    }
    for folder in ["mount", "mount_repaired"] {
        for path in files(&corpus.join("fuzz").join(folder)) {
            fuzzing::take_apart(&fs::read(path).unwrap());
            taken += 1;
        }
    }
    assert!(taken > 200, "{taken}");
}

#[test]
fn large_blocks_are_taken_apart() {
    for (name, block_size) in [
        ("mixed_1m_4096_v21.img", 4096),
        ("sizes_4096_v20.img", 4096),
        ("split_4096_v21.img", 4096),
        ("basic_1024_prog1_v20.img", 1024),
        ("attrs_1024_v21.img", 1024),
    ] {
        let anatomy = anatomy(name, block_size);
        let image = fs::read(corpus(name)).unwrap();
        let device = MemoryDevice::from_image(image, block_size).unwrap();
        let mut store = Store::mount(device, &MountOptions::default()).unwrap();
        let report = store.check().unwrap();
        assert_eq!(anatomy.blocks_used(), report.blocks_used as usize, "{name}");
        let free = store.usage().unwrap().free as usize;
        assert_eq!(anatomy.blocks_free(), free, "{name}");
    }
}

#[test]
fn all_commits_of_a_store_of_any_geometry_are_valid() {
    for version in [DiskVersion::V2_0, DiskVersion::V2_1] {
        for (block_size, prog_size) in [(128, 1), (512, 64), (1540, 4), (65_536, 512)] {
            let geometry = Geometry::new(block_size, 128).unwrap();
            let mut device = MemoryDevice::new(geometry.with_prog_size(prog_size).unwrap());
            let options = FormatOptions::default().with_version(version);
            Store::format(&mut device, &options).unwrap();
            let mut store = Store::mount(&mut device, &MountOptions::default()).unwrap();
            for number in 0..5 {
                let key = Key::new(format!("/d{number}/value"));
                store.set(&key, &vec![7; 300 * number]).unwrap();
            }
            let anatomy = Anatomy::of(&mut device).unwrap();
            let halves = anatomy.pairs.iter().flat_map(|pair| &pair.halves);
            let mut commits = halves.flat_map(|half| &half.commits);
            // The spare block of a new pair holds what it held: here nothing.
            assert!(commits.all(|commit| commit.state == CommitState::Valid));
            assert_eq!(anatomy.tree.len(), 10);
            assert_eq!(anatomy.damage, []);
        }
    }
}

#[test]
fn a_block_that_is_spoilt_shows() {
    let mut image = fs::read(corpus("basic_512_v21.img")).unwrap();
    let device = || MemoryDevice::from_image(image.clone(), 512).unwrap();
    let sound = Anatomy::of(&mut device()).unwrap();
    let value = (sound.blocks.iter())
        .position(|block| matches!(block.usage, Use::Value { index: 1, .. }))
        .unwrap();
    image[value * 512..value * 512 + 4].fill(0xee);
    let device = || MemoryDevice::from_image(image.clone(), 512).unwrap();
    let spoilt = Anatomy::of(&mut device()).unwrap();
    assert_eq!(spoilt.refusal, None);
    assert_eq!(spoilt.damage[0].block as usize, value);
    assert!(spoilt.blocks[value].damaged);
    assert!(spoilt.blocks_used() < sound.blocks_used());
}

#[test]
fn dumps() {
    insta::assert_snapshot!(shown("dump", "pc_rename_over_dir_512_v21.img", 0));
    insta::assert_snapshot!(shown("dump", "lastcommit_bad_512_v21.img", 0));
    insta::assert_snapshot!(shown("dump", "bad_tail_cycle.img", 1));
    insta::assert_snapshot!(shown("dump", "odd_ctz_pointer.img", 1));
    insta::assert_snapshot!(shown("dump", "empty_128_v20.img", 0));
}

#[test]
fn a_dump_for_programs() {
    let text = printed(["dump", &corpus("empty_512_v21.img"), "--json"]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn maps() {
    insta::assert_snapshot!(shown("map", "mixed_1m_4096_v21.img", 0));
    insta::assert_snapshot!(shown("map", "odd_ctz_pointer.img", 1));
}

#[test]
fn lines_fit_a_terminal() {
    for name in [
        "basic_512_v21.img",
        "odd_ctz_pointer.img",
        "split_512_v21.img",
    ] {
        let anatomy = anatomy(name, 512);
        for text in [dump(&anatomy, name), map(&anatomy, name)] {
            let text = anstream::adapter::strip_str(&text).to_string();
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{name}: {line}");
            }
        }
    }
}

#[test]
fn a_drawing_names_every_block_and_escapes_names() {
    let anatomy = anatomy("basic_512_v21.img", 512);
    let svg = drawing(&anatomy, "<a & b>");
    assert!(svg.contains("<title id=\"title\">&lt;a &amp; b&gt;: map of blocks</title>"));
    for block in 0..anatomy.blocks.len() {
        assert!(svg.contains(&format!("<title>block {block}: ")), "{block}");
    }
}

#[test]
fn colours_are_for_terminals() {
    let text = shown("dump", "basic_512_v21.img", 0);
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn a_drawing_goes_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("map.svg");
    let path = file.to_str().unwrap();
    assert_eq!(
        printed(["map", &corpus("basic_512_v21.img"), "--svg", path]),
        ""
    );
    assert!(fs::read_to_string(&file).unwrap().starts_with("<svg "));
    let nowhere = folder.path().join("none/map.svg");
    let refusal = cli::refusal([
        "map",
        &corpus("basic_512_v21.img"),
        "--svg",
        nowhere.to_str().unwrap(),
    ]);
    assert!(refusal.contains("none/map.svg"), "{refusal}");
}

#[test]
fn what_is_no_image_is_refused_unless_the_block_size_is_given() {
    let refusal = cli::refusal(["dump", &corpus("bad_all_ff.img")]);
    assert!(refusal.contains("no littlefs superblock"), "{refusal}");
    cutpoint(["dump", &corpus("bad_all_ff.img"), "--block-size", "512"])
        .assert()
        .code(1)
        .stderr("");
}

#[test]
fn the_guide_shows_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let guide = fs::read_to_string(root.join("docs/image.md")).unwrap();
    let mut screens = 0;
    for part in guide.split("```console\n$ cutpoint image ").skip(1) {
        let screen = part.split("```").next().unwrap();
        let (arguments, expected) = screen.split_once('\n').unwrap();
        let output = cutpoint(arguments.split(' '))
            .current_dir(root.join("corpus/images"))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
        screens += 1;
    }
    assert_eq!(screens, 3);
}
