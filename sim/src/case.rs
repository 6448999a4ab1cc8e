//! Cases: workloads with their crash models and expected verdicts, as text files that people read and review.
//!
//! ```text
//! title "A rename onto a key in another dictionary"
//! origin "chamelon renames in two steps, so that a cut in between shows both names."
//!
//! device block-size=512 block-count=64 prog-size=16
//!
//! set "/a" length=700 seed=1
//! set "/d/b" "old"
//! rename "/a" "/d/b"
//!
//! explore prefix
//! explore nested
//!
//! expect engine clean
//! ```
//!
//! The text is KDL; docs/case-format.md has every line that a case can hold. A case holds operations, not the seed of a
//! generator: what it means does not change with one. [`Case::parse`] reads it, and printing it writes it in its one
//! canonical form; [`Case::workload`] is what runs, and [`Case::of`] the way back from there.

mod beside;
mod corpus;
mod error;
mod image;
mod line;
mod model;
mod operation;
mod parse;
mod print;
mod run;
mod source;
#[cfg(test)]
mod tests;
mod workload;

pub use beside::{Alone, Beside, Folder};
pub use corpus::{AddError, Corpus, NamedCase};
pub use error::{CaseError, Position};
pub use image::{CaseImage, CaseImageError};
pub use model::{CrashModel, Verdict};
pub use run::{CaseRun, Outcome, SubjectMaker};
pub use workload::UnknownContents;

use crate::crash::CrashState;
use crate::op::Operation;
use crate::trace::Fingerprint;
use cutpoint_engine::DiskVersion;
use cutpoint_engine::device::Geometry;

/// How the names of files end that hold cases.
pub const EXTENSION: &str = "kdl";

/// A workload, the crash models that it is to be explored under, and what should come of that.
///
/// ```
/// use cutpoint::case::{Alone, Case};
/// use cutpoint::explore::Sweep;
/// use cutpoint::subjects::EngineSubject;
///
/// let text = r#"
/// title "Two keys"
/// origin "An example."
/// device block-size=512 block-count=16
/// set "/a" "one"
/// set "/d/b" length=700 seed=1
/// explore torn
/// expect engine clean
/// "#;
/// let case = Case::parse(text, &Alone)?;
/// assert_eq!(Case::parse(&case.to_string(), &Alone)?, case);
/// let workload = case.workload("two-keys");
/// let torn = case.explorations[0].model.contract;
/// let report = Sweep::new(&EngineSubject::default(), &workload).under(torn).run();
/// assert_eq!(report.first_violation(), None);
///
/// let error = Case::parse("title \"No end", &Alone).unwrap_err();
/// assert!(error.to_string().starts_with("1:7: "), "{error}");
/// # Ok::<(), cutpoint::case::CaseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it is about, in a line.
    pub title: String,
    /// Where it comes from and what it guards, in prose.
    pub origin: String,
    /// Addresses of where it comes from.
    pub links: Vec<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What it runs on.
    pub start: CaseStart,
    /// In which version of its format the store is made, where that matters.
    pub disk_version: Option<DiskVersion>,
    /// After how many compactions the store moves what it has written, where that matters.
    pub block_cycles: Option<u32>,
    /// What is run.
    pub operations: Vec<Operation>,
    /// The crash states to explore.
    pub explorations: Vec<Exploration>,
    /// What should come of that.
    pub expectations: Vec<Expectation>,
    /// Crash states that once showed a violation.
    pub witnesses: Vec<Witness>,
}

/// What a case runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseStart {
    /// A blank device.
    Blank(CaseDevice),
    /// An image with a store on it.
    Image(CaseImage),
}

/// A device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseDevice {
    /// Its sizes.
    pub geometry: Geometry,
    /// What erased bytes read as.
    pub erase_value: u8,
}

/// A set of crash states to explore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exploration {
    /// Which.
    pub model: CrashModel,
    /// The most recoveries for an epoch, where the default is too many.
    pub max_states: Option<u64>,
    /// The seed of what is sampled past that.
    pub seed: u64,
}

/// What should come of the explorations of a case on one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The subject's name.
    pub subject: String,
    /// What should come of it.
    pub verdict: Verdict,
    /// The exploration that this is about; all that no other expectation of the subject is about, where none is named.
    pub under: Option<CrashModel>,
}

/// A crash state of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The state.
    pub state: CrashState,
    /// The crash model that allows it.
    pub under: CrashModel,
    /// The subject whose writes it is of.
    pub subject: String,
    /// The trace that it is of.
    pub fingerprint: Fingerprint,
}

impl Case {
    /// What should come of this exploration on the subject with this name; none where the case does not say.
    pub fn expected(&self, subject: &str, model: CrashModel) -> Option<&Verdict> {
        let of_subject = || {
            self.expectations
                .iter()
                .filter(|expectation| expectation.subject == subject)
        };
        of_subject()
            .find(|expectation| expectation.under == Some(model))
            .or_else(|| of_subject().find(|expectation| expectation.under.is_none()))
            .map(|expectation| &expectation.verdict)
    }

    /// The files that stand beside the case, by name.
    pub fn files(&self) -> Vec<(&str, &[u8])> {
        let (image, holds) = match &self.start {
            CaseStart::Image(image) => (image.file(), image.holds()),
            CaseStart::Blank(_) => (None, &[][..]),
        };
        let values = holds.iter().chain(&self.operations);
        let values = values.filter_map(|operation| operation.value()?.file());
        let mut files: Vec<_> = image.into_iter().chain(values).collect();
        files.sort_unstable();
        files.dedup();
        files
    }
}
