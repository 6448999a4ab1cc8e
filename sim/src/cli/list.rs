use super::select::{IMAGES, on_images};
use super::subject::SubjectName;
use super::{CliError, Outcome};
use crate::contract;
use crate::faulty::FaultClass;
use crate::workload::bounded::{Length, Sequences};
use crate::workload::builtin::{BLOCK_SIZES, Group};
use clap::Args;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// List the built-in workloads, the images they can start from, and the subjects
///
/// Names that 'cutpoint sweep' and 'cutpoint replay' take.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint list         names to give to the other commands
  cutpoint list --json  the same for programs

Exit codes: 0 done, 2 bad usage or input.")]
pub(super) struct Arguments {
    /// The corpus folder, where it is not ./corpus
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let images: Vec<String> = on_images(arguments.corpus.as_deref())
        .map(|workloads| {
            workloads
                .iter()
                .map(|workload| workload.name().to_owned())
                .collect()
        })
        .or_else(|error| match arguments.corpus {
            // Only where it was not pointed at a corpus can it do without.
            None => Ok(Vec::new()),
            Some(_) => Err(error),
        })?;
    if arguments.json {
        let groups: Vec<_> = Group::ALL
            .iter()
            .map(|group| {
                json!({
                    "group": group.to_string(),
                    "description": group.description(),
                    "workloads": BLOCK_SIZES.map(|size| format!("{group}-{size}")),
                })
            })
            .collect();
        let subjects = SubjectName::ALL.map(|name| {
            json!({
                "subject": name.as_str(),
                "description": name.description(),
                "built_in": name.is_built_in(),
            })
        });
        let contracts = contract::ALL.map(|contract| {
            json!({
                "contract": contract.name,
                "description": contract.about,
                "sources": contract.sources,
            })
        });
        let faults =
            FaultClass::ALL.map(|class| json!({ "class": class, "description": class.about() }));
        let listed = json!({
            "groups": groups,
            "images": images,
            "contracts": contracts,
            "faults": faults,
            "subjects": subjects,
        });
        writeln!(out, "{listed}")?;
        return Ok(Outcome::Clean);
    }
    writeln!(
        out,
        "Built-in workloads; a name is a group and a block size, as in split-ascending-512:"
    )?;
    for group in Group::ALL {
        writeln!(out, "  {:<18} {}", group.to_string(), group.description())?;
    }
    let sizes = BLOCK_SIZES.map(|size| size.to_string()).join(", ");
    writeln!(
        out,
        "Block sizes: {sizes}. A group's name stands for all sizes, 'split' for its three orders,"
    )?;
    writeln!(out, "'all' for everything built in.\n")?;
    writeln!(
        out,
        "On images of the corpus ('{IMAGES}' stands for all {}):",
        images.len()
    )?;
    for name in images {
        writeln!(out, "  {name}")?;
    }
    writeln!(
        out,
        "\nAll sequences of up to {} operations ('cutpoint sweep --bounded N'):\n  bounded:0 to bounded:{}",
        Length::MAX,
        Sequences::new().last()
    )?;
    writeln!(
        out,
        "\nContracts, for --contract; the first three are crash models (--models):"
    )?;
    for contract in contract::ALL {
        writeln!(out, "  {:<18} {}", contract.name, contract.about)?;
    }
    writeln!(out, "\nClasses of faults, for 'cutpoint faults --class':")?;
    for class in FaultClass::ALL {
        writeln!(out, "  {class:<24} {}", class.about())?;
    }
    writeln!(out, "\nSubjects, for --subject:")?;
    for name in SubjectName::ALL {
        writeln!(out, "  {:<18} {}", name.as_str(), name.description())?;
    }
    Ok(Outcome::Clean)
}
