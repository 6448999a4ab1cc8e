use super::class::Class;
use super::dump::in_short;
use crate::anatomy::{Anatomy, Block, Use};
use std::fmt::Write;

/// Blocks in a row.
const COLUMNS: usize = 64;
/// The distance between cells, and the side of one, in pixels.
const STEP: usize = 13;
const SIDE: usize = 11;
/// Room left of the cells, for the numbers of the blocks, and above them, for the title.
const LEFT: usize = 64;
const TOP: usize = 74;
/// Room for a line of the legend.
const LEGEND: usize = 20;

/// A map of the image as a self-contained SVG document: one cell a block, with a title each that a browser shows where the
/// pointer rests; `name` is what people call the image.
pub fn drawing(anatomy: &Anatomy, name: &str) -> String {
    let rows = anatomy.blocks.len().div_ceil(COLUMNS);
    let classes: Vec<Class> = anatomy
        .blocks
        .iter()
        .map(|block| Class::of(anatomy, block))
        .collect();
    let counts = Class::ALL.map(|class| classes.iter().filter(|&&other| other == class).count());
    let legend: Vec<_> = Class::ALL
        .into_iter()
        .zip(counts)
        .filter(|(_, count)| *count > 0)
        .collect();
    let width = LEFT + COLUMNS * STEP + 24;
    let legend_top = TOP + rows * STEP + 24;
    let height = legend_top + legend.len().div_ceil(2) * LEGEND + 12;
    let (name, short) = (escaped(name), in_short(anatomy));
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="title desc" font-family="system-ui, sans-serif" font-size="12" fill="#2b2b2b">
<title id="title">{name}: map of blocks</title>
<desc id="desc">{short}. Each cell is a block, in rows of {COLUMNS}.</desc>
<rect width="{width}" height="{height}" fill="#fffdf8"/>
<text x="{LEFT}" y="32" font-size="17" font-weight="600">{name}</text>
<text x="{LEFT}" y="53" fill="#6b6862">{short}</text>
"##
    );
    for (index, (block, class)) in anatomy.blocks.iter().zip(&classes).enumerate() {
        let (row, column) = (index / COLUMNS, index % COLUMNS);
        let y = TOP + row * STEP;
        if column == 0 {
            let (x, y) = (LEFT - 10, y + SIDE - 2);
            let _ = writeln!(
                svg,
                r##"<text x="{x}" y="{y}" text-anchor="end" font-size="10" fill="#8a867e">{index}</text>"##
            );
        }
        let x = LEFT + column * STEP;
        let second = matches!(block.usage, Use::Value { node, .. } if node % 2 == 1);
        let title = escaped(&title(anatomy, index, block, *class));
        let _ = writeln!(
            svg,
            "{}<title>{title}</title></rect>",
            cell(x, y, *class, second)
        );
    }
    for (place, (class, count)) in legend.into_iter().enumerate() {
        let x = LEFT + place % 2 * (COLUMNS / 2 * STEP);
        let y = legend_top + place / 2 * LEGEND;
        let (text_x, text_y, label) = (x + 20, y + SIDE - 1, class.label());
        let _ = writeln!(
            svg,
            r#"{}</rect><text x="{text_x}" y="{text_y}">{label}: {count}</text>"#,
            cell(x, y, class, false)
        );
    }
    svg + "</svg>\n"
}

/// The start of a cell's element.
fn cell(x: usize, y: usize, class: Class, second: bool) -> String {
    let fill = class.fill(second);
    let line = match class {
        Class::Erased | Class::Stale | Class::Beyond => r##" stroke="#cfc9bb""##,
        Class::Damaged => r##" stroke="#7a1f2b""##,
        _ => "",
    };
    format!(r#"<rect x="{x}" y="{y}" width="{SIDE}" height="{SIDE}" rx="2" fill="{fill}"{line}>"#)
}

/// What a block is, in words.
fn title(anatomy: &Anatomy, index: usize, block: &Block, class: Class) -> String {
    let what = match block.usage {
        Use::Metadata { pair, current } => {
            let shown = &anatomy.pairs[pair];
            let owner = match shown.node.and_then(|node| anatomy.tree.get(node)) {
                Some(node) => format!("{}/", node.path),
                None if shown.held => "the root".to_owned(),
                None => "no dictionary".to_owned(),
            };
            let role = if current { "" } else { ", spare block" };
            format!("metadata of {owner}, pair {pair}{role}")
        }
        Use::Value { node, index } => {
            let value = &anatomy.tree[node];
            let (number, all) = (index + 1, value.blocks.len());
            format!("value {}, block {number} of {all}", value.path)
        }
        Use::Free { erased: true } => "free, erased".to_owned(),
        Use::Free { erased: false } => "free, old bytes".to_owned(),
        Use::Beyond => "outside the store".to_owned(),
    };
    let damaged = if class == Class::Damaged {
        "; damaged"
    } else {
        ""
    };
    let found = (anatomy.damage.iter())
        .filter(|damage| damage.block as usize == index)
        .map(|damage| format!(": {}", damage.what))
        .next()
        .unwrap_or_default();
    format!("block {index}: {what}{damaged}{found}")
}

/// Text that can stand in XML: what is markup is escaped, and what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
