//! The power goes at every write of a run of the shortener; each link that it had a code for must be there.

use cutpoint::contract::{EMMC, NOR_FLASH, PREFIX, SECTOR_512};
use cutpoint::crash::{CrashView, Cuts, History, Leaves, Space};
use cutpoint::disk::RecordingDisk;
use cutpoint::shared::Shared;
use cutpoint_engine::device::{BlockDevice, Geometry};
use cutpoint_engine::{FormatOptions, Store};
use cutpoint_shortener::Links;
use std::sync::Arc;

/// A link, its code, and the number of writes once the code was returned.
type Kept = (String, String, u32);

fn record() -> (Arc<cutpoint::trace::Trace>, u32, Vec<Kept>) {
    let geometry = Geometry::new(512, 256).unwrap();
    let disk = Shared::new(RecordingDisk::new(geometry, 0xff));
    Store::format(disk.clone(), &FormatOptions::default()).unwrap();
    let formatted = disk.with(|disk| disk.writes());
    let mut links = Links::open(disk.clone()).unwrap();
    let kept = (0..24)
        .map(|number| {
            let link = format!(
                "https://example.org/{}/{number}",
                "long/".repeat(number % 9)
            );
            let code = links.shorten(&link).unwrap();
            (link, code, disk.with(|disk| disk.writes()))
        })
        .collect();
    drop(links);
    let Ok(disk) = disk.into_inner() else {
        panic!("another handle on the disk is kept");
    };
    (Arc::new(disk.into_trace()), formatted, kept)
}

/// Every link whose code was returned before the write with this number is there, and new ones can be kept.
fn check(device: impl BlockDevice, issued: u32, kept: &[Kept]) {
    let mut links = Links::open(device).unwrap();
    for (link, code, writes) in kept {
        let found = links.find(code).unwrap();
        if *writes <= issued {
            assert_eq!(found.as_ref(), Some(link), "{code} after {issued} writes");
        } else {
            assert!(
                found.is_none_or(|found| found == *link),
                "{code} is another link"
            );
        }
    }
    let code = links.shorten("https://example.org/again").unwrap();
    let again = links.find(&code).unwrap();
    assert_eq!(again.as_deref(), Some("https://example.org/again"));
}

#[test]
fn every_acknowledged_link_survives_a_cut_at_every_write() {
    let (trace, formatted, kept) = record();
    assert!(trace.writes() as usize > kept.len());
    for issued in formatted..=trace.writes() {
        let view = CrashView::new(
            Arc::clone(&trace),
            cutpoint::crash::CrashState::prefix(issued),
        );
        check(view.unwrap(), issued, &kept);
    }
}

#[test]
fn every_acknowledged_link_survives_torn_and_reordered_writes() {
    let (trace, formatted, kept) = record();
    for contract in [&PREFIX, &NOR_FLASH, &SECTOR_512, &EMMC] {
        let cuts = Cuts::of(trace.events(), &History::default());
        let space = Space::of(trace.events(), 0, trace.geometry(), 0xff, contract, cuts);
        let space = Arc::new(space);
        let mut recoveries = 0;
        for epoch in space
            .epochs()
            .iter()
            .filter(|epoch| epoch.before() >= formatted)
        {
            let mut leaves = Leaves::new(&trace, &space, epoch);
            while let Some(view) = leaves.next_view() {
                let device = Shared::new(view);
                // What was acknowledged before the epoch is what all of its states must show.
                check(device.clone(), epoch.before(), &kept);
                let Ok(view) = device.into_inner() else {
                    panic!("another handle on the disk is kept");
                };
                leaves.finish(view);
                recoveries += 1;
            }
        }
        assert!(recoveries > kept.len(), "{}: {recoveries}", contract.name);
    }
}
