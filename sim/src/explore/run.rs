use crate::crash::CrashState;
use crate::judge::Story;
use crate::record::Recording;
use crate::trace::Trace;
use std::sync::Arc;

/// What was run and can be cut: a workload, or the recovery from what a cut has left.
#[derive(Clone, Copy)]
pub(crate) struct Run<'s> {
    pub(crate) story: &'s dyn Story,
    pub(crate) trace: &'s Arc<Trace>,
    /// What it is the recovery from, all cuts; none for a workload.
    pub(crate) before: Option<&'s CrashState>,
    /// Its crash states are some that stand for more.
    pub(crate) sampled: bool,
}

impl<'s> Run<'s> {
    /// That of a workload.
    pub(crate) fn of(recording: &'s Recording<'_>) -> Self {
        Self {
            story: recording,
            trace: recording.trace(),
            before: None,
            sampled: false,
        }
    }

    /// The state of the run with all cuts before.
    pub(crate) fn id(&self, state: &CrashState) -> CrashState {
        match self.before {
            None => state.clone(),
            Some(before) => before.clone().and_then(state.clone()),
        }
    }
}
