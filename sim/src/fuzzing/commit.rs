use super::seal::seal_block;
use cutpoint_engine::log::Log;

/// The bit of the first byte that asks for the checksums to be put right first.
const SEALED: u8 = 0x80;

/// How much longer than what was read a block is that certainly has room for it, compacted: for a name alone a
/// create tag can have been left out, and a checksum and its padding take less than this.
const MORE_ROOM: usize = 64;

/// Takes `bytes` as the log of one metadata block and reads it, apart from any store.
///
/// The first byte chooses in which steps the reader is given the block (its low seven bits, in bytes) and whether the
/// checksums of all commits are put right first (its top bit); the rest is the block.
///
/// # Panics
///
/// Where a promise is broken: a panic inside the reader, a log that ends behind its block, one that says something else
/// read in other steps, or read without what stands behind its end, or written anew and read again.
///
/// ```
/// cutpoint::fuzzing::commit(b"not a log");
/// ```
pub fn commit(bytes: &[u8]) {
    let Some((&choice, block)) = bytes.split_first() else {
        return;
    };
    let mut block = block.to_vec();
    if choice & SEALED != 0 {
        seal_block(&mut block);
    }
    let whole = Log::read(&block, block.len());
    let in_steps = Log::read(&block, usize::from(choice & !SEALED));
    assert_eq!(in_steps, whole, "the steps of reading make a difference");
    let Ok(Some(log)) = whole else {
        return;
    };
    assert!(log.end() <= block.len(), "the log ends behind its block");
    let alone = Log::read(&block[..log.end()], usize::MAX / 2);
    assert_eq!(alone.as_ref(), Ok(&Some(log.clone())), "behind its end");
    let size = block.len() + MORE_ROOM;
    let compacted = log.compacted(size).expect("it fits where it came from");
    let again = Log::read(&compacted, compacted.len());
    assert_eq!(again, Ok(Some(log)), "written anew, it says something else");
}
