//! Sweeps redb through its crash states and prints what came of it.

use cutpoint::contract::{EMMC, PREFIX, SECTOR_512};
use cutpoint_redb::{Commit, disk, subject, workloads};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut clean = true;
    for commit in [Commit::OnePhase, Commit::TwoPhase] {
        let subject = subject(commit);
        let check = workloads()
            .into_iter()
            .fold(cutpoint::check(&subject, disk()), |check, workload| {
                check.workload(workload)
            })
            .under(&[&PREFIX, &SECTOR_512, &EMMC]);
        let outcome = check.outcome();
        println!("{commit:?}: {outcome}");
        clean &= outcome.is_clean();
    }
    if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
