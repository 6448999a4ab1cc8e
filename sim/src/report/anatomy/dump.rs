use crate::anatomy::{
    Anatomy, Commit, CommitState, Half, Node, Pair, Rest, Storage, Tag, TagType, Tail,
};
use anstyle::{AnsiColor, Style};
use std::fmt::Write;

const HEADING: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const LIVE: Style = AnsiColor::Green.on_default();
const WRONG: Style = AnsiColor::Red.on_default().bold();

/// Blocks of a value that are listed before the rest is left out.
const LISTED_RUNS: usize = 6;

/// How much data of a tag is shown, in characters.
const SHOWN: usize = 30;

/// All there is to say of an image, most of it within 80 columns; `name` is what people call the image.
pub fn dump(anatomy: &Anatomy, name: &str) -> String {
    let mut text = format!("{HEADING}{name}{HEADING:#}: {}\n", in_short(anatomy));
    match &anatomy.refusal {
        Some(why) => line(&mut text, &format!("{WRONG}does not mount{WRONG:#}: {why}")),
        None if anatomy.repair_pending => {
            line(&mut text, "mounts; the next change finishes a repair first");
        }
        None => line(&mut text, "mounts; no repair is pending"),
    }
    superblock(&mut text, anatomy);
    state(&mut text, anatomy);
    tree(&mut text, anatomy);
    for (place, pair) in anatomy.pairs.iter().enumerate() {
        show_pair(&mut text, anatomy, place, pair);
    }
    free(&mut text, anatomy);
    damage(&mut text, anatomy);
    text
}

/// The image in one line.
pub(super) fn in_short(anatomy: &Anatomy) -> String {
    let version = anatomy.superblock.as_ref().map_or_else(
        || "no superblock".to_owned(),
        |superblock| format!("littlefs {}", superblock.disk_version),
    );
    format!(
        "{version}, {} blocks of {} bytes, {} in use",
        anatomy.image_blocks,
        anatomy.block_size,
        anatomy.blocks_used(),
    )
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn heading(text: &mut String, heading: &str) {
    let _ = writeln!(text, "\n{HEADING}{heading}{HEADING:#}");
}

fn superblock(text: &mut String, anatomy: &Anatomy) {
    heading(text, "Superblock");
    let Some(superblock) = &anatomy.superblock else {
        return line(text, "  none can be read");
    };
    let limit = |limit: u32| match limit {
        0 => "the format's".to_owned(),
        bytes => bytes.to_string(),
    };
    let _ = writeln!(
        text,
        "  {} blocks of {} bytes; longest name {}, value {}, attribute {}",
        superblock.block_count,
        superblock.block_size,
        limit(superblock.name_max),
        limit(superblock.value_max),
        limit(superblock.attribute_max),
    );
}

fn state(text: &mut String, anatomy: &Anatomy) {
    heading(text, "Global state");
    let state = &anatomy.global_state;
    if !state.valid {
        return line(text, &format!("  {WRONG}none that is known{WRONG:#}"));
    }
    let orphans = if state.orphans {
        "the list may hold pairs of no dictionary"
    } else {
        "no orphans"
    };
    match state.pending_move {
        None => line(text, &format!("  {orphans}; no pending move")),
        Some(pending) => {
            let blocks = pair_name(pending.blocks);
            let id = pending.id;
            line(
                text,
                &format!("  {orphans}; entry {id} of {blocks} is moved"),
            );
        }
    }
}

fn tree(text: &mut String, anatomy: &Anatomy) {
    heading(text, "Tree");
    if anatomy.tree.is_empty() {
        line(text, "  nothing in it");
    }
    for node in &anatomy.tree {
        let (size, place) = match node.storage {
            Storage::Dictionary { pair_blocks } => ("-".to_owned(), pair_name(pair_blocks)),
            Storage::Inline { size } => (size.to_string(), "inline".to_owned()),
            Storage::Ctz { size } => (size.to_string(), runs(&node.blocks)),
        };
        let slash = match node.storage {
            Storage::Dictionary { .. } => "/",
            Storage::Inline { .. } | Storage::Ctz { .. } => "",
        };
        let _ = write!(
            text,
            "  {size:>8}  pair {:<3} id {:<3} {}{slash}",
            node.pair, node.id, node.path
        );
        for (kind, data) in &node.attributes {
            let _ = write!(text, "  [0x{kind}: {} B]", data.len() / 2);
        }
        let hidden = if node.hidden { "  (moved away)" } else { "" };
        let _ = writeln!(text, "  {DIM}{place}{DIM:#}{hidden}");
    }
}

/// A list of blocks, runs of neighbours drawn together.
fn runs(blocks: &[u32]) -> String {
    let mut parts = Vec::new();
    for run in blocks.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
        match run {
            [block] => parts.push(block.to_string()),
            [first, .., last] => parts.push(format!("{first}-{last}")),
            [] => {}
        }
    }
    if parts.len() > LISTED_RUNS {
        parts.truncate(LISTED_RUNS);
        parts.push("...".to_owned());
    }
    let word = match blocks.len() {
        0 => return "no block can be read".to_owned(),
        1 => "block",
        _ => "blocks",
    };
    format!("{word} {}", parts.join(","))
}

fn pair_name([a, b]: [u32; 2]) -> String {
    format!("{{{a}, {b}}}")
}

fn show_pair(text: &mut String, anatomy: &Anatomy, place: usize, pair: &Pair) {
    let owner = match pair.node.and_then(|node| anatomy.tree.get(node)) {
        Some(Node { path, .. }) => format!("of {path}/"),
        None if pair.held => "of the root".to_owned(),
        None => "of no dictionary".to_owned(),
    };
    let blocks = pair_name([pair.halves[0].block, pair.halves[1].block]);
    heading(text, &format!("Pair {place} {blocks} {owner}"));
    let entries = pair.entries.map_or_else(
        || "no contents".to_owned(),
        |count| match count {
            1 => "1 entry".to_owned(),
            _ => format!("{count} entries"),
        },
    );
    let list = if pair.on_list {
        ""
    } else {
        "; not on the list"
    };
    let tail = match pair.tail {
        Tail::End => "the list ends".to_owned(),
        Tail::Soft { blocks } => format!("then {}, another dictionary", pair_name(blocks)),
        Tail::Hard { blocks } => format!("then {}, the same dictionary", pair_name(blocks)),
    };
    let share = if pair.share.is_zero() {
        String::new()
    } else {
        format!("; share of the state {}", hex::encode(pair.share.0))
    };
    line(text, &format!("  {entries}{list}; {tail}{share}"));
    for half in &pair.halves {
        show_half(text, half);
    }
}

fn show_half(text: &mut String, half: &Half) {
    if half.erased {
        return line(
            text,
            &format!("  {HEADING}block {}{HEADING:#}, erased", half.block),
        );
    }
    let role = if half.current { "counts" } else { "spare" };
    let rest = match half.rest {
        _ if half.commits.is_empty() => "no commit",
        Rest::Unknown => "nothing tells whether the rest is erased",
        Rest::Erased => "the rest is erased",
        Rest::Written => "the rest is not erased",
    };
    let _ = writeln!(
        text,
        "  {HEADING}block {}{HEADING:#}, revision {:#010x}, {role}: log to {}, {rest}",
        half.block, half.revision, half.end
    );
    if let Some(damage) = &half.damage {
        line(text, &format!("    {WRONG}{damage}{WRONG:#}"));
    }
    for commit in &half.commits {
        show_commit(text, commit);
    }
}

fn show_commit(text: &mut String, commit: &Commit) {
    let crc = match (commit.state, commit.stored_crc, commit.computed_crc) {
        (CommitState::Valid, Some(crc), _) => format!("checksum {crc:08x}"),
        (CommitState::BadChecksum, Some(stored), Some(computed)) => {
            format!("{WRONG}checksum {stored:08x}, should be {computed:08x}{WRONG:#}")
        }
        _ => format!("{WRONG}breaks off{WRONG:#}"),
    };
    let _ = writeln!(text, "    commit {}..{}, {crc}", commit.offset, commit.end);
    for tag in &commit.tags {
        show_tag(text, tag);
    }
}

fn show_tag(text: &mut String, tag: &Tag) {
    let id = tag.id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let length = tag
        .length
        .map_or_else(|| "gone".to_owned(), |length| length.to_string());
    let (mark, style) = if tag.live { ("live", LIVE) } else { ("", DIM) };
    let shown = data(tag);
    let start = format!(
        "      {:>6}  {style}{:<16}{style:#} {id:>4} {length:>5}  {style}{mark:<4}{style:#}  {shown}",
        tag.offset,
        tag.kind.name()
    );
    line(text, start.trim_end());
}

/// What a tag's data say, in short.
pub(crate) fn data(tag: &Tag) -> String {
    let word = |at: usize| {
        let bytes = tag.data.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    };
    match (tag.kind, word(0), word(4)) {
        (TagType::SoftTail, Some(u32::MAX), Some(u32::MAX)) => "end".to_owned(),
        (TagType::StructDictionary | TagType::HardTail | TagType::SoftTail, Some(a), Some(b)) => {
            pair_name([a, b])
        }
        (TagType::StructCtz, Some(head), Some(size)) => format!("{size} bytes, last block {head}"),
        (TagType::ForwardChecksum, Some(length), Some(crc)) => {
            format!("{crc:08x} of {length} bytes")
        }
        (TagType::Checksum, Some(crc), _) => format!("{crc:08x}"),
        (TagType::GlobalState, ..) => hex::encode(&tag.data),
        (TagType::Attribute { attribute }, ..) => {
            format!("0x{attribute:02x} {}", quoted(&tag.data, SHOWN - 5))
        }
        _ if tag.data.is_empty() => String::new(),
        _ => quoted(&tag.data, SHOWN),
    }
}

/// Bytes as an escaped string, cut where it is longer than `limit` characters.
fn quoted(bytes: &[u8], limit: usize) -> String {
    let mut quoted = String::from("\"");
    for escaped in bytes.iter().map(|byte| byte.escape_ascii().to_string()) {
        if quoted.len() + escaped.len() > limit {
            return quoted + "\"...";
        }
        quoted += &escaped;
    }
    quoted + "\""
}

fn free(text: &mut String, anatomy: &Anatomy) {
    use crate::anatomy::Use;
    heading(text, "Free blocks");
    let blocks: Vec<u32> = (0..)
        .zip(&anatomy.blocks)
        .filter(|(_, block)| matches!(block.usage, Use::Free { .. }))
        .map(|(index, _)| index)
        .collect();
    let erased = anatomy.count(|block| block.usage == Use::Free { erased: true });
    if blocks.is_empty() {
        return line(text, "  none");
    }
    let count = blocks.len();
    let _ = writeln!(
        text,
        "  {count}, of them {erased} erased: {}",
        runs(&blocks)
    );
}

fn damage(text: &mut String, anatomy: &Anatomy) {
    heading(text, "Damage");
    if anatomy.damage.is_empty() {
        line(text, "  none");
    }
    for damage in &anatomy.damage {
        let _ = writeln!(
            text,
            "  {WRONG}block {}{WRONG:#}: {}",
            damage.block, damage.what
        );
    }
}
