use super::CliError;
use super::open::{MutableImage, key};
use clap::Args;
use std::ffi::OsString;

/// Remove a value, or a dictionary with all it holds
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image rm store.img /links/home  a value
  cutpoint image rm store.img /links       a dictionary with all it holds

Exit codes: 0 done, 2 bad usage or input.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: MutableImage,
    /// The value or dictionary
    #[arg(value_name = "PATH")]
    path: OsString,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CliError> {
    let key = key(&arguments.path);
    let mut mounted = arguments.image.mount()?;
    mounted.require(&key)?;
    mounted.call(|store| store.remove(&key))
}
