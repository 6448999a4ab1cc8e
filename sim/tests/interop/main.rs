//! Images pass both ways between this engine and the C littlefs.
//!
//! Each test takes one geometry and lets the two write in turns on one image. After each turn all readers must see
//! what was written: the engine (through `cutpoint image tree --json`), the C littlefs, and the C littlefs after its
//! own repair. `interop/README.md` says how to run them.

mod changes;
mod crash_states;
mod cuts;
mod image;
mod known_limit;
mod model;
mod packed;
mod sequence;
mod worker;

use changes::Writer;
use cutpoint_engine::device::Geometry;
use image::Image;
use model::Model;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Changes that one side makes before the other takes over.
const CHANGES_PER_TURN: usize = 40;
/// Turns after the first write, the C littlefs's and the engine's by turns.
const TURNS: usize = 6;

macro_rules! turns {
    ($($name:ident: $block_size:literal * $block_count:literal, prog $prog_size:literal;)*) => {$(
        #[test]
        #[ignore = "needs the Python package littlefs-python: see interop/README.md"]
        fn $name() {
            take_turns(Geometry::new($block_size, $block_count).unwrap().with_prog_size($prog_size).unwrap());
        }
    )*};
}

turns! {
    blocks_of_128_prog_1: 128 * 2048, prog 1;
    blocks_of_128_prog_16: 128 * 2048, prog 16;
    blocks_of_256_prog_64: 256 * 1024, prog 64;
    blocks_of_512_prog_16: 512 * 1024, prog 16;
    blocks_of_512_prog_512: 512 * 1024, prog 512;
    blocks_of_1024_prog_1: 1024 * 1024, prog 1;
    blocks_of_2048_prog_256: 2048 * 512, prog 256;
    blocks_of_4096_prog_16: 4096 * 512, prog 16;
    blocks_of_4096_prog_512: 4096 * 512, prog 512;
}

fn take_turns(geometry: Geometry) {
    let image = Image::formatted(geometry);
    let mut model = Model::default();

    let first = changes::first(geometry.block_size());
    for change in &first {
        model.apply(change);
    }
    image.change_with_engine(&first);
    image.expect_everywhere(&model, "the engine's first changes");

    let mut rng =
        ChaCha8Rng::seed_from_u64(u64::from(geometry.block_size() + geometry.prog_size()));
    let sizes = changes::boundary_sizes(geometry.block_size());
    for turn in 0..TURNS {
        let writer = if turn % 2 == 0 {
            Writer::C
        } else {
            Writer::Engine
        };
        let changes = changes::random(&mut model, &mut rng, writer, &sizes, CHANGES_PER_TURN);
        let after = match writer {
            Writer::C => {
                image.change_with_c(&changes);
                format!("the C littlefs's changes in turn {turn}")
            }
            Writer::Engine => {
                image.change_with_engine(&changes);
                format!("the engine's changes in turn {turn}")
            }
        };
        image.expect_everywhere(&model, &after);
    }
}
