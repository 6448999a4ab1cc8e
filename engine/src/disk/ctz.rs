//! The arithmetic of CTZ skip-lists (SPEC.md, "CTZ struct"; littlefs DESIGN.md, "CTZ skip-lists").
//!
//! Block n of a value (n > 0) begins with ctz(n) + 1 pointers, the k-th of which leads to block n - 2^k; the rest of
//! the block is data. The entry points to the last block.

/// Bytes of a pointer.
pub(crate) const POINTER_SIZE: u32 = 4;

/// Where a byte of a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Index of the block, from 0.
    pub(crate) index: u32,
    /// Offset in the block, in bytes, the pointers counted.
    pub(crate) offset: u32,
}

/// How many pointers the block with this index begins with.
pub(crate) fn pointer_count(index: u32) -> u32 {
    if index == 0 {
        0
    } else {
        index.trailing_zeros() + 1
    }
}

/// How many bytes of pointers the block with this index begins with.
pub(crate) fn header_size(index: u32) -> u32 {
    pointer_count(index) * POINTER_SIZE
}

/// How many bytes of the value come before the block with this index.
fn start(index: u32, block_size: u32) -> u64 {
    let Some(before) = index.checked_sub(1) else {
        return 0;
    };
    // Blocks 1..=m hold 2 m - popcount(m) pointers in all.
    let pointers = 2 * u64::from(before) - u64::from(before.count_ones());
    u64::from(index) * u64::from(block_size) - pointers * u64::from(POINTER_SIZE)
}

/// Where the byte at `position` of a value stands, in blocks of `block_size` bytes (at least 128).
pub(crate) fn locate(position: u32, block_size: u32) -> Position {
    // A block holds at least block_size - 8 bytes on average, so the estimate is never too low.
    let mut index = position / (block_size - 2 * POINTER_SIZE);
    let mut first = start(index, block_size);
    while first > u64::from(position) {
        index -= 1;
        first = start(index, block_size);
    }
    let within = (u64::from(position) - first) as u32;
    Position {
        index,
        offset: header_size(index) + within,
    }
}

/// How many blocks a value of `size` bytes takes.
pub(crate) fn block_count(size: u32, block_size: u32) -> u32 {
    match size.checked_sub(1) {
        None => 0,
        Some(last) => locate(last, block_size).index + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn boundaries_at_512_bytes() {
        assert_eq!(block_count(0, 512), 0);
        assert_eq!(block_count(512, 512), 1);
        assert_eq!(block_count(513, 512), 2);
        // Block 1 has one pointer, block 2 has two, block 3 one, block 4 three.
        assert_eq!(block_count(512 + 508, 512), 2);
        assert_eq!(block_count(512 + 508 + 1, 512), 3);
        assert_eq!(block_count(512 + 508 + 504, 512), 3);
        assert_eq!(block_count(512 + 508 + 504 + 508 + 500, 512), 5);
        assert_eq!(
            locate(512, 512),
            Position {
                index: 1,
                offset: 4
            }
        );
        assert_eq!(
            [0, 1, 2, 3, 4, 6, 8].map(pointer_count),
            [0, 1, 2, 1, 3, 2, 4]
        );
    }

    proptest! {
        #[test]
        fn blocks_follow_each_other_without_gap(
            block_size in (32u32..2048).prop_map(|words| words * 4),
            blocks in 1u32..300,
        ) {
            let mut position = 0u32;
            for index in 0..blocks {
                for offset in [header_size(index), block_size - 1] {
                    let at = position + (offset - header_size(index));
                    prop_assert_eq!(locate(at, block_size), Position { index, offset });
                }
                position += block_size - header_size(index);
            }
        }

        #[test]
        fn no_position_overflows(position: u32, block_size in (32u32..5000).prop_map(|words| words * 4)) {
            let place = locate(position, block_size);
            prop_assert!(place.offset < block_size);
            prop_assert!(place.offset >= header_size(place.index));
        }
    }
}
