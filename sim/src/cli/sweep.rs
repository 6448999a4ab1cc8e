use super::decay::{self, DECAY};
use super::results::ResultArguments;
use super::select::{Model, Selection, models, select};
use super::settle::{self, Depth};
use super::subject::{Parties, PeerName, SubjectArgument};
use super::supervise;
use super::workers::{WorkerArguments, Workers, watched};
use super::{CliError, Outcome, bounded};
use crate::contract;
use crate::explore::{Progress, Sweep, SweepReport};
use crate::report::summary::Summary;
use crate::run::{self, Configuration, Entry, Finding, Header, Minimal, Shard, Writer};
use crate::shrink::{Shrink, Witness};
use crate::workload::Workload;
use crate::workload::bounded::Length;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Cut the power at every write of a workload and judge every recovery
///
/// Without names: the directory-split workloads in all block sizes, then the same kind of operations on top of every
/// sound image of the corpus.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint sweep                           the directory-split workloads and the images
  cutpoint sweep rename-512 sizes          one workload, and one group in all block sizes
  cutpoint sweep all images --each         everything, a line for each
  cutpoint sweep split-on-basic_512_v21    on top of one image of the corpus
  cutpoint sweep nested --out run          keep the results in the folder run
  cutpoint sweep --models torn,reorder     torn writes, and writes that were held back
  cutpoint sweep --models torn --sets all  every set of the units of a torn write
  cutpoint sweep --models nested           power cuts in the recovery from a power cut
  cutpoint sweep all --depth all           cuts in recoveries for as long as they lead to new images
  cutpoint sweep --models decay            bits that flip, units and blocks that cannot be read
  cutpoint sweep --contract nor-flash      the crash states of a kind of device
  cutpoint sweep all --contract all        a line for each kind of device
  cutpoint sweep all --coverage            what was cut, lost, kept and torn
  cutpoint sweep --bounded 3               all sequences of up to three operations over a few keys
  cutpoint sweep all --subject littlefs-c  the C littlefs, where it is built in
  cutpoint sweep all --peer littlefs-c     the engine, and the C littlefs must see the same
  cutpoint sweep --report sweep.html       and a page with timelines for a browser
  cutpoint sweep --quiet --junit out.xml   and test results for a build server

Exit codes: 0 nothing found, 1 a violation was found, 2 bad usage or input, 3 cut short.")]
#[allow(
    clippy::struct_excessive_bools,
    reason = "options of a command line, each given or not"
)]
pub(super) struct Arguments {
    /// Workloads or groups of them, as 'cutpoint list' shows them, or paths of cases
    #[arg(value_name = "WORKLOAD")]
    workloads: Vec<String>,
    /// The crash models to explore: prefix, torn, reorder, nested; or decay, alone
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
    /// How many power cuts follow on each other, each in the recovery from the one before; 1, or 2 for nested. With 'all',
    /// cuts in what recoveries repair, until no further one leads to anything new
    #[arg(long, value_name = "N|all")]
    depth: Option<Depth>,
    /// Which sets of the units of a torn write to try
    #[arg(long, value_enum, default_value_t)]
    sets: SetsName,
    /// The most recoveries for one epoch, or of decay for one workload; beyond, the rest is sampled
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    max_states: u64,
    /// The most memory, in MiB, for recoveries that are remembered so as not to be run again where cuts follow on cuts
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    max_memory: u32,
    /// The seed of what is sampled
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Sweep all sequences of 1 to N operations over a few keys, in place of workloads; N is at most 4
    #[arg(long, value_name = "N", conflicts_with_all = ["workloads", "each", "coverage", "corpus", "models", "contract", "depth", "sets", "name", "peer", "report", "junit", "annotations"])]
    bounded: Option<Length>,
    #[command(flatten)]
    subject: SubjectArgument,
    #[command(flatten)]
    workers: WorkerArguments,
    /// A line for each image of the corpus, not one for all
    #[arg(long)]
    each: bool,
    /// Show what was cut, lost, kept and torn, by operation and phase
    #[arg(long)]
    coverage: bool,
    /// Print one JSON object for each workload
    #[arg(long)]
    json: bool,
    /// Keep the results in this folder, as docs/campaigns.md describes it
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Do the I-th of N parts of the work; 'cutpoint merge' joins what they leave
    #[arg(long, value_name = "I/N", requires = "out", conflicts_with = "bounded")]
    shard: Option<Shard>,
    #[command(flatten)]
    results: ResultArguments,
    /// The corpus folder, where it is not ./corpus
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
}

impl Arguments {
    /// What the run that is kept says of itself.
    fn header(&self, workloads: &[Workload], models: &[Model]) -> Header {
        let names = workloads.iter().map(|workload| workload.name().to_owned());
        let configuration = Configuration {
            command: run::Command::Sweep,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            subject: self.subject.name.as_str().to_owned(),
            subject_version: self.subject.name.description(),
            peer: self.subject.peer.map(PeerName::named),
            seed: self.seed,
            max_states: self.max_states,
            models: models.iter().map(Model::explored).collect(),
            workloads: names.collect(),
        };
        let count = workloads.len() as u64 * models.len() as u64;
        Header::new(configuration, Some(count), self.shard)
    }

    /// The models to explore.
    fn models(&self) -> Result<Vec<Model>, CliError> {
        let depth = self.depth.and_then(Depth::cuts);
        let mut models = models(&self.models, &self.contract, depth)?;
        if self.sets == SetsName::All {
            for model in &mut models {
                model.contract = model.contract.with_all_sets();
            }
        }
        Ok(models)
    }

    /// Whether damage is to be swept.
    ///
    /// # Errors
    ///
    /// Where something is asked for beside it.
    fn is_decay(&self) -> Result<bool, CliError> {
        if !self.models.iter().any(|model| model == DECAY) {
            return Ok(false);
        }
        let beside = self.models.len() > 1
            || self.depth.is_some()
            || self.coverage
            || self.shard.is_some()
            || self.subject.peer.is_some();
        if beside {
            let what = "decay is swept alone, on the prefix model: leave out other models, --depth, --coverage, \
                        --shard and --peer";
            return Err(CliError::argument("--models", what));
        }
        Ok(true)
    }

    /// That nothing was asked for which does not go with `--depth all`.
    fn check_all(&self, models: &[Model]) -> Result<(), CliError> {
        let is_prefix = |model: &Model| *model.contract == contract::PREFIX;
        if !models.iter().all(is_prefix) {
            let what = "goes with the prefix model alone; leave out --contract, and other --models than nested";
            return Err(CliError::argument("--depth all", what));
        }
        let kept = self.out.is_some() || self.results.is_any();
        if self.subject.peer.is_some() || kept || self.coverage || self.each {
            let what = "does not go with --peer, --out, --report, --junit, --annotations, --coverage or --each";
            return Err(CliError::argument("--depth all", what));
        }
        Ok(())
    }

    fn gather(&self, folder: &Path, unit: &str) -> Result<Workers, CliError> {
        Workers::gather(self.workers, self.subject, folder, unit, self.json)
    }
}

/// Which sets of the units of a torn write are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum SetsName {
    /// Runs from the front and from the back, and all but each single one
    #[default]
    Classes,
    /// All of them, for writes of up to 16 units; of longer ones as classes
    All,
}

/// The files of a run's folder.
const RESULTS: &str = "results.jsonl";
const SUMMARY: &str = "summary.txt";

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    match supervise::working_in() {
        Some(inflight) if arguments.is_decay()? => damage(arguments, &inflight, out),
        Some(inflight) if arguments.depth == Some(Depth::All) => to_rest(arguments, &inflight, out),
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
            arguments.subject.parties(workload)?;
        }
        if arguments.is_decay()? {
            return supervise::report(arguments.out.as_deref(), arguments.subject, out);
        }
        let models = arguments.models()?;
        if arguments.subject.peer.is_some() && models.iter().any(|model| model.depth > 1) {
            let what = "a peer has its say on what a single power cut leaves; leave out --depth and the nested model";
            return Err(CliError::argument("--peer", what));
        }
        if arguments.depth == Some(Depth::All) {
            arguments.check_all(&models)?;
        }
    }
    supervise::report(arguments.out.as_deref(), arguments.subject, out)
}

/// Explores cuts in recoveries until none leads to anything new.
fn to_rest(arguments: &Arguments, folder: &Path, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let selection = select(&arguments.workloads, arguments.corpus.as_deref())?;
    let workers = arguments.gather(folder, "workloads")?;
    let (subject, most) = (arguments.subject, arguments.max_states);
    let json = arguments.json;
    settle::run(&selection.workloads, subject, most, &workers, json, out)
}

/// Sweeps damage on top of the crash states.
fn damage(arguments: &Arguments, folder: &Path, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let selection = select(&arguments.workloads, arguments.corpus.as_deref())?;
    let workers = arguments.gather(folder, "recoveries")?;
    let task = decay::Task {
        workloads: &selection.workloads,
        subject: arguments.subject,
        bound: arguments.max_states,
        seed: arguments.seed,
    };
    let kept = arguments.out.as_deref();
    decay::run(&task, &workers, arguments.json, kept, out)
}

fn work(arguments: &Arguments, folder: &Path, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let json = arguments.json;
    if let Some(length) = arguments.bounded {
        let workers = arguments.gather(folder, "sequences")?;
        return bounded::run(length, &workers, json, arguments.out.as_deref(), out);
    }
    let Selection {
        workloads,
        left_out,
    } = select(&arguments.workloads, arguments.corpus.as_deref())?;
    let models = arguments.models()?;
    let workers = arguments.gather(folder, "parts")?;
    let mut kept = match &arguments.out {
        Some(kept) => {
            let header = arguments.header(&workloads, &models);
            Some(Writer::create(kept, &header)?)
        }
        None => None,
    };
    let Workers {
        stop,
        pool,
        inflight,
        bar,
        ..
    } = &workers;
    let progress = Progress::default();
    let mut summary = Summary::default();
    let page = arguments.results.page("Sweep");
    let mut page = page.map(|page| page.with_threads(pool.current_num_threads()));
    let on_device =
        |workload: &Workload, model: Model| (workload.clone().on(model.contract), model);
    let all = workloads
        .iter()
        .flat_map(|workload| models.iter().map(move |&model| on_device(workload, model)));
    let shard = arguments.shard.unwrap_or(Shard::WHOLE);
    let work: Vec<(u64, (Workload, Model))> = (0..)
        .zip(all)
        .filter(|&(index, _)| shard.has(index))
        .collect();
    for (done, (index, (workload, model))) in work.iter().enumerate() {
        let &Model { contract, depth } = model;
        if stop.load(Ordering::Relaxed) {
            break;
        }
        bar.set_prefix(format!("{}/{}", done + 1, work.len()));
        bar.set_message(format!("{}, {}", workload.name(), contract.name));
        let parties = arguments.subject.parties(workload)?;
        let sweep = parties
            .sweep()
            .under(contract)
            .with_depth(depth)
            .with_bound(arguments.max_states, arguments.seed)
            .with_memory(u64::from(arguments.max_memory) << 20)
            .with_progress(&progress)
            .with_cancel(stop)
            .with_inflight(inflight);
        let begun = Instant::now();
        let position = || (progress.done(), progress.parts());
        let report = watched(bar, position, || pool.install(|| sweep.run()));
        let elapsed = begun.elapsed();
        if let Some(kept) = kept.as_mut().filter(|_| report.is_finished()) {
            let entry = entry(*index, &report, &sweep, workload, &parties, kept);
            kept.push(entry)?;
        }
        if let Some(page) = &mut page {
            page.add_sweep(&sweep, &report, Some(elapsed));
        }
        summary.push(report, elapsed);
    }
    workers.finish()?;
    let sweeps = summary.sweeps().iter();
    let sweeps = sweeps.map(|sweep| (&sweep.report, Some(sweep.elapsed)));
    arguments.results.write(page.as_ref(), sweeps, out)?;
    if let Some(kept) = kept {
        let is_complete = kept.totals().entries == work.len() as u64;
        // Without rates, so that it is the same each time.
        kept.finish(is_complete, &summary.text(false, None))?;
    }
    let threads = pool.current_num_threads();
    print(arguments, &summary, threads, left_out.as_deref(), out)?;
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

/// What the run that is kept says of a sweep.
fn entry(
    index: u64,
    report: &SweepReport,
    sweep: &Sweep<'_>,
    workload: &Workload,
    parties: &Parties<'_>,
    kept: &Writer,
) -> Entry {
    let mut entry = Entry {
        index,
        findings: Finding::all(sweep, report),
        report: report.clone(),
    };
    entry.make_small(kept.totals(), |found| {
        let witness = Witness {
            workload: workload.clone(),
            contract: sweep.contract(),
            found: found.clone(),
        };
        let subject = &*parties.subject;
        let shrink = Shrink::new(subject, witness).with_peer(parties.peer());
        let origin = format!("Found by a sweep of {}, and made small.", workload.name());
        Minimal::of(&shrink.run().ok()?, subject, &origin)
    });
    entry
}

/// Prints what came of the sweeps on so many threads; `left_out` is why the workloads on images are missing.
fn print(
    arguments: &Arguments,
    summary: &Summary,
    threads: usize,
    left_out: Option<&str>,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    if arguments.json {
        return print_json(summary.sweeps(), out);
    }
    if arguments.workers.quiet {
        out.write_all(summary.quiet_text().as_bytes())?;
        return Ok(());
    }
    let text = summary.text(arguments.each, Some(threads));
    out.write_all(text.as_bytes())?;
    if arguments.coverage {
        write!(out, "\n{}", summary.coverage_text())?;
    }
    if let Some(reason) = left_out {
        writeln!(out, "Left out: the workloads on images. {reason}")?;
    }
    Ok(())
}

/// The version of the JSON that commands print. It is raised where a member changes its meaning or goes; new members do not
/// raise it.
pub(super) const SCHEMA: u32 = 1;

/// A result with the version of its form.
#[derive(Serialize)]
struct Versioned<'a, T> {
    schema: u32,
    #[serde(flatten)]
    result: &'a T,
}

/// Prints each result as one JSON object a line.
pub(super) fn print_json<T: Serialize>(results: &[T], out: &mut dyn Write) -> Result<(), CliError> {
    let schema = SCHEMA;
    for result in results {
        let line = Versioned { schema, result };
        serde_json::to_writer(&mut *out, &line).map_err(std::io::Error::from)?;
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
