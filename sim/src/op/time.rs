use cutpoint_engine::Timestamp;

/// The day of all operations, in days since 1970-01-01: 2024-10-04, for no particular reason.
const DAY: i32 = 20_000;

const PICOSECONDS_PER_SECOND: u64 = 1_000_000_000_000;
const SECONDS_PER_DAY: u32 = 86_400;

/// The time at which the step of a workload with this index happens: as many seconds after a fixed midnight. What is
/// done to a recovered store happens after the last step, and never at the time of another call.
pub fn time_of(index: u32) -> Timestamp {
    let days = DAY + (index / SECONDS_PER_DAY).cast_signed();
    let picoseconds = u64::from(index % SECONDS_PER_DAY) * PICOSECONDS_PER_SECOND;
    match Timestamp::new(days, picoseconds) {
        Some(time) => time,
        None => unreachable!("a day has more seconds than the rest of a division by their number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_a_second_apart_over_midnight_too() {
        let start = time_of(0).unix_seconds();
        for index in [1, 86_399, 86_400, 200_000, u32::MAX] {
            let time = time_of(index);
            assert_eq!(time.unix_seconds(), start + i64::from(index));
            assert!(time_of(index - 1) < time);
        }
    }
}
