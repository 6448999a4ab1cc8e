//! Sweeps the map of sequential-storage through its crash states and prints what came of it.

use cutpoint::contract::{NOR_FLASH, PREFIX};
use cutpoint_sequential_storage::{Listing, Removal, flash, subject};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut clean = true;
    for removal in [Removal::StoreNone, Removal::MarkItems] {
        let subject = subject(removal, Listing::Direct);
        let check = cutpoint::check(&subject, flash());
        let outcome = check.under(&[&PREFIX, &NOR_FLASH]).outcome();
        println!("{removal:?}: {outcome}");
        clean &= outcome.is_clean();
    }
    if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
