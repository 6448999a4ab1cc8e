//! The canonical form of a case.

use super::source::is_plain;
use super::{Case, CaseDevice, CaseStart, CrashModel};
use crate::op::{Operation, Value};
use cutpoint_engine::{DiskVersion, Key};
use std::fmt::{self, Write};

/// Columns of prose.
const WIDTH: usize = 100;

/// The canonical form: what [`Case::parse`] reads, each part in its place.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        prose(f, "title", &self.title)?;
        prose(f, "origin", &self.origin)?;
        for link in &self.links {
            writeln!(f, "link {}", quoted(link))?;
        }
        if !self.tags.is_empty() {
            writeln!(f, "tags {}", self.tags.join(" "))?;
        }
        writeln!(f)?;
        match &self.start {
            CaseStart::Blank(device) => print_device(f, *device)?,
            CaseStart::Image(image) if image.is_of_corpus() => {
                writeln!(f, "start image={}", quoted(image.name()))?;
            }
            CaseStart::Image(image) => {
                print_device(f, image.device())?;
                write!(f, "start file={}", quoted(image.name()))?;
                if !image.holds().is_empty() {
                    f.write_str(" {\n")?;
                    for operation in image.holds() {
                        writeln!(f, "    {}", Line(operation))?;
                    }
                    f.write_str("}")?;
                }
                f.write_str("\n")?;
            }
        }
        if self.disk_version.is_some() || self.block_cycles.is_some() {
            f.write_str("store")?;
            if let Some(disk_version) = self.disk_version {
                write!(f, " disk-version=\"{}\"", version(disk_version))?;
            }
            if let Some(block_cycles) = self.block_cycles {
                write!(f, " block-cycles={block_cycles}")?;
            }
            writeln!(f)?;
        }
        writeln!(f)?;
        for operation in &self.operations {
            writeln!(f, "{}", Line(operation))?;
        }
        if !self.operations.is_empty() {
            writeln!(f)?;
        }
        for exploration in &self.explorations {
            let (name, depth) = exploration.model.name();
            write!(f, "explore {name}")?;
            print_depth(f, depth)?;
            if let Some(max_states) = exploration.max_states {
                write!(f, " max-states={max_states}")?;
            }
            if exploration.seed != 0 {
                write!(f, " seed={}", exploration.seed)?;
            }
            writeln!(f)?;
        }
        writeln!(f)?;
        for expectation in &self.expectations {
            write!(f, "expect {} {}", expectation.subject, expectation.verdict)?;
            if let Some(model) = expectation.under {
                print_under(f, model)?;
            }
            writeln!(f)?;
        }
        for witness in &self.witnesses {
            write!(f, "state {}", quoted(&witness.state.to_string()))?;
            print_under(f, witness.under)?;
            let (subject, fingerprint) = (&witness.subject, witness.fingerprint);
            writeln!(f, " subject={subject} fingerprint=\"{fingerprint}\"")?;
        }
        Ok(())
    }
}

fn print_device(f: &mut fmt::Formatter<'_>, device: CaseDevice) -> fmt::Result {
    let CaseDevice {
        geometry,
        erase_value,
    } = device;
    let (size, count) = (geometry.block_size(), geometry.block_count());
    write!(f, "device block-size={size} block-count={count}")?;
    if geometry.prog_size() != 1 {
        write!(f, " prog-size={}", geometry.prog_size())?;
    }
    if erase_value != 0xff {
        write!(f, " erase-value={erase_value:#04x}")?;
    }
    writeln!(f)
}

fn print_under(f: &mut fmt::Formatter<'_>, model: CrashModel) -> fmt::Result {
    let (name, depth) = model.name();
    write!(f, " under={name}")?;
    print_depth(f, depth)
}

fn print_depth(f: &mut fmt::Formatter<'_>, depth: Option<u32>) -> fmt::Result {
    match depth {
        Some(depth) => write!(f, " depth={depth}"),
        None => Ok(()),
    }
}

/// The version as it stands in a case.
pub(super) fn version(version: DiskVersion) -> String {
    let (major, minor) = version.numbers();
    format!("{major}.{minor}")
}

/// On one line where it fits there, else broken between words.
fn prose(f: &mut fmt::Formatter<'_>, word: &str, text: &str) -> fmt::Result {
    let line = quoted(text);
    if word.len() + 1 + line.chars().count() <= WIDTH {
        return writeln!(f, "{word} {line}");
    }
    write!(f, "{word} \"\"\"")?;
    let mut column = WIDTH;
    for part in text.split(' ') {
        let part = escaped(part);
        let length = part.chars().count();
        if column + 1 + length > WIDTH {
            write!(f, "\n    {part}")?;
            column = 4 + length;
        } else {
            write!(f, " {part}")?;
            column += 1 + length;
        }
    }
    writeln!(f, "\n    \"\"\"")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// As text where people can read it, else in hexadecimal. Braces are counted in a text, so that keys and values go
/// without.
fn bytes(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) if is_plain(text) && !text.contains('{') => quoted(text),
        _ => format!("(hex)\"{}\"", hex::encode(bytes)),
    }
}

/// An operation as a line of a case.
struct Line<'a>(&'a Operation);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.kind())?;
        for key in self.0.keys() {
            write!(f, " {}", key_text(key))?;
        }
        match self.0 {
            Operation::Set { value, .. } => print_value(f, value),
            Operation::SetPartial { offset, value, .. } => {
                write!(f, " at={offset}")?;
                print_value(f, value)
            }
            Operation::Truncate { size, .. } | Operation::Allocate { size, .. } => {
                write!(f, " size={size}")
            }
            Operation::SetAttribute { kind, data, .. } => {
                write!(f, " {kind:#04x}")?;
                print_value(f, data)
            }
            Operation::RemoveAttribute { kind, .. } => write!(f, " {kind:#04x}"),
            Operation::Remove { .. }
            | Operation::Rename { .. }
            | Operation::CreateDictionary { .. }
            | Operation::Sync
            | Operation::Remount => Ok(()),
        }
    }
}

fn key_text(key: &Key) -> String {
    bytes(key.as_bytes())
}

fn print_value(f: &mut fmt::Formatter<'_>, value: &Value) -> fmt::Result {
    f.write_char(' ')?;
    match value {
        Value::Literal(literal) => f.write_str(&bytes(literal)),
        Value::Generated { length, seed } => write!(f, "length={length} seed={seed}"),
        Value::Repeated { length, byte } => write!(f, "length={length} byte={byte:#04x}"),
        Value::File { name, .. } => write!(f, "file={}", quoted(name)),
    }
}
