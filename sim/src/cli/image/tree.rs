use super::CliError;
use super::entry::{JsonKind, JsonPath, json_attributes, text_path};
use super::open::Image;
use clap::Args;
use cutpoint_engine::{Attribute, Item, Key, Kind, Node};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Write;

/// Print everything in the store, sorted by the bytes of the paths
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image tree store.img         every key with its size
  cutpoint image tree store.img --json  one object a line, values with their SHA-256

Exit codes: 0 done, 2 bad usage or input.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: Image,
    /// Print one JSON object a line, values with their SHA-256
    #[arg(long)]
    json: bool,
}

/// Prints all that can be read, also where damage then makes the command fail.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<(), CliError> {
    let mut mounted = arguments.image.mount()?;
    let mut lines = Vec::new();
    let walked = mounted.call(|store| {
        store.walk(arguments.json, &mut |item| {
            lines.push(Line::from(item));
        })
    });
    lines.sort_by(|a, b| a.key.cmp(&b.key));
    if arguments.json {
        for line in &lines {
            serde_json::to_writer(&mut *out, &line.json()).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    } else {
        print_text(&lines, out)?;
    }
    walked
}

/// What is kept of an item: not its content, so that an image of any size can be printed.
struct Line {
    key: Key,
    content: Content,
    attributes: Vec<Attribute>,
}

enum Content {
    Dictionary,
    Value { size: u32, sha256: Option<String> },
}

impl From<Item> for Line {
    fn from(item: Item) -> Self {
        Self {
            key: item.key,
            content: match item.node {
                Node::Dictionary => Content::Dictionary,
                Node::Value { size, content } => Content::Value {
                    size,
                    sha256: content.map(|content| hex::encode(Sha256::digest(content))),
                },
            },
            attributes: item.attributes,
        }
    }
}

/// A line of `tree --json`; the order of the fields is the order in print.
#[derive(Serialize)]
struct JsonLine<'a> {
    #[serde(flatten)]
    path: JsonPath,
    #[serde(rename = "type")]
    kind: JsonKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
    attributes: BTreeMap<String, String>,
}

impl Line {
    fn json(&self) -> JsonLine<'_> {
        let (kind, size, sha256) = match &self.content {
            Content::Dictionary => (JsonKind::Dictionary, None, None),
            Content::Value { size, sha256 } => (JsonKind::Value, Some(*size), sha256.as_deref()),
        };
        JsonLine {
            path: JsonPath::from(&self.key),
            kind,
            size,
            sha256,
            attributes: json_attributes(&self.attributes),
        }
    }
}

fn print_text(lines: &[Line], out: &mut dyn Write) -> Result<(), CliError> {
    let (mut dictionaries, mut values, mut bytes) = (0_u64, 0_u64, 0_u64);
    for line in lines {
        let (size, kind) = match line.content {
            Content::Dictionary => {
                dictionaries += 1;
                ("-".to_owned(), Kind::Dictionary)
            }
            Content::Value { size, .. } => {
                values += 1;
                bytes += u64::from(size);
                (size.to_string(), Kind::Value)
            }
        };
        write!(out, "{size:>10}  {}", text_path(&line.key, kind))?;
        for attribute in &line.attributes {
            write!(
                out,
                "  [0x{:02x}: {} B]",
                attribute.kind,
                attribute.data.len()
            )?;
        }
        writeln!(out)?;
    }
    writeln!(
        out,
        "{dictionaries} dictionaries, {values} values of {bytes} bytes"
    )?;
    Ok(())
}
