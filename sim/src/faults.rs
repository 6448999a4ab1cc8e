//! Runs of a workload on devices that fail, one for each call that can go wrong, and their recoveries.
//!
//! There is no power cut at first. Each call of the subject must then return what the model says or an error that says
//! why not; and from the moment of the fault on, the medium must hold the state before or after the call it struck,
//! and everything else as it was. [`FaultSweep::with_crashes`] cuts the power on top of that.

mod replay;
mod report;
mod trial;

pub use replay::{FaultReplay, FaultReplayError};
pub use report::{FaultFound, FaultPlace, FaultReport};
pub use trial::Struck;

use crate::crash::{Candidate, CrashView};
use crate::explore::Progress;
use crate::faulty::{Fault, FaultClass, FaultyDisk};
use crate::inflight::{Inflight, Note};
use crate::judge::{Recovery, hear};
use crate::record::Recording;
use crate::session::{Session, default_budget};
use crate::subject::Subject;
use crate::workload::Workload;
use rayon::prelude::*;
use report::{CameTo, Tried};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use trial::Trial;

/// All faults of one class, tried on one workload.
///
/// The report is the same for any number of threads.
///
/// ```
/// use cutpoint::faults::FaultSweep;
/// use cutpoint::faulty::{FaultClass, Lasting, Trouble};
/// use cutpoint::subjects::EngineSubject;
/// use cutpoint::workload::builtin;
///
/// let subject = EngineSubject::default();
/// let workload = builtin::builtin("nested-512")?;
/// let bad_blocks = FaultClass::EraseRefused(Trouble::Block, Lasting::ForGood);
/// let report = FaultSweep::new(&subject, &workload, bad_blocks).run();
/// println!("{} faults tried, {} worked around", report.tried, report.worked_around);
/// assert_eq!(report.found, []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct FaultSweep<'a> {
    subject: &'a dyn Subject,
    workload: &'a Workload,
    class: FaultClass,
    budget: u64,
    stride: u64,
    crashes: bool,
    progress: Option<&'a Progress>,
    cancel: Option<&'a AtomicBool>,
    inflight: Option<&'a Inflight>,
}

impl std::fmt::Debug for FaultSweep<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultSweep")
            .field("subject", &self.subject.name())
            .field("workload", &self.workload.name())
            .field("class", &self.class)
            .finish_non_exhaustive()
    }
}

impl<'a> FaultSweep<'a> {
    /// All faults of `class` on `workload`.
    pub fn new(subject: &'a dyn Subject, workload: &'a Workload, class: FaultClass) -> Self {
        Self {
            subject,
            workload,
            class,
            budget: default_budget(workload.geometry()),
            stride: 1,
            crashes: false,
            progress: None,
            cancel: None,
            inflight: None,
        }
    }

    /// The same, counting faults in `progress`.
    #[must_use]
    pub fn with_progress(self, progress: &'a Progress) -> Self {
        Self {
            progress: Some(progress),
            ..self
        }
    }

    /// The same, stopping early once `cancel` is true: the report then holds what was finished.
    #[must_use]
    pub fn with_cancel(self, cancel: &'a AtomicBool) -> Self {
        Self {
            cancel: Some(cancel),
            ..self
        }
    }

    /// The same, noting in `inflight` what each worker is at.
    #[must_use]
    pub fn with_inflight(self, inflight: &'a Inflight) -> Self {
        Self {
            inflight: Some(inflight),
            ..self
        }
    }

    /// The same with every `stride`th fault alone, from the first on; 0 is taken for 1. The report counts the others
    /// as left out.
    #[must_use]
    pub fn with_stride(self, stride: u64) -> Self {
        let stride = stride.max(1);
        Self { stride, ..self }
    }

    /// The same, and for each fault that the subject worked around all crash states of the prefix model from the fault
    /// on, recovered from on a device with the same bad blocks, or a sound one where those cannot be replaced.
    #[must_use]
    pub fn with_crashes(self) -> Self {
        Self {
            crashes: true,
            ..self
        }
    }

    /// Runs it.
    ///
    /// A violation without any fault is the only one of the report, then.
    ///
    /// # Panics
    ///
    /// Where [`Workload::check`] fails.
    pub fn run(&self) -> FaultReport {
        let mut report = FaultReport::new(self.subject, self.workload, self.class);
        let healthy = {
            let _noted = self.note(None);
            Trial::new(self.subject, self.workload, self.budget, None).run()
        };
        report.faults = healthy.occasions(self.class);
        if healthy.violation.is_some() {
            report.add(self.workload, &Tried::without_fault(healthy));
            return report;
        }
        let chosen = report.faults.div_ceil(self.stride);
        if let Some(progress) = self.progress {
            progress.announce(chosen);
        }
        let tried: Vec<Option<Tried>> = (0..chosen)
            .into_par_iter()
            .map(|index| self.try_fault(index * self.stride))
            .collect();
        for tried in tried {
            match tried {
                Some(tried) => report.add(self.workload, &tried),
                None => report.cut_short = true,
            }
        }
        report
    }

    /// One fault: the `at`th of the class. None where the sweep is to stop.
    fn try_fault(&self, at: u64) -> Option<Tried> {
        if self
            .cancel
            .is_some_and(|cancel| cancel.load(Ordering::Relaxed))
        {
            return None;
        }
        let class = self.class;
        let fault = Fault { class, at };
        let _noted = self.note(Some(fault));
        let outcome = Trial::new(self.subject, self.workload, self.budget, Some(fault)).run();
        let mut tried = Tried::new(fault, outcome);
        if self.crashes && tried.came_to() == CameTo::WorkedAround {
            self.cut(fault, &mut tried);
        }
        if let Some(progress) = self.progress {
            progress.parts_are_done(1);
        }
        Some(tried)
    }

    fn note(&self, fault: Option<Fault>) -> Option<Note<'a>> {
        let place = fault.map_or("no fault".to_owned(), |fault| format!("fault {fault}"));
        let inflight = self.inflight?;
        Some(inflight.note(self.workload.name(), &place))
    }

    /// Cuts the power at each write from the fault on.
    fn cut(&self, fault: Fault, tried: &mut Tried) {
        let recorded = Recording::with_fault(self.subject, self.workload, self.budget, fault);
        let recording = match recorded {
            Ok(recording) => recording,
            Err(live) => return tried.add_live(*live),
        };
        let Some(from) = recording.writes_before_fault() else {
            return;
        };
        for candidate in recording.candidates().split_off(from as usize) {
            let recovery = self.recover(&recording, &candidate);
            tried.add_state(&recording, &candidate, recovery);
        }
    }

    fn recover(&self, recording: &Recording<'_>, candidate: &Candidate) -> Recovery {
        let view = match CrashView::new(Arc::clone(recording.trace()), candidate.state.clone()) {
            Ok(view) => view,
            Err(error) => unreachable!("{error}, but it was made from it"),
        };
        let bad_blocks = recording.promises().bad_blocks;
        let mut lost = recording.defects().lost();
        let disk = if lost.all(|block| bad_blocks.replaces(block)) {
            recording.defects().defects_on(view)
        } else {
            // What the run could do without, the store cannot work without.
            FaultyDisk::new(view, None)
        };
        hear(
            Session::new(self.subject, disk, self.budget),
            None,
            recording,
            |_| candidate.outlook.clone(),
        )
    }
}
