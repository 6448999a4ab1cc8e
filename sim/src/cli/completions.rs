use super::{CliError, Outcome};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io::Write;

/// Print completions of commands and options for a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint completions bash > ~/.local/share/bash-completion/completions/cutpoint
  cutpoint completions zsh > ~/.zfunc/_cutpoint
  cutpoint completions fish > ~/.config/fish/completions/cutpoint.fish

Exit codes: 0 done, 2 bad usage or input.")]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let mut command = super::Arguments::command();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "cutpoint", &mut script);
    out.write_all(&script)?;
    Ok(Outcome::Clean)
}
