use super::interrupt;
use super::select::{Selection, select};
use super::subject::SubjectArgument;
use super::supervise::{self, Supervised};
use super::{CliError, Outcome};
use crate::explore::{Progress, Sweep};
use crate::inflight::Inflight;
use crate::report::summary::Summary;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
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
  cutpoint sweep all --subject littlefs-c the C littlefs, where it is built in

Exit codes: 0 nothing found, 1 a violation was found, 2 bad usage or input, 3 cut short.")]
pub(super) struct Arguments {
    /// Workloads or groups of them, as 'cutpoint list' shows them
    #[arg(value_name = "WORKLOAD")]
    workloads: Vec<String>,
    #[command(flatten)]
    subject: SubjectArgument,
    /// Worker threads; by default as many as there are processors
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// A line for each image of the corpus, not one for all
    #[arg(long)]
    each: bool,
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
    // What the user got wrong is said without one.
    let selection = select(&arguments.workloads, arguments.corpus.as_deref())?;
    arguments.subject.name.subject(&selection.workloads)?;
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
    let Selection {
        workloads,
        left_out,
    } = select(&arguments.workloads, arguments.corpus.as_deref())?;
    let subject = arguments.subject.name.subject(&workloads)?;
    let stop = interrupt::catch(folder, arguments.subject.name)?;
    let threads = arguments.jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| CliError::argument("--jobs", error))?;
    let inflight = Inflight::create(folder, pool.current_num_threads())
        .map_err(|error| CliError::at(folder, error))?;
    let progress = Progress::default();
    let bar = progress_bar(arguments.quiet || arguments.json);
    let mut summary = Summary::default();
    for (index, workload) in workloads.iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        bar.set_prefix(format!("{}/{}", index + 1, workloads.len()));
        bar.set_message(workload.name().to_owned());
        let sweep = Sweep::new(&*subject, workload)
            .with_progress(&progress)
            .with_cancel(&stop)
            .with_inflight(&inflight);
        let begun = Instant::now();
        let report = watched(&bar, &progress, || pool.install(|| sweep.run()));
        summary.push(report, begun.elapsed());
    }
    bar.finish_and_clear();
    if let Some(error) = inflight.error() {
        return Err(CliError::at(folder, error));
    }
    let text = summary.text(arguments.each, Some(pool.current_num_threads()));
    if let Some(folder) = &arguments.out {
        save(folder, &summary, &text)?;
    }
    if arguments.json {
        print_json(&summary, out)?;
    } else {
        out.write_all(text.as_bytes())?;
        if let Some(reason) = left_out {
            writeln!(out, "Left out: the workloads on images. {reason}")?;
        }
    }
    // An interrupt that came when all was done has cut nothing short.
    let done = summary
        .sweeps()
        .iter()
        .filter(|sweep| sweep.report.is_complete());
    let cut_short = done.count() < workloads.len();
    Ok(match (summary.has_violations(), cut_short) {
        (true, _) => Outcome::Found,
        (false, true) => Outcome::CutShort,
        (false, false) => Outcome::Clean,
    })
}

fn print_json(summary: &Summary, out: &mut dyn Write) -> Result<(), CliError> {
    for sweep in summary.sweeps() {
        serde_json::to_writer(&mut *out, sweep).map_err(std::io::Error::from)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Keeps the results as JSON lines, and the screen as text.
fn save(folder: &Path, summary: &Summary, text: &str) -> Result<(), CliError> {
    let results = folder.join(RESULTS);
    let mut file = fs::File::create(&results).map_err(|error| CliError::at(&results, error))?;
    print_json(summary, &mut file)?;
    let screen = folder.join(SUMMARY);
    fs::write(&screen, text).map_err(|error| CliError::at(&screen, error))
}

/// A bar on standard error; hidden where that is no terminal.
fn progress_bar(quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(
        "{prefix:>7} [{bar:24}] {human_pos}/{human_len} states, {per_sec}  {wide_msg}",
    );
    let bar = ProgressBar::new(0);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Runs `work` with the bar following `progress`.
fn watched<T: Send>(bar: &ProgressBar, progress: &Progress, work: impl FnOnce() -> T + Send) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                bar.set_length(progress.states());
                bar.set_position(progress.covered());
                thread::park_timeout(Duration::from_millis(100));
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        watcher.thread().unpark();
        result
    })
}
