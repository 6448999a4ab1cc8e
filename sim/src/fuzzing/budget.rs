use cutpoint_engine::device::{BlockDevice, BlockId, DeviceError, Geometry};

/// A device that panics once a number of calls has been made: an endless loop becomes a failure like any other.
///
/// It panics and does not return an error, since a loop that swallows errors would go on.
///
/// ```should_panic
/// use cutpoint::fuzzing::CallBudget;
/// use cutpoint_engine::device::{BlockDevice, Geometry, MemoryDevice};
///
/// let mut device = CallBudget::new(MemoryDevice::new(Geometry::new(128, 2).unwrap()), 1000);
/// while device.sync().is_ok() {}
/// ```
#[derive(Debug)]
pub struct CallBudget<D> {
    device: D,
    budget: u64,
    left: u64,
}

impl<D: BlockDevice> CallBudget<D> {
    /// `device`, for at most `calls` calls of any kind but [`BlockDevice::geometry`].
    pub fn new(device: D, calls: u64) -> Self {
        Self {
            device,
            budget: calls,
            left: calls,
        }
    }

    /// The device behind.
    pub fn device(&self) -> &D {
        &self.device
    }

    fn spend(&mut self) -> &mut D {
        assert!(
            self.left > 0,
            "more than {} device calls: an endless loop",
            self.budget
        );
        self.left -= 1;
        &mut self.device
    }
}

impl<D: BlockDevice> BlockDevice for CallBudget<D> {
    fn geometry(&self) -> Geometry {
        self.device.geometry()
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.spend().read(block, offset, buffer)
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.spend().prog(block, offset, data)
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        self.spend().erase(block)
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.spend().sync()
    }
}
