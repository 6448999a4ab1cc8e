//! From the text of a case to the case.

use super::line::Line;
use super::model::DEPTH_MAX;
use super::operation::{WORDS as OPERATIONS, only_operation, operation};
use super::source::Source;
use super::{
    Beside, Case, CaseDevice, CaseError, CaseImage, CaseImageError, CaseStart, CrashModel,
    Expectation, Exploration, Folder, Witness,
};
use crate::op::Operation;
use cutpoint_engine::DiskVersion;
use cutpoint_engine::device::Geometry;
use std::fs;
use std::path::Path;

/// The words that lines begin with, operations aside.
const WORDS: &str = "title, origin, link, tags, device, start, store, explore, expect, state";

impl Case {
    /// The case that this text is, with what is beside it.
    ///
    /// # Errors
    ///
    /// [`CaseError`], with line and column.
    pub fn parse(text: &str, beside: &dyn Beside) -> Result<Self, CaseError> {
        let source = Source::new(text);
        let nodes = source.nodes()?;
        let mut parts = Parts::new(beside);
        for node in &nodes {
            parts.take(Line::new(source, node)?)?;
        }
        parts.into_case(source)
    }

    /// The case in this file, with what is beside it; images of the corpus are in the folder `images`.
    ///
    /// # Errors
    ///
    /// [`CaseError`], with the file, line and column.
    pub fn read(path: &Path, images: &Path) -> Result<Self, CaseError> {
        let text = fs::read_to_string(path).map_err(|error| CaseError {
            path: Some(path.to_owned()),
            position: None,
            what: format!("cannot read the case: {error}"),
            remedy: "give the path of a case, in UTF-8".into(),
        })?;
        let folder = Folder {
            cases: path.parent().unwrap_or(Path::new("")).to_owned(),
            images: images.to_owned(),
        };
        Self::parse(&text, &folder).map_err(|error| error.in_file(path))
    }
}

/// The parts of a case, as far as they have been read.
struct Parts<'a> {
    beside: &'a dyn Beside,
    title: Option<String>,
    origin: Option<String>,
    links: Vec<String>,
    tags: Vec<String>,
    device: Option<(usize, CaseDevice)>,
    start: Option<(usize, StartLine)>,
    store: Option<(Option<DiskVersion>, Option<u32>)>,
    operations: Vec<Operation>,
    /// Where each operation is.
    places: Vec<usize>,
    explorations: Vec<Exploration>,
    expectations: Vec<Expectation>,
    witnesses: Vec<Witness>,
}

/// What a case starts from, as it is written.
enum StartLine {
    Corpus(CaseImage),
    File {
        name: String,
        bytes: Vec<u8>,
        holds: Vec<Operation>,
        places: Vec<usize>,
    },
}

impl<'a> Parts<'a> {
    fn new(beside: &'a dyn Beside) -> Self {
        Self {
            beside,
            title: None,
            origin: None,
            links: Vec::new(),
            tags: Vec::new(),
            device: None,
            start: None,
            store: None,
            operations: Vec::new(),
            places: Vec::new(),
            explorations: Vec::new(),
            expectations: Vec::new(),
            witnesses: Vec::new(),
        }
    }

    fn take(&mut self, mut line: Line<'_>) -> Result<(), CaseError> {
        match line.word() {
            "title" => {
                let title = line.prose("title")?;
                once(&mut self.title, title, &line)?;
            }
            "origin" => {
                let origin = line.prose("origin")?;
                once(&mut self.origin, origin, &line)?;
            }
            "link" => self.links.push(line.text("an address")?.to_owned()),
            "tags" => {
                while line.has_more() {
                    self.tags.push(line.name("a tag")?);
                }
            }
            "device" => {
                let device = (line.offset(), device(&mut line)?);
                once(&mut self.device, device, &line)?;
            }
            "start" => {
                let start = (line.offset(), self.start(&mut line)?);
                once(&mut self.start, start, &line)?;
                return line.end_before_block();
            }
            "store" => {
                let version = line.text_property("disk-version")?;
                let version = version.map(|version| version_of(&line, version));
                let store = (version.transpose()?, line.number_property("block-cycles")?);
                once(&mut self.store, store, &line)?;
            }
            "explore" => self.explore(&mut line)?,
            "expect" => self.expect(&mut line)?,
            "state" => {
                let witness = Witness {
                    state: line.parsed("the id of a crash state")?,
                    under: under(&mut line)?.unwrap_or(CrashModel::of(&crate::contract::PREFIX)),
                    subject: line.name_property("subject")?.unwrap_or("engine".into()),
                    fingerprint: line.parsed_required("fingerprint")?,
                };
                self.witnesses.push(witness);
            }
            word => {
                let Some(operation) = operation(&mut line, self.beside)? else {
                    let what = format!("no line of a case begins with '{word}'");
                    return Err(line.error(what, format!("there are {WORDS}, {OPERATIONS}")));
                };
                self.operations.push(operation);
                self.places.push(line.offset());
            }
        }
        line.end()
    }

    fn start(&self, line: &mut Line<'_>) -> Result<StartLine, CaseError> {
        if let Some(name) = line.text_property("image")? {
            let image = self
                .beside
                .image(name)
                .and_then(|image| CaseImage::of_corpus(&image).map_err(|error| error.to_string()));
            let image = image.map_err(|error| {
                let what = format!("no image '{name}' of the corpus: {error}");
                line.error(what, "name one that corpus/images/manifest.json describes")
            })?;
            return Ok(StartLine::Corpus(image));
        }
        let Some(name) = line.text_property("file")? else {
            let remedy = "write image=\"NAME\" for one of the corpus, or file=\"NAME\" for one beside the case";
            return Err(line.error("'start' lacks an image", remedy));
        };
        let bytes = self.beside.file(name).map_err(|error| {
            let what = format!("cannot read '{name}': {error}");
            line.error(what, "put the image beside the case")
        })?;
        let mut holds = Vec::new();
        let mut places = Vec::new();
        for child in line.children()? {
            places.push(child.offset());
            holds.push(only_operation(child, self.beside)?);
        }
        Ok(StartLine::File {
            name: name.to_owned(),
            bytes,
            holds,
            places,
        })
    }

    fn explore(&mut self, line: &mut Line<'_>) -> Result<(), CaseError> {
        let name = line.text("a crash model")?;
        let exploration = Exploration {
            model: model(line, name)?,
            max_states: line.number_property("max-states")?,
            seed: line.number_property("seed")?.unwrap_or(0),
        };
        let is_known = |other: &Exploration| other.model == exploration.model;
        if self.explorations.iter().any(is_known) {
            let what = format!("'{}' is explored twice", exploration.model);
            return Err(line.error(what, "leave one out"));
        }
        self.explorations.push(exploration);
        Ok(())
    }

    fn expect(&mut self, line: &mut Line<'_>) -> Result<(), CaseError> {
        let expectation = Expectation {
            subject: line.name("a subject")?,
            verdict: line.parsed("clean, refused or a kind of violation")?,
            under: under(line)?,
        };
        let says_so = |other: &Expectation| {
            other.subject == expectation.subject && other.under == expectation.under
        };
        if self.expectations.iter().any(says_so) {
            let what = format!("what to expect of '{}' is said twice", expectation.subject);
            return Err(line.error(
                what,
                "leave one out, or name the model that it is about with under=",
            ));
        }
        self.expectations.push(expectation);
        Ok(())
    }

    fn into_case(self, source: Source<'_>) -> Result<Case, CaseError> {
        let lacks = |what: &str, remedy: &str| {
            source.error(
                0,
                format!("the case lacks {what}"),
                format!("write {remedy}"),
            )
        };
        let title = self
            .title
            .ok_or_else(|| lacks("a title", "title \"...\""))?;
        let origin = self
            .origin
            .ok_or_else(|| lacks("its origin", "origin \"where it comes from\""))?;
        if self.explorations.is_empty() {
            return Err(lacks("a crash model", "explore prefix"));
        }
        if self.expectations.is_empty() {
            return Err(lacks("what to expect", "expect engine clean"));
        }
        for under in self
            .expectations
            .iter()
            .filter_map(|expectation| expectation.under)
        {
            if self
                .explorations
                .iter()
                .all(|exploration| exploration.model != under)
            {
                let what = format!("an expectation is about '{under}', which is not explored");
                return Err(source.error(0, what, "add an 'explore' line for it"));
            }
        }
        let start = start(source, self.device, self.start)?;
        let places = self.places;
        let (disk_version, block_cycles) = self.store.unwrap_or_default();
        let case = Case {
            title,
            origin,
            links: self.links,
            tags: self.tags,
            start,
            disk_version,
            block_cycles,
            operations: self.operations,
            explorations: self.explorations,
            expectations: self.expectations,
            witnesses: self.witnesses,
        };
        // Of an image beside the case, everything is known.
        if matches!(&case.start, CaseStart::Image(image) if image.is_of_corpus()) {
            case.workload("").check().map_err(|error| {
                let offset = places[error.index as usize - 1];
                let what = format!(
                    "'{}' changes part of a value of which only size and digest are known",
                    error.operation
                );
                source.error(offset, what, "set the value first")
            })?;
        }
        Ok(case)
    }
}

/// Keeps what stands in a case once.
fn once<T>(place: &mut Option<T>, found: T, line: &Line<'_>) -> Result<(), CaseError> {
    match place.replace(found) {
        None => Ok(()),
        Some(_) => Err(line.error(
            format!("'{}' stands here twice", line.word()),
            "leave one out",
        )),
    }
}

fn start(
    source: Source<'_>,
    device: Option<(usize, CaseDevice)>,
    start: Option<(usize, StartLine)>,
) -> Result<CaseStart, CaseError> {
    let need_device =
        "write device block-size=512 block-count=64, with the sizes that it is to have";
    match (device, start) {
        (Some((_, device)), None) => Ok(CaseStart::Blank(device)),
        (None, None) => Err(source.error(0, "the case lacks a device", need_device)),
        (None, Some((_, StartLine::Corpus(image)))) => Ok(CaseStart::Image(image)),
        (Some((offset, _)), Some((_, StartLine::Corpus(_)))) => {
            let what = "an image of the corpus brings its device";
            Err(source.error(offset, what, "leave out the device"))
        }
        (None, Some((offset, StartLine::File { .. }))) => {
            Err(source.error(offset, "an image in a file needs a device", need_device))
        }
        (
            Some((_, device)),
            Some((
                offset,
                StartLine::File {
                    name,
                    bytes,
                    holds,
                    places,
                },
            )),
        ) => {
            let image =
                CaseImage::beside(device, name, bytes, holds).map_err(|error| match error {
                    CaseImageError::Length(error) => source.error(
                        offset,
                        error.to_string(),
                        "write the sizes of the image's device",
                    ),
                    CaseImageError::Refused { index, .. } => {
                        let remedy =
                            "let the block say what the image holds, as operations on a new store";
                        source.error(places[index], error.to_string(), remedy)
                    }
                })?;
            Ok(CaseStart::Image(image))
        }
    }
}

fn device(line: &mut Line<'_>) -> Result<CaseDevice, CaseError> {
    let geometry = Geometry::new(line.number("block-size")?, line.number("block-count")?);
    let geometry = match line.number_property("prog-size")? {
        Some(prog_size) => geometry.and_then(|geometry| geometry.with_prog_size(prog_size)),
        None => geometry,
    };
    Ok(CaseDevice {
        geometry: geometry.map_err(|error| line.error(error.to_string(), "write other sizes"))?,
        erase_value: line.number_property("erase-value")?.unwrap_or(0xff),
    })
}

fn version_of(line: &Line<'_>, text: &str) -> Result<DiskVersion, CaseError> {
    let numbers = text.split_once('.').and_then(|(major, minor)| {
        DiskVersion::from_numbers(major.parse().ok()?, minor.parse().ok()?)
    });
    let version = numbers.filter(|version| super::print::version(*version) == text);
    version.ok_or_else(|| {
        line.error(
            format!("there is no disk version {text}"),
            "write \"2.0\" or \"2.1\"",
        )
    })
}

/// The crash model of this name, and the depth beside it.
fn model(line: &mut Line<'_>, name: &str) -> Result<CrashModel, CaseError> {
    let depth = line.number_property("depth")?;
    if depth.is_some_and(|depth| !(1..=DEPTH_MAX).contains(&depth)) {
        return Err(line.error(
            "there are not so many power cuts",
            format!("write a depth from 1 to {DEPTH_MAX}"),
        ));
    }
    CrashModel::named(name, depth)
        .map_err(|remedy| line.error(format!("no crash model '{name}'"), remedy))
}

/// The crash model that the line is about.
fn under(line: &mut Line<'_>) -> Result<Option<CrashModel>, CaseError> {
    match line.text_property("under")? {
        Some(name) => model(line, name).map(Some),
        None => Ok(None),
    }
}
