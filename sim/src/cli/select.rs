//! From names on the command line to workloads.

use super::CliError;
use super::suggest::did_you_mean;
use crate::case::{self, Case};
use crate::contract::{self, Contract};
use crate::generate::Number;
use crate::run::Explored;
use crate::workload::bounded::Sequences;
use crate::workload::{Workload, builtin, images};
use std::path::{Path, PathBuf};

/// What stands for all workloads on images of the corpus.
pub(super) const IMAGES: &str = "images";
/// What is swept where no name is given.
const DEFAULT: &str = "split";

/// The workloads that a command line names, and what had to be left out.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) workloads: Vec<Workload>,
    /// Why the workloads on images are missing, where they were not asked for by name.
    pub(super) left_out: Option<String>,
}

/// The workloads with these names: built-in ones, groups of them, `images`, one on an image, a sequence or a random one by
/// its number, or that of a case by its path.
/// Without names, the directory-split workloads and those on images.
///
/// # Errors
///
/// A name that stands for nothing, or images that were asked for and cannot be read.
pub(super) fn select(names: &[String], corpus: Option<&Path>) -> Result<Selection, CliError> {
    if names.is_empty() {
        let mut workloads = builtin(DEFAULT)?;
        let left_out = match on_images(corpus) {
            Ok(mut images) => {
                workloads.append(&mut images);
                None
            }
            // Only where it was not pointed at a corpus can it do without.
            Err(error) if corpus.is_none() => Some(error.to_string()),
            Err(error) => return Err(error),
        };
        return Ok(Selection {
            workloads,
            left_out,
        });
    }
    let mut workloads: Vec<Workload> = Vec::new();
    for name in names {
        let found = if name == IMAGES {
            on_images(corpus)?
        } else if name.starts_with("split-on-") {
            let mut all = on_images(corpus)?;
            all.retain(|workload| workload.name() == name);
            if all.is_empty() {
                return Err(CliError::argument(
                    name,
                    "no sound image of the corpus has this name; 'cutpoint list' shows them",
                ));
            }
            all
        } else if is_case(name) {
            vec![read_case(name, corpus)?.workload(name)]
        } else if let Some(sequence) =
            Sequences::named(name).map_err(|error| CliError::argument(name, error))?
        {
            vec![sequence]
        } else if let Some(number) =
            Number::named(name).map_err(|error| CliError::argument(name, error))?
        {
            vec![number.workload()]
        } else {
            builtin(name)?
        };
        for workload in found {
            if workloads
                .iter()
                .all(|other| other.name() != workload.name())
            {
                workloads.push(workload);
            }
        }
    }
    Ok(Selection {
        workloads,
        left_out: None,
    })
}

/// The one workload with this name.
///
/// # Errors
///
/// As [`select`], and where the name stands for several.
pub(super) fn select_one(name: &str, corpus: Option<&Path>) -> Result<Workload, CliError> {
    let mut selection = select(&[name.to_owned()], corpus)?.workloads;
    match (selection.pop(), selection.len()) {
        (Some(only), 0) => Ok(only),
        (_, more) => Err(CliError::argument(
            name,
            format!(
                "stands for {} workloads; give the name of one ('cutpoint list')",
                more + 1
            ),
        )),
    }
}

/// Which crash states to explore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) contract: &'static Contract,
    /// How many power cuts follow on each other.
    pub(super) depth: u32,
}

impl Model {
    /// As a run names it.
    pub(super) fn explored(&self) -> Explored {
        Explored {
            contract: self.contract.name.to_owned(),
            depth: self.depth,
        }
    }
}

/// The crash model of cuts in the recovery from a cut.
const NESTED: &str = "nested";

/// What the options name: models, or contracts, or the prefix model where neither is given; with `depth` cuts one after
/// the other, or for the nested model two, where none is said.
///
/// # Errors
///
/// A name that stands for none.
pub(super) fn models(
    models: &[String],
    contracts: &[String],
    depth: Option<u32>,
) -> Result<Vec<Model>, CliError> {
    let mut chosen: Vec<Model> = Vec::new();
    let mut choose = |contract, depth| {
        let model = Model { contract, depth };
        if !chosen.contains(&model) {
            chosen.push(model);
        }
    };
    for model in models {
        let found = contract::MODELS
            .into_iter()
            .find(|contract| contract.name == model);
        match found {
            Some(contract) => choose(contract, depth.unwrap_or(1)),
            None if model == NESTED => choose(&contract::PREFIX, depth.unwrap_or(2)),
            None => {
                let names = contract::MODELS.map(|model| model.name).join(", ");
                return Err(CliError::argument(
                    "--models",
                    format!(
                        "no crash model '{model}'; there are {names}, {NESTED}, decay{}",
                        did_you_mean(
                            model,
                            contract::MODELS
                                .map(|model| model.name)
                                .into_iter()
                                .chain([NESTED, "decay"])
                        )
                    ),
                ));
            }
        }
    }
    for name in contracts {
        let found = match name.as_str() {
            "all" => contract::ALL.to_vec(),
            name => vec![contract_of(name)?],
        };
        for contract in found {
            choose(contract, depth.unwrap_or(1));
        }
    }
    if models.is_empty() && contracts.is_empty() {
        choose(&contract::PREFIX, depth.unwrap_or(1));
    }
    Ok(chosen)
}

/// The contract of this name.
///
/// # Errors
///
/// There is none.
pub(super) fn contract_of(name: &str) -> Result<&'static Contract, CliError> {
    contract::by_name(name).ok_or_else(|| {
        let names = contract::ALL.map(|contract| contract.name);
        CliError::argument(
            "--contract",
            format!(
                "no contract '{name}'; there are {}, or all{}",
                names.join(", "),
                did_you_mean(name, names),
            ),
        )
    })
}

fn builtin(name: &str) -> Result<Vec<Workload>, CliError> {
    builtin::select(name).map_err(|error| {
        let groups = builtin::Group::ALL.map(|group| group.to_string());
        let workloads = groups
            .iter()
            .flat_map(|group| builtin::BLOCK_SIZES.map(|size| format!("{group}-{size}")));
        let names: Vec<_> = workloads.chain(groups.iter().cloned()).collect();
        let others = [IMAGES, DEFAULT, "all"];
        let meant = did_you_mean(name, names.iter().map(String::as_str).chain(others));
        CliError::argument(
            name,
            format!("{error}, or {IMAGES}; 'cutpoint list' shows all{meant}"),
        )
    })
}

/// The workloads on images of the corpus.
pub(super) fn on_images(corpus: Option<&Path>) -> Result<Vec<Workload>, CliError> {
    let dir = corpus
        .map_or_else(find_corpus, Path::to_owned)
        .join("images");
    let images = images::read_images(&dir).map_err(|error| {
        CliError::argument(
            "--corpus",
            format!("{error}; give the corpus folder with --corpus DIR"),
        )
    })?;
    Ok(images.iter().filter_map(images::on_image).collect())
}

/// Whether this is the path of a case.
pub(super) fn is_case(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|found| found == case::EXTENSION)
}

/// The case at this path.
pub(super) fn read_case(path: &str, corpus: Option<&Path>) -> Result<Case, CliError> {
    let images = corpus
        .map_or_else(find_corpus, Path::to_owned)
        .join("images");
    Ok(Case::read(Path::new(path), &images)?)
}

/// The folder of cases of the corpus.
pub(super) fn find_case_folder() -> PathBuf {
    find_corpus().join("cases")
}

/// The folder of images for a folder of cases: beside it, or that of the corpus.
pub(super) fn find_images(cases: &Path) -> PathBuf {
    let beside = cases.join("../images");
    if beside.is_dir() {
        beside
    } else {
        find_corpus().join("images")
    }
}

/// The folder `corpus` here or in a folder above; else the one in the source that the command was built from.
fn find_corpus() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors()
        .map(|folder| folder.join("corpus"))
        .find(|corpus| corpus.join("images").is_dir())
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus"))
}
