//! Engines with a deliberate fault: in the engine, in its caller, or in the way to its device.

#![allow(dead_code, reason = "each test takes a part of it")]

use cutpoint::op::Operation;
use cutpoint::subject::{Contents, Device, Health, Mounted, Promises, Subject, SubjectError};
use cutpoint::subjects::EngineSubject;
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry};
use cutpoint_engine::{FormatOptions, MountOptions, Sabotage, Timestamp};

/// The engine with a fault built in.
pub(crate) fn sabotaged(sabotage: Sabotage) -> EngineSubject {
    let mount = MountOptions::default().with_sabotage(sabotage);
    EngineSubject::new(FormatOptions::default(), mount)
}

/// What a fault makes of an open store.
pub(crate) type Break = fn(Box<dyn Mounted>) -> Box<dyn Mounted>;

/// The engine behind a fault of its caller.
pub(crate) struct Broken {
    engine: EngineSubject,
    /// Called before each mount.
    at_mount: fn(&mut Device),
    mounted: Break,
}

impl Broken {
    pub(crate) fn new(at_mount: fn(&mut Device), mounted: Break) -> Self {
        Self {
            engine: EngineSubject::default(),
            at_mount,
            mounted,
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
        self.engine.format(device)
    }

    fn mount(&self, mut device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        (self.at_mount)(&mut device);
        Ok((self.mounted)(self.engine.mount(device)?))
    }
}

/// Says that an operation is done before it is: it happens when the next call comes, or the store is closed.
struct Late {
    store: Box<dyn Mounted>,
    pending: Option<Operation>,
    next_time: Timestamp,
}

impl Late {
    fn catch_up(&mut self) -> Result<(), SubjectError> {
        match self.pending.take() {
            Some(operation) => self.store.apply(&operation),
            None => Ok(()),
        }
    }
}

impl Mounted for Late {
    fn set_time(&mut self, now: Timestamp) {
        // The operation that is pending keeps the time at which it was called.
        self.next_time = now;
    }

    fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError> {
        self.catch_up()?;
        self.store.set_time(self.next_time);
        self.pending = Some(operation.clone());
        Ok(())
    }

    fn contents(&mut self) -> Result<Contents, SubjectError> {
        self.catch_up()?;
        self.store.contents()
    }

    fn check(&mut self) -> Result<Health, SubjectError> {
        self.catch_up()?;
        self.store.check()
    }
}

impl Drop for Late {
    fn drop(&mut self) {
        let _ = self.catch_up();
    }
}

pub(crate) fn late(store: Box<dyn Mounted>) -> Box<dyn Mounted> {
    Box::new(Late {
        store,
        pending: None,
        next_time: Timestamp::EPOCH,
    })
}

/// Whether the device looks as if a power cut had left it in the middle of a compaction: a block is blank that
/// something was in. Any condition would do that recovery meets and the workload does not.
fn was_interrupted(device: &mut Device) -> bool {
    let mut first = [0; 4];
    device.read(BlockId::new(0), 0, &mut first).unwrap();
    let mut second = [0; 4];
    device.read(BlockId::new(1), 0, &mut second).unwrap();
    first == [0xff; 4] || second == [0xff; 4]
}

pub(crate) fn panic_if_interrupted(device: &mut Device) {
    assert!(!was_interrupted(device), "this cannot happen");
}

pub(crate) fn loop_if_interrupted(device: &mut Device) {
    while was_interrupted(device) {}
}

/// The engine on a device that does not hear its syncs.
pub(crate) struct Unsynced(pub(crate) EngineSubject);

struct Deaf(Device);

impl Subject for Unsynced {
    fn name(&self) -> &'static str {
        "unsynced"
    }

    fn promises(&self) -> Promises {
        self.0.promises()
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        self.0.format(Box::new(Deaf(device)))
    }

    fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        self.0.mount(Box::new(Deaf(device)))
    }
}

impl BlockDevice for Deaf {
    fn geometry(&self) -> Geometry {
        self.0.geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.0.read(block, offset, buffer)
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.0.prog(block, offset, data)
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.0.erase(block)
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}
