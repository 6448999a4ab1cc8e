//! C has no structural check. What can be asked of it: to walk over all directories and over all blocks that it uses.
//! The values are read with the contents.

use super::MountedC;
use crate::subject::{Health, SubjectError};
use cutpoint_engine::Key;
use cutpoint_littlefs_c::Kind;
use std::collections::BTreeMap;

impl MountedC {
    /// Looks for blocks that are used twice. Where a repair is pending, C names some twice with good reason: what is
    /// moved is in two places. They are looked at once that is done.
    pub(super) fn check_structure(&mut self) -> Result<Health, SubjectError> {
        let mut dictionaries = 0;
        self.walk(&Key::ROOT, &mut |_, _, kind| {
            dictionaries += usize::from(kind == Kind::Directory);
            Ok(())
        })?;
        let repair_pending = self.store.is_repair_pending();
        let blocks = self.store.traverse().map_err(super::of_error)?;
        let damage = if repair_pending {
            Vec::new()
        } else {
            damage(&blocks, dictionaries)
        };
        Ok(Health {
            damage,
            repair_pending,
        })
    }
}

/// What is wrong with the blocks that C names. The first pair of each dictionary comes twice: on the list of pairs, and
/// where its entry leads. All others come once.
fn damage(blocks: &[u32], dictionaries: usize) -> Vec<String> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for &block in blocks {
        *counts.entry(block).or_default() += 1;
    }
    let mut damage: Vec<String> = counts
        .iter()
        .filter(|&(_, &count)| count > 2)
        .map(|(block, count)| format!("block {block} is used {count} times"))
        .collect();
    let twice: Vec<_> = counts.iter().filter(|&(_, &count)| count == 2).collect();
    let expected = 2 * dictionaries;
    if twice.len() > expected {
        let more = twice.len() - expected;
        let named: Vec<_> = twice.iter().map(|(block, _)| block.to_string()).collect();
        damage.push(format!(
            "{more} of the blocks {} are used twice; the others are pairs of dictionaries",
            named.join(", ")
        ));
    } else if damage.is_empty() && twice.len() < expected {
        let fewer = expected - twice.len();
        damage.push(format!(
            "{fewer} blocks of dictionaries are not on the list of pairs"
        ));
    }
    damage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_used_twice() {
        let sound = [0, 1, 5, 6, 5, 6, 9];
        assert_eq!(damage(&sound, 1), Vec::<String>::new());
        let shared = [0, 1, 5, 6, 5, 6, 9, 9];
        let expected =
            "1 of the blocks 5, 6, 9 are used twice; the others are pairs of dictionaries";
        assert_eq!(damage(&shared, 1), [expected]);
        assert_eq!(damage(&[0, 1, 1, 1], 0), ["block 1 is used 3 times"]);
        let unlisted = ["2 blocks of dictionaries are not on the list of pairs"];
        assert_eq!(damage(&[0, 1, 5, 6], 1), unlisted);
    }
}
