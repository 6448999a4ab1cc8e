use super::CliError;
use super::open::{MutableImage, key};
use clap::Args;
use std::ffi::OsString;
use std::io::{self, Read};

/// Set a value, making the dictionaries above it where they are missing
#[derive(Debug, Args)]
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
