//! Time, as the caller gives it.

use core::fmt;
#[cfg(feature = "std")]
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PICOSECONDS_PER_SECOND: u64 = 1_000_000_000_000;
const SECONDS_PER_DAY: u64 = 86_400;
const PICOSECONDS_PER_DAY: u64 = SECONDS_PER_DAY * PICOSECONDS_PER_SECOND;
#[cfg(feature = "std")]
const NANOSECONDS_PER_DAY: i128 = SECONDS_PER_DAY as i128 * 1_000_000_000;

/// A point in time: days since 1970-01-01 and picoseconds of that day, as chamelon stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    days: i32,
    picoseconds: u64,
}

impl Timestamp {
    /// The type of the attribute that holds the time at which a value was last set: chamelon's.
    pub const ATTRIBUTE: u8 = 0x74;

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

    /// The operating system's `time`, to the nanosecond; none where it is too far off to be stored.
    ///
    /// ```
    /// use cutpoint_engine::Timestamp;
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// let before = UNIX_EPOCH - Duration::from_nanos(1);
    /// let time = Timestamp::from_system_time(before).expect("not far from the epoch");
    /// assert_eq!(time.days(), -1);
    /// assert_eq!(time.to_system_time(), Some(before));
    /// ```
    #[cfg(feature = "std")]
    pub fn from_system_time(time: SystemTime) -> Option<Self> {
        let nanoseconds = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos().cast_signed(),
            Err(before) => -before.duration().as_nanos().cast_signed(),
        };
        let days = nanoseconds
            .div_euclid(NANOSECONDS_PER_DAY)
            .try_into()
            .ok()?;
        let within = nanoseconds.rem_euclid(NANOSECONDS_PER_DAY) as u64;
        Self::new(days, within * 1000)
    }

    /// The time as the operating system has it, less what is below a nanosecond; none where it cannot hold it.
    #[cfg(feature = "std")]
    pub fn to_system_time(self) -> Option<SystemTime> {
        let day = Duration::from_secs(u64::from(self.days.unsigned_abs()) * SECONDS_PER_DAY);
        let midnight = if self.days < 0 {
            UNIX_EPOCH.checked_sub(day)
        } else {
            UNIX_EPOCH.checked_add(day)
        };
        midnight?.checked_add(Duration::from_nanos(self.picoseconds / 1000))
    }

    /// The data of the attribute [`ATTRIBUTE`](Self::ATTRIBUTE): days, then picoseconds, little-endian.
    pub fn encode(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.days.to_le_bytes());
        bytes[4..].copy_from_slice(&self.picoseconds.to_le_bytes());
        bytes
    }

    /// The time in the attribute's data; none where it holds none.
    pub fn decode(data: &[u8]) -> Option<Self> {
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
        Timestamp::from_system_time(SystemTime::now())
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
