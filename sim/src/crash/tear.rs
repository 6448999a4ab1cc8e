//! What is left of a write that a power cut met.

use std::fmt;
use xxhash_rust::xxh3::xxh3_64;

/// What is left of an interrupted write. Its units lie at multiples of `unit` bytes in the block; the write's first and
/// last unit may be cut off by where it begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tear {
    /// The size of a unit, in bytes; at least 1.
    pub unit: u32,
    /// Which units reached the medium.
    pub reached: Reached,
}

/// Which units of an interrupted write reached the medium, by their numbers from 0 on. All others are as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reached {
    /// The first units, so many.
    First(u32),
    /// The last units, so many.
    Last(u32),
    /// All but this one.
    AllBut(u32),
    /// The first units, so many; the one behind them holds anything.
    Spoiled(u32),
    /// Of an erase, nothing; the last units, so many, are zeroed.
    ZeroedTail(u32),
    /// Those whose bits are set: at least one and not all, of at most 16.
    Set(u16),
}

/// What has become of one byte of an interrupted write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteFate {
    Old,
    New,
    Zeroed,
    Noise,
}

impl Tear {
    /// How many units a write has that covers `length` bytes from `start` on.
    pub(crate) fn units(unit: u32, start: u32, length: u32) -> u32 {
        (start % unit + length).div_ceil(unit)
    }

    /// Whether a write of `length` bytes from `start` on can be left so: something is there, and something is missing.
    pub(crate) fn fits(self, start: u32, length: u32, is_erase: bool) -> bool {
        let units = Self::units(self.unit, start, length);
        match self.reached {
            Reached::First(count) | Reached::Last(count) => (1..units).contains(&count),
            Reached::AllBut(unit) => units > 2 && (1..units - 1).contains(&unit),
            Reached::Spoiled(count) => count < units,
            Reached::ZeroedTail(count) => is_erase && (1..=units).contains(&count),
            Reached::Set(set) => units <= 16 && set != 0 && u32::from(set) < (1 << units) - 1,
        }
    }

    /// What has become of the byte at `position` in the block, which the write covers.
    pub(super) fn fate(self, start: u32, length: u32, position: u32) -> ByteFate {
        let units = Self::units(self.unit, start, length);
        let unit = position / self.unit - start / self.unit;
        let new = match self.reached {
            Reached::Spoiled(count) if unit == count => return ByteFate::Noise,
            Reached::First(count) | Reached::Spoiled(count) => unit < count,
            Reached::Last(count) => unit >= units - count,
            Reached::AllBut(missing) => unit != missing,
            Reached::ZeroedTail(count) if unit >= units - count => return ByteFate::Zeroed,
            Reached::ZeroedTail(_) => false,
            Reached::Set(set) => set >> unit & 1 != 0,
        };
        if new { ByteFate::New } else { ByteFate::Old }
    }

    /// What a spoiled unit of write `number` holds at `position` in the block: the same wherever and whenever it is asked.
    pub(super) fn noise(number: u32, position: u32) -> u8 {
        let place = u64::from(number) << 32 | u64::from(position);
        xxh3_64(&place.to_le_bytes()) as u8
    }
}

/// As a part of a crash state's id: `3/16` for the first 3 units of 16 bytes, `-3/16` for the last 3, `!3/16` for all but
/// unit 3, `3?/16` for the first 3 and noise in the next, `z3/16` for the last 3 zeroed, `=0.2/16` for units 0 and 2.
impl fmt::Display for Tear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reached {
            Reached::First(count) => write!(f, "{count}")?,
            Reached::Last(count) => write!(f, "-{count}")?,
            Reached::AllBut(unit) => write!(f, "!{unit}")?,
            Reached::Spoiled(count) => write!(f, "{count}?")?,
            Reached::ZeroedTail(count) => write!(f, "z{count}")?,
            Reached::Set(set) => {
                let units = (0..16).filter(|unit| set >> unit & 1 != 0);
                let units: Vec<String> = units.map(|unit: u32| unit.to_string()).collect();
                write!(f, "={}", units.join("."))?;
            }
        }
        write!(f, "/{}", self.unit)
    }
}

impl Tear {
    /// Reads what [`Display`](fmt::Display) prints; the caller checks that it is what would be printed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (reached, unit) = text.split_once('/')?;
        let unit = unit.parse().ok().filter(|&unit| unit > 0)?;
        let number = |text: &str| text.parse::<u32>().ok();
        let reached = if let Some(count) = reached.strip_prefix('-') {
            Reached::Last(number(count)?)
        } else if let Some(missing) = reached.strip_prefix('!') {
            Reached::AllBut(number(missing)?)
        } else if let Some(count) = reached.strip_prefix('z') {
            Reached::ZeroedTail(number(count)?)
        } else if let Some(units) = reached.strip_prefix('=') {
            let units = units
                .split('.')
                .map(|unit| number(unit).filter(|&unit| unit < 16));
            Reached::Set(
                units
                    .into_iter()
                    .try_fold(0, |set, unit| Some(set | 1 << unit?))?,
            )
        } else if let Some(count) = reached.strip_suffix('?') {
            Reached::Spoiled(number(count)?)
        } else {
            Reached::First(number(reached)?)
        };
        Some(Self { unit, reached })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str, start: u32, length: u32) -> String {
        let tear = Tear::parse(text).unwrap();
        assert_eq!(tear.to_string(), text);
        let fates = (start..start + length).map(|position| tear.fate(start, length, position));
        fates
            .map(|fate| match fate {
                ByteFate::Old => '.',
                ByteFate::New => 'x',
                ByteFate::Zeroed => '0',
                ByteFate::Noise => '?',
            })
            .collect()
    }

    #[test]
    fn units_lie_at_multiples_in_the_block() {
        assert_eq!(shape("1/4", 0, 12), "xxxx........");
        // Begins in the middle of a unit and ends in one.
        assert_eq!(shape("1/4", 2, 9), "xx.......");
        assert_eq!(shape("-1/4", 2, 9), "......xxx");
        assert_eq!(shape("!1/4", 2, 9), "xx....xxx");
        assert_eq!(shape("1?/4", 2, 9), "xx????...");
        assert_eq!(shape("z2/4", 0, 12), "....00000000");
        assert_eq!(shape("=0.2/4", 0, 12), "xxxx....xxxx");
    }

    #[test]
    fn a_torn_write_is_neither_whole_nor_lost() {
        let fits = |text: &str| Tear::parse(text).unwrap().fits(0, 12, true);
        for text in [
            "1/4", "2/4", "-1/4", "-2/4", "!1/4", "0?/4", "2?/4", "z1/4", "z3/4", "=0.2/4",
        ] {
            assert!(fits(text), "{text}");
        }
        // The ends of what could be missing are runs already, and one state has one name.
        for text in [
            "0/4", "3/4", "-3/4", "!0/4", "!2/4", "3?/4", "z0/4", "z4/4", "=0.1.2/4", "1/12",
        ] {
            assert!(!fits(text), "{text}");
        }
    }
}
