//! Runs rows on one side, each time from the same image.

use crate::clock;
use crate::ram::{Ram, Traffic};
use crate::row::{Row, Start};
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
    /// Runs the row once.
    fn run(&mut self, row: Row) -> Sample;
}

/// A side with one setting.
pub(crate) struct Harness<S: Subject> {
    /// The device; a run has it meanwhile.
    ram: Option<Ram>,
    /// What rows start from, as far as made.
    images: HashMap<Start, Vec<u8>>,
    /// The row last run, which will mostly be run again.
    work: Option<(Row, Work<S>)>,
}

impl<S: Subject> Harness<S> {
    pub(crate) fn new(setting: Setting) -> Self {
        Self {
            ram: Some(Ram::new(setting)),
            images: HashMap::new(),
            work: None,
        }
    }
}

impl<S: Subject> Runner for Harness<S> {
    fn run(&mut self, row: Row) -> Sample {
        let mut ram = self.ram.take().expect("a run gives the device back");
        let start = row.start();
        if let Some(image) = self.images.get(&start) {
            ram.restore(image);
        } else {
            let mut store = S::mount(S::format(ram));
            work::prepare(&mut store, start);
            ram = store.unmount();
            self.images.insert(start, ram.bytes().to_vec());
        }
        let work = match &mut self.work {
            Some((known, work)) if *known == row => work,
            work => &mut work.insert((row, Work::new(row))).1,
        };
        let meter = ram.meter();
        let mut store = S::mount(ram);
        work.warm_up(&mut store);
        meter.reset();
        let begin = clock::now();
        let (store, found) = work.measured_loop(store);
        let time = clock::now() - begin;
        let traffic = meter.traffic();
        assert_eq!(found, work.found, "{row}: keys and bytes found");
        self.ram = Some(store.unmount());
        Sample {
            time,
            traffic,
            operations: work.operations,
        }
    }
}
