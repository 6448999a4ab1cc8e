//! Damage to single tags and to what their data means.

use crate::fuzzing::log::Record;
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// All types of tags that the format assigns, one attribute, and one that it does not (SPEC.md, "Metadata types").
const KINDS: [u32; 16] = [
    0x001, 0x002, 0x0ff, 0x200, 0x201, 0x202, 0x374, 0x401, 0x4ff, 0x500, 0x501, 0x5ff, 0x600,
    0x601, 0x7ff, 0x123,
];

/// The type and first id of a pending move.
const MOVE: u32 = 0x4ff0_0000;

/// Changes a tag's type, id or length; with the length, most often the data, too.
pub(super) fn damage_tag(record: &mut Record, rng: &mut ChaCha8Rng) {
    let tag = record.tag;
    match rng.random_range(0..4) {
        0 => {
            let kind = KINDS.choose(rng).copied().unwrap_or_default();
            record.tag = tag.with_kind(kind);
        }
        1 => {
            let id = tag.0 >> 10 & 0x3ff;
            let ids = [
                id.wrapping_add(1),
                id.wrapping_sub(1),
                0,
                1,
                2,
                0x3fe,
                0x3ff,
            ];
            record.tag = tag.with_id(ids.choose(rng).copied().unwrap_or_default());
        }
        2 => {
            // Deleted, in most cases with what was there.
            record.tag = tag.with_length(0x3ff);
            if rng.random_bool(0.8) {
                record.data.clear();
            }
        }
        _ => {
            let length = record.data.len() as u32;
            let lengths = [0, 4, 7, 8, 12, 24, length + 1, length.saturating_sub(1)];
            let length = lengths.choose(rng).copied().unwrap_or_default().min(0x3fe);
            record.tag = tag.with_length(length);
            if rng.random_bool(0.8) {
                record.data.resize(length as usize, 0);
            }
        }
    }
}

/// Changes what a tag's data says, by what it means on an image of so many blocks.
pub(super) fn damage_data(record: &mut Record, blocks: u32, rng: &mut ChaCha8Rng) {
    let data = &mut record.data;
    match record.tag.kind() {
        0x001..=0x0ff => damage_name(data, rng),
        // A pair of blocks, or a value's last block and its size.
        0x200 | 0x202 | 0x600 | 0x601 => set_word(data, rng.random_range(0..2), blocks, rng),
        0x7ff => match rng.random_range(0..3) {
            0 => xor_word(data, 0, 0x8000_0000),
            1 => xor_word(data, 0, MOVE | rng.random_range(0..4) << 10),
            _ => set_word(data, rng.random_range(1..3), blocks, rng),
        },
        _ if data.len() >= 4 => {
            let words = data.len() / 4;
            set_word(data, rng.random_range(0..words), blocks, rng);
        }
        _ => {
            if let Some(byte) = data.first_mut() {
                *byte = rng.random();
            }
        }
    }
    // A name that has become longer or shorter.
    record.tag = record.tag.with_length(record.data.len() as u32);
}

fn damage_name(name: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    let names: [&[u8]; 8] = [
        b"",
        b"/",
        b".",
        b"..",
        b"littlefs",
        b"a",
        b"zz",
        &[0xff; 255],
    ];
    if rng.random_bool(0.5) {
        *name = names.choose(rng).copied().unwrap_or_default().to_vec();
    } else if !name.is_empty() {
        let at = rng.random_range(0..name.len());
        name[at] = rng.random();
    }
}

/// A number that means something in many places: a block, a size near a boundary, an extreme.
pub(super) fn word(blocks: u32, rng: &mut ChaCha8Rng) -> u32 {
    match rng.random_range(0..8) {
        0..5 => rng.random_range(0..=blocks),
        5 => blocks << rng.random_range(0..10),
        6 => 1 << rng.random_range(0..32),
        _ => u32::MAX >> rng.random_range(0..3),
    }
}

fn set_word(data: &mut [u8], place: usize, blocks: u32, rng: &mut ChaCha8Rng) {
    let value = word(blocks, rng);
    if let Some(field) = data.get_mut(4 * place..4 * place + 4) {
        field.copy_from_slice(&value.to_le_bytes());
    }
}

fn xor_word(data: &mut [u8], place: usize, bits: u32) {
    for (byte, bits) in data.iter_mut().skip(4 * place).zip(bits.to_le_bytes()) {
        *byte ^= bits;
    }
}
