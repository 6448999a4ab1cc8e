use super::class::Class;
use crate::anatomy::Anatomy;
use std::fmt::Write;

/// Blocks in a line.
const COLUMNS: usize = 64;

/// A map of the image, one cell a block, with a legend; `name` is what people call the image.
pub fn map(anatomy: &Anatomy, name: &str) -> String {
    let classes: Vec<Class> = anatomy
        .blocks
        .iter()
        .map(|block| Class::of(anatomy, block))
        .collect();
    let mut text = format!("{name}: {}\n\n", super::dump::in_short(anatomy));
    let width = classes.len().saturating_sub(1).to_string().len().max(4);
    for (line, row) in classes.chunks(COLUMNS).enumerate() {
        let _ = write!(text, "{:>width$}  ", line * COLUMNS);
        for run in row.chunk_by(|a, b| a == b) {
            let style = run[0].style();
            let cells: String = run.iter().map(|class| class.cell()).collect();
            let _ = write!(text, "{style}{cells}{style:#}");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text.push('\n');
    for class in Class::ALL {
        let count = classes.iter().filter(|&&other| other == class).count();
        if count > 0 {
            let style = class.style();
            let (cell, label) = (class.cell(), class.label());
            let _ = writeln!(text, "{style}{cell}{style:#} {label}: {count}");
        }
    }
    text
}
