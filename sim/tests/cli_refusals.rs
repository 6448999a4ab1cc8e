//! `cutpoint image` with wrong input: exit code 2, one line that says what and where, and nothing changed.

mod cli;

use cli::{Scratch, corpus, cutpoint, printed, refusal};
use cutpoint_engine::device::FileDevice;
use std::fs;

#[test]
fn missing_image() {
    let scratch = Scratch::empty();
    for command in ["tree", "ls", "stat", "check"] {
        assert!(
            refusal([command, &scratch.image])
                .ends_with("store.img: No such file or directory (os error 2)")
        );
    }
    for command in ["read", "write", "rm", "mkdir"] {
        refusal([command, &scratch.image, "/key"]);
    }
    refusal(["mv", &scratch.image, "/a", "/b"]);
    assert!(
        !scratch.path("store.img").exists(),
        "a failed command made an image"
    );
}

#[test]
fn directory_for_an_image() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    for command in ["tree", "check"] {
        assert!(refusal([command, path]).ends_with("is a directory, not an image file"));
    }
    refusal(["write", path, "/key", "value"]);
    refusal([
        "format",
        path,
        "--force",
        "--block-size",
        "512",
        "--block-count",
        "8",
    ]);
}

#[test]
fn not_an_image() {
    for bytes in [&b""[..], b"short", &[0; 4096], &[0xff; 4096]] {
        let scratch = Scratch::holding(bytes);
        let line = scratch.refuses("tree", &[]);
        assert_eq!(
            line,
            "error: DIR/store.img: no littlefs superblock in blocks 0 and 1: not a littlefs image, or another \
             block size"
        );
        assert_eq!(scratch.refuses("write", &["/key", "value"]), line);
    }
}

#[test]
fn truncated_image() {
    let whole = fs::read(corpus("basic_512_v21.img")).unwrap();
    let half = Scratch::holding(&whole[..whole.len() / 2]);
    insta::assert_snapshot!(half.refuses("tree", &[]));
    assert_eq!(
        half.refuses("write", &["/key", "value"]),
        half.refuses("check", &[])
    );
    let sub_block = Scratch::holding(&whole[..300]);
    insta::assert_snapshot!(sub_block.refuses("tree", &[]));
}

#[test]
fn wrong_block_size() {
    let scratch = Scratch::holding(&fs::read(corpus("basic_512_v21.img")).unwrap());
    insta::assert_snapshot!(scratch.refuses("tree", &["--block-size", "1024"]));
    insta::assert_snapshot!(scratch.refuses("tree", &["--block-size", "7"]));
    insta::assert_snapshot!(scratch.refuses("write", &["/key", "value", "--prog-size", "7"]));
    insta::assert_snapshot!(scratch.refuses("write", &["/key", "value", "--prog-size", "0"]));
}

#[test]
fn keys_that_do_not_fit() {
    let scratch = Scratch::holding(&fs::read(corpus("basic_512_v21.img")).unwrap());
    let lines = [
        scratch.refuses("read", &["/nothing"]),
        scratch.refuses("read", &["/dir"]),
        scratch.refuses("read", &["/hello/below"]),
        scratch.refuses("read", &["/"]),
        scratch.refuses("ls", &["/nothing"]),
        scratch.refuses("ls", &["/hello"]),
        scratch.refuses("write", &["/dir", "value"]),
        scratch.refuses("write", &["/hello/below", "value"]),
        scratch.refuses("write", &["/", "value"]),
        scratch.refuses("write", &["/..", "value"]),
        scratch.refuses("write", &[&"n".repeat(300), "value"]),
        scratch.refuses("write", &["/huge", &"x".repeat(64 * 512)]),
        scratch.refuses("rm", &["/nothing"]),
        scratch.refuses("rm", &["/"]),
        scratch.refuses("mv", &["/nothing", "/new"]),
        scratch.refuses("mv", &["/dir", "/dir/sub/dir"]),
        scratch.refuses("mv", &["/dir", "/hello"]),
        scratch.refuses("mv", &["/", "/new"]),
        scratch.refuses("mkdir", &["/hello"]),
        scratch.refuses("mkdir", &["/dir"]),
        scratch.refuses("mkdir", &["/hello/below"]),
    ];
    let lines = lines.map(|line| line.replace(&"n".repeat(300), "nnn..."));
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn format_of_no_geometry() {
    let scratch = Scratch::empty();
    let format = |rest: &[&str]| {
        let all = ["format", &scratch.image]
            .into_iter()
            .chain(rest.iter().copied());
        let line = refusal(all);
        assert!(!scratch.path("store.img").exists());
        line.replace(scratch.directory.path().to_str().unwrap(), "DIR")
    };
    let lines = [
        format(&["--block-size", "100", "--block-count", "8"]),
        format(&["--block-size", "512", "--block-count", "1"]),
        format(&[
            "--block-size",
            "512",
            "--block-count",
            "8",
            "--prog-size",
            "3",
        ]),
    ];
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn format_into_no_directory() {
    let scratch = Scratch::empty();
    let image = scratch.path("missing/store.img");
    let line = refusal([
        "format",
        image.to_str().unwrap(),
        "--block-size",
        "512",
        "--block-count",
        "8",
    ]);
    assert!(
        line.ends_with("missing/store.img: No such file or directory (os error 2)"),
        "{line}"
    );
}

const IN_USE: &str = "error: DIR/store.img: the image is open in another process";

#[test]
fn image_that_another_process_writes() {
    let scratch = Scratch::formatted();
    let _writer = FileDevice::open(&scratch.image, 512).unwrap();
    assert_eq!(scratch.refuses("tree", &[]), IN_USE);
    assert_eq!(scratch.refuses("write", &["/key", "value"]), IN_USE);
    let format = ["--force", "--block-size", "512", "--block-count", "8"];
    assert_eq!(scratch.refuses("format", &format), IN_USE);
}

#[test]
fn image_that_another_process_reads() {
    let scratch = Scratch::formatted();
    let _reader = FileDevice::open_read_only(&scratch.image, 512).unwrap();
    assert_eq!(scratch.refuses("write", &["/key", "value"]), IN_USE);
    assert_eq!(printed(["ls", &scratch.image]), "");
}

#[test]
fn read_only_image() {
    let scratch = Scratch::formatted();
    let mut permissions = fs::metadata(&scratch.image).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&scratch.image, permissions).unwrap();
    if fs::OpenOptions::new()
        .write(true)
        .open(&scratch.image)
        .is_ok()
    {
        eprintln!("left out: this user may write to read-only files");
        return;
    }
    assert!(
        scratch
            .refuses("write", &["/key", "value"])
            .contains("Permission denied")
    );
    assert_eq!(printed(["ls", &scratch.image]), "");
}

#[test]
fn bad_usage() {
    for arguments in [
        &["tree"][..],
        &["nonsense", "store.img"],
        &["read", "store.img"],
        &["tree", "store.img", "--block-size", "many"],
        &["format", "store.img"],
        &[
            "format",
            "store.img",
            "--block-size",
            "512",
            "--block-count",
            "8",
            "--disk-version",
            "3.0",
        ],
    ] {
        cutpoint(arguments.iter().copied())
            .assert()
            .code(2)
            .stdout("");
    }
}
