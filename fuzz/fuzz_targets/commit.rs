//! Any bytes, read as the log of one metadata block: see [`cutpoint::fuzzing::commit`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cutpoint::fuzzing::commit(bytes));
