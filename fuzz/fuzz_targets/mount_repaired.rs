//! Images with damage in what their commits say and right checksums, mounted and read: see
//! [`cutpoint::fuzzing::mount_repaired`].
#![no_main]

use cutpoint::fuzzing;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::mount_repaired(bytes));

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // Now and then what libFuzzer does itself: it knows which bytes have been compared with which.
    if seed.is_multiple_of(8) {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    }
    let mut input = data[..size].to_vec();
    fuzzing::damage(&mut input, max_size, seed);
    data[..input.len()].copy_from_slice(&input);
    input.len()
});
