//! `cutpoint image mount`, for real: it takes /dev/fuse and the right to mount, or fusermount3.
#![cfg(all(target_os = "linux", feature = "fuse"))]

#[allow(dead_code, reason = "shared with tests that use all of it")]
mod cli;

use cli::{Scratch, printed};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

/// An image of 64 blocks of 512 bytes, mounted until dropped.
struct Mounted {
    scratch: Scratch,
    folder: PathBuf,
    child: Child,
}

impl Mounted {
    fn new(scratch: Scratch, options: &[&str]) -> Self {
        let folder = scratch.path("folder");
        fs::create_dir_all(&folder).unwrap();
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("cutpoint"))
            .args(["image", "mount", &scratch.image])
            .arg(&folder)
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        assert!(line.contains("is mounted on"), "{line:?}");
        Self {
            scratch,
            folder,
            child,
        }
    }

    /// A copy of the image as it is now: what it would be if the power went.
    fn copy(&self, name: &str) -> String {
        let copy = self.scratch.path(name);
        fs::copy(&self.scratch.image, &copy).unwrap();
        copy.into_os_string().into_string().unwrap()
    }

    /// The command ends by itself, and soon.
    fn ends_well(&mut self) {
        for _ in 0..200 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return assert!(status.success());
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("{} is still mounted", self.folder.display());
    }

    /// Interrupts the command, which must unmount and succeed.
    fn unmount(mut self) -> Scratch {
        run("kill", &["-INT", &self.child.id().to_string()]);
        self.ends_well();
        assert_eq!(
            fs::read_dir(&self.folder).unwrap().count(),
            0,
            "still mounted"
        );
        printed(["check", &self.scratch.image]);
        std::mem::replace(&mut self.scratch, Scratch::empty())
    }
}

/// Where a test has failed, too, nothing stays mounted.
impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = Command::new("umount")
            .arg(&self.folder)
            .stderr(Stdio::null())
            .status();
    }
}

fn run(program: &str, arguments: &[&str]) {
    assert!(
        Command::new(program)
            .args(arguments)
            .status()
            .unwrap()
            .success()
    );
}

#[track_caller]
fn kind<T>(result: std::io::Result<T>) -> ErrorKind {
    result.err().expect("an error").kind()
}

#[test]
#[ignore = "needs /dev/fuse"]
fn programs_read_and_change_the_image() {
    let mounted = Mounted::new(Scratch::formatted(), &[]);
    let folder = |path: &str| mounted.folder.join(path);
    fs::create_dir(folder("a")).unwrap();
    fs::create_dir(folder("empty")).unwrap();
    fs::write(folder("a/file"), [7; 3000]).unwrap();
    let mut file = OpenOptions::new()
        .append(true)
        .open(folder("a/file"))
        .unwrap();
    file.write_all(b"more").unwrap();
    drop(file);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(folder("a/file"))
        .unwrap();
    file.seek(SeekFrom::Start(10)).unwrap();
    file.write_all(b"within").unwrap();
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(2999)).unwrap();
    file.read_to_end(&mut end).unwrap();
    assert_eq!(
        end, b"\x07more",
        "an open file shows what was written to it"
    );
    file.set_len(3002).unwrap();
    drop(file);
    let time = UNIX_EPOCH + Duration::new(1_000_000_000, 123);
    File::open(folder("a/file"))
        .unwrap()
        .set_modified(time)
        .unwrap();
    fs::rename(folder("a"), folder("b")).unwrap();
    fs::write(folder("old"), "old").unwrap();
    fs::write(folder("new"), "new").unwrap();
    fs::rename(folder("new"), folder("old")).unwrap();
    fs::write(folder("gone"), "gone").unwrap();
    fs::remove_file(folder("gone")).unwrap();

    let mut expected = [vec![7; 3000], b"mo".to_vec()].concat();
    expected[10..16].copy_from_slice(b"within");
    assert_eq!(fs::read(folder("b/file")).unwrap(), expected);
    assert_eq!(
        fs::metadata(folder("b/file")).unwrap().modified().unwrap(),
        time
    );

    let scratch = mounted.unmount();
    assert_eq!(printed(["ls", &scratch.image]), "/b/\n/empty/\n/old\n");
    assert_eq!(printed(["read", &scratch.image, "/old"]), "new");
    let to = scratch.path("to");
    printed(["unpack", &scratch.image, to.to_str().unwrap()]);
    assert_eq!(fs::read(to.join("b/file")).unwrap(), expected);
    assert_eq!(
        fs::metadata(to.join("b/file")).unwrap().modified().unwrap(),
        time
    );
}

#[test]
#[ignore = "needs /dev/fuse"]
fn what_is_synced_or_closed_is_in_the_image_and_nothing_half_written() {
    let mut mounted = Mounted::new(Scratch::formatted(), &[]);
    let path = mounted.folder.join("file");
    fs::write(&path, "first").unwrap();
    // Emptied and written again, not yet synced. No process is started meanwhile: that would close a copy of the file.
    let mut file = File::create(&path).unwrap();
    file.write_all(b"second").unwrap();
    let before = mounted.copy("before.img");
    file.sync_all().unwrap();
    let synced = mounted.copy("synced.img");
    file.write_all(b" and third").unwrap();
    let written = mounted.copy("written.img");
    // The process is killed, as the power would be.
    mounted.child.kill().unwrap();
    mounted.child.wait().unwrap();
    drop(file);
    assert_eq!(printed(["read", &before, "/file"]), "first");
    for image in [&synced, &written, &mounted.scratch.image] {
        assert_eq!(printed(["read", image, "/file"]), "second");
        printed(["check", image]);
    }
}

#[test]
#[ignore = "needs /dev/fuse"]
fn a_file_that_is_removed_or_replaced_lives_on_where_it_is_open() {
    let mounted = Mounted::new(Scratch::formatted(), &[]);
    let path = mounted.folder.join("file");
    for replace in [false, true] {
        fs::write(&path, "old").unwrap();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        if replace {
            let other = mounted.folder.join("other");
            fs::write(&other, "new").unwrap();
            fs::rename(other, &path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        let mut content = String::new();
        file.read_to_string(&mut content).unwrap();
        assert_eq!(content, "old");
        file.write_all(b" and gone").unwrap();
        drop(file);
        assert_eq!(path.exists(), replace);
    }
    let scratch = mounted.unmount();
    assert_eq!(printed(["read", &scratch.image, "/file"]), "new");
}

#[test]
#[ignore = "needs /dev/fuse"]
fn errors_are_those_of_a_file_system() {
    let mounted = Mounted::new(Scratch::formatted(), &[]);
    let folder = |path: &str| mounted.folder.join(path);
    fs::create_dir_all(folder("full/er")).unwrap();
    fs::write(folder("file"), "content").unwrap();
    assert_eq!(kind(fs::read(folder("none"))), ErrorKind::NotFound);
    assert_eq!(
        kind(fs::create_dir(folder("file"))),
        ErrorKind::AlreadyExists
    );
    assert_eq!(
        kind(fs::remove_dir(folder("full"))),
        ErrorKind::DirectoryNotEmpty
    );
    assert_eq!(
        kind(fs::remove_file(folder("full"))),
        ErrorKind::IsADirectory
    );
    assert_eq!(
        kind(fs::rename(folder("file"), folder("full"))),
        ErrorKind::IsADirectory
    );
    assert_eq!(
        kind(fs::rename(folder("full"), folder("file"))),
        ErrorKind::NotADirectory
    );
    assert_eq!(
        kind(fs::read(folder("file/below"))),
        ErrorKind::NotADirectory
    );
    let mut large = File::create(folder("large")).unwrap();
    large.write_all(&vec![1; 512 * 64]).unwrap();
    assert_eq!(kind(large.sync_all()), ErrorKind::StorageFull);
    assert_eq!(kind(large.write_all(b"more")), ErrorKind::StorageFull);
    drop(large);
    assert_eq!(
        kind(fs::write(folder(&"n".repeat(256)), "")),
        ErrorKind::InvalidFilename
    );
    let link = std::os::unix::fs::symlink("file", folder("link"));
    assert_eq!(kind(link), ErrorKind::PermissionDenied);
    fs::create_dir(folder("other")).unwrap();
    fs::rename(folder("full"), folder("other")).unwrap();
    assert!(folder("other/er").is_dir(), "an empty folder is replaced");
    mounted.unmount();
}

#[test]
#[ignore = "needs /dev/fuse"]
fn nothing_changes_where_it_is_read_only() {
    let scratch = Scratch::formatted();
    printed(["write", &scratch.image, "/file", "content"]);
    let before = scratch.bytes();
    let mounted = Mounted::new(scratch, &["--read-only"]);
    let file = mounted.folder.join("file");
    assert_eq!(fs::read(&file).unwrap(), b"content");
    assert_eq!(kind(fs::write(&file, "new")), ErrorKind::ReadOnlyFilesystem);
    assert_eq!(kind(fs::remove_file(&file)), ErrorKind::ReadOnlyFilesystem);
    // Others may read.
    assert_eq!(printed(["ls", &mounted.scratch.image]), "/file\n");
    assert!(mounted.unmount().bytes() == before);
}

#[test]
#[ignore = "needs /dev/fuse"]
fn a_folder_that_is_unmounted_ends_the_command() {
    let mut mounted = Mounted::new(Scratch::formatted(), &[]);
    fs::write(mounted.folder.join("file"), "content").unwrap();
    unmount_from_outside(&mounted.folder);
    mounted.ends_well();
    assert_eq!(
        printed(["read", &mounted.scratch.image, "/file"]),
        "content"
    );
}

fn unmount_from_outside(folder: &Path) {
    let folder = folder.to_str().unwrap();
    let root = Command::new("umount").arg(folder).status();
    if !root.is_ok_and(|status| status.success()) {
        run("fusermount3", &["-u", folder]);
    }
}
