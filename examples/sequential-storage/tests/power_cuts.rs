//! What docs/third-party.md says of the map.

use cutpoint::contract::{NOR_FLASH, PREFIX};
use cutpoint_sequential_storage::{Listing, Removal, WHOLE_ERASES, flash, subject};

#[test]
fn is_clean_where_no_erase_is_interrupted() {
    let subject = subject(Removal::MarkItems, Listing::AfterRepair);
    cutpoint::check(&subject, flash())
        .under(&[&PREFIX, &WHOLE_ERASES])
        .run();
}

/// The page keeps its first word and has lost its last: it is taken for the page that was written last.
#[test]
fn shows_old_values_where_the_end_of_a_page_is_erased_first() {
    let subject = subject(Removal::MarkItems, Listing::AfterRepair);
    let check = cutpoint::check(&subject, flash());
    let replayed = check.replay("churn nor-flash 70~-1/128").unwrap();
    assert!(
        replayed.text.contains("verdict   stale value: /a"),
        "{}",
        replayed.text
    );
}

/// An erase that went from the front on, as the crate's own tests have it: `fetch_item` repairs the page, and
/// `fetch_all_items` returns before it comes to that.
#[test]
fn fetch_all_items_does_not_repair() {
    let verdict = |listing| {
        let subject = subject(Removal::MarkItems, listing);
        let check = cutpoint::check(&subject, flash());
        check.replay("churn nor-flash 70~1/128").unwrap()
    };
    assert!(verdict(Listing::AfterRepair).clean);
    let direct = verdict(Listing::Direct);
    assert!(
        direct.text.contains("verdict   unreadable: corrupt"),
        "{}",
        direct.text
    );
}

/// A page marker that the cut met is written again, which flash that is not multi-write does not take.
#[test]
fn writes_a_torn_marker_again() {
    let subject = subject(Removal::StoreNone, Listing::AfterRepair);
    let check = cutpoint::check(&subject, flash()).under(&[&NOR_FLASH]);
    let replayed = check.replay("overwrite nor-flash 0~0?/4").unwrap();
    assert!(
        replayed.text.contains("verdict   device misuse"),
        "{}",
        replayed.text
    );
}
