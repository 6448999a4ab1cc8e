use super::CliError;
use super::open::{Image, key};
use clap::Args;
use std::ffi::OsString;
use std::io::Write;

/// Write a value's bytes to standard output
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image read store.img /links/home
  cutpoint image read store.img /links/home --block-size 512

Exit codes: 0 done, 2 bad usage or input.")]
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
