//! How few blocks are enough.

/// What was tried.
pub(super) trait Fitted {
    /// Blocks in use.
    fn used(&self) -> u32;
}

/// The result of `attempt` with the fewest blocks that it succeeds with: it fails with one block less.
///
/// `attempt` takes a number of blocks and gives nothing where these are too few; it is taken to succeed with any number
/// above one that it succeeds with. `least` blocks are surely needed.
pub(super) fn smallest<T: Fitted, E>(
    least: u32,
    mut attempt: impl FnMut(u32) -> Result<Option<T>, E>,
) -> Result<T, E> {
    let mut too_few = least.saturating_sub(1);
    let mut enough = least;
    let mut best = loop {
        if let Some(found) = attempt(enough)? {
            break found;
        }
        too_few = enough;
        enough = enough.saturating_mul(2);
    };
    // What is in use with room to spare is the best guess. From there on down in growing steps, as a store that has
    // little room does without some blocks that it would like to have; and by halves once a step was too wide.
    let mut guess = best.used();
    let mut step = Some(1);
    while enough - too_few > 1 {
        let next = guess.clamp(too_few + 1, enough - 1);
        if let Some(found) = attempt(next)? {
            enough = next;
            best = found;
        } else {
            too_few = next;
            step = None;
        }
        guess = match step {
            Some(step) => enough.saturating_sub(step),
            None => u32::midpoint(too_few, enough),
        };
        step = step.map(|step| step * 2);
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// A store that takes `needed` blocks, and `more` where they are there.
    struct Store {
        count: u32,
        used: u32,
    }

    impl Fitted for Store {
        fn used(&self) -> u32 {
            self.used
        }
    }

    #[test]
    fn one_block_less_does_not_do() {
        for least in 2..20 {
            for needed in least..200 {
                for more in [0, 1, 7, 100] {
                    let mut attempts = 0;
                    let found = smallest(least, |count| {
                        attempts += 1;
                        assert!(attempts < 30, "{needed} blocks from {least}");
                        let used = (needed + more).min(count);
                        Ok::<_, Infallible>((count >= needed).then_some(Store { count, used }))
                    });
                    let Ok(found) = found;
                    assert_eq!(found.count, needed);
                }
            }
        }
    }
}
