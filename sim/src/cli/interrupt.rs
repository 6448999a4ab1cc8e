//! Interrupts: the first asks the work to stop and keep what is done, the second does not wait.

use super::subject::SubjectArgument;
use super::{CliError, EXIT_CUT_SHORT, supervise};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Catches interrupts of work on `subject` from now on.
///
/// Returns a flag that the first one sets, or the supervising process's wish to stop. At the second, the places in
/// `inflight` that the workers are at are named, one of which holds them up, and the process ends with the code of a run
/// that was cut short.
pub(super) fn catch(
    inflight: &Path,
    subject: SubjectArgument,
) -> Result<Arc<AtomicBool>, CliError> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let folder = inflight.to_owned();
    thread::spawn(move || {
        while !flag.load(Ordering::Relaxed) {
            flag.fetch_or(supervise::is_stopped(&folder), Ordering::Relaxed);
            thread::sleep(Duration::from_millis(100));
        }
    });
    let flag = Arc::clone(&stop);
    let inflight = inflight.to_owned();
    let mut again = false;
    ctrlc::set_handler(move || {
        flag.store(true, Ordering::Relaxed);
        if std::mem::replace(&mut again, true) {
            for line in supervise::last_places(&inflight, subject) {
                eprintln!("was at: {line}");
            }
            std::process::exit(EXIT_CUT_SHORT.into());
        }
    })
    .map_err(|error| CliError::argument("interrupts", error))?;
    Ok(stop)
}
