use super::CliError;
use super::open::Image;
use crate::anatomy::Anatomy;
use crate::cli::Outcome;
use crate::report;
use anstream::{AutoStream, ColorChoice};
use clap::Args;
use std::io::{self, Write};

/// Print an image taken apart: superblock, tree, metadata logs, free blocks, damage
///
/// Damaged images are shown as far as they can be followed. Exits with 1 where there is damage, or where the store does
/// not mount.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image dump store.img                    the whole image
  cutpoint image dump store.img --json             the same for programs
  cutpoint image dump store.img --block-size 4096  where the superblock is lost

Exit codes: 0 sound, 1 damage or an image that does not mount, 2 bad usage or input.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: Image,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let anatomy = arguments.image.anatomy()?;
    if arguments.json {
        serde_json::to_writer(&mut *out, &anatomy).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        let text = report::anatomy::dump(&anatomy, &arguments.image.name());
        print_styled(&text, out)?;
    }
    Ok(outcome(&anatomy))
}

/// Whether the image is whole.
pub(super) fn outcome(anatomy: &Anatomy) -> Outcome {
    if anatomy.damage.is_empty() && anatomy.refusal.is_none() {
        Outcome::Clean
    } else {
        Outcome::Found
    }
}

/// Prints text with its colours where standard output is a terminal that wants them, as `NO_COLOR` and the like say.
pub(super) fn print_styled(text: &str, out: &mut dyn Write) -> io::Result<()> {
    match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => write!(out, "{}", anstream::adapter::strip_str(text)),
        _ => out.write_all(text.as_bytes()),
    }
}
