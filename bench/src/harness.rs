//! Runs rows on one side, each time from the same image.

use crate::clock;
use crate::ram::{Image, Ram, Traffic};
use crate::row::{Draw, Row, Start};
use crate::setting::Setting;
use crate::subject::Subject;
use crate::work::{self, Work};
use std::collections::HashMap;
use std::time::Duration;

/// What one run of a row took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) time: Duration,
    pub(crate) traffic: Traffic,
    pub(crate) operations: u32,
}

/// One side, ready to run rows.
pub(crate) trait Runner {
    /// Runs the row once, with each of its draws.
    fn run(&mut self, row: Row) -> Sample;
}

/// A side with one setting.
pub(crate) struct Harness<S: Subject> {
    /// The device; a run has it meanwhile.
    ram: Option<Ram>,
    /// What rows start from, as far as made.
    images: HashMap<(Start, Draw), Image>,
    /// The row last run, which will mostly be run again, by draw.
    row: Option<Row>,
    works: Vec<Work<S>>,
}

impl<S: Subject> Harness<S> {
    pub(crate) fn new(setting: Setting) -> Self {
        Self {
            ram: Some(Ram::new(setting)),
            images: HashMap::new(),
            row: None,
            works: Vec::new(),
        }
    }

    /// The device with what the row starts from on it.
    fn device(&mut self, start: Start, draw: Draw) -> Ram {
        let mut ram = self.ram.take().expect("a run gives the device back");
        if let Some(image) = self.images.get(&(start, draw)) {
            ram.restore(image);
            return ram;
        }
        ram.erase_all();
        let mut store = S::mount(S::format(ram));
        work::prepare(&mut store, start, draw);
        let ram = store.unmount();
        self.images.insert((start, draw), ram.image());
        ram
    }
}

impl<S: Subject> Runner for Harness<S> {
    fn run(&mut self, row: Row) -> Sample {
        if self.row != Some(row) {
            self.row = Some(row);
            self.works = row.draws().map(|draw| Work::new(row, draw)).collect();
        }
        let mut sample = Sample {
            time: Duration::ZERO,
            traffic: Traffic::default(),
            operations: 0,
        };
        for (index, draw) in row.draws().enumerate() {
            let ram = self.device(row.start(), draw);
            let meter = ram.meter();
            let mut store = S::mount(ram);
            work::warm_up(&mut store);
            let work = &mut self.works[index];
            meter.reset();
            let begin = clock::now();
            let (store, found) = work.measured_loop(store);
            sample.time += clock::now().saturating_sub(begin);
            sample.traffic += meter.traffic();
            sample.operations += work.operations;
            assert_eq!(found, work.found, "{row}: keys and bytes found");
            self.ram = Some(store.unmount());
        }
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::engine::Engine;

    fn small_rows() -> impl Iterator<Item = Row> {
        let rows = Row::all().into_iter();
        rows.filter(|row| match row {
            Row::Keys { count, .. } => *count <= 10,
            Row::Value { size, .. } => *size <= 64 << 10,
        })
    }

    /// Runs the small rows with every setting; each finds what it should, or the harness panics.
    fn runs_alike_each_time<S: Subject>(runs: impl Fn(Row) -> bool) {
        for setting in Setting::ALL {
            let mut harness = Harness::<S>::new(setting);
            for row in small_rows().filter(|row| runs(*row)) {
                let (first, second) = (harness.run(row), harness.run(row));
                assert_eq!(first.traffic, second.traffic, "{setting}/{row}");
                assert!(first.traffic.read_bytes > 0, "{setting}/{row}");
            }
        }
    }

    #[test]
    fn the_engine_runs_every_row() {
        runs_alike_each_time::<Engine>(|_| true);
    }

    #[cfg(feature = "littlefs-c")]
    #[test]
    fn c_runs_every_row_that_it_has_a_call_for() {
        runs_alike_each_time::<crate::subject::littlefs::Littlefs>(Row::has_c);
    }

    #[test]
    fn changes_reach_the_device_durably_and_reads_change_nothing() {
        let mut harness = Harness::<Engine>::new(Setting::ALL[0]);
        for row in small_rows() {
            let Sample {
                traffic,
                operations,
                ..
            } = harness.run(row);
            let name = row.to_string();
            let changes = ["create", "overwrite", "remove", "write", "append"];
            if changes.iter().any(|change| name.starts_with(change)) {
                assert!(traffic.syncs >= u64::from(operations), "{name}");
            } else {
                let writes = traffic.progs + traffic.erases + traffic.syncs;
                assert_eq!(writes, 0, "{name}");
            }
        }
    }
}
