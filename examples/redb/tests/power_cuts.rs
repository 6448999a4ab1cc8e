//! What docs/third-party.md says of redb.

use cutpoint::contract::{PREFIX, SECTOR_512};
use cutpoint_redb::{Commit, disk, subject, workloads};

#[test]
fn keeps_its_promises_in_one_phase_and_in_two() {
    for commit in [Commit::OnePhase, Commit::TwoPhase] {
        let subject = subject(commit);
        // The longest of the workloads is left to `cargo run --release`.
        let short = workloads().into_iter().take(2);
        let check = short.fold(cutpoint::check(&subject, disk()), |check, workload| {
            check.workload(workload)
        });
        check.under(&[&PREFIX, &SECTOR_512]).run();
    }
}
