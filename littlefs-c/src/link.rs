//! The device as C sees it: four functions that must neither unwind nor forget why they failed.
#![allow(unsafe_code, reason = "C calls in with raw pointers")]

use crate::Error;
use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, DeviceErrorKind};
use littlefs2_sys as lfs;
use std::any::Any;
use std::ffi::{c_int, c_void};
use std::panic::{self, AssertUnwindSafe};
use std::{ptr, slice};

/// A device, and what went wrong with it since C was called.
pub(crate) struct Link<D> {
    device: D,
    trouble: Option<Trouble>,
}

enum Trouble {
    /// Its first error.
    Error(DeviceError),
    /// The payload of its panic, carried over C. The device is not called again before C has returned.
    Panic(Box<dyn Any + Send>),
}

impl<D> Link<D> {
    pub(crate) fn new(device: D) -> Self {
        Self {
            device,
            trouble: None,
        }
    }

    pub(crate) fn into_device(self) -> D {
        self.device
    }

    /// What C's answer means: a number, or an error. An error of the device is the reason only where C gives one that
    /// it has from the device: it may have found another block, and then no room.
    ///
    /// A panic of the device goes on here.
    pub(crate) fn settle(&mut self, answer: i32) -> Result<u32, Error> {
        match self.trouble.take() {
            Some(Trouble::Panic(payload)) => panic::resume_unwind(payload),
            Some(Trouble::Error(error))
                if [lfs::lfs_error_LFS_ERR_IO, lfs::lfs_error_LFS_ERR_CORRUPT]
                    .contains(&answer) =>
            {
                Err(Error::Device(error))
            }
            _ => u32::try_from(answer).map_err(|_| Error::of_code(answer)),
        }
    }

    /// Forgets what went wrong, a panic too.
    pub(crate) fn forget_trouble(&mut self) {
        self.trouble = None;
    }

    fn call(&mut self, call: impl FnOnce(&mut D) -> Result<(), DeviceError>) -> c_int {
        if matches!(self.trouble, Some(Trouble::Panic(_))) {
            return lfs::lfs_error_LFS_ERR_IO;
        }
        // Whoever the panic goes on to decides whether the device is still of use.
        match panic::catch_unwind(AssertUnwindSafe(|| call(&mut self.device))) {
            Ok(Ok(())) => lfs::lfs_error_LFS_ERR_OK,
            Ok(Err(error)) => {
                self.trouble.get_or_insert(Trouble::Error(error));
                match error.kind {
                    // C then takes another block, or the other one of a pair.
                    DeviceErrorKind::BadBlock | DeviceErrorKind::Unreadable => {
                        lfs::lfs_error_LFS_ERR_CORRUPT
                    }
                    _ => lfs::lfs_error_LFS_ERR_IO,
                }
            }
            Err(payload) => {
                self.trouble = Some(Trouble::Panic(payload));
                lfs::lfs_error_LFS_ERR_IO
            }
        }
    }
}

/// The link in C's configuration.
///
/// # Safety
///
/// `config` must be one whose context is a `Link<D>` that nobody else uses while this reference lives.
unsafe fn link<'a, D>(config: *const lfs::lfs_config) -> &'a mut Link<D> {
    // SAFETY: as the caller promises.
    unsafe { &mut *(*config).context.cast() }
}

pub(crate) unsafe extern "C" fn read<D: BlockDevice>(
    config: *const lfs::lfs_config,
    block: lfs::lfs_block_t,
    offset: lfs::lfs_off_t,
    buffer: *mut c_void,
    size: lfs::lfs_size_t,
) -> c_int {
    let buffer = buffer.cast::<u8>();
    // SAFETY: C passes back the configuration that it was given, and waits meanwhile; the buffer has `size` bytes and
    // is not the device's. It may not have been written yet, so it is before a reference to it is made.
    let (link, buffer) = unsafe {
        ptr::write_bytes(buffer, 0, size as usize);
        (
            link::<D>(config),
            slice::from_raw_parts_mut(buffer, size as usize),
        )
    };
    link.call(|device| device.read(BlockId::new(block), offset, buffer))
}

pub(crate) unsafe extern "C" fn prog<D: BlockDevice>(
    config: *const lfs::lfs_config,
    block: lfs::lfs_block_t,
    offset: lfs::lfs_off_t,
    buffer: *const c_void,
    size: lfs::lfs_size_t,
) -> c_int {
    // SAFETY: as in `read`; what C programs is its program cache, which has been written: `Parts` made it of zeros.
    let (link, data) = unsafe {
        (
            link::<D>(config),
            slice::from_raw_parts(buffer.cast::<u8>(), size as usize),
        )
    };
    link.call(|device| device.prog(BlockId::new(block), offset, data))
}

pub(crate) unsafe extern "C" fn erase<D: BlockDevice>(
    config: *const lfs::lfs_config,
    block: lfs::lfs_block_t,
) -> c_int {
    // SAFETY: as in `read`.
    let link = unsafe { link::<D>(config) };
    link.call(|device| device.erase(BlockId::new(block)))
}

pub(crate) unsafe extern "C" fn sync<D: BlockDevice>(config: *const lfs::lfs_config) -> c_int {
    // SAFETY: as in `read`.
    let link = unsafe { link::<D>(config) };
    link.call(BlockDevice::sync)
}
