//! What comes of a sweep or an audit beside its screen: pages, and what build servers read.

use super::CliError;
use crate::explore::SweepReport;
use crate::html::Page;
use crate::report::{annotations, junit};
use clap::{Args, ValueEnum};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The options about what else is written.
#[derive(Clone, Debug, Args)]
pub(super) struct ResultArguments {
    /// Write a page for a browser: findings, timelines, coverage
    #[arg(long, value_name = "FILE.html")]
    pub(super) report: Option<PathBuf>,
    /// Write JUnit XML: a test case for each workload and contract
    #[arg(long, value_name = "FILE.xml")]
    pub(super) junit: Option<PathBuf>,
    /// Print each kind of violation as an annotation for a build server
    #[arg(long, value_name = "FOR", value_enum, conflicts_with = "json")]
    pub(super) annotations: Option<Annotations>,
}

/// Whose annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Annotations {
    /// Those of GitHub workflows
    Github,
}

impl ResultArguments {
    /// Whether anything is asked for.
    pub(super) fn is_any(&self) -> bool {
        self.report.is_some() || self.junit.is_some() || self.annotations.is_some()
    }

    /// An empty page of this title, where one is asked for.
    pub(super) fn page(&self, title: &str) -> Option<Page> {
        self.report.as_ref().map(|_| Page::new(title))
    }

    /// Writes what is asked for of these sweeps, and the page.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub(super) fn write<'r>(
        &self,
        page: Option<&Page>,
        sweeps: impl Iterator<Item = (&'r SweepReport, Option<Duration>)> + Clone,
        out: &mut dyn Write,
    ) -> Result<(), CliError> {
        if let (Some(page), Some(file)) = (page, &self.report) {
            write_page(page, file)?;
        }
        if let Some(file) = &self.junit {
            let xml = junit::junit(sweeps.clone()).map_err(|error| CliError::at(file, error))?;
            fs::write(file, xml).map_err(|error| CliError::at(file, error))?;
        }
        if self.annotations == Some(Annotations::Github) {
            let reports = sweeps.map(|(report, _)| report);
            out.write_all(annotations::github(reports).as_bytes())?;
        }
        Ok(())
    }
}

/// Writes the page where the user wants it.
///
/// # Errors
///
/// It cannot be written.
pub(super) fn write_page(page: &Page, file: &Path) -> Result<(), CliError> {
    let html = page.render().map_err(|error| CliError::at(file, error))?;
    fs::write(file, html).map_err(|error| CliError::at(file, error))
}
