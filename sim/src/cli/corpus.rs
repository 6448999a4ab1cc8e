use super::select::{find_case_folder, find_images};
use super::subject::SubjectName;
use super::{CliError, Outcome};
use crate::case::{Corpus, EXTENSION, NamedCase};
use crate::report::case::{CaseInWords, write_outcomes};
use crate::subject::Subject;
use crate::workload::Workload;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// The regression corpus: cases that are replayed for ever
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    List(List),
    Run(Run),
    Show(Show),
    Add(Add),
}

/// Where the cases are.
#[derive(Debug, Args)]
struct CorpusArgument {
    /// The folder of cases, where it is not ./corpus/cases
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
}

impl CorpusArgument {
    fn read(&self) -> Result<Corpus, CliError> {
        let folder = self.corpus.clone().unwrap_or_else(find_case_folder);
        Corpus::read(&folder, &find_images(&folder)).map_err(CliError::from)
    }
}

/// List the cases
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint corpus list

Exit codes: 0 done, 2 bad usage or input.")]
pub(super) struct List {
    #[command(flatten)]
    corpus: CorpusArgument,
    /// Print one JSON object for each case
    #[arg(long)]
    json: bool,
}

/// Run cases and hold them against what they expect
///
/// Without names: all of them. A case says which crash states to explore, on which subjects, and what should come of it;
/// subjects that this command was built without are left out.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint corpus run
  cutpoint corpus run hardtail-kept-by-a-removal --json

Exit codes: 0 all as expected, 1 something else was found, 2 bad usage or input.")]
pub(super) struct Run {
    /// Cases, as 'cutpoint corpus list' shows them
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    #[command(flatten)]
    corpus: CorpusArgument,
    /// Print one JSON object for each subject and crash model
    #[arg(long)]
    json: bool,
}

/// Explain a case in words
///
/// What it does, why it is there, what each crash model explores, and what is expected.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint corpus show hardtail-kept-by-a-removal

Exit codes: 0 done, 2 bad usage or input.")]
pub(super) struct Show {
    /// The case, as 'cutpoint corpus list' shows it
    #[arg(value_name = "CASE")]
    case: String,
    #[command(flatten)]
    corpus: CorpusArgument,
}

/// Add a case to the corpus
///
/// It is checked, written in its canonical form, and named for its title; files beside it come along.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint corpus add found.kdl

Exit codes: 0 added, 2 bad usage or input.")]
pub(super) struct Add {
    /// The case
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    corpus: CorpusArgument,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> Result<Outcome, CliError> {
    match command {
        Command::List(arguments) => list(arguments, out),
        Command::Run(arguments) => run_cases(arguments, out),
        Command::Show(arguments) => {
            let corpus = arguments.corpus.read()?;
            write!(out, "{}", CaseInWords(named(&corpus, &arguments.case)?))?;
            Ok(Outcome::Clean)
        }
        Command::Add(arguments) => {
            let corpus = arguments.corpus.read()?;
            let path = corpus
                .add(&arguments.file)
                .map_err(|error| CliError::at(&arguments.file, error))?;
            writeln!(out, "added {}", path.display())?;
            Ok(Outcome::Clean)
        }
    }
}

fn list(arguments: &List, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let corpus = arguments.corpus.read()?;
    if arguments.json {
        for NamedCase { name, case } in corpus.cases() {
            let models: Vec<_> = case
                .explorations
                .iter()
                .map(|each| each.model.to_string())
                .collect();
            let line = json!({
                "case": name,
                "title": case.title,
                "origin": case.origin,
                "links": case.links,
                "tags": case.tags,
                "operations": case.operations.len(),
                "models": models,
                "subjects": case.subjects(),
            });
            writeln!(out, "{line}")?;
        }
        return Ok(Outcome::Clean);
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["case", "ops", "about"]);
    for NamedCase { name, case } in corpus.cases() {
        table.add_row([
            name.clone(),
            case.operations.len().to_string(),
            case.title.clone(),
        ]);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(Outcome::Clean)
}

fn run_cases(arguments: &Run, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let corpus = arguments.corpus.read()?;
    let cases: Vec<&NamedCase> = if arguments.cases.is_empty() {
        corpus.cases().iter().collect()
    } else {
        let names = arguments.cases.iter();
        names
            .map(|name| named(&corpus, name))
            .collect::<Result<_, _>>()?
    };
    let mut as_expected = 0;
    for NamedCase { name, case } in cases.iter().copied() {
        let run = case.run(name, &subject);
        as_expected += usize::from(run.is_as_expected());
        if arguments.json {
            for outcome in &run.outcomes {
                let line = json!({
                    "case": name,
                    "as_expected": outcome.is_as_expected(),
                    "outcome": outcome,
                });
                writeln!(out, "{line}")?;
            }
            continue;
        }
        writeln!(out, "{name}: {}", case.title)?;
        let mut text = String::new();
        write_outcomes(&mut text, &run.outcomes).unwrap_or_default();
        writeln!(out, "{text}")?;
    }
    if !arguments.json {
        writeln!(out, "{as_expected} of {} cases as expected.", cases.len())?;
    }
    Ok(if as_expected == cases.len() {
        Outcome::Clean
    } else {
        Outcome::Found
    })
}

/// The subject of this name, where this command has it.
pub(super) fn subject(name: &str, workload: &Workload) -> Option<Box<dyn Subject>> {
    let name = SubjectName::from_str(name, false).ok()?;
    name.subject(workload).ok()
}

/// The case of this name; a path to its file will do.
fn named<'a>(corpus: &'a Corpus, name: &str) -> Result<&'a NamedCase, CliError> {
    let name = name.strip_suffix(&format!(".{EXTENSION}")).unwrap_or(name);
    let name = name.rsplit('/').next().unwrap_or(name);
    corpus.case(name).ok_or_else(|| {
        CliError::argument(
            name,
            "there is no such case; 'cutpoint corpus list' shows all",
        )
    })
}
