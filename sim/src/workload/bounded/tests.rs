use super::*;
use crate::op::OperationKind;
use std::collections::BTreeSet;

fn sequences() -> Sequences {
    Sequences::new()
}

fn spelled(operations: &[Operation]) -> String {
    format!("{operations:?}")
}

#[test]
fn every_sequence_up_to_three_has_one_number() {
    let sequences = sequences();
    let mut seen = BTreeSet::new();
    let mut next = 0;
    for length in "3".parse::<Length>().unwrap().up_to() {
        assert_eq!(sequences.numbers(length).start, next);
        next = sequences.numbers(length).end;
        let mut count = 0;
        for operations in sequences.iter(length) {
            assert_eq!(operations.len(), usize::from(length.get()));
            // The digests of long texts would do; the operations' own numbers are shorter.
            let letters: Vec<usize> = operations
                .iter()
                .zip(&sequences.alphabets)
                .map(|(operation, alphabet)| {
                    alphabet
                        .iter()
                        .position(|other| other == operation)
                        .unwrap()
                })
                .collect();
            assert!(seen.insert(letters), "{}", spelled(&operations));
            count += 1;
        }
        assert_eq!(count, sequences.count(length));
    }
    assert_eq!(seen.len() as u64, next);
}

#[test]
fn numbers_end_with_the_longest_sequences() {
    let sequences = sequences();
    let last = sequences.numbers(Length::MAX).end - 1;
    let operations = sequences.nth(last).unwrap();
    assert_eq!(operations.len(), 4);
    assert!(
        operations
            .iter()
            .all(|operation| *operation == Operation::Remount)
    );
    assert_eq!(sequences.nth(last + 1), None);
    assert_eq!(sequences.nth(u64::MAX), None);
    assert_eq!(sequences.nth(0), Some(Vec::new()));
    assert_eq!(sequences.below(last).next(), None);
}

#[test]
fn a_sequence_stands_below_the_one_it_continues() {
    let sequences = sequences();
    let base = sequences.alphabet().len() as u64;
    for number in [1, base, base + 1, 12_345, 1_000_000] {
        let mut operations = sequences.nth(number).unwrap();
        operations.pop();
        let above = (number - 1) / base;
        assert_eq!(sequences.nth(above), Some(operations));
        let mut below = sequences.below(above);
        let (_, last) = below.find(|&(below, _)| below == number).unwrap();
        assert_eq!(sequences.nth(number).unwrap().last(), Some(last));
    }
}

#[test]
fn no_operation_stands_twice_and_every_kind_occurs() {
    let sequences = sequences();
    for alphabet in &sequences.alphabets {
        let distinct: BTreeSet<String> = alphabet
            .iter()
            .map(|operation| format!("{operation:?}"))
            .collect();
        assert_eq!(distinct.len(), alphabet.len());
    }
    let kinds: BTreeSet<OperationKind> = sequences.alphabet().iter().map(Operation::kind).collect();
    // Remount is the last of the kinds in their order, so that there are as many as its place says.
    assert_eq!(kinds.len(), OperationKind::Remount as usize + 1);
}

#[test]
fn what_is_asked_for_occurs_within_three_operations() {
    let sequences = sequences();
    let length = "3".parse::<Length>().unwrap();
    let mut missing = vec![
        "set /a 12 B, set /a 257 B, set /a 0 B",
        "set /d/b 12 B, set /a 12 B, rename /a -> /d/b",
        "set /d/b 12 B, rename /d -> /e, set /d/b 257 B",
        "set /d/e/c 12 B, rename /d/e -> /e, remove /d",
        "set /a 257 B, set /e 12 B, rename /a -> /e",
        "set /d/e/c 12 B, set-attribute /d 0x41 32 B, remove /d",
        "create /e, create /d, rename /e -> /d",
        "set /a 257 B, remove /a, allocate /a 257 B",
    ];
    for operations in sequences.iter(length) {
        let text: Vec<String> = operations.iter().map(ToString::to_string).collect();
        missing.retain(|wanted| **wanted != text.join(", "));
    }
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn only_longer_sequences_with_a_refusal_are_left_out() {
    let refused = Operation::remove("/");
    let set = Operation::set("/a", crate::op::Value::literal("1"));
    for (operations, left_out) in [
        (vec![&set, &refused], false),
        (vec![&refused, &set], false),
        (vec![&set, &set, &set], false),
        (vec![&set, &set, &refused], true),
        (vec![&set, &refused, &set], true),
        (vec![&refused, &set, &set], true),
    ] {
        let mut beginning: Vec<Operation> = operations.into_iter().cloned().collect();
        let last = beginning.pop().unwrap();
        let is_refused = beginning.contains(&refused);
        let model = Beginning::new(&beginning);
        assert_eq!(model.leaves_out(&last), left_out, "{beginning:?}, {last}");
        assert_eq!(model.leaves_out_all(), left_out && is_refused);
    }
}

#[test]
fn a_name_reads_back_on_any_device() {
    let geometry = Geometry::new(512, 32).unwrap().with_prog_size(16).unwrap();
    for (sequences, name) in [
        (sequences(), "bounded:1234"),
        (Sequences::on(geometry), "bounded:1234@512x32x16"),
    ] {
        let workload = sequences.workload(1234).unwrap();
        assert_eq!(workload.name(), name);
        let named = Sequences::named(name).unwrap().unwrap();
        assert_eq!(named.name(), name);
        assert_eq!(named.geometry(), workload.geometry());
        assert_eq!(named.operations(), workload.operations());
    }
    for (name, expected) in [
        ("bounded:", "'' is no number of a sequence"),
        ("bounded:+1", "'+1' is no number"),
        (
            "bounded:99999999999999999999999",
            "is no number of a sequence: 0 to",
        ),
        ("bounded:1@512", "'512' are no sizes of a device"),
        ("bounded:1@512x32x16x1", "are no sizes of a device"),
        ("bounded:1@13x32x16", "block size 13"),
    ] {
        let error = Sequences::named(name).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}
