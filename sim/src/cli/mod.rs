//! The command line: what is typed, what is printed, and the exit codes.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | nothing found |
//! | 1 | something was found: a violation, or damage in an image |
//! | 2 | bad usage or bad input: one line on standard error names the file and the place |
//! | 3 | the run was cut short, with what was finished saved |
//!
//! One file a command. A command takes its parsed arguments and a writer, and returns an outcome or an
//! error; only this module turns them into exit codes.

mod audit;
mod bounded;
mod campaign;
mod case;
mod completions;
mod corpus;
mod decay;
mod error;
mod faults;
mod image;
mod interrupt;
mod list;
mod man;
mod merge;
mod mutants;
mod output;
mod replay;
mod report;
mod results;
mod select;
mod settle;
mod shrink;
mod subject;
mod suggest;
mod supervise;
mod sweep;
mod workers;

use clap::{Parser, Subcommand};
use error::CliError;
use output::Output;
use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

/// Cuts the power at every possible point of a storage engine's life and proves what survives.
#[derive(Debug, Parser)]
#[command(name = "cutpoint", version, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 nothing found; 1 a violation, or damage in an image; 2 bad usage or input; 3 cut short, with what was
finished saved. 'cutpoint COMMAND --help' has examples."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Sweep(sweep::Arguments),
    Campaign(campaign::Arguments),
    Audit(audit::Arguments),
    Faults(faults::Arguments),
    Mutants(mutants::Arguments),
    Replay(replay::Arguments),
    Report(report::Arguments),
    Shrink(shrink::Arguments),
    Merge(merge::Arguments),
    List(list::Arguments),
    #[command(subcommand)]
    Corpus(corpus::Command),
    #[command(subcommand)]
    Image(image::Command),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// The exit code of a run that was cut short.
const EXIT_CUT_SHORT: u8 = 3;

/// How a command that did its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Nothing was found.
    Clean,
    /// A violation was found, or damage.
    Found,
    /// The work was cut short; nothing was found in what was done.
    CutShort,
    /// A second process has done the work and reported bad input.
    Reported,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Clean => Self::SUCCESS,
            Outcome::Found => Self::from(1),
            Outcome::CutShort => Self::from(EXIT_CUT_SHORT),
            Outcome::Reported => Self::from(CliError::EXIT_CODE),
        }
    }
}

/// Runs the command that `arguments` (the program's name first) spell out, on the process's standard streams.
///
/// Returns the exit code, as the module's documentation lists them. Never panics on bad input; a reader of standard
/// output that goes away early is no error.
///
/// ```
/// use std::process::ExitCode;
///
/// assert_eq!(cutpoint::cli::run(["cutpoint", "--version"]), ExitCode::SUCCESS);
/// ```
pub fn run<I, T>(arguments: I) -> ExitCode
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(usage) => return print_usage(&usage),
    };
    let mut out = BufWriter::new(Output::new(io::stdout().lock()));
    let outcome = execute(arguments.command, &mut out).and_then(|outcome| {
        out.flush()?;
        Ok(outcome)
    });
    match outcome {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            // What was printed before the error stands before it in a terminal, too.
            let _ = out.flush();
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(CliError::EXIT_CODE)
        }
    }
}

fn execute(command: Command, out: &mut dyn Write) -> Result<Outcome, CliError> {
    match command {
        Command::Sweep(arguments) => sweep::run(&arguments, out),
        Command::Campaign(arguments) => campaign::run(&arguments, out),
        Command::Audit(arguments) => audit::run(&arguments, out),
        Command::Faults(arguments) => faults::run(&arguments, out),
        Command::Mutants(arguments) => mutants::run(&arguments, out),
        Command::Replay(arguments) => replay::run(&arguments, out),
        Command::Report(arguments) => report::run(&arguments),
        Command::Merge(arguments) => merge::run(&arguments, out),
        Command::Shrink(arguments) => shrink::run(&arguments, out),
        Command::List(arguments) => list::run(&arguments, out),
        Command::Corpus(command) => corpus::run(&command, out),
        Command::Image(command) => image::run(command, out),
        Command::Completions(arguments) => completions::run(&arguments, out),
        Command::Man(arguments) => man::run(&arguments, out),
    }
}

/// Help and version go to standard output with code 0, usage errors to standard error with code 2: clap knows which.
fn print_usage(usage: &clap::Error) -> ExitCode {
    let _ = usage.print();
    if usage.use_stderr() {
        ExitCode::from(CliError::EXIT_CODE)
    } else {
        ExitCode::SUCCESS
    }
}

#[cfg(test)]
mod tests;
