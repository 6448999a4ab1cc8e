use super::{CliError, Outcome};
use crate::report::campaign::CampaignText;
use crate::report::summary::Summary;
use crate::run::{Command, Parts, Totals, Writer};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Join the runs that the shards of a sweep or a campaign have left
///
/// All shards must be there, of one command line and version; in which order they are named makes no difference, and to
/// name one twice does no harm. The joined run is what a single one would have left.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint merge part1 part2 part3 part4              their summary
  cutpoint merge part1 part2 part3 part4 --out run    and a run of the whole

Exit codes: 0 nothing found, 1 a violation was found, 2 bad usage or input, a missing shard included.")]
pub(super) struct Arguments {
    /// The folders of the runs
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Keep the joined run in this folder
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let parts = Parts::open(&arguments.runs)?;
    let header = parts.header().clone();
    let mut writer = match &arguments.out {
        Some(folder) => Some(Writer::create(folder, &header)?),
        None => None,
    };
    let mut totals = Totals::default();
    // The screen of a sweep has a line for each workload, that of a campaign for each contract alone.
    let mut summary = Summary::default();
    let is_sweep = header.configuration.command == Command::Sweep;
    parts.join(|entry| {
        totals.add(&entry);
        if is_sweep {
            summary.push(entry.report.clone(), Duration::ZERO);
        }
        match &mut writer {
            Some(writer) => writer.push(entry),
            None => Ok(()),
        }
    })?;
    let text = if is_sweep {
        summary.text(false, None)
    } else {
        CampaignText::new(&header, &totals).to_string()
    };
    if let Some(writer) = writer {
        writer.finish(true, &text)?;
    }
    out.write_all(text.as_bytes())?;
    Ok(match totals.violations {
        0 => Outcome::Clean,
        _ => Outcome::Found,
    })
}
