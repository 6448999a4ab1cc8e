//! A store small enough to be seen through: all keys in one block, two blocks in turn, a checksum over each. As it is
//! it keeps every promise; each fault breaks one.

#![allow(dead_code, reason = "each test takes a part of it")]

use cutpoint::op::Operation;
use cutpoint::refusal::Refusal;
use cutpoint::subject::{
    Checks, Contents, Device, Durability, EntryNode, Health, Intermediate, Mounted, Promises,
    Subject, SubjectError,
};
use cutpoint_engine::Key;
use cutpoint_engine::device::{BlockDevice, BlockId, Geometry};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};

/// What is wrong with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// A change is written only when the next one comes, or on unmount.
    AcksBeforeCommit,
    /// Mounting panics where one of the blocks is erased.
    PanicsWhenCut,
    /// Mounting reads for ever, errors or not, where one of the blocks is erased.
    LoopsWhenCut,
    /// Mounting forgets the last key where one of the blocks is erased.
    LosesKeyWhenCut,
    /// Mounting takes the older of two valid blocks where the newer has an odd generation.
    MountsOlder,
    /// Mounting makes up a key where one of the blocks is erased.
    InventsKeyWhenCut,
    /// No change succeeds where one of the blocks was erased at mount.
    WedgedWhenCut,
    /// The check finds damage where one of the blocks was erased at mount.
    DamagedWhenCut,
    /// Each mount where one of the blocks is erased writes that block: the next one shows an empty store.
    WorseByMounting,
    /// Mounting writes the only valid block again, in its place, where the other one is erased.
    RepairsInPlace,
    /// Each mount writes all keys anew, into the other block.
    CountsBoots,
    /// The block is not erased before it is programmed.
    NeverErases,
    /// The block is rewritten in place, in two programs, and its checksum is not looked at.
    InPlace,
    /// A rename is a set and a remove.
    RenamesInTwoSteps,
    /// Removing a key that is absent is an error.
    RefusesAbsent,
    /// Every commit holds a number that no two runs share.
    NotDeterministic,
    /// A panic on unmount.
    PanicsOnUnmount,
    /// Nothing can be read where one of the blocks was erased at mount.
    UnreadableWhenCut,
    /// The last key shows as a dictionary where one of the blocks was erased at mount.
    DictionaryWhenCut,
    /// The last key shows an attribute where one of the blocks was erased at mount.
    AttributeWhenCut,
    /// The last key is not shown after a change where one of the blocks was erased at mount.
    ForgetsOnceChanged,
    /// Mounting fails where a key is there that only the harness sets, to see whether a recovered store works.
    RefusesProbes,
    /// Formatting fails where a block is not blank.
    FormatsBlankOnly,
    /// The check always says that a repair is pending.
    AlwaysPending,
}

#[derive(Debug)]
pub(crate) struct Toy {
    pub(crate) fault: Fault,
    pub(crate) promises: Promises,
}

impl Toy {
    pub(crate) fn with(fault: Fault) -> Self {
        Self {
            fault,
            promises: Promises {
                checks: Checks::Everything,
                ..Promises::default()
            },
        }
    }

    pub(crate) fn promising_less(
        fault: Fault,
        durability: Durability,
        shows: &[Intermediate],
    ) -> Self {
        Self {
            fault,
            promises: Promises {
                durability,
                intermediates: shows.to_vec(),
                ..Promises::default()
            },
        }
    }
}

/// Large blocks: all keys of a test fit into one.
pub(crate) fn geometry() -> Geometry {
    Geometry::new(4096, 4).unwrap()
}

type Values = BTreeMap<Key, Vec<u8>>;

impl Subject for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn promises(&self) -> Promises {
        self.promises.clone()
    }

    fn format(&self, mut device: Device) -> Result<(), SubjectError> {
        for block in [0, 1] {
            if self.fault == Fault::FormatsBlankOnly {
                let mut bytes = [0; 4096];
                device.read(BlockId::new(block), 0, &mut bytes)?;
                if bytes != [0xff; 4096] {
                    return Err(SubjectError::Other("not blank".into()));
                }
            }
            device.erase(BlockId::new(block))?;
        }
        device.prog(BlockId::new(0), 0, &encode(0, &Values::new()))?;
        device.sync()?;
        Ok(())
    }

    fn mount(&self, mut device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        let checked = self.fault != Fault::InPlace;
        let mut found = Vec::new();
        for block in [0, 1] {
            let mut bytes = vec![0; 4096];
            device.read(BlockId::new(block), 0, &mut bytes)?;
            found.extend(
                decode(&bytes, checked).map(|(generation, values)| (generation, block, values)),
            );
        }
        found.sort_unstable();
        let cut = found.len() == 1;
        if self.fault == Fault::MountsOlder && found.last().is_some_and(|newest| newest.0 % 2 == 1)
        {
            found.pop();
        }
        let Some((mut generation, mut block, mut values)) = found.pop() else {
            return Err(SubjectError::Unmountable("both blocks are invalid".into()));
        };
        if self.fault == Fault::RefusesProbes && values.contains_key(&Key::new("/probe")) {
            return Err(SubjectError::Unmountable("a probe".into()));
        }
        // The generation after the format has one erased block without any cut.
        if cut && generation > 0 {
            match self.fault {
                Fault::PanicsWhenCut => panic!("one block only"),
                Fault::LoopsWhenCut => loop {
                    let _ = device.read(BlockId::new(0), 0, &mut [0]);
                },
                Fault::LosesKeyWhenCut => drop(values.pop_last()),
                Fault::InventsKeyWhenCut => drop(values.insert(Key::new("/ghost"), vec![1])),
                Fault::RepairsInPlace => {
                    let again = encode(generation + 2, &values);
                    device.erase(BlockId::new(block))?;
                    device.prog(BlockId::new(block), 0, &again)?;
                    device.sync()?;
                }
                Fault::WorseByMounting => {
                    let newer = encode(generation + 1, &Values::new());
                    device.prog(BlockId::new(1 - block), 0, &newer)?;
                }
                _ => {}
            }
        }
        if self.fault == Fault::CountsBoots {
            (generation, block) = (generation + 1, 1 - block);
            device.erase(BlockId::new(block))?;
            device.prog(BlockId::new(block), 0, &encode(generation, &values))?;
            device.sync()?;
        }
        Ok(Box::new(Open {
            device,
            fault: self.fault,
            generation,
            block,
            values,
            cut: cut && generation > 0,
            dirty: false,
            has_changed: false,
        }))
    }
}

struct Open {
    device: Device,
    fault: Fault,
    generation: u32,
    block: u32,
    values: Values,
    cut: bool,
    dirty: bool,
    has_changed: bool,
}

impl Open {
    fn commit(&mut self) -> Result<(), SubjectError> {
        self.generation += 1;
        let mut bytes = encode(self.generation, &self.values);
        if bytes.len() > 4000 {
            return Err(Refusal::NoSpace.into());
        }
        if self.fault == Fault::NotDeterministic {
            static RUN: AtomicU8 = AtomicU8::new(0);
            bytes.push(RUN.fetch_add(1, Ordering::Relaxed));
        }
        if self.fault != Fault::InPlace {
            self.block = 1 - self.block;
        }
        let block = BlockId::new(self.block);
        if self.fault != Fault::NeverErases {
            self.device.erase(block)?;
        }
        let first = if self.fault == Fault::InPlace {
            bytes.len() - 5
        } else {
            bytes.len()
        };
        self.device.prog(block, 0, &bytes[..first])?;
        if first < bytes.len() {
            self.device.prog(block, first as u32, &bytes[first..])?;
        }
        self.device.sync()?;
        Ok(())
    }

    fn changed(&mut self) -> Result<(), SubjectError> {
        if self.fault == Fault::AcksBeforeCommit {
            self.dirty = true;
            return Ok(());
        }
        self.commit()
    }

    fn flush(&mut self) -> Result<(), SubjectError> {
        if std::mem::take(&mut self.dirty) {
            self.commit()?;
        }
        Ok(())
    }
}

impl Mounted for Open {
    fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError> {
        self.flush()?;
        if self.cut && self.fault == Fault::WedgedWhenCut {
            return Err(SubjectError::Other("no more changes".into()));
        }
        let before = self.values.clone();
        match operation {
            Operation::Set { value, .. } if value.len() > 999 => {
                return Err(Refusal::NoSpace.into());
            }
            Operation::Set { key, value } => {
                self.values.insert(key.clone(), value.bytes().into_owned());
            }
            Operation::Remove { key } => {
                let removed = self.values.remove(key);
                if removed.is_none() && self.fault == Fault::RefusesAbsent {
                    return Err(Refusal::NotFound.into());
                }
            }
            Operation::Rename { source, dest } => {
                let value = before.get(source).ok_or(Refusal::NotFound)?;
                self.values.insert(dest.clone(), value.clone());
                if self.fault == Fault::RenamesInTwoSteps {
                    self.commit()?;
                }
                self.values.remove(source);
            }
            Operation::Sync => return Ok(()),
            _ => return Err(SubjectError::Other("not made for this".into())),
        }
        if self.values == before {
            return Ok(());
        }
        self.has_changed = true;
        self.changed()
    }

    fn contents(&mut self) -> Result<Contents, SubjectError> {
        let mut shown = self.values.clone();
        if !self.cut {
            return Ok(Contents::of_values(shown));
        }
        if self.fault == Fault::UnreadableWhenCut {
            return Err(SubjectError::Other("no more reading".into()));
        }
        if self.fault == Fault::ForgetsOnceChanged && self.has_changed {
            shown.pop_last();
        }
        let mut entries = Contents::of_values(shown).entries().to_vec();
        if let Some(last) = entries.last_mut() {
            match self.fault {
                Fault::DictionaryWhenCut => last.node = EntryNode::Dictionary,
                Fault::AttributeWhenCut => drop(last.attributes.insert(1, vec![1])),
                _ => {}
            }
        }
        Ok(Contents::new(entries, BTreeMap::new()))
    }

    fn check(&mut self) -> Result<Health, SubjectError> {
        let mut health = Health {
            repair_pending: self.fault == Fault::AlwaysPending,
            ..Health::default()
        };
        if self.cut && self.fault == Fault::DamagedWhenCut {
            health.damage.push("one block only".into());
        }
        Ok(health)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let _ = self.flush();
        assert!(self.fault != Fault::PanicsOnUnmount, "not so fast");
    }
}

/// Generation, checksum, number of keys; then each key and value with its length before it.
fn encode(generation: u32, values: &Values) -> Vec<u8> {
    let mut body = Vec::new();
    for (key, value) in values {
        for part in [key.as_bytes(), value] {
            body.extend((part.len() as u16).to_le_bytes());
            body.extend_from_slice(part);
        }
    }
    body.extend(u16::MAX.to_le_bytes());
    let generation = generation.to_le_bytes();
    [
        &generation[..],
        &checksum(&generation, &body).to_le_bytes(),
        &body,
    ]
    .concat()
}

fn decode(block: &[u8], checked: bool) -> Option<(u32, Values)> {
    let (generation, rest) = block.split_first_chunk::<4>()?;
    if *generation == [0xff; 4] {
        return None;
    }
    let (sum, body) = rest.split_first_chunk::<8>()?;
    let mut parts = Vec::new();
    let mut rest = body;
    loop {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = u16::from_le_bytes(*length);
        rest = after;
        if length == u16::MAX {
            break;
        }
        let (part, after) = rest.split_at_checked(length.into())?;
        parts.push(part);
        rest = after;
    }
    let used = &body[..body.len() - rest.len()];
    if checked && checksum(generation, used) != u64::from_le_bytes(*sum) {
        return None;
    }
    let (pairs, _) = parts.as_chunks::<2>();
    let values = pairs
        .iter()
        .map(|[key, value]| (Key::new(key), value.to_vec()));
    Some((u32::from_le_bytes(*generation), values.collect()))
}

/// FNV-1a.
fn checksum(generation: &[u8], body: &[u8]) -> u64 {
    generation
        .iter()
        .chain(body)
        .fold(0xcbf2_9ce4_8422_2325, |sum, &byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}
