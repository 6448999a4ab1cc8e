use super::CliError;
use super::open::{Image, key};
use clap::Args;
use std::ffi::OsString;
use std::io::Write;

/// Write a value's bytes to standard output
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: Image,
    /// The value
    #[arg(value_name = "PATH")]
    path: OsString,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<(), CliError> {
    let key = key(&arguments.path);
    let value = arguments.image.mount()?.call(|store| store.get(&key))?;
    out.write_all(&value)?;
    Ok(())
}
