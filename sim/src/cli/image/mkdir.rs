use super::CliError;
use super::open::{MutableImage, key};
use clap::Args;
use std::ffi::OsString;

/// Make an empty dictionary, and those above it where they are missing
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image mkdir store.img /links

Exit codes: 0 done, 2 bad usage or input.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: MutableImage,
    /// The dictionary
    #[arg(value_name = "PATH")]
    path: OsString,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CliError> {
    let key = key(&arguments.path);
    arguments
        .image
        .mount()?
        .call(|store| store.create_dictionary(&key))
}
