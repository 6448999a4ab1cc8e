#![allow(unsafe_code, reason = "C is called through its raw bindings")]

use crate::parts::Parts;
use crate::{Config, Error};
use cutpoint_engine::device::BlockDevice;
use littlefs2_sys as lfs;
use std::ffi::{CStr, c_int, c_void};
use std::fmt;

/// The longest attribute, in bytes.
pub const MAX_ATTRIBUTE: usize = lfs::LFS_ATTR_MAX as usize;

/// Which C littlefs this is: `C littlefs 2.9`.
pub fn version() -> String {
    let (major, minor) = (lfs::LFS_VERSION >> 16, lfs::LFS_VERSION & 0xffff);
    format!("C littlefs {major}.{minor}")
}

/// A mounted C littlefs. Dropping it unmounts it: C keeps nothing back that would have to be written.
///
/// Paths are C's: segments with `/` between them, `.` and `..` understood. Each method may return [`Error::Device`] and
/// [`Error::Corrupt`], beside the errors that it names.
pub struct Littlefs<D: BlockDevice>(Parts<D>);

/// What stands under a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A file.
    File {
        /// How many bytes it has.
        size: u32,
    },
}

/// What C says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What stands there.
    pub kind: Kind,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: Vec<u8>,
    /// What it is of.
    pub kind: Kind,
}

impl<D: BlockDevice> Littlefs<D> {
    /// Makes an empty store on the device.
    ///
    /// # Errors
    ///
    /// [`Error::Config`]; [`Error::NoSpace`] where the device is too small.
    pub fn format(device: D, config: &Config) -> Result<(), Error> {
        let mut parts = Parts::new(device, config)?;
        // SAFETY: nothing is mounted, and the configuration outlives the call.
        parts.call(|c| unsafe { lfs::lfs_format(c.lfs, c.config) })?;
        Ok(())
    }

    /// Opens the store on the device. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Config`]; [`Error::Corrupt`] where there is none, [`Error::Invalid`] where it is of another size or
    /// version.
    pub fn mount(device: D, config: &Config) -> Result<Self, Error> {
        let mut parts = Parts::new(device, config)?;
        // SAFETY: nothing is mounted; the configuration lives as long as the store. Where this fails, C has let go of
        // both.
        parts.call(|c| unsafe { lfs::lfs_mount(c.lfs, c.config) })?;
        Ok(Self(parts))
    }

    /// Unmounts the store and hands the device back. A file whose handle was forgotten is not written.
    pub fn unmount(self) -> D {
        self.0.into_device()
    }

    pub(crate) fn parts(&mut self) -> &mut Parts<D> {
        &mut self.0
    }

    /// What stands under `path`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::NotADirectory`] where a file stands above it.
    pub fn stat(&mut self, path: &CStr) -> Result<Metadata, Error> {
        let mut info = lfs::lfs_info::default();
        // SAFETY: the store is mounted, the path ends with a zero byte, C fills `info`.
        self.0
            .call(|c| unsafe { lfs::lfs_stat(c.lfs, path.as_ptr(), &raw mut info) })?;
        let kind = kind_of(&info);
        Ok(Metadata { kind })
    }

    /// Makes an empty directory.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyPresent`], [`Error::NotFound`] where the directory above it is missing,
    /// [`Error::NotADirectory`], [`Error::NoSpace`], [`Error::NameTooLong`].
    pub fn create_dir(&mut self, path: &CStr) -> Result<(), Error> {
        // SAFETY: the store is mounted, and the path ends with a zero byte.
        self.0
            .call(|c| unsafe { lfs::lfs_mkdir(c.lfs, path.as_ptr()) })?;
        Ok(())
    }

    /// What a directory holds, in C's order, without `.` and `..`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NotADirectory`].
    pub fn list(&mut self, path: &CStr) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        // SAFETY: the store is mounted, the path ends with a zero byte; no directory is open, and this one is closed
        // before anything can unwind: C must not keep it, as the next call uses the same structure.
        self.0.call(|c| unsafe {
            let opened = lfs::lfs_dir_open(c.lfs, c.dir, path.as_ptr());
            if opened < 0 {
                return opened;
            }
            let mut info = lfs::lfs_info::default();
            let last = loop {
                let read = lfs::lfs_dir_read(c.lfs, c.dir, &raw mut info);
                if read <= 0 {
                    break read;
                }
                let name = CStr::from_ptr(info.name.as_ptr()).to_bytes();
                if name != b"." && name != b".." {
                    let (name, kind) = (name.to_owned(), kind_of(&info));
                    entries.push(Entry { name, kind });
                }
            };
            lfs::lfs_dir_close(c.lfs, c.dir);
            last
        })?;
        Ok(entries)
    }

    /// Removes a file or an empty directory, atomically.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NotADirectory`], [`Error::NotEmpty`]; [`Error::Invalid`] for the root.
    pub fn remove(&mut self, path: &CStr) -> Result<(), Error> {
        // SAFETY: the store is mounted, and the path ends with a zero byte.
        self.0
            .call(|c| unsafe { lfs::lfs_remove(c.lfs, path.as_ptr()) })?;
        Ok(())
    }

    /// Moves a file or a directory, atomically. A file that is there is replaced, an empty directory too.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NotADirectory`], [`Error::IsADirectory`], [`Error::NotEmpty`],
    /// [`Error::NoSpace`], [`Error::NameTooLong`]; [`Error::Invalid`] for the root.
    pub fn rename(&mut self, source: &CStr, dest: &CStr) -> Result<(), Error> {
        // SAFETY: the store is mounted, and the paths end with zero bytes.
        self.0
            .call(|c| unsafe { lfs::lfs_rename(c.lfs, source.as_ptr(), dest.as_ptr()) })?;
        Ok(())
    }

    /// An attribute; none where there is none of this type.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NotADirectory`].
    pub fn attribute(&mut self, path: &CStr, kind: u8) -> Result<Option<Vec<u8>>, Error> {
        let mut data = vec![0_u8; MAX_ATTRIBUTE];
        // SAFETY: the store is mounted, the path ends with a zero byte, C fills at most as many bytes as `data` has.
        let found = self.0.call(|c| unsafe {
            lfs::lfs_getattr(
                c.lfs,
                path.as_ptr(),
                kind,
                data.as_mut_ptr().cast(),
                lfs::LFS_ATTR_MAX,
            )
        });
        match found {
            Ok(size) => {
                data.truncate(size as usize);
                Ok(Some(data))
            }
            Err(Error::Undocumented(lfs::lfs_error_LFS_ERR_NOATTR)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sets an attribute, atomically.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NotADirectory`]; [`Error::NoSpace`] also where it is longer than
    /// [`MAX_ATTRIBUTE`].
    pub fn set_attribute(&mut self, path: &CStr, kind: u8, data: &[u8]) -> Result<(), Error> {
        let size = u32::try_from(data.len()).map_err(|_| Error::NoSpace)?;
        // SAFETY: the store is mounted, the path ends with a zero byte, C reads `size` bytes of `data`, which has them.
        self.0.call(|c| unsafe {
            lfs::lfs_setattr(c.lfs, path.as_ptr(), kind, data.as_ptr().cast(), size)
        })?;
        Ok(())
    }

    /// Removes an attribute, atomically; nothing happens where there is none of this type.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NotADirectory`].
    pub fn remove_attribute(&mut self, path: &CStr, kind: u8) -> Result<(), Error> {
        // SAFETY: the store is mounted, and the path ends with a zero byte.
        self.0
            .call(|c| unsafe { lfs::lfs_removeattr(c.lfs, path.as_ptr(), kind) })?;
        Ok(())
    }

    /// Whether a power cut or a failed call has left something that C repairs before the next change: a move half
    /// done, or directories that nothing leads to.
    pub fn is_repair_pending(&self) -> bool {
        /// The tag's first type bits, which a pending move sets.
        const MOVE: u32 = 0x7000_0000;
        /// The tag's length without its top bit: how many such directories there may be.
        const ORPHANS: u32 = 0x1ff;
        self.0.global_tag() & (MOVE | ORPHANS) != 0
    }

    /// Repairs what a power cut has left, as the next change would.
    ///
    /// # Errors
    ///
    /// Those of every method.
    pub fn repair(&mut self) -> Result<(), Error> {
        // SAFETY: the store is mounted.
        self.0
            .call(|c| unsafe { lfs::lfs_fs_mkconsistent(c.lfs) })?;
        Ok(())
    }

    /// The blocks in use as C walks over them. Those of a directory's first pair come twice: with the list of pairs,
    /// and with the entry that leads to it.
    ///
    /// # Errors
    ///
    /// Those of every method.
    pub fn traverse(&mut self) -> Result<Vec<u32>, Error> {
        unsafe extern "C" fn note(blocks: *mut c_void, block: lfs::lfs_block_t) -> c_int {
            // SAFETY: this is the vector below, which nobody else uses during the call.
            unsafe { &mut *blocks.cast::<Vec<u32>>() }.push(block);
            0
        }
        let mut blocks: Vec<u32> = Vec::new();
        // SAFETY: the store is mounted; `note` gets the vector, which outlives the call.
        self.0.call(|c| unsafe {
            lfs::lfs_fs_traverse(c.lfs, Some(note), (&raw mut blocks).cast())
        })?;
        Ok(blocks)
    }

    /// How many blocks are in use, some perhaps counted twice.
    ///
    /// # Errors
    ///
    /// Those of every method.
    pub fn used_blocks(&mut self) -> Result<u32, Error> {
        // SAFETY: the store is mounted.
        self.0.call(|c| unsafe { lfs::lfs_fs_size(c.lfs) })
    }
}

impl<D: BlockDevice> fmt::Debug for Littlefs<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Littlefs").finish_non_exhaustive()
    }
}

fn kind_of(info: &lfs::lfs_info) -> Kind {
    if u32::from(info.type_) == lfs::lfs_type_LFS_TYPE_DIR {
        Kind::Directory
    } else {
        Kind::File { size: info.size }
    }
}
