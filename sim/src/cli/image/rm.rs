use super::CliError;
use super::open::{MutableImage, key};
use clap::Args;
use std::ffi::OsString;

/// Remove a value, or a dictionary with all it holds
#[derive(Debug, Args)]
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
