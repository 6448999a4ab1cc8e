//! The engine with a deliberate fault, by the name that cases know it by. corpus/cases/README.md says what each does.

use cutpoint::op::{Operation, Value};
use cutpoint::refusal::Refusal;
use cutpoint::subject::{
    Contents, Device, Entry, EntryNode, Health, Mounted, Promises, Subject, SubjectError,
};
use cutpoint::subjects::EngineSubject;
#[cfg(feature = "littlefs-c")]
use cutpoint::subjects::LittlefsCSubject;
use cutpoint::workload::Workload;
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry};
use cutpoint_engine::{FormatOptions, Key, MountOptions, Sabotage, Timestamp};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// The subject of this name, ready for the workload; none where there is none.
pub(crate) fn subject(name: &str, workload: &Workload) -> Option<Box<dyn Subject>> {
    #[cfg(feature = "littlefs-c")]
    if name == "littlefs-c" {
        let attributes = workload.attribute_kinds();
        return Some(Box::new(LittlefsCSubject::looking_for(attributes)));
    }
    let as_asked = |engine: EngineSubject| {
        engine
            .moving_after(workload.block_cycles())
            .formatting_in(workload.disk_version())
    };
    let sabotage = match name {
        "commit-before-data" => Some(Sabotage::CommitBeforeData),
        "without-checksums" => Some(Sabotage::IgnoreChecksums),
        "hardtail-lost" => Some(Sabotage::LoseHardtail),
        "block-freed-early" => Some(Sabotage::FreeEarly),
        _ => None,
    };
    if let Some(sabotage) = sabotage {
        let mount = MountOptions::default().with_sabotage(sabotage);
        let engine = EngineSubject::new(FormatOptions::default(), mount);
        return Some(Box::new(as_asked(engine)));
    }
    let fault = NAMES.into_iter().find(|&(other, _)| other == name);
    let engine = as_asked(EngineSubject::default());
    match fault {
        Some((_, fault)) => Some(Box::new(Broken { engine, fault })),
        None if name == EngineSubject::NAME => Some(Box::new(engine)),
        None => None,
    }
}

/// What is wrong around the engine.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    NoSyncs,
    SyncsOnlyAtTheEnd,
    AcknowledgesEarly,
    NeedsBothBlocks,
    MountsAnything,
    WalksInCircles,
    RenamesInTwoSteps,
    LeavesTheSource,
    RenameOntoItselfRemoves,
    MakesDictionariesFirst,
    SetsOverDictionaries,
    RemovesNothing,
    KeepsWhatItReplaces,
    ShowsTheSuperblock,
    LosesTheLastBytes,
    PanicsPastTheEnd,
    TruncatesShort,
}

const NAMES: [(&str, Fault); 17] = [
    ("no-syncs", Fault::NoSyncs),
    ("syncs-only-at-the-end", Fault::SyncsOnlyAtTheEnd),
    ("acknowledges-early", Fault::AcknowledgesEarly),
    ("needs-both-blocks", Fault::NeedsBothBlocks),
    ("mounts-anything", Fault::MountsAnything),
    ("walks-in-circles", Fault::WalksInCircles),
    ("renames-in-two-steps", Fault::RenamesInTwoSteps),
    ("leaves-the-source", Fault::LeavesTheSource),
    ("rename-onto-itself-removes", Fault::RenameOntoItselfRemoves),
    ("makes-dictionaries-first", Fault::MakesDictionariesFirst),
    ("sets-over-dictionaries", Fault::SetsOverDictionaries),
    ("removes-nothing", Fault::RemovesNothing),
    ("keeps-what-it-replaces", Fault::KeepsWhatItReplaces),
    ("shows-the-superblock", Fault::ShowsTheSuperblock),
    ("loses-the-last-bytes", Fault::LosesTheLastBytes),
    ("panics-past-the-end", Fault::PanicsPastTheEnd),
    ("truncates-short", Fault::TruncatesShort),
];

struct Broken {
    engine: EngineSubject,
    fault: Fault,
}

impl Broken {
    /// The device as the engine gets it.
    fn device(&self, device: Device) -> (Device, Option<Shared>) {
        match self.fault {
            Fault::NoSyncs | Fault::SyncsOnlyAtTheEnd => {
                let shared = Shared::new(device, false);
                let handle = (self.fault == Fault::SyncsOnlyAtTheEnd).then(|| shared.clone());
                (Box::new(shared), handle)
            }
            _ => (device, None),
        }
    }
}

impl Subject for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn promises(&self) -> Promises {
        self.engine.promises()
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        let (device, handle) = self.device(device);
        self.engine.format(device)?;
        Ok(handle.map_or(Ok(()), |handle| handle.sync_for_real())?)
    }

    fn mount(&self, mut device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        if self.fault == Fault::NeedsBothBlocks && is_half_erased(&mut device)? {
            return Err(SubjectError::Unmountable("one of two blocks".into()));
        }
        let (device, handle) = self.device(device);
        let mut watched = Shared::new(device, true);
        let engine = match (self.engine.mount(Box::new(watched.clone())), self.fault) {
            (Ok(engine), _) => engine,
            (Err(_), Fault::MountsAnything) => return Ok(Box::new(Nothing)),
            (Err(_), Fault::WalksInCircles) => loop {
                watched.read(BlockId::new(0), 0, &mut [0])?;
            },
            (Err(error), _) => return Err(error),
        };
        Ok(Box::new(Store {
            engine,
            fault: self.fault,
            handle,
            pending: None,
            now: Timestamp::EPOCH,
            replaced: BTreeSet::new(),
        }))
    }
}

/// Whether one block of the root pair is erased.
fn is_half_erased(device: &mut Device) -> Result<bool, DeviceError> {
    let mut blank = |block| {
        let mut start = [0; 4];
        device.read(BlockId::new(block), 0, &mut start)?;
        Ok(start == [0xff; 4])
    };
    Ok(blank(0)? != blank(1)?)
}

/// A device with several handles, which may not hear the syncs that come through it as a device.
#[derive(Clone)]
struct Shared {
    device: Arc<Mutex<Device>>,
    hears_syncs: bool,
}

impl Shared {
    fn new(device: Device, hears_syncs: bool) -> Self {
        Self {
            device: Arc::new(Mutex::new(device)),
            hears_syncs,
        }
    }

    fn with<T>(&self, call: impl FnOnce(&mut Device) -> T) -> T {
        call(&mut self.device.lock().unwrap())
    }

    fn sync_for_real(&self) -> Result<(), DeviceError> {
        self.with(BlockDevice::sync)
    }
}

impl BlockDevice for Shared {
    fn geometry(&self) -> Geometry {
        self.with(|device| device.geometry())
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.with(|device| device.read(block, offset, buffer))
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.with(|device| device.prog(block, offset, data))
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.with(|device| device.erase(block))
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        if self.hears_syncs {
            self.sync_for_real()
        } else {
            Ok(())
        }
    }
}

/// The store that was never there.
struct Nothing;

impl Mounted for Nothing {
    fn apply(&mut self, _: &Operation) -> Result<(), SubjectError> {
        Ok(())
    }

    fn contents(&mut self) -> Result<Contents, SubjectError> {
        Ok(Contents::default())
    }

    fn check(&mut self) -> Result<Health, SubjectError> {
        Ok(Health::default())
    }
}

struct Store {
    engine: Box<dyn Mounted>,
    fault: Fault,
    /// To sync where the engine's own syncs are not heard.
    handle: Option<Shared>,
    /// What was acknowledged and not done.
    pending: Option<Operation>,
    now: Timestamp,
    /// Keys that were set twice.
    replaced: BTreeSet<Key>,
}

impl Store {
    fn catch_up(&mut self) -> Result<(), SubjectError> {
        match self.pending.take() {
            Some(operation) => self.engine.apply(&operation),
            None => Ok(()),
        }
    }

    /// What stands under the key; none where there is nothing.
    fn entry(&mut self, key: &Key) -> Result<Option<Entry>, SubjectError> {
        let contents = self.engine.contents()?;
        let mut entries = contents.entries().iter();
        Ok(entries.find(|entry| entry.key == *key).cloned())
    }

    fn value(&mut self, key: &Key) -> Result<Option<Vec<u8>>, SubjectError> {
        Ok(match self.entry(key)?.map(|entry| entry.node) {
            Some(EntryNode::Value(bytes)) => Some(bytes),
            _ => None,
        })
    }

    fn is_dictionary(&mut self, key: &Key) -> Result<bool, SubjectError> {
        let entry = self.entry(key)?;
        Ok(entry.is_some_and(|entry| matches!(entry.node, EntryNode::Dictionary)))
    }

    /// Does what the fault makes of the operation; says whether that was anything.
    fn misdo(&mut self, operation: &Operation) -> Result<bool, SubjectError> {
        match (self.fault, operation) {
            (
                Fault::RenamesInTwoSteps | Fault::LeavesTheSource,
                Operation::Rename { source, dest },
            ) => {
                let (Some(moved), false) = (self.entry(source)?, self.is_dictionary(dest)?) else {
                    return Ok(false);
                };
                let (EntryNode::Value(value), key) = (moved.node, dest.clone()) else {
                    return Ok(false);
                };
                let value = Value::literal(value);
                self.engine.apply(&Operation::Set { key, value })?;
                // Its time comes along.
                for (kind, data) in moved.attributes {
                    let (key, data) = (dest.clone(), Value::literal(data));
                    self.engine
                        .apply(&Operation::SetAttribute { key, kind, data })?;
                }
                if self.fault == Fault::RenamesInTwoSteps && source != dest {
                    let key = source.clone();
                    self.engine.apply(&Operation::Remove { key })?;
                }
            }
            (Fault::RenameOntoItselfRemoves, Operation::Rename { source, dest })
                if source == dest =>
            {
                self.engine.apply(&Operation::Remove {
                    key: source.clone(),
                })?;
            }
            (Fault::MakesDictionariesFirst, Operation::Set { key, .. }) => {
                if let Some(parent) = key.parent().filter(|parent| !parent.is_root()) {
                    match self
                        .engine
                        .apply(&Operation::CreateDictionary { key: parent })
                    {
                        Ok(()) | Err(SubjectError::Refused(Refusal::AlreadyPresent)) => {}
                        Err(error) => return Err(error),
                    }
                }
                return Ok(false);
            }
            (Fault::SetsOverDictionaries, Operation::Set { key, .. })
                if self.is_dictionary(key)? =>
            {
                self.engine.apply(&Operation::Remove { key: key.clone() })?;
                return Ok(false);
            }
            (Fault::RemovesNothing, Operation::Remove { .. }) => {}
            (Fault::KeepsWhatItReplaces, Operation::Set { key, .. }) => {
                if self.value(key)?.is_some() {
                    self.replaced.insert(key.clone());
                }
                return Ok(false);
            }
            (Fault::PanicsPastTheEnd, Operation::SetPartial { key, offset, .. }) => {
                let size = self.value(key)?.map_or(0, |value| value.len());
                assert!(*offset as usize <= size, "past the end");
                return Ok(false);
            }
            (Fault::TruncatesShort, Operation::Truncate { key, size }) if *size > 0 => {
                let (key, size) = (key.clone(), size - 1);
                self.engine.apply(&Operation::Truncate { key, size })?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Mounted for Store {
    fn set_time(&mut self, now: Timestamp) {
        // What is pending keeps the time at which it was called.
        self.now = now;
        if self.fault != Fault::AcknowledgesEarly {
            self.engine.set_time(now);
        }
    }

    fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError> {
        if self.fault == Fault::AcknowledgesEarly {
            self.catch_up()?;
            self.engine.set_time(self.now);
            self.pending = Some(operation.clone());
            return Ok(());
        }
        if !self.misdo(operation)? {
            self.engine.apply(operation)?;
        }
        if let Some(handle) = &self.handle {
            handle.sync_for_real()?;
        }
        Ok(())
    }

    fn contents(&mut self) -> Result<Contents, SubjectError> {
        self.catch_up()?;
        let contents = self.engine.contents()?;
        let mut entries = contents.entries().to_vec();
        match self.fault {
            Fault::KeepsWhatItReplaces => {
                let twice = |entry: &&Entry| self.replaced.contains(&entry.key);
                let again: Vec<_> = contents.entries().iter().filter(twice).cloned().collect();
                entries.extend(again);
            }
            Fault::ShowsTheSuperblock => {
                if let Some(mut entry) = entries.first().cloned() {
                    entry.key = Key::new("/littlefs");
                    entries.push(entry);
                }
            }
            Fault::LosesTheLastBytes => {
                for entry in &mut entries {
                    if let EntryNode::Value(bytes) = &mut entry.node
                        && bytes.len() > 512
                    {
                        bytes.truncate(bytes.len() / 508 * 508);
                    }
                }
            }
            _ => {}
        }
        Ok(Contents::new(entries, contents.root_attributes().clone()))
    }

    fn check(&mut self) -> Result<Health, SubjectError> {
        self.catch_up()?;
        self.engine.check()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.catch_up();
    }
}
