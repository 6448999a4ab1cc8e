use super::select::{Model, models};
use super::subject::{PeerName, SubjectArgument};
use super::supervise;
use super::workers::{WorkerArguments, Workers, watched};
use super::{CliError, Outcome};
use crate::campaign::{Campaign, CampaignProgress, MakeSubject};
use crate::case::CrashModel;
use crate::generate::Number;
use crate::report::campaign::CampaignText;
use crate::run::{Command, Configuration, Header, Log, Reader, Shard, Writer};
use crate::subject::Subject;
use crate::workload::Workload;
use clap::Args;
use humantime::Duration;
use indicatif::HumanCount;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{self, Instant};

/// Sweep random workloads for as long as there is time, and keep what is found as small cases
///
/// Each workload is explored under one crash model. What is found is told apart by its cause; the first witness of each is
/// made small and written as a case for review. Under a seed, a workload's number means the same on every machine.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint campaign --time 8h --out night             a night; nothing is lost where it is interrupted
  cutpoint campaign --time 8h --out night --resume    the night after
  cutpoint campaign --count 1000 --seed 7 --out run   always the same thousand workloads
  cutpoint campaign --count 1000 --seed 7 --shard 2/4 --out part2
  cutpoint merge part1 part2 part3 part4 --out run    what four machines have done
  cutpoint campaign --time 30m --contract emmc,nvme-awu
  cutpoint replay random:7:123 --contract torn        one of the workloads again

Exit codes: 0 nothing found, 1 a violation was found, 2 bad usage or input, 3 interrupted.")]
pub(super) struct Arguments {
    /// For how long, such as 8h or 90m
    #[arg(
        long,
        value_name = "DURATION",
        required_unless_present = "count",
        conflicts_with = "count"
    )]
    time: Option<Duration>,
    /// How many workloads, all shards together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// The seed that the workloads are made from
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The folder that the results are kept in
    #[arg(long, value_name = "DIR", default_value = "campaign")]
    out: PathBuf,
    /// Go on with what is in the folder, behind the last workload that was finished
    #[arg(long)]
    resume: bool,
    /// Do the I-th of N parts of the work; 'cutpoint merge' joins what they leave
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// The crash models to explore: prefix, torn, reorder, nested; by default all, and all kinds of devices that a store
    /// can promise something on
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
    #[arg(long, value_name = "N", default_value_t = Campaign::BOUND, value_parser = clap::value_parser!(u64).range(1..))]
    max_states: u64,
    #[command(flatten)]
    subject: SubjectArgument,
    #[command(flatten)]
    workers: WorkerArguments,
}

impl Arguments {
    fn models(&self) -> Result<Vec<CrashModel>, CliError> {
        if self.models.is_empty() && self.contract.is_empty() {
            return Ok(Campaign::default_models());
        }
        let chosen = models(&self.models, &self.contract, None)?.into_iter();
        Ok(chosen
            .map(|Model { contract, depth }| CrashModel { contract, depth })
            .collect())
    }

    fn header(&self, models: &[CrashModel]) -> Header {
        let models = models
            .iter()
            .map(|&CrashModel { contract, depth }| Model { contract, depth });
        let configuration = Configuration {
            command: Command::Campaign,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            subject: self.subject.name.as_str().to_owned(),
            subject_version: self.subject.name.description(),
            peer: self.subject.peer.map(PeerName::named),
            seed: self.seed,
            max_states: self.max_states,
            models: models.map(|model| model.explored()).collect(),
            workloads: Vec::new(),
        };
        Header::new(configuration, self.count, self.shard)
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Outcome, CliError> {
    let models = arguments.models()?;
    let header = arguments.header(&models);
    if let Some(inflight) = supervise::working_in() {
        return work(arguments, &models, &header, &inflight, out);
    }
    // What the user got wrong is said without a second process.
    let any = Number { seed: 0, index: 0 }.workload();
    arguments.subject.parties(&any)?;
    if arguments.resume {
        Reader::open(&arguments.out)?;
    }
    supervise::report(Some(&arguments.out), arguments.subject, out)
}

fn work(
    arguments: &Arguments,
    models: &[CrashModel],
    header: &Header,
    folder: &Path,
    out: &mut dyn Write,
) -> Result<Outcome, CliError> {
    let mut writer = if arguments.resume {
        Writer::resume(&arguments.out, header)?
    } else {
        Writer::create(&arguments.out, header)?
    };
    let unit = arguments.time.map_or("workloads", |_| "s");
    let workers = Workers::gather(arguments.workers, arguments.subject, folder, unit, false)?;
    let begun = Instant::now();
    let out_of_time = end_after(arguments.time.map(Into::into), &workers.stop);
    let SubjectArgument { name, peer } = arguments.subject;
    let subject = |workload: &Workload| made(name.subject(workload));
    let peer = peer.map(|peer| move |workload: &Workload| made(peer.peer(workload)));
    let progress = CampaignProgress::of(writer.totals());
    let campaign = Campaign::new(&subject, models, arguments.seed)
        .with_peer(peer.as_ref().map(|peer| peer as &MakeSubject<'_>))
        .with_bound(arguments.max_states)
        .with_cancel(&workers.stop)
        .with_inflight(&workers.inflight)
        .with_progress(&progress);
    let before = writer.totals().clone();
    let log = Log::append(&arguments.out)?;
    let position = || {
        let workloads = progress.workloads();
        let recoveries = progress.recoveries() - before.recoveries - before.sampled;
        let rate = u128::from(recoveries) * 1000 / begun.elapsed().as_millis().max(1);
        workers.bar.set_message(format!(
            "{} workloads, {} recoveries ({rate}/s), {} pairs cut inside, {} causes",
            HumanCount(workloads),
            HumanCount(progress.recoveries()),
            progress.pairs(),
            progress.causes()
        ));
        log.note(begun.elapsed(), &progress);
        match arguments.time {
            Some(time) => (begun.elapsed().as_secs(), time.as_secs()),
            None => (workloads, header.share().unwrap_or_default()),
        }
    };
    let shard = arguments.shard.unwrap_or(Shard::WHOLE);
    let ended = watched(&workers.bar, position, || {
        workers
            .pool
            .install(|| campaign.run(&mut writer, shard, arguments.count))
    });
    workers.finish()?;
    log.finish(begun.elapsed(), &progress)?;
    let is_done = ended? || out_of_time.load(Ordering::Relaxed);
    let totals = writer.totals().clone();
    let recoveries = totals.recoveries + totals.sampled - before.recoveries - before.sampled;
    let text = CampaignText::new(header, &totals);
    writer.finish(is_done, &text.to_string())?;
    if arguments.workers.quiet {
        out.write_all(text.quiet_text().as_bytes())?;
    } else {
        write!(out, "{}", text.with_rate(recoveries, begun.elapsed()))?;
        writeln!(out, "Kept in {}.", arguments.out.display())?;
    }
    Ok(match (totals.violations, is_done) {
        (0, true) => Outcome::Clean,
        (0, false) => Outcome::CutShort,
        _ => Outcome::Found,
    })
}

/// A subject or a peer: that it is built in has been seen to before the work began.
fn made(subject: Result<Box<dyn Subject>, CliError>) -> Box<dyn Subject> {
    match subject {
        Ok(subject) => subject,
        Err(error) => unreachable!("{error}"),
    }
}

/// Sets `stop` after some time, where one is given. Returns whether that is why it stopped, once it has.
fn end_after(time: Option<time::Duration>, stop: &Arc<AtomicBool>) -> Arc<AtomicBool> {
    let out_of_time = Arc::new(AtomicBool::new(false));
    if let Some(time) = time {
        let (ended, stop) = (Arc::clone(&out_of_time), Arc::clone(stop));
        thread::spawn(move || {
            thread::sleep(time);
            // Whoever was interrupted before has not used its time up.
            if !stop.load(Ordering::Relaxed) {
                ended.store(true, Ordering::Relaxed);
                stop.store(true, Ordering::Relaxed);
            }
        });
    }
    out_of_time
}
