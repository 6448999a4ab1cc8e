//! What sequences are made of.

use crate::op::{Operation, Value};
use crate::workload::builtin::inline_length;

/// A value in the root.
const VALUE: &str = "/a";
/// A dictionary in the root.
const DICTIONARY: &str = "/d";
/// A value in it.
const WITHIN: &str = "/d/b";
/// A dictionary in it.
const NESTED: &str = "/d/e";
/// A value in that one: to be set through two dictionaries that are missing.
const DEEP: &str = "/d/e/c";
/// Another place in the root: for a value, or for a dictionary that moves.
const BESIDE: &str = "/e";
/// The root.
const ROOT: &str = "/";
/// The type of all attributes.
const KIND: u8 = 0x41;

/// The operations that may stand in this place of a sequence, on blocks of `block_size` bytes.
///
/// They are chosen for what two or three of them do together: values overwritten across the forms they are stored in,
/// changed in part and cut over the boundaries between them, set through missing dictionaries, moved over existing keys
/// and into and across dictionaries; dictionaries moved in every direction with what they hold, removed full, and in places
/// where a value was. Each refusal is met too. Keep the order: the numbers of sequences hang on it.
pub(super) fn operations(block_size: u32, place: u64) -> Vec<Operation> {
    let inline = inline_length(block_size);
    // Three blocks, of which the last has two pointers.
    let long = 2 * block_size + 1;
    let bytes = |length| Value::generated(length, place);
    let set = |key, length| Operation::set(key, bytes(length));
    let partial = |key, offset, length| Operation::set_partial(key, offset, bytes(length));
    let attribute = |key, length| Operation::set_attribute(key, KIND, bytes(length));
    vec![
        set(VALUE, 0),
        set(VALUE, inline),
        set(VALUE, long),
        set(WITHIN, 0),
        set(WITHIN, inline),
        set(WITHIN, long),
        set(DICTIONARY, inline),
        set(BESIDE, inline),
        set(DEEP, inline),
        // Inside the entry; over the end of the first block, or at the end of what is short; beyond the last block.
        partial(VALUE, inline / 2, inline / 2 + 2),
        partial(VALUE, block_size - 2, 4),
        partial(WITHIN, long - 1, block_size),
        Operation::truncate(VALUE, inline / 2),
        Operation::truncate(VALUE, long),
        Operation::truncate(WITHIN, block_size + 1),
        Operation::allocate(VALUE, long),
        Operation::allocate(WITHIN, inline),
        Operation::create_dictionary(DICTIONARY),
        Operation::create_dictionary(NESTED),
        Operation::create_dictionary(BESIDE),
        Operation::remove(VALUE),
        Operation::remove(WITHIN),
        Operation::remove(DICTIONARY),
        Operation::remove(NESTED),
        Operation::remove(DEEP),
        Operation::remove(BESIDE),
        Operation::remove(ROOT),
        Operation::rename(VALUE, WITHIN),
        Operation::rename(WITHIN, VALUE),
        Operation::rename(VALUE, DICTIONARY),
        Operation::rename(VALUE, BESIDE),
        Operation::rename(BESIDE, VALUE),
        Operation::rename(VALUE, DEEP),
        Operation::rename(DEEP, VALUE),
        Operation::rename(WITHIN, NESTED),
        Operation::rename(WITHIN, ROOT),
        Operation::rename(DICTIONARY, BESIDE),
        Operation::rename(BESIDE, DICTIONARY),
        Operation::rename(BESIDE, NESTED),
        Operation::rename(NESTED, BESIDE),
        Operation::rename(DICTIONARY, NESTED),
        attribute(VALUE, block_size / 16),
        // So large that the dictionary's directory soon splits.
        attribute(DICTIONARY, block_size / 4),
        attribute(WITHIN, block_size / 8),
        attribute(ROOT, block_size / 16),
        Operation::remove_attribute(VALUE, KIND),
        Operation::remove_attribute(DICTIONARY, KIND),
        Operation::remove_attribute(ROOT, KIND),
        Operation::Sync,
        Operation::Remount,
    ]
}
