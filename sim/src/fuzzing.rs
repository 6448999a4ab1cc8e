//! The bodies of the fuzz targets: each takes whatever bytes a fuzzer comes up with and panics where a promise is
//! broken.
//!
//! They live here and not with the targets so that `cargo test` can replay the seeds, and everything that was ever
//! found, without a fuzzer.

mod budget;
mod mount;
mod seal;

pub use budget::CallBudget;
pub use mount::mount;
