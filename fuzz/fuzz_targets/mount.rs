//! Any bytes, mounted as an image and read: see [`cutpoint::fuzzing::mount`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cutpoint::fuzzing::mount(bytes));
