//! Any text, read as a case: see [`cutpoint::fuzzing::case`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cutpoint::fuzzing::case(bytes));
