//! Arbitrary operations and a crash state of theirs, judged against the model.

mod plan;

use crate::crash::{Candidate, CrashState, Open};
use crate::judge::judge;
use crate::record::Recording;
use crate::session::default_budget;
use crate::verdict::Verdict;
use cutpoint_engine::MountOptions;
use plan::Plan;

/// Takes `bytes` as a device, a contract, a crash state and up to 64 operations; runs the operations on the engine, cuts
/// the power, recovers, and judges all of it as a sweep does.
///
/// The first 24 bytes say on what and how; each further eight bytes are an operation, so that what stands behind a change
/// of the input keeps its meaning.
///
/// # Panics
///
/// Where the engine breaks a promise, with or without the power cut. The message is the workload, the contract, and the
/// id of the crash state.
///
/// ```
/// cutpoint::fuzzing::operations(b"any bytes are some operations");
/// ```
pub fn operations(bytes: &[u8]) {
    operations_with(bytes, MountOptions::default());
}

/// The same on an engine that is mounted with these options; the input says after how many compactions pairs move.
///
/// # Panics
///
/// As [`operations`].
pub fn operations_with(bytes: &[u8], mount: MountOptions) {
    let plan = Plan::of(bytes);
    let (subject, workload) = (plan.subject(mount), plan.workload());
    let budget = default_budget(workload.geometry());
    let recording = match Recording::once(&subject, &workload, budget) {
        Ok(recording) => recording,
        Err(found) => panic!(
            "without a power cut, at step {:?}: {}\n{plan}",
            found.step, found.violation
        ),
    };
    let candidate = choose(&plan, &recording);
    if let Verdict::Violation(violation) = judge(&subject, &recording, &candidate, budget).verdict {
        let state = candidate.state;
        panic!("crash state {state}: {violation}\n{plan}");
    }
}

/// The crash state that the plan's cut and fates come to.
fn choose(plan: &Plan, recording: &Recording<'_>) -> Candidate {
    let space = recording.space(plan.contract());
    let epochs = space.epochs();
    let epoch = &epochs[plan.cut_among(epochs.len())];
    let mut fates = plan.fates();
    let state = Open::all(epoch).pick(|count| fates.choose(count));
    match space.outlook_of(&state) {
        Some(outlook) => Candidate { state, outlook },
        None => unreachable!("{state} is of the space"),
    }
}

/// The operations and the crash state that an input stands for, for a person.
///
/// ```
/// let text = cutpoint::fuzzing::describe_operations(b"any bytes are some operations");
/// assert!(text.contains("blocks of"));
/// ```
pub fn describe_operations(bytes: &[u8]) -> String {
    let plan = Plan::of(bytes);
    let subject = plan.subject(MountOptions::default());
    let workload = plan.workload();
    let budget = default_budget(workload.geometry());
    let state: Option<CrashState> = Recording::once(&subject, &workload, budget)
        .ok()
        .map(|recording| choose(&plan, &recording).state);
    match state {
        Some(state) => format!("{plan}crash state {state}\n"),
        None => plan.to_string(),
    }
}
