//! The on-disk encoding, pure: bytes in, types out, and back. Nothing here touches a device.
//!
//! Section names in the documentation are those of the littlefs SPEC.md.

pub(crate) mod commit;
pub(crate) mod contents;
pub(crate) mod crc;
pub(crate) mod ctz;
pub(crate) mod entry;
pub(crate) mod gstate;
pub(crate) mod names;
pub(crate) mod pointer;
pub(crate) mod scan;
pub(crate) mod superblock;
pub(crate) mod tag;
