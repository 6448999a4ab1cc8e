//! A row on both sides: the traffic of one run, the times of several, taken in turns.

use crate::harness::{Runner, Sample};
use crate::ram::Traffic;
use crate::row::Row;
use crate::setting::Setting;
use serde::Serialize;
use std::time::{Duration, Instant};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Pairs of runs, at most.
    pub(crate) pairs: usize,
    /// No further pair is begun after this long, once there are three.
    pub(crate) time: Duration,
}

/// What one side did.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Measured {
    /// Nanoseconds per operation, the median of all runs.
    pub(crate) nanoseconds: f64,
    /// That of a whole run.
    pub(crate) traffic: Traffic,
}

/// How many times as long as C the engine took, of paired runs.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// A row, measured.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    pub(crate) setting: Setting,
    pub(crate) row: Row,
    /// Operations in a run; the traffic is theirs.
    pub(crate) operations: u32,
    pub(crate) pairs: usize,
    /// None where C has no such call or is not built in.
    pub(crate) c: Option<(Measured, Ratio)>,
    pub(crate) engine: Measured,
}

/// Measures a row.
pub(crate) fn compare(
    setting: Setting,
    row: Row,
    engine: &mut dyn Runner,
    c: Option<&mut (dyn Runner + '_)>,
    effort: Effort,
) -> Comparison {
    let mut c = c.filter(|_| row.has_c());
    // The first runs make the images and fetch code into caches; their traffic is what every run's must be.
    if let Some(c) = &mut c {
        c.run(row);
    }
    engine.run(row);
    let begun = Instant::now();
    let mut c_samples = Vec::new();
    let mut engine_samples = Vec::new();
    while engine_samples.len() < 3
        || (engine_samples.len() < effort.pairs && begun.elapsed() < effort.time)
    {
        c_samples.extend(c.as_mut().map(|c| c.run(row)));
        engine_samples.push(engine.run(row));
    }
    let ratios = c_samples
        .iter()
        .zip(&engine_samples)
        .map(|(c, engine)| engine.time.as_secs_f64() / c.time.as_secs_f64().max(1e-9));
    let ratios = sorted(ratios);
    let ratio = median(&ratios).map(|median| Ratio {
        median,
        min: ratios[0],
        max: ratios[ratios.len() - 1],
    });
    Comparison {
        setting,
        row,
        operations: engine_samples[0].operations,
        pairs: engine_samples.len(),
        c: measured(row, &c_samples).zip(ratio),
        engine: measured(row, &engine_samples).expect("at least three runs"),
    }
}

fn measured(row: Row, samples: &[Sample]) -> Option<Measured> {
    let first = samples.first()?;
    for sample in samples {
        assert_eq!(sample.traffic, first.traffic, "{row}: traffic of each run");
    }
    let times = samples
        .iter()
        .map(|sample| sample.time.as_secs_f64() * 1e9 / f64::from(sample.operations));
    Some(Measured {
        nanoseconds: median(&sorted(times))?,
        traffic: first.traffic,
    })
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) && !sorted.is_empty() {
        Some(f64::midpoint(sorted[middle - 1], sorted[middle]))
    } else {
        sorted.get(middle).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let of = |values: &[f64]| median(&sorted(values.iter().copied()));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(of(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
    }
}
