//! What the engine must reach, and whether it does.

use crate::compare::Comparison;
use crate::row::{KeyOperation, Order, Row};
use crate::setting::Setting;
use crate::subject::Summary;

/// How many times as long as C the engine may take: the noise of the measurement.
const TIME: f64 = 1.05;
/// The same for a lookup in a dictionary of 1000 keys or more.
const LOOKUP: f64 = 1.0 / 20.0;
/// The same for making one of 1000 keys or more.
const CREATE: f64 = 1.0 / 5.0;
/// How much a cost per call that should stay the same may grow from 1000 keys to 4000.
const GROWTH: f64 = 1.3;

/// What a row misses, in a few words each; empty where it meets all of its targets.
pub(crate) fn misses(comparison: &Comparison) -> Vec<String> {
    let Some((c, ratio)) = &comparison.c else {
        return Vec::new();
    };
    let mut misses = Vec::new();
    let limit = time_limit(comparison.row);
    if ratio.median > limit {
        misses.push(if limit < 1.0 {
            format!("time 1/{:.0}", 1.0 / limit)
        } else {
            "time".to_owned()
        });
    }
    let (ours, theirs) = (comparison.engine.traffic, c.traffic);
    for (what, ours, theirs) in [
        ("prog", ours.prog_bytes, theirs.prog_bytes),
        ("erase", ours.erased_bytes, theirs.erased_bytes),
        ("sync", ours.syncs, theirs.syncs),
    ] {
        if ours > theirs {
            misses.push(what.to_owned());
        }
    }
    misses
}

fn time_limit(row: Row) -> f64 {
    match row {
        Row::Keys {
            operation, count, ..
        } if count >= 1000 => match operation {
            KeyOperation::LookupHit | KeyOperation::LookupMiss => LOOKUP,
            KeyOperation::Create => CREATE,
            _ => TIME,
        },
        _ => TIME,
    }
}

/// A target that speaks of several rows: the engine's cost at 4000 keys against that at 1000.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    pub(crate) setting: Setting,
    pub(crate) operation: KeyOperation,
    pub(crate) created: Order,
    /// How many times the cost per call, or per key where a call takes all keys, has become.
    pub(crate) times: f64,
}

impl Growth {
    pub(crate) fn is_met(self) -> bool {
        self.times <= GROWTH
    }

    pub(crate) fn name(self) -> String {
        let what = match self.operation {
            KeyOperation::Summary(_) => "linear",
            _ => "flat",
        };
        let Self {
            setting,
            operation,
            created,
            ..
        } = self;
        format!("{setting}/{operation}/{created}: {what} from 1000 to 4000 keys")
    }
}

/// The targets about growth that these rows can tell of.
pub(crate) fn growths(comparisons: &[Comparison]) -> Vec<Growth> {
    let mut growths = Vec::new();
    for large in comparisons {
        let Row::Keys {
            operation,
            count: 4000,
            created,
        } = large.row
        else {
            continue;
        };
        let per_key = match operation {
            KeyOperation::LookupHit | KeyOperation::LookupMiss => 1.0,
            KeyOperation::Summary(Summary::LastModified | Summary::Digest) => 4.0,
            _ => continue,
        };
        let count = 1000;
        let smaller = Row::Keys {
            operation,
            count,
            created,
        };
        let small = comparisons
            .iter()
            .find(|other| other.row == smaller && other.setting == large.setting);
        growths.extend(small.map(|small| Growth {
            setting: large.setting,
            operation,
            created,
            times: large.engine.nanoseconds / small.engine.nanoseconds / per_key,
        }));
    }
    growths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Measured, Ratio};
    use crate::ram::Traffic;

    fn comparison(operation: KeyOperation, ratio: f64, syncs: [u64; 2]) -> Comparison {
        let [c, engine] = syncs.map(|syncs| Measured {
            nanoseconds: 1.0,
            traffic: Traffic {
                syncs,
                ..Traffic::default()
            },
        });
        let ratio = Ratio {
            median: ratio,
            min: ratio,
            max: ratio,
        };
        Comparison {
            setting: Setting::ALL[0],
            row: Row::Keys {
                operation,
                count: 1000,
                created: Order::Sorted,
            },
            operations: 1,
            pairs: 3,
            c: Some((c, ratio)),
            engine,
        }
    }

    #[test]
    fn each_target_can_be_missed_alone() {
        let of = |operation, ratio, syncs| misses(&comparison(operation, ratio, syncs));
        assert!(of(KeyOperation::Overwrite, 1.0, [2, 2]).is_empty());
        assert_eq!(of(KeyOperation::Overwrite, 1.1, [2, 2]), ["time"]);
        assert_eq!(of(KeyOperation::Overwrite, 1.0, [2, 3]), ["sync"]);
        assert_eq!(of(KeyOperation::LookupHit, 0.1, [0, 0]), ["time 1/20"]);
        assert!(of(KeyOperation::Create, 0.19, [2, 1]).is_empty());
    }

    #[test]
    fn growth_is_that_of_the_cost_per_call_or_per_key() {
        for (operation, grown, times) in [
            (KeyOperation::LookupHit, 2.0, 2.0),
            (KeyOperation::Summary(Summary::Digest), 4.0, 1.0),
        ] {
            let small = comparison(operation, 1.0, [0, 0]);
            let mut large = small.clone();
            large.row = Row::Keys {
                operation,
                count: 4000,
                created: Order::Sorted,
            };
            large.engine.nanoseconds = grown;
            let growths = growths(&[small, large]);
            assert_eq!(growths.len(), 1);
            assert!((growths[0].times - times).abs() < 1e-9);
            assert_eq!(growths[0].is_met(), times <= GROWTH);
        }
    }
}
