use super::CliError;
use super::open::{MutableImage, key};
use clap::Args;
use std::ffi::OsString;

/// Rename a value or a dictionary; into the destination where that is a dictionary
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image mv store.img /links/home /links/old
  cutpoint image mv store.img /links/old /archive  into the dictionary, where there is one

Exit codes: 0 done, 2 bad usage or input.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: MutableImage,
    /// The value or dictionary
    #[arg(value_name = "FROM")]
    from: OsString,
    /// Its new place
    #[arg(value_name = "TO")]
    to: OsString,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CliError> {
    let source = key(&arguments.from);
    let dest = key(&arguments.to);
    arguments
        .image
        .mount()?
        .call(|store| store.rename(&source, &dest))
}
