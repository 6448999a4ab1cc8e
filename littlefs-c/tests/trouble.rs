//! Devices that fail and panic under the C littlefs, and handles that are forgotten.

use cutpoint_engine::device::{
    BlockDevice, BlockId, DeviceCall, DeviceError, DeviceErrorKind, Geometry, MemoryDevice,
};
use cutpoint_littlefs_c::{Access, Config, Error, Kind, Littlefs};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn geometry() -> Geometry {
    Geometry::new(512, 64).unwrap()
}

fn config() -> Config {
    Config::for_geometry(geometry())
}

/// A device whose programs go wrong while `trouble` says so.
struct Troubled<'a> {
    device: MemoryDevice,
    trouble: &'a Cell<Option<Trouble>>,
    progs: &'a Cell<u32>,
}

#[derive(Clone, Copy)]
enum Trouble {
    /// The first and each later program fails with these.
    Errors(DeviceErrorKind, DeviceErrorKind),
    Panic,
}

impl BlockDevice for Troubled<'_> {
    fn geometry(&self) -> Geometry {
        self.device.geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.device.read(block, offset, buffer)
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        let fails = |kind| Err(DeviceError::at(DeviceCall::Prog, block, offset, kind));
        self.progs.set(self.progs.get() + 1);
        match self.trouble.get() {
            None => self.device.prog(block, offset, data),
            Some(Trouble::Errors(first, then)) => {
                self.trouble.set(Some(Trouble::Errors(then, then)));
                fails(first)
            }
            Some(Trouble::Panic) => panic!("the device is on fire"),
        }
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.device.erase(block)
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.device.sync()
    }
}

/// Runs `test` on a store with the file `/v` in it, whose device goes wrong as the cell says, and on the number of its
/// programs.
fn on_troubled(test: impl FnOnce(&mut Littlefs<Troubled<'_>>, &Cell<Option<Trouble>>, &Cell<u32>)) {
    let (trouble, progs) = (Cell::new(None), Cell::new(0));
    let mut device = MemoryDevice::new(geometry());
    Littlefs::format(&mut device, &config()).unwrap();
    let device = Troubled {
        device,
        trouble: &trouble,
        progs: &progs,
    };
    let mut store = Littlefs::mount(device, &config()).unwrap();
    set(&mut store, b"before").unwrap();
    test(&mut store, &trouble, &progs);
}

fn set<D: BlockDevice>(store: &mut Littlefs<D>, value: &[u8]) -> Result<(), Error> {
    let mut file = store.open(c"/v", Access::Replace)?;
    file.write(value)?;
    file.close()
}

fn get<D: BlockDevice>(store: &mut Littlefs<D>) -> Vec<u8> {
    let mut value = vec![0; 100];
    let mut file = store.open(c"/v", Access::Read).unwrap();
    let size = file.read(&mut value).unwrap();
    value.truncate(size);
    value
}

#[test]
fn the_first_error_of_the_device_comes_back() {
    on_troubled(|store, trouble, _| {
        let (first, later) = (DeviceErrorKind::Io(Some(5)), DeviceErrorKind::Io(Some(6)));
        trouble.set(Some(Trouble::Errors(first, later)));
        let Err(Error::Device(error)) = set(store, b"after") else {
            panic!("the device took no programs");
        };
        assert_eq!((error.call, error.kind), (DeviceCall::Prog, first));
        trouble.set(None);
        assert_eq!(get(store), b"before");
    });
}

#[test]
fn a_bad_block_is_replaced_and_no_error() {
    on_troubled(|store, trouble, progs| {
        store.create_dir(c"/d").unwrap();
        let before = progs.get();
        trouble.set(Some(Trouble::Errors(
            DeviceErrorKind::BadBlock,
            DeviceErrorKind::BadBlock,
        )));
        // Every block is bad: C looks for another one until there is none, and says so.
        let full = store.create_dir(c"/d/below");
        assert!(progs.get() > before + 1, "C gave up at the first block");
        assert_eq!(full, Err(Error::NoSpace));
    });
}

#[test]
fn a_panic_goes_on_behind_the_call_and_the_store_can_still_be_used() {
    on_troubled(|store, trouble, progs| {
        trouble.set(Some(Trouble::Panic));
        let before = progs.get();
        let outcome = catch_unwind(AssertUnwindSafe(|| set(store, b"after")));
        let payload = outcome.expect_err("it goes on");
        assert_eq!(payload.downcast_ref(), Some(&"the device is on fire"));
        // C met an error at its next program and did not come back for more before it returned; closing the file while
        // the panic unwound wrote nothing either.
        assert_eq!(progs.get(), before + 1);
        trouble.set(None);
        assert_eq!(get(store), b"before");
        set(store, b"after").unwrap();
        assert_eq!(get(store), b"after");
    });
}

#[test]
fn a_forgotten_handle_is_closed_by_the_next_one() {
    on_troubled(|store, _, _| {
        let mut file = store.open(c"/v", Access::Replace).unwrap();
        file.write(b"forgotten").unwrap();
        std::mem::forget(file);
        assert_eq!(get(store), b"forgotten");
        set(store, b"after").unwrap();
        let kind = Kind::File { size: 5 };
        assert_eq!(store.stat(c"/v").unwrap().kind, kind);
    });
}

#[test]
fn each_call_does_what_it_says() {
    let mut device = MemoryDevice::new(geometry());
    Littlefs::format(&mut device, &config()).unwrap();
    let mut store = Littlefs::mount(&mut device, &config()).unwrap();
    store.create_dir(c"/d").unwrap();
    let empty = store.used_blocks().unwrap();
    let mut file = store.open(c"/d/v", Access::Replace).unwrap();
    file.write(&[7; 1000]).unwrap();
    file.sync().unwrap();
    file.truncate(900).unwrap();
    file.seek(899).unwrap();
    file.write(b"xy").unwrap();
    assert_eq!(file.size(), Ok(901));
    file.close().unwrap();
    assert_eq!(store.used_blocks(), Ok(empty + 2));
    // The root's pair, the directory's pair twice, two blocks of the file.
    assert_eq!(store.traverse().unwrap().len(), 2 + 2 * 2 + 2);

    store.set_attribute(c"/d/v", 7, b"seven").unwrap();
    assert_eq!(store.attribute(c"/d/v", 7), Ok(Some(b"seven".to_vec())));
    assert_eq!(store.attribute(c"/d/v", 8), Ok(None));
    store.remove_attribute(c"/d/v", 7).unwrap();
    assert_eq!(store.attribute(c"/d/v", 7), Ok(None));

    assert_eq!(store.remove(c"/d"), Err(Error::NotEmpty));
    assert_eq!(store.create_dir(c"/d"), Err(Error::AlreadyPresent));
    assert_eq!(store.stat(c"/d/v/below"), Err(Error::NotADirectory));
    assert_eq!(
        store.open(c"/d", Access::Read).err(),
        Some(Error::IsADirectory)
    );
    assert_eq!(
        store.open(c"/x", Access::Write).err(),
        Some(Error::NotFound)
    );
    store.rename(c"/d/v", c"/w").unwrap();
    store.remove(c"/d").unwrap();
    let listed = store.list(c"/").unwrap();
    let names: Vec<_> = listed.iter().map(|entry| entry.name.as_slice()).collect();
    assert_eq!(names, [b"w"]);
    assert!(!store.is_repair_pending());
    store.repair().unwrap();
    store.unmount();
    let smaller = MemoryDevice::new(Geometry::new(512, 32).unwrap());
    assert_eq!(
        Littlefs::mount(smaller, &config()).err(),
        Some(Error::Corrupt)
    );
}
