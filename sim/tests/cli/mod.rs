//! What the tests of the command line share.

use assert_cmd::Command;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) fn cutpoint<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("cutpoint");
    command.arg("image").args(arguments);
    command
}

/// What the command prints, which must succeed.
pub(crate) fn printed<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    let output = cutpoint(arguments)
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    String::from_utf8(output).unwrap()
}

/// The one line on standard error of the command, which must fail with exit code 2 and print nothing else.
pub(crate) fn refusal<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    let assert = cutpoint(arguments).assert().code(2).stdout("");
    let line = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    line.trim_end().to_owned()
}

pub(crate) fn corpus(name: &str) -> String {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/images");
    images.join(name).to_str().unwrap().to_owned()
}

/// A directory with one image in it.
pub(crate) struct Scratch {
    pub(crate) directory: TempDir,
    pub(crate) image: String,
}

impl Scratch {
    pub(crate) fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let image = directory
            .path()
            .join("store.img")
            .to_str()
            .unwrap()
            .to_owned();
        Self { directory, image }
    }

    /// A freshly formatted store of 64 blocks of 512 bytes.
    pub(crate) fn formatted() -> Self {
        let scratch = Self::empty();
        printed([
            "format",
            &scratch.image,
            "--block-size",
            "512",
            "--block-count",
            "64",
        ]);
        scratch
    }

    pub(crate) fn holding(bytes: &[u8]) -> Self {
        let scratch = Self::empty();
        fs::write(&scratch.image, bytes).unwrap();
        scratch
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(&self.image).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The refusal of `command` on this image, which must leave the directory as it was. The path of the directory is
    /// left out of the line.
    pub(crate) fn refuses<'a>(&'a self, command: &'a str, rest: &[&'a str]) -> String {
        let before = self.bytes();
        let line = refusal(
            [command, &self.image]
                .into_iter()
                .chain(rest.iter().copied()),
        );
        assert!(
            self.bytes() == before,
            "{command} {rest:?} changed the image"
        );
        assert_eq!(
            fs::read_dir(&self.directory).unwrap().count(),
            1,
            "{command} left files"
        );
        line.replace(self.directory.path().to_str().unwrap(), "DIR")
    }
}
