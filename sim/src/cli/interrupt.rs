//! Interrupts: the first asks the work to stop and keep what is done, the second does not wait.

use super::{CliError, EXIT_CUT_SHORT};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Catches interrupts from now on.
///
/// Returns a flag that the first one sets. At the second, the places in `inflight` that the workers are at are named,
/// one of which holds them up, and the process ends with the code of a run that was cut short.
pub(super) fn catch(inflight: &Path) -> Result<Arc<AtomicBool>, CliError> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let inflight = inflight.to_owned();
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            for line in super::supervise::last_places(&inflight) {
                eprintln!("was at: {line}");
            }
            std::process::exit(EXIT_CUT_SHORT.into());
        }
    })
    .map_err(|error| CliError::argument("interrupts", error))?;
    Ok(stop)
}
