use cutpoint_engine::Error;
use fuser::Errno;

/// What a program is told where the store says no.
pub(super) fn errno(error: &Error) -> Errno {
    match error {
        Error::NotFound(_) => Errno::ENOENT,
        Error::DictionaryExpected(_) => Errno::ENOTDIR,
        Error::ValueExpected(_) => Errno::EISDIR,
        Error::AlreadyPresent(_) => Errno::EEXIST,
        Error::RenameSourcePrefix { .. } | Error::NameNotAllowed(_) => Errno::EINVAL,
        Error::RootFixed => Errno::EBUSY,
        Error::NameTooLong { .. } | Error::EntryTooLarge(_) => Errno::ENAMETOOLONG,
        Error::ValueTooLong { .. } => Errno::EFBIG,
        Error::AttributeTooLong { .. } => Errno::E2BIG,
        Error::NoSpace => Errno::ENOSPC,
        Error::ReadOnly => Errno::EROFS,
        // Damage and a device that fails; an error that is yet to come is most like these.
        _ => Errno::EIO,
    }
}
