//! Crash states by the most that can be said of them at once: what became of a write is left open until a byte is read
//! that hangs on it.
//!
//! Recovery is a function of what it reads. So all crash states that agree in the bytes read so far are recovered from in
//! one run, and where they do not agree on the next, the run goes on with a part of them; the others are another run. The
//! runs are the leaves of a tree of decisions, and each stands for the crash states that are left at its end. The idea is
//! Jaaru's (Gorjiara, Xu, Demsky: "Jaaru: Efficiently Model Checking Persistent Memory Programs", ASPLOS 2021).

use super::Fate;
use super::Outlook;
use super::space::{Class, Effect, Epoch, Open, Space};
use super::view::resolve;
use crate::guard::{Guard, Guarded};
use crate::trace::Trace;
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry};
use std::collections::HashMap;
use std::sync::Arc;

/// A device that shows the crash states of an epoch, as many of them at once as what is read allows, and takes further
/// writes. One is made for each run by [`Leaves`].
#[derive(Clone, Debug)]
pub struct LazyView {
    trace: Arc<Trace>,
    space: Arc<Space>,
    /// The trace's writes before this number are on the medium.
    durable: u32,
    open: Open,
    guard: Guard,
    /// Blocks written since. Never iterated over, so its order reaches no result.
    written: HashMap<BlockId, Patch>,
    walk: Walk,
}

/// What has been written over a block.
#[derive(Clone, Debug)]
struct Patch {
    bytes: Box<[u8]>,
    /// Which of the bytes.
    known: Known,
}

#[derive(Clone, Debug)]
enum Known {
    All,
    Some(Box<[bool]>),
}

/// A decision that a read brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Decision {
    /// What was read: a block, where in it, and how much; and the chain that was open there.
    place: (BlockId, u32, usize, usize),
    /// In how many ways the open states differ there.
    classes: usize,
    /// Which of them was taken.
    taken: usize,
}

/// The way of one run through the decisions.
#[derive(Clone, Debug, Default)]
struct Walk {
    /// Decisions that an earlier run has met as well.
    script: Arc<[Decision]>,
    made: Vec<Decision>,
    /// The run has not met what it should have, though it took the same way.
    strayed: bool,
}

impl Walk {
    fn decide(&mut self, place: (BlockId, u32, usize, usize), classes: usize) -> usize {
        let expected = self.script.get(self.made.len());
        let taken = expected.map_or(0, |decision| decision.taken);
        self.strayed |= expected.is_some_and(|old| old.place != place || old.classes != classes);
        let taken = taken.min(classes - 1);
        self.made.push(Decision {
            place,
            classes,
            taken,
        });
        taken
    }
}

impl LazyView {
    /// The trace that the crash states are of.
    pub fn trace(&self) -> &Arc<Trace> {
        &self.trace
    }

    /// The crash states that the view has come to stand for.
    pub fn open(&self) -> &Open {
        &self.open
    }

    /// What may be shown of them.
    pub fn outlook(&self) -> Outlook {
        self.space.outlook(&self.open)
    }

    /// Fills `buffer` with bytes of the block as they were left by the cut, deciding what they hang on; those that are not
    /// `wanted` are left alone.
    fn recall(&mut self, block: BlockId, offset: u32, buffer: &mut [u8], mut wanted: Vec<bool>) {
        let mut below = vec![0; buffer.len()];
        resolve(&self.trace, self.durable, block, offset, &mut below, |_| {
            Fate::Persisted
        });
        let chains = self.open.chains_of(block).to_vec();
        for (index, &chain) in chains.iter().enumerate() {
            if !wanted.contains(&true) {
                return;
            }
            let effect = if self.open.is_open(chain, block, offset, buffer.len()) {
                // What lies below the oldest chain is known, and then what the bytes are counts.
                let oldest = index + 1 == chains.len();
                let known = oldest.then_some(below.as_slice());
                self.decide(chain, block, offset, &wanted, known)
            } else {
                self.open.settled(chain, block, offset, &wanted)
            };
            for (place, byte) in effect.into_iter().enumerate() {
                if let Some(byte) = byte {
                    buffer[place] = byte;
                    wanted[place] = false;
                }
            }
        }
        for (place, byte) in below.into_iter().enumerate() {
            if wanted[place] {
                buffer[place] = byte;
            }
        }
    }

    /// What a chain makes of the bytes, after a decision where its states differ there.
    fn decide(
        &mut self,
        chain: usize,
        block: BlockId,
        offset: u32,
        wanted: &[bool],
        below: Option<&[u8]>,
    ) -> Effect {
        let mut classes = self.open.classes(chain, block, offset, wanted, below);
        let taken = if classes.len() > 1 {
            let place = (block, offset, wanted.len(), chain);
            self.walk.decide(place, classes.len())
        } else {
            0
        };
        let Class { effect, values } = classes.swap_remove(taken);
        self.open.narrow(chain, values);
        effect
    }

    fn show(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) {
        let range = offset as usize..offset as usize + buffer.len();
        let wanted = match self.written.get(&block) {
            None => vec![true; buffer.len()],
            Some(Patch { bytes, known }) => {
                buffer.copy_from_slice(&bytes[range.clone()]);
                match known {
                    Known::All => return,
                    Known::Some(known) => known[range].iter().map(|&known| !known).collect(),
                }
            }
        };
        if wanted.contains(&true) {
            self.recall(block, offset, buffer, wanted);
        }
    }
}

impl Guarded for LazyView {
    fn guard(&mut self) -> &mut Guard {
        &mut self.guard
    }
}

impl BlockDevice for LazyView {
    fn geometry(&self) -> Geometry {
        self.guard.geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.guard.admit_read(block, offset, buffer.len())?;
        self.show(block, offset, buffer);
        Ok(())
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.guard.admit_prog(block, offset, data.len())?;
        let mut there = vec![0; data.len()];
        if self.guard.programs_over_what_is_there() {
            self.show(block, offset, &mut there);
        }
        self.guard.program(block, offset, &mut there, data)?;
        let size = self.guard.geometry().block_size() as usize;
        let patch = self.written.entry(block).or_insert_with(|| Patch {
            bytes: vec![0; size].into(),
            known: Known::Some(vec![false; size].into()),
        });
        let range = offset as usize..offset as usize + data.len();
        patch.bytes[range.clone()].copy_from_slice(&there);
        if let Known::Some(known) = &mut patch.known {
            known[range].fill(true);
        }
        Ok(())
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.guard.admit_erase(block)?;
        let size = self.guard.geometry().block_size() as usize;
        let patch = Patch {
            bytes: vec![self.guard.erase_value(); size].into(),
            known: Known::All,
        };
        self.written.insert(block, patch);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.guard.admit_sync()
    }
}

/// All runs that it takes to recover from every crash state of an epoch: the leaves of the tree of decisions.
#[derive(Debug)]
pub struct Leaves {
    trace: Arc<Trace>,
    space: Arc<Space>,
    all: Open,
    next: Option<Arc<[Decision]>>,
}

/// A run at its end.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The crash states that it stands for.
    pub open: Open,
    /// It read other bytes than an earlier run that had read the same so far: what was run is not a function of what it
    /// reads.
    pub strayed: bool,
}

impl Leaves {
    /// Those of one epoch of a trace.
    pub fn new(trace: &Arc<Trace>, space: &Arc<Space>, epoch: &Arc<Epoch>) -> Self {
        Self::within(trace, space, Open::all(epoch))
    }

    /// Those that some of the states of an epoch take.
    pub fn within(trace: &Arc<Trace>, space: &Arc<Space>, states: Open) -> Self {
        Self {
            trace: Arc::clone(trace),
            space: Arc::clone(space),
            all: states,
            next: Some(Arc::default()),
        }
    }

    /// A device for the next run; none where all have been run.
    pub fn next_view(&mut self) -> Option<LazyView> {
        let script = self.next.clone()?;
        let trace = &self.trace;
        Some(LazyView {
            durable: self.all.epoch().before(),
            open: self.all.clone(),
            guard: Guard::new(trace.geometry(), trace.erase_value()).with_medium(trace.medium()),
            trace: Arc::clone(trace),
            space: Arc::clone(&self.space),
            written: HashMap::new(),
            walk: Walk {
                script,
                ..Walk::default()
            },
        })
    }

    /// Takes back the device of a run that has ended: what it stood for.
    pub fn finish(&mut self, view: LazyView) -> Leaf {
        let Walk {
            script,
            mut made,
            strayed,
        } = view.walk;
        let strayed = strayed || made.len() < script.len();
        // The last decision that leaves another way to go.
        while let Some(last) = made.last_mut() {
            if last.taken + 1 < last.classes {
                last.taken += 1;
                break;
            }
            made.pop();
        }
        self.next = if made.is_empty() || strayed {
            None
        } else {
            Some(made.into())
        };
        Leaf {
            open: view.open,
            strayed,
        }
    }
}
