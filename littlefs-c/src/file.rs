#![allow(unsafe_code, reason = "C is called through its raw bindings")]

use crate::parts::Parts;
use crate::{Error, Littlefs};
use cutpoint_engine::device::BlockDevice;
use littlefs2_sys as lfs;
use std::ffi::CStr;
use std::fmt;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To read what is there.
    Read,
    /// To write over parts of what is there.
    Write,
    /// To write a file anew, which is made where it is not there. What is there is cut to nothing, on the medium only
    /// when the file is closed.
    Replace,
}

impl Access {
    fn flags(self) -> i32 {
        let flags = match self {
            Self::Read => lfs::lfs_open_flags_LFS_O_RDONLY,
            Self::Write => lfs::lfs_open_flags_LFS_O_WRONLY,
            Self::Replace => {
                lfs::lfs_open_flags_LFS_O_WRONLY
                    | lfs::lfs_open_flags_LFS_O_CREAT
                    | lfs::lfs_open_flags_LFS_O_TRUNC
            }
        };
        flags.cast_signed()
    }
}

/// An open file of a [`Littlefs`]. What is written reaches the medium at [`sync`](Self::sync) or
/// [`close`](Self::close); dropping the file closes it too, but nobody learns whether that went well.
///
/// The errors of its methods are C's: [`Error::Device`], [`Error::Corrupt`], and those that they name.
#[must_use = "the outcome of writes is known when the file is closed"]
pub struct File<'a, D: BlockDevice>(&'a mut Parts<D>);

impl<D: BlockDevice> Littlefs<D> {
    /// Opens the file under `path`. A new one is durable, empty, when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where it is neither there nor made, [`Error::NotADirectory`] where a file stands above it,
    /// [`Error::IsADirectory`], [`Error::NameTooLong`] also where there is no room for the name.
    pub fn open(&mut self, path: &CStr, access: Access) -> Result<File<'_, D>, Error> {
        let parts = self.parts();
        if parts.is_file_open() {
            // Its handle was forgotten, and C must not be given the structure twice.
            close(parts)?;
        }
        // SAFETY: the store is mounted, C does not hold the file structure, and the path ends with a zero byte.
        parts.call(|c| unsafe {
            lfs::lfs_file_opencfg(c.lfs, c.file, path.as_ptr(), access.flags(), c.file_config)
        })?;
        parts.set_file_open(true);
        Ok(File(parts))
    }
}

impl<D: BlockDevice> File<'_, D> {
    /// Reads up to `buffer.len()` bytes from where the file stands. Returns how many: fewer only at its end.
    ///
    /// # Errors
    ///
    /// Those of every method.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let size = u32::try_from(buffer.len())
            .unwrap_or(MAX_CALL)
            .min(MAX_CALL);
        // SAFETY: the file is open, and C fills at most `size` bytes of `buffer`, which has them.
        let got = self.0.call(|c| unsafe {
            lfs::lfs_file_read(c.lfs, c.file, buffer.as_mut_ptr().cast(), size)
        })?;
        Ok(got as usize)
    }

    /// Writes all of `data` where the file stands.
    ///
    /// # Errors
    ///
    /// [`Error::NoSpace`], [`Error::FileTooLarge`]. The file then stays on the medium as it was.
    pub fn write(&mut self, data: &[u8]) -> Result<(), Error> {
        let size = u32::try_from(data.len())
            .ok()
            .filter(|size| *size <= MAX_CALL);
        let size = size.ok_or(Error::FileTooLarge)?;
        // SAFETY: the file is open, and C reads `size` bytes of `data`, which has them.
        self.0
            .call(|c| unsafe { lfs::lfs_file_write(c.lfs, c.file, data.as_ptr().cast(), size) })?;
        Ok(())
    }

    /// Goes to `offset`, in bytes from the start.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] where no file can be so long.
    pub fn seek(&mut self, offset: u32) -> Result<(), Error> {
        let offset = i32::try_from(offset).map_err(|_| Error::Invalid)?;
        let whence = lfs::lfs_whence_flags_LFS_SEEK_SET.cast_signed();
        // SAFETY: the file is open.
        self.0
            .call(|c| unsafe { lfs::lfs_file_seek(c.lfs, c.file, offset, whence) })?;
        Ok(())
    }

    /// Cuts the file to `size` bytes, or lengthens it by zeros.
    ///
    /// # Errors
    ///
    /// [`Error::NoSpace`]; [`Error::Invalid`] where no file can be so long.
    pub fn truncate(&mut self, size: u32) -> Result<(), Error> {
        // SAFETY: the file is open.
        self.0
            .call(|c| unsafe { lfs::lfs_file_truncate(c.lfs, c.file, size) })?;
        Ok(())
    }

    /// How many bytes it has.
    ///
    /// # Errors
    ///
    /// Those of every method.
    pub fn size(&mut self) -> Result<u32, Error> {
        // SAFETY: the file is open.
        self.0
            .call(|c| unsafe { lfs::lfs_file_size(c.lfs, c.file) })
    }

    /// Returns once what was written is on the medium; all of it appears at once.
    ///
    /// # Errors
    ///
    /// [`Error::NoSpace`]. The file then stays on the medium as it was.
    pub fn sync(&mut self) -> Result<(), Error> {
        // SAFETY: the file is open.
        self.0
            .call(|c| unsafe { lfs::lfs_file_sync(c.lfs, c.file) })?;
        Ok(())
    }

    /// As [`sync`](Self::sync), and closes the file. After an error of a write there is nothing to sync: then it
    /// stays on the medium as it was.
    ///
    /// # Errors
    ///
    /// As [`sync`](Self::sync).
    pub fn close(self) -> Result<(), Error> {
        close(self.0)
    }
}

/// What C's signed counts can say.
const MAX_CALL: u32 = i32::MAX.cast_unsigned();

/// Closes the file. C lets go of it whatever the outcome.
fn close<D: BlockDevice>(parts: &mut Parts<D>) -> Result<(), Error> {
    parts.set_file_open(false);
    // SAFETY: the file was open, and the flag keeps it from being used again.
    parts.call(|c| unsafe { lfs::lfs_file_close(c.lfs, c.file) })?;
    Ok(())
}

impl<D: BlockDevice> Drop for File<'_, D> {
    fn drop(&mut self) {
        if self.0.is_file_open() {
            self.0.set_file_open(false);
            // SAFETY: as in `close`. Quietly, as this may run while a panic of the device unwinds.
            self.0
                .call_quietly(|c| unsafe { lfs::lfs_file_close(c.lfs, c.file) });
        }
    }
}

impl<D: BlockDevice> fmt::Debug for File<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").finish_non_exhaustive()
    }
}
