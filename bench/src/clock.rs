//! The clock that runs are timed with: what this thread has used of the processor, where the system can tell, so that
//! other processes disturb less.

use std::time::Duration;

/// What the times are, for people.
#[cfg(unix)]
pub(crate) const NAME: &str = "thread CPU time";
/// What the times are, for people.
#[cfg(not(unix))]
pub(crate) const NAME: &str = "wall time";

/// The time since some fixed point.
#[cfg(unix)]
pub(crate) fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        time.tv_nsec.unsigned_abs() as u32,
    )
}

/// The time since some fixed point.
#[cfg(not(unix))]
pub(crate) fn now() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
