use super::RunError;
use crate::campaign::CampaignProgress;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const NAME: &str = "log.jsonl";

/// Between two lines. A night leaves a few thousand.
const INTERVAL: Duration = Duration::from_secs(10);

/// When a campaign was how far: the one file of a run that hangs on time, one JSON object a line.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    next: Duration,
    error: Option<io::Error>,
}

/// A line of the log: sums since the beginning of the run.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
pub struct LogLine {
    /// Seconds since this process began; less than in the line before where a process went on with the run.
    pub seconds: f64,
    /// Finished workloads.
    pub workloads: u64,
    /// Recoveries.
    pub recoveries: u64,
    /// Pairs of operation and phase that a cut has fallen inside of.
    pub pairs: u64,
    /// Causes of violations.
    pub causes: u64,
}

impl Log {
    /// Goes on with the log of the run in `folder`, or begins it.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn append(folder: &Path) -> Result<Self, RunError> {
        let path = folder.join(NAME);
        let file = OpenOptions::new().append(true).create(true).open(&path);
        let file = file.map_err(RunError::io(&path))?;
        let state = State {
            file,
            next: INTERVAL,
            error: None,
        };
        Ok(Self {
            path,
            state: Mutex::new(state),
        })
    }

    /// Adds a line where it is time for one. A log that cannot be written is no reason to stop; [`finish`](Self::finish)
    /// tells of it.
    pub fn note(&self, elapsed: Duration, progress: &CampaignProgress) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if elapsed >= state.next {
            state.next = elapsed + INTERVAL;
            state.write(elapsed, progress);
        }
    }

    /// Adds the last line.
    ///
    /// # Errors
    ///
    /// The first that was met in writing.
    pub fn finish(self, elapsed: Duration, progress: &CampaignProgress) -> Result<(), RunError> {
        let mut state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        state.write(elapsed, progress);
        match state.error {
            Some(error) => Err(RunError::io(&self.path)(error)),
            None => Ok(()),
        }
    }
}

impl State {
    fn write(&mut self, elapsed: Duration, progress: &CampaignProgress) {
        let line = LogLine {
            seconds: elapsed.as_secs_f64(),
            workloads: progress.workloads(),
            recoveries: progress.recoveries(),
            pairs: progress.pairs(),
            causes: progress.causes(),
        };
        let text = serde_json::to_string(&line).map_err(io::Error::from);
        let written = text.and_then(|text| self.file.write_all(format!("{text}\n").as_bytes()));
        if let Err(error) = written {
            self.error.get_or_insert(error);
        }
    }
}
