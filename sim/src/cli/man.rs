use super::{CliError, Outcome};
use clap::{Args, CommandFactory};
use clap_mangen::Man;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

/// Print the manual page, or write one for each command into a folder
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint man > cutpoint.1                 one page, of all commands in short
  cutpoint man /usr/local/share/man/man1    cutpoint.1, cutpoint-sweep.1 and so on

Exit codes: 0 done, 2 bad usage or input.")]
pub(super) struct Arguments {
    /// The folder for the pages
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let command = super::Arguments::command();
    if let Some(folder) = &arguments.folder {
        fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(command, folder))
            .map_err(|error| CliError::at(folder, error))?;
    } else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        out.write_all(&page)?;
    }
    Ok(Outcome::Clean)
}
