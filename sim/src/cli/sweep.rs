use super::select::{Selection, contracts, select};
use super::subject::SubjectArgument;
use super::supervise::{self, Supervised};
use super::{CliError, Outcome, bounded, interrupt};
use crate::contract::Contract;
use crate::explore::{Progress, Sweep};
use crate::inflight::Inflight;
use crate::report::summary::Summary;
use crate::workload::Workload;
use crate::workload::bounded::Length;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Cut the power at every write of a workload and judge every recovery
///
/// Without names: the directory-split workloads in all block sizes, then the same kind of operations on top of every
/// sound image of the corpus.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint sweep                          the directory-split workloads and the images
  cutpoint sweep rename-512 sizes         one workload, and one group in all block sizes
  cutpoint sweep all images --each        everything, a line for each
  cutpoint sweep split-on-basic_512_v21   on top of one image of the corpus
  cutpoint sweep nested --out run         keep the results in the folder run
  cutpoint sweep --models torn,reorder    torn writes, and writes that were held back
  cutpoint sweep --contract nor-flash     the crash states of a kind of device
  cutpoint sweep all --contract all       a line for each kind of device
  cutpoint sweep all --coverage           what was cut, lost, kept and torn
  cutpoint sweep --bounded 3              all sequences of up to three operations over a few keys
  cutpoint sweep all --subject littlefs-c the C littlefs, where it is built in

Exit codes: 0 nothing found, 1 a violation was found, 2 bad usage or input, 3 cut short.")]
#[allow(
    clippy::struct_excessive_bools,
    reason = "options of a command line, each given or not"
)]
pub(super) struct Arguments {
    /// Workloads or groups of them, as 'cutpoint list' shows them
    #[arg(value_name = "WORKLOAD")]
    workloads: Vec<String>,
    /// The crash models to explore: prefix, torn, reorder
    #[arg(
        long,
        value_name = "MODEL,...",
        value_delimiter = ',',
        conflicts_with = "contract"
    )]
    models: Vec<String>,
    /// The kinds of devices whose crash states to explore, as 'cutpoint list' shows them, or all
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    contract: Vec<String>,
    /// The most recoveries for one epoch; beyond, its crash states are sampled
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    max_states: u64,
    /// The seed of what is sampled
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Sweep all sequences of 1 to N operations over a few keys, in place of workloads; N is at most 4
    #[arg(long, value_name = "N", conflicts_with_all = ["workloads", "each", "coverage", "corpus", "models", "contract", "name"])]
    bounded: Option<Length>,
    #[command(flatten)]
    subject: SubjectArgument,
    /// Worker threads; by default as many as there are processors
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// A line for each image of the corpus, not one for all
    #[arg(long)]
    each: bool,
    /// Show what was cut, lost, kept and torn, by operation and phase
    #[arg(long)]
    coverage: bool,
    /// Print one JSON object for each workload
    #[arg(long)]
    json: bool,
    /// No progress
    #[arg(long, short)]
    quiet: bool,
    /// Keep the results in this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The corpus folder, where it is not ./corpus
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
}

/// The files of a run's folder.
const RESULTS: &str = "results.jsonl";
const SUMMARY: &str = "summary.txt";
const IN_FLIGHT: &str = "in-flight";

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    match supervise::working_in() {
        Some(inflight) => work(arguments, &inflight, out),
        None => supervised(arguments, out),
    }
}

/// Has the work done in a second process.
fn supervised(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    // What the user got wrong is said without one. Sequences need no corpus, so that nothing can be wrong with it.
    if arguments.bounded.is_none() {
        let selection = select(&arguments.workloads, arguments.corpus.as_deref())?;
        for workload in &selection.workloads {
            arguments.subject.name.subject(workload)?;
        }
        contracts(&arguments.models, &arguments.contract)?;
    }
    let temporary;
    let folder = if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder).map_err(|error| CliError::at(folder, error))?;
        folder.join(IN_FLIGHT)
    } else {
        temporary =
            tempfile::tempdir().map_err(|error| CliError::argument("temporary folder", error))?;
        temporary.path().to_owned()
    };
    match supervise::run(&folder, arguments.subject.name)? {
        Supervised::Ended(outcome) => Ok(outcome),
        Supervised::Failed => Ok(Outcome::Reported),
        Supervised::BroughtDown { how, places } => {
            writeln!(
                out,
                "The subject brought the process down ({how}) at one of these places:"
            )?;
            for place in places {
                writeln!(out, "  {place}")?;
            }
            Ok(Outcome::Found)
        }
    }
}

fn work(arguments: &Arguments, folder: &Path, out: &mut dyn Write) -> Result<Outcome, CliError> {
    if let Some(length) = arguments.bounded {
        let workers = Workers::gather(arguments, folder)?;
        return bounded::run(
            length,
            &workers,
            arguments.json,
            arguments.out.as_deref(),
            out,
        );
    }
    let Selection {
        workloads,
        left_out,
    } = select(&arguments.workloads, arguments.corpus.as_deref())?;
    let contracts = contracts(&arguments.models, &arguments.contract)?;
    let workers = Workers::gather(arguments, folder)?;
    let Workers {
        stop,
        pool,
        inflight,
        bar,
        ..
    } = &workers;
    let progress = Progress::default();
    let mut summary = Summary::default();
    let work: Vec<(&Workload, &'static Contract)> = workloads
        .iter()
        .flat_map(|workload| contracts.iter().map(move |&contract| (workload, contract)))
        .collect();
    for (index, &(workload, contract)) in work.iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        bar.set_prefix(format!("{}/{}", index + 1, work.len()));
        bar.set_message(format!("{}, {}", workload.name(), contract.name));
        let subject = arguments.subject.name.subject(workload)?;
        let sweep = Sweep::new(&*subject, workload)
            .under(contract)
            .with_bound(arguments.max_states, arguments.seed)
            .with_progress(&progress)
            .with_cancel(stop)
            .with_inflight(inflight);
        let begun = Instant::now();
        let position = || (progress.done(), progress.parts());
        let report = watched(bar, position, || pool.install(|| sweep.run()));
        summary.push(report, begun.elapsed());
    }
    workers.finish()?;
    let text = summary.text(arguments.each, Some(pool.current_num_threads()));
    if let Some(folder) = &arguments.out {
        save(folder, summary.sweeps(), &text)?;
    }
    if arguments.json {
        print_json(summary.sweeps(), out)?;
    } else {
        out.write_all(text.as_bytes())?;
        if arguments.coverage {
            write!(out, "\n{}", summary.coverage_text())?;
        }
        if let Some(reason) = left_out {
            writeln!(out, "Left out: the workloads on images. {reason}")?;
        }
    }
    // An interrupt that came when all was done has cut nothing short.
    let done = summary
        .sweeps()
        .iter()
        .filter(|sweep| sweep.report.is_finished());
    let cut_short = done.count() < work.len();
    Ok(match (summary.has_violations(), cut_short) {
        (true, _) => Outcome::Found,
        (false, true) => Outcome::CutShort,
        (false, false) => Outcome::Clean,
    })
}

/// What does the work of a sweep, and what is seen of it meanwhile.
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
    /// As many as asked for, who note their places below `folder`.
    fn gather(arguments: &Arguments, folder: &Path) -> Result<Self, CliError> {
        let stop = interrupt::catch(folder, arguments.subject.name)?;
        let threads = arguments.jobs.map_or(0, usize::from);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| CliError::argument("--jobs", error))?;
        let inflight = Inflight::create(folder, pool.current_num_threads())
            .map_err(|error| CliError::at(folder, error))?;
        let unit = arguments.bounded.map_or("parts", |_| "sequences");
        Ok(Self {
            stop,
            pool,
            inflight,
            bar: progress_bar(arguments.quiet || arguments.json, unit),
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

/// Prints each result as one JSON object a line.
pub(super) fn print_json<T: Serialize>(results: &[T], out: &mut dyn Write) -> Result<(), CliError> {
    for result in results {
        serde_json::to_writer(&mut *out, result).map_err(std::io::Error::from)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Keeps the results as JSON lines, and the screen as text.
pub(super) fn save<T: Serialize>(folder: &Path, results: &[T], text: &str) -> Result<(), CliError> {
    let lines = folder.join(RESULTS);
    let mut file = fs::File::create(&lines).map_err(|error| CliError::at(&lines, error))?;
    print_json(results, &mut file)?;
    let screen = folder.join(SUMMARY);
    fs::write(&screen, text).map_err(|error| CliError::at(&screen, error))
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
