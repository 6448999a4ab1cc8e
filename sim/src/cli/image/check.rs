use super::CliError;
use super::open::Image;
use crate::cli::Outcome;
use clap::Args;
use serde::Serialize;
use std::io::Write;

/// Check the structure of the store and name each damage
///
/// Exits with 0 for a sound store, also where a repair is pending that a power cut made necessary; with 1 where
/// there is damage; with 2 where the image does not mount.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image check store.img         each piece of damage, and the blocks in use
  cutpoint image check store.img --json  the same for programs

Exit codes: 0 sound, 1 damage, 2 bad usage or input, or an image that does not mount.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: Image,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What `check --json` prints.
#[derive(Serialize)]
struct Json {
    sound: bool,
    repair_pending: bool,
    blocks_used: u32,
    damage: Vec<JsonDamage>,
}

#[derive(Serialize)]
struct JsonDamage {
    block: u32,
    what: String,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let mut mounted = arguments.image.mount()?;
    let report = mounted.call(cutpoint_engine::Store::check)?;
    let sound = report.damage.is_empty();
    if arguments.json {
        let json = Json {
            sound,
            repair_pending: report.repair_pending,
            blocks_used: report.blocks_used,
            damage: report
                .damage
                .iter()
                .map(|damage| JsonDamage {
                    block: damage.block.index(),
                    what: damage.kind.to_string(),
                })
                .collect(),
        };
        serde_json::to_writer(&mut *out, &json).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        for damage in &report.damage {
            writeln!(out, "{damage}")?;
        }
        let verdict = if sound { "sound" } else { "damaged" };
        let blocks = mounted.store.info().geometry.block_count();
        writeln!(
            out,
            "{verdict}: {} of {blocks} blocks in use",
            report.blocks_used
        )?;
        if report.repair_pending {
            writeln!(
                out,
                "repair pending: the next change to the store finishes it"
            )?;
        }
    }
    Ok(if sound {
        Outcome::Clean
    } else {
        Outcome::Found
    })
}
