//! A device that its maker keeps a handle on after handing it out.

use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle on a device that others own parts of: a subject gets one as its own device and drops it when it
/// unmounts; the harness keeps another, looks at the device and hands it out again.
#[derive(Debug)]
pub struct Shared<T>(Arc<Mutex<T>>);

impl<T> Shared<T> {
    /// The first handle on `device`.
    pub fn new(device: T) -> Self {
        Self(Arc::new(Mutex::new(device)))
    }

    /// What `look` returns when given the device. It must not use another handle on it meanwhile.
    pub fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        look(&mut self.lock())
    }

    /// The device, where this is the last handle on it; the handle, where a subject has kept another.
    ///
    /// # Errors
    ///
    /// The handle itself.
    pub fn into_inner(self) -> Result<T, Self> {
        Arc::try_unwrap(self.0)
            .map(|mutex| mutex.into_inner().unwrap_or_else(PoisonError::into_inner))
            .map_err(Self)
    }

    /// The device, or a copy of it where another handle is kept.
    pub(crate) fn take(self) -> T
    where
        T: Clone,
    {
        self.into_inner()
            .unwrap_or_else(|kept| kept.with(|device| device.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        // A subject stopped by its budget unwinds through the lock; the device refused the call before it changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: BlockDevice> BlockDevice for Shared<T> {
    fn geometry(&self) -> Geometry {
        self.lock().geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.lock().read(block, offset, buffer)
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.lock().prog(block, offset, data)
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.lock().erase(block)
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.lock().sync()
    }
}
