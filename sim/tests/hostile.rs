//! Sound images with a few bytes damaged and all checksums put right: each call on them ends, in a right answer or a
//! typed error.

use cutpoint::fuzzing;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

/// Small images whose blocks the fuzz target knows, with their block size's place in its list.
const IMAGES: [(&str, u8); 8] = [
    ("basic_128_v21", 0),
    ("basic_512_v20", 2),
    ("basic_512_v21", 2),
    ("noinline_512_v21", 2),
    ("pc_mkdir_split_512_v21", 2),
    ("pc_rename_over_dir_512_v21", 2),
    ("pc_expand_512_v21_k14", 2),
    ("renames_512_v21", 2),
];

/// The top bit of an input asks for checksums to be put right.
const SEALED: u8 = 0x80;

fn input(image: &str, choice: u8) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/images");
    let image = fs::read(dir.join(image).with_extension("img")).unwrap();
    let mut input = vec![choice | SEALED];
    input.extend(image);
    input
}

/// 600 cases, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(600),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn damaged_images_are_taken_without_harm(
        (image, choice) in prop::sample::select(IMAGES.to_vec()),
        // Most damage where the metadata is, at the starts of blocks.
        damage in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..160usize, any::<u8>(), prop::bool::weighted(0.8)),
            1..5,
        ),
    ) {
        let mut input = input(image, choice);
        let block_size = [128, 256, 512][usize::from(choice)];
        let image = &mut input[1..];
        for (place, offset, byte, near_start) in damage {
            let at = if near_start {
                place.index(image.len() / block_size) * block_size + offset.min(block_size - 1)
            } else {
                place.index(image.len())
            };
            image[at] = byte;
        }
        fuzzing::mount_repaired(&input);
        fuzzing::take_apart(&input);
    }
}

#[test]
fn the_images_are_sound_before_they_are_damaged() {
    for (image, choice) in IMAGES {
        fuzzing::mount_repaired(&input(image, choice));
    }
}
