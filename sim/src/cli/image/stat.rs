use super::CliError;
use super::entry::json_attributes;
use super::open::Image;
use clap::Args;
use cutpoint_engine::{Info, Item, Key, Node};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// Print what the superblock says, and how much the store holds
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image stat store.img
  cutpoint image stat store.img --json

Exit codes: 0 done, 2 bad usage or input.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: Image,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What `stat --json` prints; sizes in bytes.
#[derive(Serialize)]
struct Stat {
    disk_version: String,
    block_size: u32,
    block_count: u32,
    blocks_used: u32,
    name_max: u32,
    value_max: u32,
    attribute_max: u32,
    dictionaries: u64,
    values: u64,
    value_bytes: u64,
    /// Those of the root.
    attributes: BTreeMap<String, String>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<(), CliError> {
    let mut mounted = arguments.image.mount()?;
    let Info {
        version,
        geometry,
        name_max,
        value_max,
        attribute_max,
        ..
    } = mounted.store.info();
    let (major, minor) = version.numbers();
    let mut stat = Stat {
        disk_version: format!("{major}.{minor}"),
        block_size: geometry.block_size(),
        block_count: geometry.block_count(),
        blocks_used: mounted.call(cutpoint_engine::Store::check)?.blocks_used,
        name_max,
        value_max,
        attribute_max,
        dictionaries: 0,
        values: 0,
        value_bytes: 0,
        attributes: json_attributes(&mounted.call(|store| store.attributes(&Key::ROOT))?),
    };
    mounted.call(|store| store.walk(false, &mut |item| stat.count(&item)))?;
    if arguments.json {
        serde_json::to_writer(&mut *out, &stat).map_err(std::io::Error::from)?;
        writeln!(out)?;
        Ok(())
    } else {
        stat.print(out)
    }
}

impl Stat {
    fn count(&mut self, item: &Item) {
        match item.node {
            Node::Dictionary => self.dictionaries += 1,
            Node::Value { size, .. } => {
                self.values += 1;
                self.value_bytes += u64::from(size);
            }
        }
    }

    fn print(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let mut line = |name: &str, text: String| writeln!(out, "{name:<18}{text}");
        line("format version", self.disk_version.clone())?;
        line(
            "blocks",
            format!("{} of {} bytes", self.block_count, self.block_size),
        )?;
        line("blocks in use", self.blocks_used.to_string())?;
        line("dictionaries", self.dictionaries.to_string())?;
        line(
            "values",
            format!("{} of {} bytes in all", self.values, self.value_bytes),
        )?;
        line("longest name", format!("{} bytes", self.name_max))?;
        line("longest value", format!("{} bytes", self.value_max))?;
        line("longest attribute", format!("{} bytes", self.attribute_max))?;
        for (kind, data) in &self.attributes {
            line("root attribute", format!("0x{kind}: {} B", data.len() / 2))?;
        }
        Ok(())
    }
}
