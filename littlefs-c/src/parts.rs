//! What C's pointers lead to, and the way every C call goes.
#![allow(unsafe_code, reason = "C's structures point at each other")]

use crate::link::{self, Link};
use crate::{Config, Error};
use cutpoint_engine::device::BlockDevice;
use littlefs2_sys as lfs;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// C's structures over a device, with the buffers that it works in.
///
/// They live on the heap, so that C's pointers stay right when this moves, and are reached through raw pointers alone
/// while C may use them. There is one file and one directory: the store's methods use one at a time.
pub(crate) struct Parts<D: BlockDevice>(NonNull<Inner<D>>);

struct Inner<D> {
    lfs: lfs::lfs_t,
    config: lfs::lfs_config,
    file: lfs::lfs_file_t,
    file_config: lfs::lfs_file_config,
    dir: lfs::lfs_dir_t,
    /// Whether C holds `file`: a handle that was forgotten has not closed it.
    is_file_open: bool,
    link: Link<D>,
    read_buffer: Vec<u8>,
    prog_buffer: Vec<u8>,
    /// Of words: C wants it aligned.
    lookahead_buffer: Vec<u64>,
    file_buffer: Vec<u8>,
}

impl<D: BlockDevice> Parts<D> {
    /// Structures over this device, nothing mounted yet.
    pub(crate) fn new(device: D, config: &Config) -> Result<Self, Error> {
        let geometry = device.geometry();
        config.check(geometry)?;
        let cache = || vec![0; config.cache_size as usize];
        let inner = Box::new(Inner {
            lfs: lfs::lfs_t::default(),
            config: lfs::lfs_config {
                read: Some(link::read::<D>),
                prog: Some(link::prog::<D>),
                erase: Some(link::erase::<D>),
                sync: Some(link::sync::<D>),
                read_size: config.read_size,
                prog_size: geometry.prog_size(),
                block_size: geometry.block_size(),
                block_count: geometry.block_count(),
                block_cycles: config
                    .block_cycles
                    .map_or(-1, |cycles| cycles.get().cast_signed()),
                cache_size: config.cache_size,
                lookahead_size: config.lookahead_size.get(),
                ..Default::default()
            },
            file: lfs::lfs_file_t::default(),
            file_config: lfs::lfs_file_config::default(),
            dir: lfs::lfs_dir_t::default(),
            is_file_open: false,
            link: Link::new(device),
            read_buffer: cache(),
            prog_buffer: cache(),
            lookahead_buffer: vec![0; config.lookahead_size.get().div_ceil(8) as usize],
            file_buffer: cache(),
        });
        let parts = NonNull::from(Box::leak(inner));
        let inner = parts.as_ptr();
        // SAFETY: `inner` has just come from a box, and nobody else has it. The vectors are not touched again before
        // the box is dropped, so that the pointers to what they hold stay right.
        unsafe {
            (*inner).config.context = (&raw mut (*inner).link).cast();
            (*inner).config.read_buffer = (*inner).read_buffer.as_mut_ptr().cast();
            (*inner).config.prog_buffer = (*inner).prog_buffer.as_mut_ptr().cast();
            (*inner).config.lookahead_buffer = (*inner).lookahead_buffer.as_mut_ptr().cast();
            (*inner).file_config.buffer = (*inner).file_buffer.as_mut_ptr().cast();
        }
        Ok(Self(parts))
    }

    /// Hands the device back. C must not hold the structures any more.
    pub(crate) fn into_device(self) -> D {
        let this = ManuallyDrop::new(self);
        // SAFETY: the pointer came from a box, and `this` is never dropped: nobody uses it again.
        let inner = unsafe { Box::from_raw(this.0.as_ptr()) };
        inner.link.into_device()
    }

    /// Makes a C call and says what its answer means. A panic of the device goes on here.
    pub(crate) fn call(&mut self, call: impl FnOnce(Pointers) -> i32) -> Result<u32, Error> {
        let answer = call(self.pointers());
        // SAFETY: C has returned, so that this is the only reference to the link.
        unsafe { &mut (*self.0.as_ptr()).link }.settle(answer)
    }

    /// The same, where the answer does not matter and nothing may unwind.
    pub(crate) fn call_quietly(&mut self, call: impl FnOnce(Pointers) -> i32) {
        call(self.pointers());
        // SAFETY: as in `call`.
        unsafe { &mut (*self.0.as_ptr()).link }.forget_trouble();
    }

    pub(crate) fn is_file_open(&self) -> bool {
        // SAFETY: C does not know this field.
        unsafe { (*self.0.as_ptr()).is_file_open }
    }

    pub(crate) fn set_file_open(&mut self, is_open: bool) {
        // SAFETY: as in `is_file_open`.
        unsafe { (*self.0.as_ptr()).is_file_open = is_open }
    }

    /// The tag of the global state as C holds it in memory.
    pub(crate) fn global_tag(&self) -> u32 {
        // SAFETY: C is not at work while this is borrowed, and has set up the structure: only mounted stores ask.
        unsafe { (*self.0.as_ptr()).lfs.gstate.tag }
    }

    fn pointers(&mut self) -> Pointers {
        let inner = self.0.as_ptr();
        // SAFETY: only addresses are taken.
        unsafe {
            Pointers {
                lfs: &raw mut (*inner).lfs,
                config: &raw const (*inner).config,
                file: &raw mut (*inner).file,
                file_config: &raw const (*inner).file_config,
                dir: &raw mut (*inner).dir,
            }
        }
    }
}

impl<D: BlockDevice> Drop for Parts<D> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a box, and C keeps nothing between calls that outlives its structures.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// What C calls take. Right while the [`Parts`] that it is of live.
#[derive(Clone, Copy)]
pub(crate) struct Pointers {
    pub(crate) lfs: *mut lfs::lfs_t,
    pub(crate) config: *const lfs::lfs_config,
    pub(crate) file: *mut lfs::lfs_file_t,
    pub(crate) file_config: *const lfs::lfs_file_config,
    pub(crate) dir: *mut lfs::lfs_dir_t,
}
