use crate::crash::{Candidate, CrashState, Leaves, Space};
use crate::explore::{Found, Place, Run, Sweep};
use crate::record::Recording;
use crate::verdict::ViolationKind;

/// Looks for violations, one recovery after the other, with a bound for all that it looks at.
pub(crate) struct Search<'s, 'a> {
    sweep: &'s Sweep<'a>,
    recording: &'s Recording<'s>,
    run: Run<'s>,
    recoveries: u64,
}

/// How a search ended.
pub(crate) enum Ended {
    /// All states were covered, and none is a witness.
    Covered,
    /// The bound was reached before that.
    BoundReached,
    /// The sweep was asked to stop.
    CutShort,
    /// This state is a witness: it shows the violation alone.
    Found(CrashState, Found),
    /// The subject does not do the same on the same bytes.
    NotDeterministic(Found),
}

impl<'s, 'a> Search<'s, 'a> {
    /// A search among what cuts of the recorded run leave.
    pub(crate) fn new(sweep: &'s Sweep<'a>, recording: &'s Recording<'_>) -> Self {
        Self::in_run(sweep, recording, Run::of(recording))
    }

    /// A search among what cuts of another run of the same steps leave.
    pub(crate) fn in_run(sweep: &'s Sweep<'a>, recording: &'s Recording<'_>, run: Run<'s>) -> Self {
        Self {
            sweep,
            recording,
            run,
            recoveries: 0,
        }
    }

    /// How many recoveries were run so far, those that confirm witnesses not counted.
    pub(crate) fn recoveries(&self) -> u64 {
        self.recoveries
    }

    /// The first violation on a state of the leaves that `counts`.
    pub(crate) fn first(
        &mut self,
        space: &Space,
        leaves: &mut Leaves,
        counts: impl Fn(&CrashState) -> bool,
    ) -> Ended {
        let (sweep, recording, run) = (self.sweep, self.recording, self.run);
        while let Some(view) = leaves.next_view() {
            if sweep.is_cancelled() {
                return Ended::CutShort;
            }
            if self.recoveries >= sweep.bound() {
                return Ended::BoundReached;
            }
            let (leaf, verdict) = sweep.leaf(run, leaves, view, self.recoveries);
            self.recoveries += 1;
            let Some((candidate, violation)) = sweep.found(run, space, &leaf, verdict) else {
                continue;
            };
            let Candidate { state, outlook } = candidate;
            let found = Found {
                place: Place::State(state.clone()),
                step: recording.step(outlook.step).map(|step| step.to_string()),
                violation,
            };
            if found.violation.kind == ViolationKind::NotDeterministic {
                return Ended::NotDeterministic(found);
            }
            if counts(&state) {
                return Ended::Found(state, found);
            }
        }
        Ended::Covered
    }
}
