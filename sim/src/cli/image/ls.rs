use super::CliError;
use super::entry::{JsonKind, JsonPath, text_path};
use super::open::{Image, key};
use clap::Args;
use serde::Serialize;
use std::ffi::OsString;
use std::io::Write;

/// Print the direct entries of a dictionary, sorted by the bytes of their names
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image ls store.img                what is in the root
  cutpoint image ls store.img /links --json  what is in a dictionary, for programs

Exit codes: 0 done, 2 bad usage or input.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: Image,
    /// The dictionary
    #[arg(value_name = "PATH", default_value = "/")]
    path: OsString,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// A line of `ls --json`: the fields of `tree --json` that a listing knows.
#[derive(Serialize)]
struct JsonLine {
    #[serde(flatten)]
    path: JsonPath,
    #[serde(rename = "type")]
    kind: JsonKind,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<(), CliError> {
    let dictionary = key(&arguments.path);
    let mut mounted = arguments.image.mount()?;
    for (key, kind) in mounted.call(|store| store.list(&dictionary))? {
        if arguments.json {
            let line = JsonLine {
                path: JsonPath::from(&key),
                kind: kind.into(),
            };
            serde_json::to_writer(&mut *out, &line).map_err(std::io::Error::from)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{}", text_path(&key, kind))?;
        }
    }
    Ok(())
}
