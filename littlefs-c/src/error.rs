use crate::ConfigError;
use cutpoint_engine::device::DeviceError;
use littlefs2_sys as lfs;
use thiserror::Error;

/// Why a call did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The device failed, and C could not do without it: its first error in this call.
    #[error("device error: {0}")]
    Device(DeviceError),
    /// C does not take the configuration.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// There is something on the medium that must not be there, or no store.
    #[error("the medium is damaged or holds no store")]
    Corrupt,
    /// There is nothing under the path.
    #[error("not found")]
    NotFound,
    /// There is something under the path already.
    #[error("already present")]
    AlreadyPresent,
    /// A file stands where a directory is needed.
    #[error("not a directory")]
    NotADirectory,
    /// A directory stands where a file is needed.
    #[error("is a directory")]
    IsADirectory,
    /// The directory holds something.
    #[error("the directory is not empty")]
    NotEmpty,
    /// The device is full, or what should go into a metadata pair does not fit there.
    #[error("no space")]
    NoSpace,
    /// The file would be larger than files can be.
    #[error("the file would be too large")]
    FileTooLarge,
    /// The name is longer than names can be, or does not fit into a metadata pair: because of its length, or because
    /// the device is too full for the pair to be split.
    #[error("the name is too long")]
    NameTooLong,
    /// C does not do this: rename the root, mount a device of another size.
    #[error("invalid")]
    Invalid,
    /// C answered with a number that it does not document for this call.
    #[error("C littlefs answered {0}")]
    Undocumented(i32),
}

impl Error {
    /// The error that this negative answer of C's is.
    pub(crate) fn of_code(code: i32) -> Self {
        match code {
            lfs::lfs_error_LFS_ERR_CORRUPT => Self::Corrupt,
            lfs::lfs_error_LFS_ERR_NOENT => Self::NotFound,
            lfs::lfs_error_LFS_ERR_EXIST => Self::AlreadyPresent,
            lfs::lfs_error_LFS_ERR_NOTDIR => Self::NotADirectory,
            lfs::lfs_error_LFS_ERR_ISDIR => Self::IsADirectory,
            lfs::lfs_error_LFS_ERR_NOTEMPTY => Self::NotEmpty,
            lfs::lfs_error_LFS_ERR_NOSPC => Self::NoSpace,
            lfs::lfs_error_LFS_ERR_FBIG => Self::FileTooLarge,
            lfs::lfs_error_LFS_ERR_NAMETOOLONG => Self::NameTooLong,
            lfs::lfs_error_LFS_ERR_INVAL => Self::Invalid,
            other => Self::Undocumented(other),
        }
    }
}
