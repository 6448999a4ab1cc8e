//! `cutpoint sweep --bounded N`.

use super::sweep::{print_json, save};
use super::workers::{Workers, watched};
use super::{CliError, Outcome};
use crate::bounded::{BoundedSweep, SequenceProgress};
use crate::report::bounded::BoundedSummary;
use crate::subjects::EngineSubject;
use crate::workload::bounded::{Length, Sequences};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Sweeps all sequences of up to `longest` operations, one length after the other; keeps the results in `kept` where
/// there is such a folder.
pub(super) fn run(
    longest: Length,
    workers: &Workers,
    json: bool,
    kept: Option<&Path>,
    out: &mut dyn Write,
) -> Result<Outcome, CliError> {
    let sequences = Sequences::new();
    let subject = EngineSubject::default();
    let progress = SequenceProgress::default();
    let sweep = BoundedSweep::new(&subject, &sequences)
        .with_progress(&progress)
        .with_cancel(&workers.stop)
        .with_inflight(&workers.inflight);
    let mut summary = BoundedSummary::default();
    let mut is_complete = true;
    for length in longest.up_to() {
        if workers.stop.load(Ordering::Relaxed) {
            is_complete = false;
            break;
        }
        workers.bar.set_prefix(format!("{length}/{longest}"));
        workers.bar.set_message(format!("length {length}"));
        let begun = Instant::now();
        let position = || (progress.done(), progress.sequences());
        let report = watched(&workers.bar, position, || {
            workers.pool.install(|| sweep.run(length))
        });
        is_complete &= report.is_complete();
        summary.push(report, begun.elapsed());
    }
    workers.finish()?;
    let text = summary.text(Some(workers.pool.current_num_threads()));
    if let Some(folder) = kept {
        save(folder, summary.lengths(), &text)?;
    }
    if json {
        print_json(summary.lengths(), out)?;
    } else {
        out.write_all(text.as_bytes())?;
    }
    Ok(match (summary.has_violations(), is_complete) {
        (true, _) => Outcome::Found,
        (false, false) => Outcome::CutShort,
        (false, true) => Outcome::Clean,
    })
}
