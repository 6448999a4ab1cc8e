//! What the kernel asks, passed on to the tree.

use super::nodes::Number;
use super::tree::{Attributes, Listed, Tree};
use cutpoint_engine::Kind;
use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, InitFlags, KernelConfig, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate,
    ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request,
    TimeOrNow, WriteFlags,
};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

/// What is to be done where the tree is.
pub(super) enum Job {
    /// An answer to the kernel.
    Answer(Box<dyn FnOnce(&mut Tree) + Send>),
    /// Somebody wants it to end.
    Stop,
    /// The folder is mounted no more.
    Unmounted,
}

/// Nobody but the kernel changes the tree: it need not ask again soon.
const VALID: Duration = Duration::from_secs(1);

/// A number is used once.
const GENERATION: Generation = Generation(0);

/// What a folder's entry has for a number where the kernel has not looked it up.
const NO_NUMBER: INodeNo = INodeNo(0xffff_ffff);

/// Who owns the files, and whether they can be changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) read_only: bool,
}

/// The kernel's side of a mounted tree. Calls are answered in their order, by the thread that has the tree.
#[derive(Debug)]
pub(super) struct Mounted {
    jobs: Sender<Job>,
    owner: Owner,
    /// What the folders held that are being listed, as they were when they were opened.
    listings: Arc<Mutex<BTreeMap<u64, Vec<Listed>>>>,
    next_listing: AtomicU64,
}

impl Mounted {
    pub(super) fn new(jobs: Sender<Job>, owner: Owner) -> Self {
        Self {
            jobs,
            owner,
            listings: Arc::default(),
            next_listing: AtomicU64::new(1),
        }
    }

    fn answer(&self, answer: impl FnOnce(&mut Tree) + Send + 'static) {
        // Where the tree is gone, the folder is about to be unmounted: the kernel gives up by itself.
        let _ = self.jobs.send(Job::Answer(Box::new(answer)));
    }

    fn answer_empty(
        &self,
        reply: ReplyEmpty,
        call: impl FnOnce(&mut Tree) -> Result<(), Errno> + Send + 'static,
    ) {
        self.answer(|tree| match call(tree) {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(error),
        });
    }

    fn answer_entry(
        &self,
        reply: ReplyEntry,
        call: impl FnOnce(&mut Tree) -> Result<Attributes, Errno> + Send + 'static,
    ) {
        let owner = self.owner;
        self.answer(move |tree| match call(tree) {
            Ok(attributes) => reply.entry(&VALID, &owner.attr(attributes), GENERATION),
            Err(error) => reply.error(error),
        });
    }

    fn answer_attr(
        &self,
        reply: ReplyAttr,
        call: impl FnOnce(&mut Tree) -> Result<Attributes, Errno> + Send + 'static,
    ) {
        let owner = self.owner;
        self.answer(move |tree| match call(tree) {
            Ok(attributes) => reply.attr(&VALID, &owner.attr(attributes)),
            Err(error) => reply.error(error),
        });
    }
}

impl Owner {
    fn attr(self, attributes: Attributes) -> FileAttr {
        let time = attributes.modified;
        FileAttr {
            ino: INodeNo(attributes.number),
            size: attributes.size,
            blocks: attributes.size.div_ceil(512),
            atime: time,
            mtime: time,
            ctime: time,
            crtime: time,
            kind: file_type(attributes.kind),
            perm: self.permissions(attributes.kind),
            nlink: 1,
            uid: self.uid,
            gid: self.gid,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }

    fn permissions(self, kind: Kind) -> u16 {
        let all = match kind {
            Kind::Value => 0o644,
            Kind::Dictionary => 0o755,
        };
        if self.read_only { all & 0o555 } else { all }
    }

    /// Whether what `attributes` are of already has this mode and owner: they are the same for all and stay so.
    fn has(
        self,
        attributes: Attributes,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
    ) -> bool {
        let permissions = u32::from(self.permissions(attributes.kind));
        mode.is_none_or(|mode| mode & 0o7777 == permissions)
            && uid.is_none_or(|uid| uid == self.uid)
            && gid.is_none_or(|gid| gid == self.gid)
    }
}

fn file_type(kind: Kind) -> FileType {
    match kind {
        Kind::Value => FileType::RegularFile,
        Kind::Dictionary => FileType::Directory,
    }
}

fn bytes(name: &OsStr) -> Vec<u8> {
    name.as_bytes().to_vec()
}

/// A file's handle is its number: all that have it open see the same.
fn handle(number: Number) -> FileHandle {
    FileHandle(number)
}

impl Filesystem for Mounted {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // A file that is emptied as it is opened is then changed once, when it is closed. A kernel that does not offer it
        // empties the file first.
        let _ = config.add_capabilities(InitFlags::FUSE_ATOMIC_O_TRUNC);
        Ok(())
    }

    fn destroy(&mut self) {
        let _ = self.jobs.send(Job::Unmounted);
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let name = bytes(name);
        self.answer_entry(reply, move |tree| tree.lookup(parent.0, &name));
    }

    fn forget(&self, _: &Request, number: INodeNo, lookups: u64) {
        self.answer(move |tree| tree.forget(number.0, lookups));
    }

    fn getattr(&self, _: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        self.answer_attr(reply, move |tree| tree.attributes(number.0));
    }

    fn setattr(
        &self,
        _: &Request,
        number: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let owner = self.owner;
        self.answer_attr(reply, move |tree| {
            if !owner.has(tree.attributes(number.0)?, mode, uid, gid) {
                return Err(Errno::EPERM);
            }
            if let Some(size) = size {
                tree.resize(number.0, size)?;
            }
            match mtime {
                Some(TimeOrNow::SpecificTime(time)) => tree.set_modified(number.0, time)?,
                Some(TimeOrNow::Now) => tree.set_modified(number.0, SystemTime::now())?,
                None => {}
            }
            tree.attributes(number.0)
        });
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, reply: ReplyEntry) {
        let name = bytes(name);
        self.answer_entry(reply, move |tree| tree.make_folder(parent.0, &name));
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let name = bytes(name);
        self.answer_empty(reply, move |tree| tree.remove_file(parent.0, &name));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let name = bytes(name);
        self.answer_empty(reply, move |tree| tree.remove_folder(parent.0, &name));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let (old, new) = (bytes(name), bytes(new_name));
        self.answer_empty(reply, move |tree| {
            let replace = !flags.contains(RenameFlags::RENAME_NOREPLACE);
            if !flags.difference(RenameFlags::RENAME_NOREPLACE).is_empty() {
                return Err(Errno::EINVAL);
            }
            tree.rename((parent.0, &old), (new_parent.0, &new), replace)
        });
    }

    fn open(&self, _: &Request, number: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        let truncate = flags.0 & libc::O_TRUNC != 0;
        self.answer(move |tree| match tree.open(number.0, truncate) {
            Ok(()) => reply.opened(handle(number.0), FopenFlags::empty()),
            Err(error) => reply.error(error),
        });
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        _: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let (name, owner) = (bytes(name), self.owner);
        self.answer(move |tree| match tree.create(parent.0, &name) {
            Ok(attributes) => reply.created(
                &VALID,
                &owner.attr(attributes),
                GENERATION,
                handle(attributes.number),
                FopenFlags::empty(),
            ),
            Err(error) => reply.error(error),
        });
    }

    fn read(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        self.answer(move |tree| match tree.read(number.0, offset, size) {
            Ok(data) => reply.data(&data),
            Err(error) => reply.error(error),
        });
    }

    fn write(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let data = data.to_vec();
        self.answer(move |tree| match tree.write(number.0, offset, &data) {
            Ok(()) => reply.written(data.len() as u32),
            Err(error) => reply.error(error),
        });
    }

    fn flush(&self, _: &Request, number: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        self.answer_empty(reply, move |tree| tree.flush(number.0));
    }

    fn release(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.answer_empty(reply, move |tree| tree.close(number.0));
    }

    fn fsync(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.answer_empty(reply, move |tree| tree.flush(number.0));
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        // Changes of folders are durable as they are made.
        reply.ok();
    }

    fn opendir(&self, _: &Request, number: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let handle = self.next_listing.fetch_add(1, Ordering::Relaxed);
        let listings = Arc::clone(&self.listings);
        self.answer(move |tree| match tree.list(number.0) {
            Ok(listed) => {
                let mut listings = listings.lock().unwrap_or_else(PoisonError::into_inner);
                listings.insert(handle, listed);
                reply.opened(FileHandle(handle), FopenFlags::empty());
            }
            Err(error) => reply.error(error),
        });
    }

    fn readdir(
        &self,
        _: &Request,
        number: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let listings = self.listings.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(listed) = listings.get(&handle.0) else {
            return reply.error(Errno::EBADF);
        };
        let dots = [b".".as_slice(), b".."].map(|name| (number, FileType::Directory, name));
        let entries = listed.iter().map(|entry| {
            let number = entry.number.map_or(NO_NUMBER, INodeNo);
            (number, file_type(entry.kind), entry.name.as_slice())
        });
        let all = dots.into_iter().chain(entries).zip(1..);
        for ((number, kind, name), next) in all.skip(offset as usize) {
            if reply.add(number, next, kind, OsStr::from_bytes(name)) {
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        reply: ReplyEmpty,
    ) {
        let mut listings = self.listings.lock().unwrap_or_else(PoisonError::into_inner);
        listings.remove(&handle.0);
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        self.answer(move |tree| match tree.usage() {
            Ok((info, usage)) => {
                let (total, free) = (u64::from(usage.total), u64::from(usage.free));
                let size = info.geometry.block_size();
                reply.statfs(total, free, free, 0, 0, size, info.name_max, size);
            }
            Err(error) => reply.error(error),
        });
    }
}
