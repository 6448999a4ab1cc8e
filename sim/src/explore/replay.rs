use super::nested::Followed;
use super::origin::Origin;
use super::{Found, PeerName, Place, Run, Sweep};
use crate::contract::Contract;
use crate::crash::{Candidate, CrashState};
use crate::disk::RecordingDisk;
use crate::judge::{Boot, Recovery};
use crate::model::Model;
use crate::record::{LiveViolation, Recording};
use crate::session::Session;
use crate::subject::Contents;
use crate::trace::{NoSuchSync, Syncs};
use thiserror::Error;

impl<'a> Sweep<'a> {
    /// Records the workload and recovers from one of its crash states.
    ///
    /// # Errors
    ///
    /// [`ReplayError`] where there is a violation without any power cut, no such sync to leave out or write to put one
    /// behind, or no such state under the contract.
    pub fn replay(&self, state: &CrashState) -> Result<Replay<'a>, ReplayError> {
        let recording = self.record().map_err(ReplayError::Live)?;
        let writes = recording.trace().writes();
        let workload = self.workload.name().to_owned();
        let state = state.clone();
        if state.issued() > writes {
            return Err(ReplayError::NoSuchState {
                state,
                workload,
                writes,
            });
        }
        let not_allowed = |state: &CrashState| ReplayError::NotAllowed {
            state: state.clone(),
            contract: self.contract.name,
        };
        let first = state.first_cut();
        self.syncs.check(recording.trace().events())?;
        let space = recording.space_with(self.contract, self.syncs);
        let outlook = space.outlook_of(&first);
        let outlook = outlook.ok_or_else(|| not_allowed(&state))?;
        let mut boots = Vec::new();
        let state_and_outlook = Candidate {
            state: first,
            outlook,
        };
        let origin = Origin::of(Run::of(&recording), state_and_outlook);
        let followed = self.follow(&origin, state.then(), &mut boots);
        let Some(Followed {
            candidate,
            versions,
            recovery,
            contents,
        }) = followed
        else {
            return Err(not_allowed(&state));
        };
        boots.reverse();
        // The peer has a say on what a single cut leaves.
        let peer = self
            .peer_for(Run::of(&recording))
            .filter(|_| boots.is_empty());
        let recovery = match peer {
            Some(_) => self.judge(Run::of(&recording), &candidate),
            None => recovery,
        };
        Ok(Replay {
            peer: peer.map(PeerName::of),
            contract: self.contract,
            syncs: self.syncs,
            recording,
            state,
            boots,
            candidate,
            versions,
            recovery,
            contents,
        })
    }

    /// What the subject shows on a disk, or why it shows nothing.
    pub(super) fn shown_on(&self, disk: RecordingDisk) -> Result<Contents, String> {
        let mut session = Session::new(self.subject, disk, self.budget);
        session
            .mount()
            .and_then(|()| session.contents())
            .map_err(|failure| failure.to_string())
    }
}

/// One crash state, replayed.
#[derive(Debug)]
pub struct Replay<'a> {
    /// The run that the state is of.
    pub recording: Recording<'a>,
    /// The peer that the state was held against, where there was one.
    pub peer: Option<PeerName>,
    /// The contract that allows the state.
    pub contract: &'static Contract,
    /// The syncs that the run is taken to have made.
    pub syncs: Syncs,
    /// The state, all cuts of it.
    pub state: CrashState,
    /// The recoveries that were cut in turn, each with the state that it began from.
    pub boots: Vec<(Candidate, Boot)>,
    /// What the last cut left of the last of those, or of the recording where there are none, and what it may show.
    pub candidate: Candidate,
    /// The states of the model that the versions in `candidate` are of.
    pub versions: Vec<Model>,
    /// The judgement on it.
    pub recovery: Recovery,
    /// All that it showed after the first mount, or why that was nothing.
    pub contents: Result<Contents, String>,
}

impl Replay<'_> {
    /// What is wrong, and where; none where nothing is.
    pub fn found(&self) -> Option<Found> {
        let violation = self.recovery.verdict.violation()?;
        // What a further cut leaves is of the step that the first one fell into.
        let first = self.boots.first().map(|(candidate, _)| candidate);
        let step = first.unwrap_or(&self.candidate).outlook.step;
        Some(Found {
            place: Place::State(self.state.clone()),
            step: self.recording.step(step).map(|step| step.to_string()),
            violation: violation.clone(),
        })
    }
}

/// Why a crash state could not be replayed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// The workload breaks a promise without any power cut.
    #[error("without a power cut: {}", .0.violation)]
    Live(Box<LiveViolation>),
    /// The trace has no such state.
    #[error("workload {workload} has no crash state {state}: its last one is {writes}")]
    NoSuchState {
        /// The state.
        state: CrashState,
        /// The workload's name.
        workload: String,
        /// The writes of its trace.
        writes: u32,
    },
    /// There is no such sync to leave out, or no such write to put one behind.
    #[error(transparent)]
    NoSuchSync(#[from] NoSuchSync),
    /// The contract does not allow such a state.
    #[error("the contract {contract} does not allow the crash state {state} in this workload")]
    NotAllowed {
        /// The state.
        state: CrashState,
        /// The contract's name.
        contract: &'static str,
    },
}
