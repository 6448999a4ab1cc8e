//! Threads at work, what stops them, and what is seen of them meanwhile.

use super::subject::SubjectArgument;
use super::{CliError, interrupt};
use crate::inflight::Inflight;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The options about workers.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct WorkerArguments {
    /// Worker threads; by default as many as there are processors
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// No progress, and of the screen only what was found and the last line
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// What does the work, and what is seen of it meanwhile.
#[derive(Debug)]
pub(super) struct Workers {
    /// Set once the work is to stop.
    pub(super) stop: Arc<AtomicBool>,
    pub(super) pool: rayon::ThreadPool,
    pub(super) inflight: Inflight,
    pub(super) bar: ProgressBar,
    folder: PathBuf,
}

impl Workers {
    /// As many as asked for, who work on `subject`, note their places below `folder`, and count in `unit`.
    ///
    /// # Errors
    ///
    /// Where threads, files or the handler of interrupts cannot be had.
    pub(super) fn gather(
        arguments: WorkerArguments,
        subject: SubjectArgument,
        folder: &Path,
        unit: &str,
        json: bool,
    ) -> Result<Self, CliError> {
        let stop = interrupt::catch(folder, subject)?;
        let threads = arguments.jobs.map_or(0, usize::from);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| CliError::argument("--jobs", error))?;
        let inflight = Inflight::create(folder, pool.current_num_threads())
            .map_err(|error| CliError::at(folder, error))?;
        Ok(Self {
            stop,
            pool,
            inflight,
            bar: progress_bar(arguments.quiet || json, unit),
            folder: folder.to_owned(),
        })
    }

    /// Clears the bar.
    ///
    /// # Errors
    ///
    /// Where a place could not be noted.
    pub(super) fn finish(&self) -> Result<(), CliError> {
        self.bar.finish_and_clear();
        match self.inflight.error() {
            Some(error) => Err(CliError::at(&self.folder, error)),
            None => Ok(()),
        }
    }
}

/// A bar on standard error that counts in `unit`; hidden where that is no terminal.
fn progress_bar(quiet: bool, unit: &str) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(&format!(
        "{{prefix:>7}} [{{bar:24}}] {{human_pos}}/{{human_len}} {unit}, {{per_sec}}  {{wide_msg}}"
    ));
    let bar = ProgressBar::new(0);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Runs `work` with the bar following `position`: how much is done, and of how much.
pub(super) fn watched<T: Send>(
    bar: &ProgressBar,
    position: impl Fn() -> (u64, u64) + Sync,
    work: impl FnOnce() -> T + Send,
) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let (position, length) = position();
                bar.set_length(length);
                bar.set_position(position);
                thread::park_timeout(Duration::from_millis(100));
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        watcher.thread().unpark();
        result
    })
}
