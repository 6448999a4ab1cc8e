//! Any bytes, taken as operations and a crash state of theirs: see [`cutpoint::fuzzing::operations`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cutpoint::fuzzing::operations(bytes));
