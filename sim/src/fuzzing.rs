//! The bodies of the fuzz targets: each takes whatever bytes a fuzzer comes up with and panics where a promise is
//! broken.
//!
//! They live here and not with the targets so that `cargo test` can replay the seeds, and everything that was ever
//! found, without a fuzzer.

mod anatomy;
mod budget;
mod case;
mod commit;
mod damage;
mod log;
mod mount;
mod operations;
pub(crate) mod seal;
mod tag;

pub use anatomy::take_apart;
pub use budget::CallBudget;
pub use case::case;
pub use commit::commit;
pub use damage::damage;
pub use mount::{mount, mount_repaired};
pub use operations::{describe_operations, operations, operations_with};
