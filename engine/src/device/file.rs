use super::{
    BlockDevice, BlockId, DeviceCall, DeviceError, DeviceErrorKind, Geometry, GeometryError,
};
use core::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::vec;
use std::vec::Vec;

/// A device in an image file, locked while it is open: a second opener gets [`FileDeviceError::Locked`].
///
/// An erase fills the block with `0xff`; a program writes its bytes; a sync is the file's `fsync`. Bytes after the
/// last whole block are kept and never used.
///
/// ```no_run
/// use cutpoint_engine::device::FileDevice;
/// use cutpoint_engine::{Key, MountOptions, Store};
///
/// let device = FileDevice::open("links.img", 4096)?;
/// let mut store = Store::mount(device, &MountOptions::default())?;
/// println!("{:?}", store.get(&Key::new("/home"))?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileDevice {
    file: File,
    geometry: Geometry,
}

impl FileDevice {
    /// Opens the image at `path` for reading and writing, in blocks of `block_size` bytes; programs are of any size.
    ///
    /// # Errors
    ///
    /// [`FileDeviceError`]: the file cannot be opened, another process has it open, or its length holds no store.
    pub fn open(path: impl AsRef<Path>, block_size: u32) -> Result<Self, FileDeviceError> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Self::lock(&file, File::try_lock)?;
        Self::of(file, block_size)
    }

    /// Opens the image at `path` for reading alone. Other readers are let in, writers are not; programs and erases
    /// fail.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_read_only(
        path: impl AsRef<Path>,
        block_size: u32,
    ) -> Result<Self, FileDeviceError> {
        let file = OpenOptions::new().read(true).open(path)?;
        Self::lock(&file, File::try_lock_shared)?;
        Self::of(file, block_size)
    }

    /// Creates the image at `path` with `geometry`'s size, erased, replacing what a file there held.
    ///
    /// # Errors
    ///
    /// [`FileDeviceError`]: the file cannot be made, or another process has it open.
    pub fn create(path: impl AsRef<Path>, geometry: Geometry) -> Result<Self, FileDeviceError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        // Locked before it is emptied: a store that another process has open stays whole.
        Self::lock(&file, File::try_lock)?;
        file.set_len(0)?;
        let block: Vec<u8> = vec![0xff; geometry.block_size() as usize];
        for _ in 0..geometry.block_count() {
            file.write_all(&block)?;
        }
        Ok(Self { file, geometry })
    }

    /// The same device with programs in units of `prog_size` bytes.
    ///
    /// # Errors
    ///
    /// As [`Geometry::with_prog_size`].
    pub fn with_prog_size(self, prog_size: u32) -> Result<Self, GeometryError> {
        Ok(Self {
            geometry: self.geometry.with_prog_size(prog_size)?,
            ..self
        })
    }

    fn of(file: File, block_size: u32) -> Result<Self, FileDeviceError> {
        let length = file.metadata()?.len();
        let geometry = Geometry::of_image(length, block_size)?;
        Ok(Self { file, geometry })
    }

    fn lock(
        file: &File,
        try_lock: fn(&File) -> Result<(), TryLockError>,
    ) -> Result<(), FileDeviceError> {
        try_lock(file).map_err(|error| match error {
            TryLockError::WouldBlock => FileDeviceError::Locked,
            TryLockError::Error(error) => FileDeviceError::Io(error),
        })
    }

    fn seek(&mut self, block: BlockId, offset: u32) -> io::Result<()> {
        let start =
            u64::from(block.index()) * u64::from(self.geometry.block_size()) + u64::from(offset);
        self.file.seek(SeekFrom::Start(start)).map(drop)
    }
}

impl BlockDevice for FileDevice {
    fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn read(&mut self, block: BlockId, offset: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.geometry
            .check_range(DeviceCall::Read, block, offset, buffer.len())?;
        self.seek(block, offset)
            .and_then(|()| self.file.read_exact(buffer))
            .map_err(|error| failed(DeviceCall::Read, block, offset, &error))
    }

    fn prog(&mut self, block: BlockId, offset: u32, data: &[u8]) -> Result<(), DeviceError> {
        self.geometry
            .check_range(DeviceCall::Prog, block, offset, data.len())?;
        self.seek(block, offset)
            .and_then(|()| self.file.write_all(data))
            .map_err(|error| failed(DeviceCall::Prog, block, offset, &error))
    }

    fn erase(&mut self, block: BlockId) -> Result<(), DeviceError> {
        let size = self.geometry.block_size() as usize;
        self.geometry
            .check_range(DeviceCall::Erase, block, 0, size)?;
        let erased = vec![0xff; size];
        self.seek(block, 0)
            .and_then(|()| self.file.write_all(&erased))
            .map_err(|error| failed(DeviceCall::Erase, block, 0, &error))
    }

    fn sync(&mut self) -> Result<(), DeviceError> {
        self.file
            .sync_data()
            .map_err(|error| DeviceError::sync(DeviceErrorKind::Io(error.raw_os_error())))
    }
}

fn failed(call: DeviceCall, block: BlockId, offset: u32, error: &io::Error) -> DeviceError {
    DeviceError::at(
        call,
        block,
        offset,
        DeviceErrorKind::Io(error.raw_os_error()),
    )
}

/// Why an image file could not be opened as a device.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileDeviceError {
    /// Another process has the image open.
    Locked,
    /// The image's length does not hold a store of these blocks.
    Geometry(GeometryError),
    /// The operating system refused.
    Io(io::Error),
}

impl fmt::Display for FileDeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked => f.write_str("the image is open in another process"),
            Self::Geometry(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FileDeviceError {}

impl From<io::Error> for FileDeviceError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<GeometryError> for FileDeviceError {
    fn from(error: GeometryError) -> Self {
        Self::Geometry(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_opener_is_told_and_keeps_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        let geometry = Geometry::new(512, 8).unwrap();
        let first = FileDevice::create(&path, geometry).unwrap();
        assert!(matches!(
            FileDevice::open(&path, 512),
            Err(FileDeviceError::Locked)
        ));
        assert!(matches!(
            FileDevice::create(&path, geometry),
            Err(FileDeviceError::Locked)
        ));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 4096);
        drop(first);
        let reader = FileDevice::open_read_only(&path, 512).unwrap();
        assert!(FileDevice::open_read_only(&path, 512).is_ok());
        assert!(matches!(
            FileDevice::open(&path, 512),
            Err(FileDeviceError::Locked)
        ));
        drop(reader);
    }

    #[test]
    fn keeps_what_is_programmed_and_refuses_short_images() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        let mut device = FileDevice::create(&path, Geometry::new(128, 4).unwrap()).unwrap();
        device.prog(BlockId::new(2), 7, b"seven").unwrap();
        device.sync().unwrap();
        drop(device);
        let mut device = FileDevice::open(&path, 128).unwrap();
        let mut read = [0; 6];
        device.read(BlockId::new(2), 6, &mut read).unwrap();
        assert_eq!(&read, b"\xffseven");
        drop(device);
        assert!(matches!(
            FileDevice::open(&path, 512),
            Err(FileDeviceError::Geometry(GeometryError::ImageLength { .. }))
        ));
    }
}
