use super::results::write_page;
use super::select::{contract_of, select_one};
use super::subject::{PeerName, SubjectArgument, SubjectName};
use super::{CliError, Outcome};
use crate::html::Page;
use crate::run::{Command, Header, Reader};
use clap::Args;
use std::path::PathBuf;

/// Make a page for a browser from a run that 'sweep' or 'campaign' has kept
///
/// The workloads are recorded again, and the first witnesses recovered from again: what a run keeps is enough to come to
/// the same bytes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint sweep all --models torn,reorder --out run
  cutpoint report run -o run.html
  cutpoint report merged --output campaign.html

Exit codes: 0 the page is written, whatever the run has found; 2 bad usage or input.")]
pub(super) struct Arguments {
    /// The folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The page to write
    #[arg(long, short, value_name = "FILE.html")]
    output: PathBuf,
    /// The corpus folder, where it is not ./corpus
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    let mut reader = Reader::open(&arguments.run)?;
    let header = reader.header().clone();
    let subject = parties_of(&header)?;
    let mut page = Page::new(title(&header));
    while let Some(entry) = reader.next().transpose()? {
        let report = &entry.report;
        // What cannot be run again is told without its timeline.
        let Ok(workload) = select_one(&report.workload, arguments.corpus.as_deref()) else {
            page.add_entry(&entry, None);
            continue;
        };
        let contract = contract_of(&report.contract)?;
        let workload = workload.on(contract);
        let parties = subject.parties(&workload)?;
        let sweep = parties.sweep().under(contract).with_depth(report.depth);
        page.add_entry(&entry, Some(&sweep));
    }
    write_page(&page, &arguments.output)?;
    Ok(Outcome::Clean)
}

/// The subject and the peer of the run.
///
/// # Errors
///
/// This command has not both of them, or another version.
fn parties_of(header: &Header) -> Result<SubjectArgument, CliError> {
    let configuration = &header.configuration;
    let of = |full_name: &str| {
        let names = SubjectName::ALL.into_iter();
        let mut names = names.filter(|name| name.description() == full_name);
        names.next().ok_or_else(|| {
            let what = format!("the run is of '{full_name}', which is not built into this command");
            CliError::argument("RUN", what)
        })
    };
    Ok(SubjectArgument {
        name: of(&configuration.subject_version)?,
        peer: configuration
            .peer
            .as_ref()
            .map(|peer| of(&peer.full_name).map(|_| PeerName::LittlefsC))
            .transpose()?,
    })
}

fn title(header: &Header) -> String {
    let command = match header.configuration.command {
        Command::Sweep => "Sweep",
        Command::Campaign => "Campaign",
    };
    match &header.shard {
        Some(shard) => format!("{command}, part {shard}"),
        None => command.to_owned(),
    }
}
