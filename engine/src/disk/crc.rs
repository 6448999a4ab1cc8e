//! The checksum of commits (SPEC.md, "CRC tag"): CRC-32, reflected, initialised with ones and not inverted at the
//! end.

use crc::{CRC_32_JAMCRC, Crc, Table};

/// The larger table is six times as fast as the default one, and a mount checks every commit.
static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_JAMCRC);

/// The checksum of `bytes`.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_published_check_value() {
        assert_eq!(checksum(b"123456789"), 0x340b_c6d9);
    }

    #[test]
    fn is_zero_over_bytes_and_their_checksum() {
        let mut bytes = b"littlefs".to_vec();
        bytes.extend_from_slice(&checksum(&bytes).to_le_bytes());
        assert_eq!(checksum(&bytes), 0);
    }
}
