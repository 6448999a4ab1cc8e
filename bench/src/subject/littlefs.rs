//! The C littlefs, through its raw bindings.
//!
//! No wrapper stands between, so that what is measured is C's own cost, and its `sync` calls are seen.

use super::{Subject, Summary};
use crate::ram::Ram;
use crate::setting::UNIT;
use cutpoint_engine::device::BlockDevice;
use littlefs2_sys as lfs;
use std::ffi::{CString, c_int, c_void};
use std::mem::zeroed;
use std::ptr::{self, NonNull};

/// What this side is, for outputs.
pub(crate) fn version() -> String {
    let (major, minor) = (lfs::LFS_VERSION >> 16, lfs::LFS_VERSION & 0xffff);
    format!("C littlefs {major}.{minor} (littlefs2-sys 0.4.0)")
}

/// Bytes of the window of the search for free blocks: 128 blocks.
const LOOKAHEAD: u32 = 16;

/// A mounted C littlefs.
#[derive(Debug)]
pub(crate) struct Littlefs(NonNull<Parts>);

/// What C's pointers lead to. It lives on the heap, so that they stay right when the store moves, and is reached
/// through raw pointers alone while C may use it.
struct Parts {
    lfs: lfs::lfs_t,
    config: lfs::lfs_config,
    file: lfs::lfs_file_t,
    file_config: lfs::lfs_file_config,
    ram: Ram,
    read_buffer: Vec<u8>,
    prog_buffer: Vec<u8>,
    /// Of words: C wants the lookahead buffer aligned.
    lookahead_buffer: Vec<u64>,
    file_buffer: Vec<u8>,
}

impl Littlefs {
    /// C's structures over the device, nothing mounted yet.
    fn over(ram: Ram) -> Self {
        let geometry = ram.geometry();
        let cache = ram.setting.cache;
        // SAFETY: the bindings' structures are plain C data, for which all zeros is what C programs start from.
        let (state, config, file, file_config) =
            unsafe { (zeroed(), zeroed(), zeroed(), zeroed()) };
        let parts = Box::into_raw(Box::new(Parts {
            lfs: state,
            config,
            file,
            file_config,
            ram,
            read_buffer: vec![0; cache as usize],
            prog_buffer: vec![0; cache as usize],
            lookahead_buffer: vec![0; LOOKAHEAD as usize / 8],
            file_buffer: vec![0; cache as usize],
        }));
        // SAFETY: `parts` has just come from a box, and nobody else has it.
        unsafe {
            (*parts).file_config.buffer = (*parts).file_buffer.as_mut_ptr().cast();
            (*parts).config = lfs::lfs_config {
                context: (&raw mut (*parts).ram).cast(),
                read: Some(read),
                prog: Some(prog),
                erase: Some(erase),
                sync: Some(sync),
                read_size: UNIT,
                prog_size: UNIT,
                block_size: geometry.block_size(),
                block_count: geometry.block_count(),
                block_cycles: -1,
                cache_size: cache,
                lookahead_size: LOOKAHEAD,
                read_buffer: (*parts).read_buffer.as_mut_ptr().cast(),
                prog_buffer: (*parts).prog_buffer.as_mut_ptr().cast(),
                lookahead_buffer: (*parts).lookahead_buffer.as_mut_ptr().cast(),
                ..zeroed()
            };
            Self(NonNull::new_unchecked(parts))
        }
    }

    /// Takes the structures down and hands the device back; nothing must be mounted.
    fn into_ram(self) -> Ram {
        // SAFETY: the pointer came from a box, C does not use it any more, and `self` ends here.
        let parts = unsafe { Box::from_raw(self.0.as_ptr()) };
        parts.ram
    }

    fn lfs(&self) -> *mut lfs::lfs_t {
        // SAFETY: the parts live until `self` is gone; only the address is taken.
        unsafe { &raw mut (*self.0.as_ptr()).lfs }
    }

    fn config(&self) -> *const lfs::lfs_config {
        // SAFETY: as in `lfs`.
        unsafe { &raw const (*self.0.as_ptr()).config }
    }

    fn file(&self) -> *mut lfs::lfs_file_t {
        // SAFETY: as in `lfs`.
        unsafe { &raw mut (*self.0.as_ptr()).file }
    }

    fn file_config(&self) -> *const lfs::lfs_file_config {
        // SAFETY: as in `lfs`.
        unsafe { &raw const (*self.0.as_ptr()).file_config }
    }

    fn open(&mut self, key: &CString, flags: u32) {
        // SAFETY: the store is mounted, the file structure is not in use, the path ends with a zero byte.
        let opened = unsafe {
            lfs::lfs_file_opencfg(
                self.lfs(),
                self.file(),
                key.as_ptr(),
                flags.cast_signed(),
                self.file_config(),
            )
        };
        succeed(opened, "open");
    }

    fn write(&mut self, data: &[u8]) {
        // SAFETY: the file is open, and C reads `data.len()` bytes from `data`.
        let written = unsafe {
            lfs::lfs_file_write(
                self.lfs(),
                self.file(),
                data.as_ptr().cast(),
                data.len() as u32,
            )
        };
        assert_eq!(succeed(written, "write"), data.len(), "C littlefs: write");
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        // SAFETY: the file is open, and C fills at most `buffer.len()` bytes of `buffer`.
        let got = unsafe {
            lfs::lfs_file_read(
                self.lfs(),
                self.file(),
                buffer.as_mut_ptr().cast(),
                buffer.len() as u32,
            )
        };
        succeed(got, "read")
    }

    fn seek(&mut self, offset: u32) {
        let whence = lfs::lfs_whence_flags_LFS_SEEK_SET.cast_signed();
        // SAFETY: the file is open.
        let at =
            unsafe { lfs::lfs_file_seek(self.lfs(), self.file(), offset.cast_signed(), whence) };
        succeed(at, "seek");
    }

    fn close(&mut self) {
        // SAFETY: the file is open, and not used again before the next open.
        let closed = unsafe { lfs::lfs_file_close(self.lfs(), self.file()) };
        succeed(closed, "close");
    }
}

const READ_ONLY: u32 = lfs::lfs_open_flags_LFS_O_RDONLY;
const WRITE_ONLY: u32 = lfs::lfs_open_flags_LFS_O_WRONLY;
const REPLACE: u32 = WRITE_ONLY | lfs::lfs_open_flags_LFS_O_CREAT | lfs::lfs_open_flags_LFS_O_TRUNC;
const APPEND: u32 = WRITE_ONLY | lfs::lfs_open_flags_LFS_O_APPEND;

impl Subject for Littlefs {
    type Key = CString;

    fn key(path: &str) -> CString {
        CString::new(path).expect("paths hold no zero byte")
    }

    fn format(ram: Ram) -> Ram {
        let store = Self::over(ram);
        // SAFETY: nothing is mounted, and the configuration outlives the call.
        succeed(
            unsafe { lfs::lfs_format(store.lfs(), store.config()) },
            "format",
        );
        store.into_ram()
    }

    fn mount(ram: Ram) -> Self {
        let store = Self::over(ram);
        // SAFETY: nothing is mounted, and the configuration lives as long as the store.
        succeed(
            unsafe { lfs::lfs_mount(store.lfs(), store.config()) },
            "mount",
        );
        store
    }

    fn unmount(self) -> Ram {
        // SAFETY: the store is mounted, and not used again.
        succeed(unsafe { lfs::lfs_unmount(self.lfs()) }, "unmount");
        self.into_ram()
    }

    fn create_dictionary(&mut self, key: &CString) {
        // SAFETY: the store is mounted, the path ends with a zero byte.
        succeed(unsafe { lfs::lfs_mkdir(self.lfs(), key.as_ptr()) }, "mkdir");
    }

    fn set(&mut self, key: &CString, value: &[u8]) {
        self.open(key, REPLACE);
        self.write(value);
        self.close();
    }

    fn append(&mut self, key: &CString, _size: u32, part: &[u8]) {
        self.open(key, APPEND);
        self.write(part);
        self.close();
    }

    fn append_through(&mut self, key: &CString, value: &[u8], part: usize) {
        self.open(key, APPEND);
        for chunk in value.chunks(part) {
            self.write(chunk);
        }
        self.close();
    }

    fn exists(&mut self, key: &CString) -> bool {
        // SAFETY: plain C data.
        let mut info = unsafe { zeroed() };
        // SAFETY: the store is mounted, the path ends with a zero byte, C fills `info`.
        let found = unsafe { lfs::lfs_stat(self.lfs(), key.as_ptr(), &raw mut info) };
        if found == lfs::lfs_error_LFS_ERR_NOENT {
            return false;
        }
        succeed(found, "stat");
        true
    }

    fn read_at(&mut self, key: &CString, offset: u32, buffer: &mut [u8]) -> usize {
        self.open(key, READ_ONLY);
        if offset > 0 {
            self.seek(offset);
        }
        let got = self.read(buffer);
        self.close();
        got
    }

    fn read_through(&mut self, key: &CString, buffer: &mut [u8], part: usize) -> usize {
        self.open(key, READ_ONLY);
        let got = buffer.chunks_mut(part).map(|chunk| self.read(chunk)).sum();
        self.close();
        got
    }

    fn list(&mut self, key: &CString) -> usize {
        // SAFETY: plain C data.
        let (mut dir, mut info): (lfs::lfs_dir_t, lfs::lfs_info) = unsafe { (zeroed(), zeroed()) };
        // SAFETY: the store is mounted, the path ends with a zero byte; `dir` is not moved until it is closed.
        succeed(
            unsafe { lfs::lfs_dir_open(self.lfs(), &raw mut dir, key.as_ptr()) },
            "dir_open",
        );
        let mut entries = 0;
        // SAFETY: `dir` is open, C fills `info`.
        while succeed(
            unsafe { lfs::lfs_dir_read(self.lfs(), &raw mut dir, &raw mut info) },
            "dir_read",
        ) > 0
        {
            entries += 1;
        }
        // SAFETY: `dir` is open, and not used again.
        succeed(
            unsafe { lfs::lfs_dir_close(self.lfs(), &raw mut dir) },
            "dir_close",
        );
        // The entries "." and "..", which C lists too.
        entries - 2
    }

    fn remove(&mut self, key: &CString) {
        // SAFETY: the store is mounted, the path ends with a zero byte.
        succeed(
            unsafe { lfs::lfs_remove(self.lfs(), key.as_ptr()) },
            "remove",
        );
    }

    fn summarise(&mut self, _key: &CString, _summary: Summary) -> bool {
        false
    }
}

/// The value of a C call that returns a count or, negative, an error.
fn succeed(result: i32, call: &str) -> usize {
    usize::try_from(result).unwrap_or_else(|_| panic!("C littlefs: {call} failed: error {result}"))
}

/// The device of a configuration.
///
/// # Safety
///
/// `config` is one that [`Littlefs::over`] has made, and the reference ends before the next callback.
unsafe fn device<'a>(config: *const lfs::lfs_config) -> &'a mut Ram {
    // SAFETY: `context` points to the device beside the configuration, and only callbacks reach it.
    unsafe { &mut *(*config).context.cast() }
}

unsafe extern "C" fn read(
    config: *const lfs::lfs_config,
    block: lfs::lfs_block_t,
    offset: lfs::lfs_off_t,
    buffer: *mut c_void,
    size: lfs::lfs_size_t,
) -> c_int {
    // SAFETY: C passes its configuration back, and a buffer of `size` bytes that is not the device's memory.
    unsafe {
        let bytes = device(config).read_from(block, offset, size as usize);
        ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast(), bytes.len());
    }
    0
}

unsafe extern "C" fn prog(
    config: *const lfs::lfs_config,
    block: lfs::lfs_block_t,
    offset: lfs::lfs_off_t,
    buffer: *const c_void,
    size: lfs::lfs_size_t,
) -> c_int {
    // SAFETY: as in `read`.
    unsafe {
        let bytes = device(config).prog_to(block, offset, size as usize);
        ptr::copy_nonoverlapping(buffer.cast(), bytes.as_mut_ptr(), bytes.len());
    }
    0
}

unsafe extern "C" fn erase(config: *const lfs::lfs_config, block: lfs::lfs_block_t) -> c_int {
    // SAFETY: as in `read`.
    unsafe { device(config) }.erase_block(block);
    0
}

unsafe extern "C" fn sync(config: *const lfs::lfs_config) -> c_int {
    // SAFETY: as in `read`.
    unsafe { device(config) }.count_sync();
    0
}
