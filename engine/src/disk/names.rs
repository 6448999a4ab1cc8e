//! The order of names in a dictionary.

use core::cmp::Ordering;

/// Compares two names as directories are ordered: by bytes, but a longer name before its own prefix.
///
/// SPEC.md says "alphabetical"; this is the order that the C littlefs searches by, and an entry written elsewhere
/// could not be found by it.
pub(crate) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let common = a.len().min(b.len());
    a[..common]
        .cmp(&b[..common])
        .then_with(|| b.len().cmp(&a.len()))
}

/// Whether the format has a place for `name`: it is not empty, neither `.` nor `..`, and holds no zero byte (the C
/// littlefs takes names as C strings) and no slash.
pub(crate) fn is_allowed(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.iter().any(|&byte| byte == 0 || byte == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_names_come_before_their_prefix() {
        let ordered: [&[u8]; 5] = [b"aaa", b"aab", b"aa", b"ab", b"a"];
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j));
            }
        }
    }
}
