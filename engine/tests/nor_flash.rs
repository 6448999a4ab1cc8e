//! The engine on NOR flash, through `embedded-storage`, on a model that refuses what flash cannot do.
#![cfg(feature = "embedded-storage")]

use cutpoint_engine::device::{GeometryError, NorFlashDevice};
use cutpoint_engine::{FormatOptions, Key, MountOptions, Store};
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

/// NOR flash with write units of `WRITE` bytes, reads of `READ`, and erase units of 256. A program that would set a bit
/// or that hits a unit twice since it was erased, and a call that is not aligned, is a fault of the caller's.
struct Nor<const READ: usize, const WRITE: usize> {
    bytes: Vec<u8>,
    programmed: Vec<bool>,
}

#[derive(Debug)]
struct Refused(&'static str);

impl NorFlashError for Refused {
    fn kind(&self) -> NorFlashErrorKind {
        panic!("the engine misused the flash: {}", self.0);
    }
}

impl<const READ: usize, const WRITE: usize> Nor<READ, WRITE> {
    fn new(size: usize) -> Self {
        Self {
            // Not erased when new.
            bytes: vec![0x5a; size],
            programmed: vec![true; size / WRITE],
        }
    }

    fn check(&self, from: u32, length: usize, unit: usize) -> Result<usize, Refused> {
        let from = from as usize;
        if !from.is_multiple_of(unit) || !length.is_multiple_of(unit) {
            return Err(Refused("not aligned"));
        }
        if from + length > self.bytes.len() {
            return Err(Refused("past the end"));
        }
        Ok(from)
    }
}

impl<const READ: usize, const WRITE: usize> ErrorType for Nor<READ, WRITE> {
    type Error = Refused;
}

impl<const READ: usize, const WRITE: usize> ReadNorFlash for Nor<READ, WRITE> {
    const READ_SIZE: usize = READ;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Refused> {
        let from = self.check(offset, bytes.len(), READ)?;
        bytes.copy_from_slice(&self.bytes[from..from + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const READ: usize, const WRITE: usize> NorFlash for Nor<READ, WRITE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = 256;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Refused> {
        let length = (to - from) as usize;
        let from = self.check(from, length, Self::ERASE_SIZE)?;
        self.bytes[from..from + length].fill(0xff);
        self.programmed[from / WRITE..(from + length) / WRITE].fill(false);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Refused> {
        let from = self.check(offset, bytes.len(), WRITE)?;
        for (old, new) in self.bytes[from..].iter_mut().zip(bytes) {
            if *old & new != *new {
                return Err(Refused("a program cannot set bits"));
            }
            *old = *new;
        }
        for unit in &mut self.programmed[from / WRITE..(from + bytes.len()) / WRITE] {
            if std::mem::replace(unit, true) {
                return Err(Refused("a unit was programmed twice"));
            }
        }
        Ok(())
    }
}

fn keeps_a_store<const READ: usize, const WRITE: usize>(erase_units: u32) {
    let mut device = NorFlashDevice::new(Nor::<READ, WRITE>::new(256 << 10), erase_units).unwrap();
    Store::format(&mut device, &FormatOptions::default()).unwrap();
    let options = MountOptions::default().with_block_cycles(3);
    let value = |n: usize| vec![n as u8; n * 37 % 900];
    let key = |n: usize| Key::new(format!("/d{}/key{}", n % 3, n % 40));
    for round in 0..4 {
        let mut store = Store::mount(&mut device, &options).unwrap();
        for n in round * 50..(round + 1) * 50 {
            store.set(&key(n), &value(n)).unwrap();
            if n % 7 == 0 {
                store.remove(&key(n + 3)).unwrap();
            }
        }
        assert_eq!(store.check().unwrap().damage, []);
    }
    let mut store = Store::mount(&mut device, &options).unwrap();
    store.rename(&key(199), &Key::new("/moved/key")).unwrap();
    assert_eq!(store.get(&Key::new("/moved/key")).unwrap(), value(199));
    assert_eq!(store.get(&key(198)).unwrap(), value(198));
}

#[test]
fn keeps_a_store_on_flash_of_many_kinds() {
    keeps_a_store::<1, 1>(1);
    keeps_a_store::<1, 4>(2);
    keeps_a_store::<4, 8>(4);
    keeps_a_store::<16, 256>(2);
}

#[test]
fn blocks_that_make_no_device_are_refused() {
    let flash = || Nor::<1, 4>::new(1 << 10);
    assert!(matches!(
        NorFlashDevice::new(flash(), 4).map(drop),
        Err(GeometryError::ImageLength { .. })
    ));
    assert!(matches!(
        NorFlashDevice::new(flash(), 0).map(drop),
        Err(GeometryError::BlockSize(0))
    ));
    assert!(matches!(
        NorFlashDevice::new(Nor::<128, 4>::new(4 << 10), 1).map(drop),
        Err(GeometryError::ProgSize { .. })
    ));
}
