//! What is written: first changes with all that the format treats in its own way, then random ones.

use crate::model::{ATTRIBUTE_KINDS, Change, Model, is_below};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

/// Changes to an empty store: a dictionary that splits, values around every limit, nested dictionaries, removes and
/// renames of each kind.
pub(crate) fn first(block_size: u32) -> Vec<Change> {
    let inline_max = block_size as usize / 8;
    let mut changes = Vec::new();

    for dictionary in [
        "/many",
        "/sizes",
        "/names",
        "/deep",
        "/deep/er",
        "/deep/er/still",
        "/gone",
        "/gone/too",
    ] {
        changes.push(make_dictionary(dictionary));
    }
    // Enough for several pairs: entries take a sixteenth of a block and more on average.
    for number in 0..48 {
        changes.push(set(
            format!("/many/entry{number:02}"),
            number * 7 % (inline_max + 1),
        ));
    }
    for size in boundary_sizes(block_size) {
        changes.push(set(format!("/sizes/{size}"), size));
    }
    // The format sorts a name behind the longer ones that it begins, and takes any bytes.
    for name in [
        &b"a"[..],
        b"aa",
        b"aaa",
        b"aab",
        b"ab",
        b"\xff\xfe",
        b"\n",
        b"\xc3\xa9",
    ] {
        changes.push(set([b"/names/", name].concat(), 5));
    }
    changes.push(set("/deep/er/still/leaf", 3));
    changes.push(set("/gone/too/leaf", inline_max + 1));

    for number in (0..48).step_by(3) {
        changes.push(remove(format!("/many/entry{number:02}")));
    }
    changes.push(remove("/gone"));
    // Within a dictionary, over a value, between dictionaries, and a dictionary with what it holds.
    changes.push(rename("/many/entry01", "/many/renamed"));
    changes.push(rename("/many/entry02", "/many/entry04"));
    changes.push(rename("/many/entry05", "/deep/er/entry05"));
    changes.push(rename("/deep/er", "/many/er"));
    changes.push(rename("/deep", "/shallow"));
    changes.push(Change::SetAttribute {
        path: b"/sizes".to_vec(),
        kind: 0x74,
        data: bytes(12),
    });
    // From inline to blocks, and back.
    changes.push(set("/many/entry07", 3 * block_size as usize));
    changes.push(set(format!("/sizes/{}", 2 * block_size), 1));
    changes
}

/// Changes to an empty store that make two dictionaries of several pairs, one of them deep, in few blocks.
pub(crate) fn split_dictionaries(block_size: u32) -> Vec<Change> {
    let inline_max = block_size as usize / 8;
    let mut changes = vec![make_dictionary("/many"), make_dictionary("/many/more")];
    for number in 0..12 {
        changes.push(set(format!("/many/{number:02}"), inline_max - number % 4));
        changes.push(set(
            format!("/many/more/{number:02}"),
            inline_max - number % 3,
        ));
    }
    changes
}

/// Changes that move a dictionary of several pairs into [`OUTER`]; another stands between the two on the list of pairs.
pub(crate) fn moved_in(block_size: u32) -> Vec<Change> {
    let mut changes = vec![
        make_dictionary(OUTER),
        make_dictionary("/between"),
        make_dictionary("/inner"),
    ];
    for number in 0..12 {
        changes.push(set(format!("/inner/{number:02}"), block_size as usize / 8));
    }
    changes.push(rename("/inner", [OUTER, b"/inner"].concat()));
    changes
}

/// Where [`moved_in`] moves a dictionary to.
pub(crate) const OUTER: &[u8] = b"/outer";

/// Sizes on both sides of every limit: what is kept inline, whole blocks, and what the blocks of a CTZ list hold.
pub(crate) fn boundary_sizes(block_size: u32) -> Vec<usize> {
    let block = block_size as usize;
    let mut limits = vec![block / 8];
    let mut capacity = 0;
    for index in 0_usize..5 {
        let pointers = if index == 0 {
            0
        } else {
            index.trailing_zeros() + 1
        };
        capacity += block - 4 * pointers as usize;
        limits.extend([capacity, (index + 1) * block]);
    }
    let mut sizes: Vec<_> = limits
        .iter()
        .flat_map(|limit| limit - 1..=limit + 1)
        .collect();
    sizes.extend([0, 1]);
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Who makes the changes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Writer {
    Engine,
    C,
}

/// `count` random changes, each possible for the writer where those before it have been made; the model makes them
/// too.
pub(crate) fn random(
    model: &mut Model,
    rng: &mut impl Rng,
    writer: Writer,
    sizes: &[usize],
    count: usize,
) -> Vec<Change> {
    let mut changes = Vec::new();
    while changes.len() < count {
        if let Some(change) = candidate(model, rng, writer, sizes) {
            model.apply(&change);
            changes.push(change);
        }
    }
    changes
}

/// A random change; none where the dice chose one that is not possible.
fn candidate(model: &Model, rng: &mut impl Rng, writer: Writer, sizes: &[usize]) -> Option<Change> {
    let existing: Vec<_> = model.entries().collect();
    let size = *sizes.choose(rng)?;
    let Some(&(path, entry)) = existing.choose(rng) else {
        // Everything has been removed.
        return Some(set(new_path(model, rng, writer), size));
    };
    let path = path.to_vec();
    let content = entry.content.as_ref();
    match rng.random_range(0..100) {
        0..20 => content.map(|_| set(path, size)),
        20..40 => Some(set(new_path(model, rng, writer), size)),
        40..48 => content.map(|content| Change::SetPartial {
            path,
            offset: rng.random_range(0..=content.len() as u32),
            data: bytes(size),
        }),
        48..53 => content.map(|_| Change::Truncate {
            path,
            size: size as u32,
        }),
        53..70 => {
            // Now and then a dictionary with all it holds, not so often that little is left.
            let whole = writer == Writer::Engine && rng.random_ratio(1, 4);
            (whole || model.is_empty(&path)).then(|| remove(path))
        }
        70..78 => Some(make_dictionary(new_path(model, rng, Writer::C))),
        // Over another value.
        78..83 => {
            let (over, _) = *existing.choose(rng)?;
            let possible = content.is_some() && !model.is_dictionary(over) && over != path;
            possible.then(|| rename(path, over))
        }
        83..94 => {
            let to = new_path(model, rng, writer);
            (!is_below(&to, &path)).then(|| rename(path, to))
        }
        94..98 => Some(Change::SetAttribute {
            path,
            kind: *ATTRIBUTE_KINDS.choose(rng)?,
            // The Python binding of the C littlefs cannot set an empty one.
            data: bytes(rng.random_range(usize::from(writer == Writer::C)..16)),
        }),
        _ => {
            let kind = *entry.attributes.keys().next()?;
            Some(Change::RemoveAttribute { path, kind })
        }
    }
}

/// A path that is not there, in a dictionary that is, or now and then, for the engine, below two that are not.
fn new_path(model: &Model, rng: &mut impl Rng, writer: Writer) -> Vec<u8> {
    let dictionaries: Vec<&[u8]> = model
        .entries()
        .filter(|(_, entry)| entry.content.is_none())
        .map(|(path, _)| path)
        .chain([&b""[..]])
        .collect();
    loop {
        let dictionary = dictionaries.choose(rng).unwrap();
        let name = format!("/{:x}", rng.random_range(0..0x1000));
        let mut path = [dictionary, name.as_bytes()].concat();
        if !model.contains(&path) {
            if writer == Writer::Engine && rng.random_ratio(1, 6) {
                path.extend(b"/new/er");
            }
            return path;
        }
    }
}

/// Bytes that tell their own place, so that a block in the wrong place shows.
fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at ^ (at >> 8) ^ size) as u8).collect()
}

fn set(path: impl Into<Vec<u8>>, size: usize) -> Change {
    Change::Set {
        path: path.into(),
        data: bytes(size),
    }
}

fn make_dictionary(path: impl Into<Vec<u8>>) -> Change {
    Change::MakeDictionary { path: path.into() }
}

fn remove(path: impl Into<Vec<u8>>) -> Change {
    Change::Remove { path: path.into() }
}

fn rename(path: impl Into<Vec<u8>>, to: impl Into<Vec<u8>>) -> Change {
    Change::Rename {
        path: path.into(),
        to: to.into(),
    }
}
