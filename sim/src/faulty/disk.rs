use super::{Fault, FaultClass, Lasting, Trouble};
use crate::guard::{Guard, Guarded};
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceCall, DeviceError, Geometry};
use std::collections::{BTreeMap, BTreeSet};

/// A device with a fault: calls that it lets through go to the device within, so that a
/// [`RecordingDisk`](crate::disk::RecordingDisk) there records what has reached the medium.
///
/// ```
/// use cutpoint::disk::RecordingDisk;
/// use cutpoint::faulty::{Fault, FaultClass, FaultyDisk, Lasting, Trouble};
/// use cutpoint_engine::device::{BlockDevice, BlockId, DeviceErrorKind, Geometry};
///
/// let class = FaultClass::ProgRefused(Trouble::Block, Lasting::ForGood);
/// let disk = RecordingDisk::new(Geometry::new(512, 16)?, 0xff);
/// let mut disk = FaultyDisk::new(disk, Some(Fault { class, at: 1 }));
/// let (good, bad) = (BlockId::new(3), BlockId::new(4));
/// disk.prog(good, 0, b"works")?;
/// for _ in 0..2 {
///     let error = disk.prog(bad, 0, b"fails").unwrap_err();
///     assert_eq!(error.kind, DeviceErrorKind::BadBlock);
/// }
/// disk.prog(good, 5, b"still works")?;
/// assert_eq!((disk.firings(), disk.lost_blocks()), (2, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FaultyDisk<T> {
    inner: T,
    fault: Option<Fault>,
    calls: Calls,
    /// How many calls have gone wrong.
    firings: u64,
    /// What is wrong with blocks for good.
    lasting: BTreeMap<BlockId, Defect>,
    /// Erases by block.
    erases: BTreeMap<BlockId, u64>,
    /// The blocks that have taken a program or an erase.
    written: BTreeSet<BlockId>,
}

/// How many calls of each kind there have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Calls {
    reads: u64,
    progs: u64,
    erases: u64,
    syncs: u64,
}

/// What is wrong with a block for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    RefusesWrites(Trouble),
    RefusesReads(Trouble),
    Spoils,
}

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Goes,
    Refused(Trouble),
    Torn(Trouble),
    Denied(Trouble),
    Spoilt,
}

impl<T: BlockDevice + Guarded> FaultyDisk<T> {
    /// `inner` with this fault; without one, it is as good as `inner`.
    pub fn new(inner: T, fault: Option<Fault>) -> Self {
        Self {
            inner,
            fault,
            calls: Calls::default(),
            firings: 0,
            lasting: BTreeMap::new(),
            erases: BTreeMap::new(),
            written: BTreeSet::new(),
        }
    }

    /// `other` with what is wrong with this one's blocks for good, and no further fault.
    pub fn defects_on<U: BlockDevice + Guarded>(&self, other: U) -> FaultyDisk<U> {
        FaultyDisk {
            lasting: self.lasting.clone(),
            ..FaultyDisk::new(other, None)
        }
    }

    /// The device within.
    pub fn inner(&mut self) -> &mut T {
        &mut self.inner
    }

    /// How many calls have gone wrong so far.
    pub fn firings(&self) -> u64 {
        self.firings
    }

    /// How many blocks take no more writes, or spoil them.
    pub fn lost_blocks(&self) -> u64 {
        self.lasting.len() as u64
    }

    /// The blocks that take no more writes, or spoil them.
    pub fn lost(&self) -> impl Iterator<Item = BlockId> {
        self.lasting.keys().copied()
    }

    /// Whether anything is wrong for good with this block.
    pub fn is_lost(&self, block: BlockId) -> bool {
        self.lasting.contains_key(&block)
    }

    /// How many faults of the class there are that would have fired so far: with `at` from 0 to one less than this.
    pub fn occasions(&self, class: FaultClass) -> u64 {
        match class {
            FaultClass::ProgRefused(..)
            | FaultClass::ProgTorn(_)
            | FaultClass::ProgDenied(_)
            | FaultClass::ProgSpoilt(_) => self.calls.progs,
            FaultClass::EraseRefused(..) => self.calls.erases,
            FaultClass::ReadRefused(..) => self.calls.reads,
            FaultClass::SyncRefused => self.calls.syncs,
            FaultClass::WearsOut => self.erases.values().copied().max().unwrap_or(0),
            FaultClass::RunsOut => self.written.len() as u64,
        }
    }

    /// The class of the fault, where it strikes this call: the `count`th of a kind.
    fn strikes(&self, count: u64) -> Option<FaultClass> {
        self.fault
            .filter(|fault| fault.at == count)
            .map(|fault| fault.class)
    }

    fn fires(&mut self, block: BlockId, lasting: Lasting, defect: Defect) {
        self.firings += 1;
        if lasting == Lasting::ForGood {
            self.lasting.insert(block, defect);
        }
    }

    /// Notes that `block` is to be written. Where it is one block more than the device has, that one and all others that
    /// have not been written are bad from now on.
    fn take(&mut self, block: BlockId) {
        let Some(Fault {
            class: FaultClass::RunsOut,
            at,
        }) = self.fault
        else {
            self.written.insert(block);
            return;
        };
        if (self.written.len() as u64) < at {
            self.written.insert(block);
        } else if !self.written.contains(&block) && !self.lasting.contains_key(&block) {
            let blocks = (0..self.inner.geometry().block_count()).map(BlockId::new);
            let unwritten = blocks.filter(|block| !self.written.contains(block));
            let defect = Defect::RefusesWrites(Trouble::Block);
            self.lasting.extend(unwritten.map(|block| (block, defect)));
        }
    }

    /// What becomes of a program of `block`.
    fn turn_of_prog(&mut self, block: BlockId) -> Turn {
        let count = self.calls.progs;
        self.calls.progs += 1;
        self.take(block);
        let turn = match self.lasting.get(&block) {
            Some(Defect::RefusesWrites(trouble)) => Turn::Refused(*trouble),
            Some(Defect::Spoils) => Turn::Spoilt,
            Some(Defect::RefusesReads(_)) | None => match self.strikes(count) {
                Some(FaultClass::ProgRefused(trouble, lasting)) => {
                    self.fires(block, lasting, Defect::RefusesWrites(trouble));
                    return Turn::Refused(trouble);
                }
                Some(FaultClass::ProgSpoilt(lasting)) => {
                    self.fires(block, lasting, Defect::Spoils);
                    return Turn::Spoilt;
                }
                Some(FaultClass::ProgTorn(trouble)) => Turn::Torn(trouble),
                Some(FaultClass::ProgDenied(trouble)) => Turn::Denied(trouble),
                _ => return Turn::Goes,
            },
        };
        self.firings += 1;
        turn
    }

    /// What becomes of an erase of `block`.
    fn turn_of_erase(&mut self, block: BlockId) -> Turn {
        let count = self.calls.erases;
        self.calls.erases += 1;
        self.take(block);
        match self.lasting.get(&block) {
            Some(Defect::RefusesWrites(trouble)) => {
                self.firings += 1;
                return Turn::Refused(*trouble);
            }
            Some(Defect::Spoils | Defect::RefusesReads(_)) => return Turn::Goes,
            None => {}
        }
        if let Some(FaultClass::EraseRefused(trouble, lasting)) = self.strikes(count) {
            self.fires(block, lasting, Defect::RefusesWrites(trouble));
            return Turn::Refused(trouble);
        }
        let erases = self.erases.entry(block).or_default();
        *erases += 1;
        match self.fault {
            Some(Fault {
                class: FaultClass::WearsOut,
                at,
            }) if *erases > at => {
                let defect = Defect::RefusesWrites(Trouble::Block);
                self.fires(block, Lasting::ForGood, defect);
                Turn::Refused(Trouble::Block)
            }
            _ => Turn::Goes,
        }
    }

    fn turn_of_read(&mut self, block: BlockId) -> Turn {
        let count = self.calls.reads;
        self.calls.reads += 1;
        if let Some(Defect::RefusesReads(trouble)) = self.lasting.get(&block) {
            self.firings += 1;
            return Turn::Refused(*trouble);
        }
        if let Some(FaultClass::ReadRefused(trouble, lasting)) = self.strikes(count) {
            self.fires(block, lasting, Defect::RefusesReads(trouble));
            return Turn::Refused(trouble);
        }
        Turn::Goes
    }

    /// Programs as much of `data` as is half of its units.
    fn prog_half(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        let unit = self.inner.geometry().prog_size() as usize;
        let half = data.len() / unit / 2 * unit;
        if half == 0 {
            return Ok(());
        }
        self.inner.prog(block, offset, &data[..half])
    }
}

impl<T: Guarded> Guarded for FaultyDisk<T> {
    fn guard(&mut self) -> &mut Guard {
        self.inner.guard()
    }
}

impl<T: BlockDevice + Guarded> BlockDevice for FaultyDisk<T> {
    fn geometry(&self) -> Geometry {
        self.inner.geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.inner.read(block, offset, buffer)?;
        match self.turn_of_read(block) {
            Turn::Refused(trouble) => {
                buffer.fill(0);
                let kind = trouble.of_read();
                Err(DeviceError::at(DeviceCall::Read, block, offset, kind))
            }
            _ => Ok(()),
        }
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        let failed = |trouble: Trouble| {
            let kind = trouble.of_write();
            Err(DeviceError::at(DeviceCall::Prog, block, offset, kind))
        };
        match self.turn_of_prog(block) {
            Turn::Goes => self.inner.prog(block, offset, data),
            Turn::Refused(trouble) => {
                self.guard().admit_prog(block, offset, data.len())?;
                failed(trouble)
            }
            Turn::Torn(trouble) => {
                self.guard().admit_prog(block, offset, data.len())?;
                self.prog_half(block, offset, data)?;
                failed(trouble)
            }
            Turn::Denied(trouble) => {
                self.inner.prog(block, offset, data)?;
                failed(trouble)
            }
            Turn::Spoilt => {
                let mut spoilt = data.to_vec();
                if let Some(byte) = spoilt.get_mut(data.len() / 2) {
                    *byte ^= 0x10;
                }
                self.inner.prog(block, offset, &spoilt)
            }
        }
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        match self.turn_of_erase(block) {
            Turn::Refused(trouble) => {
                self.guard().admit_erase(block)?;
                let kind = trouble.of_write();
                Err(DeviceError::at(DeviceCall::Erase, block, 0, kind))
            }
            _ => self.inner.erase(block),
        }
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        let count = self.calls.syncs;
        self.calls.syncs += 1;
        if self.strikes(count) == Some(FaultClass::SyncRefused) {
            self.guard().admit_sync()?;
            self.firings += 1;
            let kind = Trouble::Device.of_write();
            return Err(DeviceError::sync(kind));
        }
        self.inner.sync()
    }
}

#[cfg(test)]
mod tests;
