//! Damage to what valid commits say, with their checksums put right: a fuzzer's way past them.

mod field;

use super::log::{Log, Record};
use super::mount::block_size;
use super::seal::seal;
use super::tag::Tag;
use field::{damage_data, damage_tag, word};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Damages an input of [`mount_repaired`](super::mount_repaired): one to three changes, chosen by `seed`, to fields, tags,
/// commits or blocks of the image, and then the right checksums for all commits. It stays at most `longest` bytes long.
/// The same input and seed always give the same.
///
/// What is changed: a tag's type, id or length; a pointer, a size, a share of the global state, a field of the superblock,
/// a name; the order and number of tags and commits; revision counts; pointers in blocks of values; which block holds
/// what; how many blocks there are.
///
/// ```
/// let mut input = vec![2; 1025];
/// cutpoint::fuzzing::damage(&mut input, 4096, 7);
/// assert!(input.len() <= 4096);
/// ```
pub fn damage(input: &mut Vec<u8>, longest: usize, seed: u32) {
    let Some((&choice, image)) = input.split_first() else {
        return;
    };
    let size = block_size(choice) as usize;
    let mut rng = ChaCha8Rng::seed_from_u64(seed.into());
    let mut image = image.to_vec();
    if image.len() < 2 * size {
        return;
    }
    for _ in 0..rng.random_range(1..4) {
        match rng.random_range(0..16) {
            0 => damage_blocks(&mut image, size, &mut rng),
            1 => damage_raw(&mut image, size, &mut rng),
            2 => damage_length(&mut image, size, longest.saturating_sub(1), &mut rng),
            3 => damage_revisions(&mut image, size, &mut rng),
            _ => damage_log(&mut image, size, &mut rng),
        }
    }
    seal(&mut image, size);
    input.truncate(1);
    input.extend(image);
    input.truncate(longest);
}

/// Changes something in one of the logs.
fn damage_log(image: &mut [u8], size: usize, rng: &mut ChaCha8Rng) {
    let blocks = (image.len() / size) as u32;
    let logs: Vec<(usize, Log)> = image
        .chunks_exact(size)
        .enumerate()
        .filter_map(|(block, bytes)| Some((block, Log::of(bytes)?)))
        .collect();
    let Some((block, mut log)) = logs.choose(rng).cloned() else {
        return;
    };
    match rng.random_range(0..10) {
        0 => damage_order(&mut log, rng),
        1 => damage_commits(&mut log, rng),
        2 => borrow(&mut log, &logs, rng),
        3 => log.trust_what_follows(),
        4 | 5 => with_record(&mut log, rng, damage_tag),
        _ => with_record(&mut log, rng, |record, rng| {
            damage_data(record, blocks, rng);
        }),
    }
    log.write(&mut image[block * size..][..size]);
}

/// Changes one tag or its data; that of a checksum where there is no other.
fn with_record(
    log: &mut Log,
    rng: &mut ChaCha8Rng,
    change: impl FnOnce(&mut Record, &mut ChaCha8Rng),
) {
    let count = log.records().count();
    let place = rng.random_range(0..count);
    // Checksums say little: one more try to find something else.
    let again = rng.random_range(0..count);
    let is_checksum = log
        .records()
        .nth(place)
        .is_some_and(|record| record.tag.is_checksum());
    let place = if is_checksum { again } else { place };
    if let Some(record) = log.records().nth(place) {
        change(record, rng);
    }
}

/// Doubles, drops or moves a tag.
fn damage_order(log: &mut Log, rng: &mut ChaCha8Rng) {
    let from = rng.random_range(0..log.commits.len());
    let to = rng.random_range(0..log.commits.len());
    // The last tag is the checksum's: it stays where it is.
    let Some(last) = log.commits[from]
        .len()
        .checked_sub(1)
        .filter(|&last| last > 0)
    else {
        return;
    };
    let place = rng.random_range(0..last);
    let record = match rng.random_range(0..3) {
        0 => log.commits[from][place].clone(),
        1 => log.commits[from].remove(place),
        _ => {
            log.commits[from].remove(place);
            return;
        }
    };
    let place = rng.random_range(0..log.commits[to].len());
    log.commits[to].insert(place, record);
}

/// Doubles, drops or moves a commit, or drops all behind one.
fn damage_commits(log: &mut Log, rng: &mut ChaCha8Rng) {
    let from = rng.random_range(0..log.commits.len());
    let to = rng.random_range(0..log.commits.len());
    match rng.random_range(0..4) {
        0 => log.commits.insert(to, log.commits[from].clone()),
        1 => log.commits.swap(from, to),
        2 => drop(log.commits.remove(from)),
        _ => {
            log.commits.truncate(from + 1);
            log.rest.fill(0xff);
        }
    }
}

/// Puts a tag of another log into this one, or its data into a tag of the same type.
fn borrow(log: &mut Log, logs: &[(usize, Log)], rng: &mut ChaCha8Rng) {
    let Some((_, other)) = logs.choose(rng) else {
        return;
    };
    let records: Vec<&Record> = other.commits.iter().flatten().collect();
    let Some(&record) = records.choose(rng) else {
        return;
    };
    let mut of_kind: Vec<&mut Record> = log
        .records()
        .filter(|own| own.tag.kind() >> 8 == record.tag.kind() >> 8 && !own.tag.is_checksum())
        .collect();
    if !of_kind.is_empty() && rng.random_bool(0.7) {
        let place = rng.random_range(0..of_kind.len());
        let own = &mut *of_kind[place];
        own.tag = Tag(record.tag.0).with_id(own.tag.0 >> 10 & 0x3ff);
        own.data.clone_from(&record.data);
    } else if !record.tag.is_checksum() {
        let commit = rng.random_range(0..log.commits.len());
        let place = rng.random_range(0..log.commits[commit].len());
        log.commits[commit].insert(place, record.clone());
    }
}

/// Exchanges two blocks, or writes one over another.
fn damage_blocks(image: &mut [u8], size: usize, rng: &mut ChaCha8Rng) {
    let blocks = image.len() / size;
    let (a, b) = (rng.random_range(0..blocks), rng.random_range(0..blocks));
    let first = image[a * size..][..size].to_vec();
    if rng.random_bool(0.5) {
        image.copy_within(b * size..(b + 1) * size, a * size);
    }
    image[b * size..][..size].copy_from_slice(&first);
}

/// Changes a word at the start of any block, where a value's blocks have their pointers, or any byte.
fn damage_raw(image: &mut [u8], size: usize, rng: &mut ChaCha8Rng) {
    let blocks = (image.len() / size) as u32;
    let block = rng.random_range(0..blocks) as usize;
    if rng.random_bool(0.8) {
        let pointer = rng.random_range(0..2) * 4;
        let target = word(blocks, rng);
        image[block * size + pointer..][..4].copy_from_slice(&target.to_le_bytes());
    } else {
        let at = rng.random_range(0..image.len());
        image[at] = rng.random();
    }
}

/// Takes a block off the end, or puts one there.
fn damage_length(image: &mut Vec<u8>, size: usize, longest: usize, rng: &mut ChaCha8Rng) {
    if rng.random_bool(0.5) && image.len() > 2 * size {
        image.truncate(image.len() - size);
    } else if image.len() + size <= longest {
        let copied = rng.random_range(0..image.len() / size);
        image.extend_from_within(copied * size..(copied + 1) * size);
    }
}

/// Makes a block older or newer than it was.
fn damage_revisions(image: &mut [u8], size: usize, rng: &mut ChaCha8Rng) {
    let block = rng.random_range(0..image.len() / size);
    let Some(mut log) = Log::of(&image[block * size..][..size]) else {
        return;
    };
    log.revision = match rng.random_range(0..5) {
        0 => log.revision.wrapping_add(1),
        1 => log.revision.wrapping_sub(1),
        2 => log.revision.wrapping_add(0x8000_0000),
        3 => u32::MAX,
        _ => 0,
    };
    log.write(&mut image[block * size..][..size]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutpoint_engine::device::MemoryDevice;
    use cutpoint_engine::{MountOptions, Store};
    use std::fs;
    use std::path::Path;

    fn seed() -> Vec<u8> {
        let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/images");
        let image = fs::read(images.join("basic_512_v21.img")).unwrap();
        [&[2], &image[..]].concat()
    }

    #[test]
    fn what_is_damaged_has_its_checksums_and_most_of_it_mounts() {
        let seed = seed();
        let (mut mounted, mut changed) = (0, 0);
        for number in 0..400 {
            let mut input = seed.clone();
            damage(&mut input, seed.len(), number);
            let mut sealed = input.clone();
            seal(&mut sealed[1..], 512);
            assert!(sealed == input, "seed {number} leaves a wrong checksum");
            changed += u32::from(input != seed);
            let device = MemoryDevice::from_image(input[1..].to_vec(), 512);
            let store = Store::mount(device.unwrap(), &MountOptions::default());
            mounted += u32::from(store.is_ok());
        }
        assert!(changed > 300, "only {changed} of 400 were changed");
        assert!(mounted > 100, "only {mounted} of 400 mount");
    }

    #[test]
    fn the_same_seed_does_the_same_damage() {
        let damaged = |number| {
            let mut input = seed();
            damage(&mut input, 100_000, number);
            input
        };
        assert_eq!(damaged(3), damaged(3));
        assert_ne!(damaged(3), damaged(4));
    }
}
