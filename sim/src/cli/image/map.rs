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
#[command(after_help = "Examples:
  cutpoint image map store.img                in the terminal
  cutpoint image map store.img --svg map.svg  as a drawing for a browser

Exit codes: 0 sound, 1 damage or an image that does not mount, 2 bad usage or input.")]
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
