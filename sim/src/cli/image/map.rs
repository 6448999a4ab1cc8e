use super::CliError;
use super::dump::{outcome, print_styled};
use super::open::Image;
use crate::cli::Outcome;
use crate::report;
use clap::Args;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

/// Print a map of an image's blocks: what each of them is used for
///
/// Exits as `dump` does.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: Image,
    /// Draw the map into this file, as SVG, and print nothing
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let anatomy = arguments.image.anatomy()?;
    let name = arguments.image.name();
    if let Some(path) = &arguments.svg {
        fs::write(path, report::anatomy::drawing(&anatomy, &name))
            .map_err(|error| CliError::at(path, error))?;
    } else {
        print_styled(&report::anatomy::map(&anatomy, &name), out)?;
    }
    Ok(outcome(&anatomy))
}
