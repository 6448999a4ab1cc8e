use super::CliError;
use super::open::{MutableImage, key};
use clap::Args;
use std::ffi::OsString;
use std::io::{self, Read};

/// Set a value, making the dictionaries above it where they are missing
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image write store.img /links/home https://mirage.io
  cutpoint image write store.img /photo -         from standard input
  cutpoint image write store.img /list -- --dash  data that begins with a dash

Exit codes: 0 done, 2 bad usage or input.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: MutableImage,
    /// The value
    #[arg(value_name = "PATH")]
    path: OsString,
    /// Its new bytes; `-` takes them from standard input; `--` goes before those that begin with a dash
    #[arg(
        value_name = "DATA",
        default_value = "-",
        allow_negative_numbers = true
    )]
    data: OsString,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CliError> {
    let key = key(&arguments.path);
    // Mounted first: who types at a terminal should hear of a bad image before, not after.
    let mut mounted = arguments.image.mount()?;
    let mut value = arguments.data.as_encoded_bytes().to_vec();
    if value == b"-" {
        value.clear();
        io::stdin()
            .read_to_end(&mut value)
            .map_err(|error| CliError::argument("standard input", error))?;
    }
    mounted.call(|store| store.set(&key, &value))
}
