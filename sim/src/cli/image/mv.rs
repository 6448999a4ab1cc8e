use super::CliError;
use super::open::{MutableImage, key};
use clap::Args;
use std::ffi::OsString;

/// Rename a value or a dictionary; into the destination where that is a dictionary
#[derive(Debug, Args)]
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
