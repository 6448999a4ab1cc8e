//! Witnesses made small: fewer operations, shorter values and keys, a smaller device, fewer writes on the medium.
//!
//! A step towards less is kept where the same violation still shows: of the same kind, of the same promise, and on a
//! crash state where it was on one. Where it shows is looked for again each time, in the last operation and behind it:
//! that is where a workload ends once what follows on the power cut has been dropped. Then the crash state is made small
//! in turn.
//!
//! No clock decides when to stop, but a number of recoveries: the same witness always leads to the same small one.

mod device;
mod keys;
mod operations;
mod probe;
mod state;
mod values;

pub use state::Flip;

use crate::contract::Contract;
use crate::explore::{Found, Place, Sweep};
use crate::subject::Subject;
use crate::verdict::{Promise, ViolationKind};
use crate::workload::Workload;
use probe::Probe;
use thiserror::Error;

/// The recoveries and recordings that making a witness small may take, where nothing else is said.
const BUDGET: u64 = 40_000;

/// A witness: a workload, the crash states that there are, and a violation that one of them shows.
#[derive(Clone, Debug)]
pub struct Witness {
    /// What is run.
    pub workload: Workload,
    /// The contract that allows the crash state.
    pub contract: &'static Contract,
    /// Where it shows, and what.
    pub found: Found,
}

/// Makes a witness small.
///
/// ```
/// use cutpoint::contract;
/// use cutpoint::explore::Sweep;
/// use cutpoint::op::{Operation, Value};
/// use cutpoint::shrink::{Shrink, Witness};
/// # use cutpoint::subject::{Contents, Device, Health, Mounted, Promises, Subject, SubjectError};
/// # use cutpoint::subjects::EngineSubject;
/// use cutpoint::workload::Workload;
/// use cutpoint_engine::device::Geometry;
/// # use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError};
/// # struct Unsynced(EngineSubject);
/// # struct Deaf(Device);
/// # impl Subject for Unsynced {
/// #     fn name(&self) -> &str { "unsynced" }
/// #     fn promises(&self) -> Promises { self.0.promises() }
/// #     fn format(&self, device: Device) -> Result<(), SubjectError> { self.0.format(Box::new(Deaf(device))) }
/// #     fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
/// #         self.0.mount(Box::new(Deaf(device)))
/// #     }
/// # }
/// # impl BlockDevice for Deaf {
/// #     fn geometry(&self) -> Geometry { self.0.geometry() }
/// #     fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
/// #         self.0.read(block, offset, buffer)
/// #     }
/// #     fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
/// #         self.0.prog(block, offset, data)
/// #     }
/// #     fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> { self.0.erase(block) }
/// #     fn sync(&mut self) -> Result<(), DeviceError> { Ok(()) }
/// # }
///
/// // The engine on a device that does not hear its syncs.
/// let subject = Unsynced(EngineSubject::default());
/// let workload = Workload::new("three", Geometry::new(512, 32)?)
///     .then(Operation::set("/d/first", Value::generated(100, 1)))
///     .then(Operation::set("/d/second", Value::generated(100, 2)))
///     .then(Operation::remove("/d/first"));
/// let sweep = Sweep::new(&subject, &workload).under(&contract::REORDER);
/// let found = sweep.run().first_violation().expect("a change is lost").clone();
/// let contract = &contract::REORDER;
/// let small = Shrink::new(&subject, Witness { workload, contract, found }).run()?;
/// assert!(small.witness.workload.operations().len() <= 1);
/// if let Some(flip) = &small.flip {
///     println!("{flip}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Shrink<'a> {
    subject: &'a dyn Subject,
    peer: Option<&'a dyn Subject>,
    witness: Witness,
    budget: u64,
}

impl std::fmt::Debug for Shrink<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shrink")
            .field("subject", &self.subject.name())
            .field("witness", &self.witness)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// A witness that has been made small.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// What is left of it.
    pub witness: Witness,
    /// The one write whose fate decides; none where no single one does.
    pub flip: Option<Flip>,
    /// How many recoveries and recordings it took.
    pub tried: u64,
}

/// A violation did not show again, so that nothing can be said of what it hangs on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{found} does not show again on {workload}")]
pub struct NotShown {
    /// What was to show.
    pub found: Box<Found>,
    /// The name of the workload.
    pub workload: String,
}

/// What has to show of a witness for it to be the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Nature {
    kind: ViolationKind,
    promise: Promise,
    after_a_cut: bool,
}

impl Nature {
    fn of(found: &Found) -> Self {
        Self {
            kind: found.violation.kind,
            promise: found.violation.promise,
            after_a_cut: !matches!(found.place, Place::Recording { .. }),
        }
    }
}

impl<'a> Shrink<'a> {
    /// Of this witness on `subject`, which must be ready for every workload with the same or fewer kinds of attributes.
    pub fn new(subject: &'a dyn Subject, witness: Witness) -> Self {
        Self {
            subject,
            peer: None,
            witness,
            budget: BUDGET,
        }
    }

    /// The same, beside the peer that the witness was found with.
    #[must_use]
    pub fn with_peer(self, peer: Option<&'a dyn Subject>) -> Self {
        Self { peer, ..self }
    }

    /// The same, with at most about so many recoveries and recordings; what has been reached by then is the result.
    #[must_use]
    pub fn with_budget(self, recoveries: u64) -> Self {
        Self {
            budget: recoveries,
            ..self
        }
    }

    /// Makes it small.
    ///
    /// # Errors
    ///
    /// [`NotShown`] where the violation does not show again on the workload as it is.
    pub fn run(self) -> Result<Shrunk, NotShown> {
        let Witness {
            workload,
            contract,
            found,
        } = self.witness;
        let depth = match &found.place {
            Place::State(state) => state.cuts(),
            Place::Recording { .. } | Place::Epoch { .. } => 1,
        };
        let mut probe = Probe {
            subject: self.subject,
            peer: self.peer,
            contract,
            depth,
            nature: Nature::of(&found),
            broken: None,
            left: self.budget,
        };
        let Some((mut workload, mut found)) = probe.cut_to(&workload, &found) else {
            let workload = workload.name().to_owned();
            let found = Box::new(found);
            return Err(NotShown { found, workload });
        };
        // A cut in the recovery from a cut that it does without.
        while probe.depth > 1 {
            probe.depth -= 1;
            let Some(shallow) = probe.shows(&workload) else {
                probe.depth += 1;
                break;
            };
            found = shallow;
        }
        let passes: [fn(&mut Probe<'_>, &mut Workload) -> bool; 6] = [
            operations::drop,
            operations::merge,
            device::shrink,
            values::shorten,
            keys::shorten,
            values::plain,
        ];
        // Each makes room for the others; what the last round did not change, none will.
        loop {
            let mut is_smaller = false;
            for pass in passes {
                is_smaller |= pass(&mut probe, &mut workload);
            }
            if !is_smaller || probe.left == 0 {
                break;
            }
        }
        // The last look is free: it is what the others have been about.
        probe.left = probe.left.max(1);
        found = probe.shows(&workload).unwrap_or(found);
        let sweep = Sweep::new(self.subject, &workload).under(contract);
        let sweep = match self.peer {
            Some(peer) => sweep.with_peer(peer),
            None => sweep,
        };
        let (found, flip) = state::least(sweep, found, &mut probe.left);
        Ok(Shrunk {
            witness: Witness {
                workload,
                contract,
                found,
            },
            flip,
            tried: self.budget.saturating_sub(probe.left),
        })
    }
}
