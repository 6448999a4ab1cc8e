//! Time, as the caller gives it.

use core::fmt;

/// The type of the attribute that holds the time at which a value was last set: chamelon's.
pub(crate) const TIME_ATTRIBUTE: u8 = 0x74;

const PICOSECONDS_PER_SECOND: u64 = 1_000_000_000_000;
const SECONDS_PER_DAY: u64 = 86_400;
const PICOSECONDS_PER_DAY: u64 = SECONDS_PER_DAY * PICOSECONDS_PER_SECOND;

/// A point in time: days since 1970-01-01 and picoseconds of that day, as chamelon stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    days: i32,
    picoseconds: u64,
}

impl Timestamp {
    /// 1970-01-01, midnight.
    pub const EPOCH: Self = Self {
        days: 0,
        picoseconds: 0,
    };

    /// The time `picoseconds` after midnight of the day `days` after 1970-01-01; none where a day has not so many
    /// picoseconds.
    pub const fn new(days: i32, picoseconds: u64) -> Option<Self> {
        if picoseconds < PICOSECONDS_PER_DAY {
            Some(Self { days, picoseconds })
        } else {
            None
        }
    }

    /// The time `seconds` and `nanoseconds` after the epoch; none where it is too late to be stored.
    pub fn from_unix(seconds: u64, nanoseconds: u32) -> Option<Self> {
        let days = i32::try_from(seconds / SECONDS_PER_DAY).ok()?;
        let within = seconds % SECONDS_PER_DAY * PICOSECONDS_PER_SECOND;
        Self::new(days, within + u64::from(nanoseconds) * 1000)
    }

    /// Whole seconds since the epoch; negative before it.
    pub const fn unix_seconds(self) -> i64 {
        self.days as i64 * SECONDS_PER_DAY.cast_signed()
            + (self.picoseconds / PICOSECONDS_PER_SECOND).cast_signed()
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.days
    }

    /// Picoseconds of the day.
    pub const fn picoseconds(self) -> u64 {
        self.picoseconds
    }

    /// The attribute's data: days, then picoseconds, little-endian.
    pub(crate) fn encode(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.days.to_le_bytes());
        bytes[4..].copy_from_slice(&self.picoseconds.to_le_bytes());
        bytes
    }

    /// The time in the attribute's data; none where it holds none.
    pub(crate) fn decode(data: &[u8]) -> Option<Self> {
        let data: [u8; 12] = data.try_into().ok()?;
        let [a, b, c, d, rest @ ..] = data;
        Self::new(i32::from_le_bytes([a, b, c, d]), u64::from_le_bytes(rest))
    }
}

/// Seconds since the epoch, for people.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s after 1970", self.unix_seconds())
    }
}

/// Where a store takes the time from at which values are set.
pub trait Clock {
    /// The time now; none where the clock does not know: nothing is stored then.
    fn now(&mut self) -> Option<Timestamp>;
}

/// No clock: values are set without a time, and keep the one they have.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoClock;

impl Clock for NoClock {
    fn now(&mut self) -> Option<Timestamp> {
        None
    }
}

/// The operating system's clock.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[cfg(feature = "std")]
impl Clock for SystemClock {
    fn now(&mut self) -> Option<Timestamp> {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .ok()?;
        Timestamp::from_unix(since.as_secs(), since.subsec_nanos())
    }
}

impl<F: FnMut() -> Option<Timestamp>> Clock for F {
    fn now(&mut self) -> Option<Timestamp> {
        self()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_stored_as_chamelon_stores_it() {
        // 2022-03-04 12:00:00 UTC.
        let time = Timestamp::from_unix(1_646_395_200, 0).unwrap();
        assert_eq!(
            (time.days(), time.picoseconds()),
            (19055, PICOSECONDS_PER_DAY / 2)
        );
        assert_eq!(time.encode()[..4], 19055i32.to_le_bytes());
        assert_eq!(Timestamp::decode(&time.encode()), Some(time));
        assert_eq!(time.unix_seconds(), 1_646_395_200);
    }

    #[test]
    fn data_of_other_lengths_or_past_the_day_is_no_time() {
        assert_eq!(Timestamp::decode(&[1, 2, 3, 4]), None);
        assert_eq!(Timestamp::decode(&[0xff; 12]), None);
        assert_eq!(
            Timestamp::new(-1, 5).map(Timestamp::unix_seconds),
            Some(-86_400)
        );
        assert!(Timestamp::new(-1, 0) < Some(Timestamp::EPOCH));
    }
}
