use crate::model::{Change, LOOKED_FOR, Model};
use cutpoint_engine::device::{BlockDevice, Geometry, MemoryDevice};
use cutpoint_engine::{Error, FormatOptions, Key, MountOptions, Store};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// An image file that both sides write to.
pub(crate) struct Image {
    geometry: Geometry,
    path: PathBuf,
    _directory: TempDir,
}

impl Image {
    pub(crate) fn formatted(geometry: Geometry) -> Self {
        let mut device = MemoryDevice::new(geometry);
        Store::format(&mut device, &FormatOptions::default()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.img");
        fs::write(&path, device.bytes()).unwrap();
        Self {
            geometry,
            path,
            _directory: directory,
        }
    }

    /// What `cutpoint image pack` makes of a folder; `geometry` has the block size.
    pub(crate) fn packed(folder: &Path, geometry: Geometry) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.img");
        let output = Command::new(assert_cmd::cargo::cargo_bin!("cutpoint"))
            .args(["image", "pack"])
            .args([&path, folder])
            .args(["--block-size", &geometry.block_size().to_string()])
            .output()
            .unwrap();
        succeeded(output);
        Self {
            geometry,
            path,
            _directory: directory,
        }
    }

    /// In memory and not in the file: the memory device refuses to program what is not erased.
    pub(crate) fn change_with_engine(&self, changes: &[Change]) {
        let bytes = fs::read(&self.path).unwrap();
        let mut device = MemoryDevice::from_image(bytes, self.geometry.block_size())
            .unwrap()
            .with_prog_size(self.geometry.prog_size())
            .unwrap();
        let mut store = Store::mount(&mut device, &MountOptions::default()).unwrap();
        for change in changes {
            apply(&mut store, change).unwrap_or_else(|error| panic!("{change:?}: {error}"));
        }
        fs::write(&self.path, device.bytes()).unwrap();
    }

    pub(crate) fn change_with_c(&self, changes: &[Change]) {
        let lines: Vec<_> = changes
            .iter()
            .map(|change| serde_json::to_string(change).unwrap() + "\n")
            .collect();
        self.python("apply.py", &[], &lines.concat());
    }

    /// All readers see the model.
    pub(crate) fn expect_everywhere(&self, model: &Model, after: &str) {
        let expected = model.tree();
        let kinds: Vec<_> = LOOKED_FOR
            .into_iter()
            .map(|kind| format!("{kind:02x}"))
            .collect();
        let kinds = kinds.join(",");
        same_lines(&self.tree_by_engine(), &expected, "the engine", after);
        let by_c = self.python("read_back.py", &["--attributes", &kinds], "");
        same_lines(&by_c, &expected, "the C littlefs", after);
        let repaired = self.python("read_back.py", &["--attributes", &kinds, "--repair"], "");
        same_lines(
            &repaired,
            &expected,
            "the C littlefs after its repair",
            after,
        );
        let mut store = Store::mount(
            MemoryDevice::from_image(fs::read(&self.path).unwrap(), self.geometry.block_size())
                .unwrap(),
            &MountOptions::default(),
        )
        .unwrap();
        assert_eq!(store.check().unwrap().damage, [], "after {after}");
    }

    fn tree_by_engine(&self) -> String {
        let output = Command::new(assert_cmd::cargo::cargo_bin!("cutpoint"))
            .args(["image", "tree", "--json"])
            .arg(&self.path)
            .output()
            .unwrap();
        succeeded(output)
    }

    /// Runs one of the programs in `interop/` on the image; its standard output.
    fn python(&self, program: &str, options: &[&str], input: &str) -> String {
        let python =
            std::env::var_os("CUTPOINT_LITTLEFS_PYTHON").unwrap_or_else(|| "python3".into());
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop");
        let mut child = Command::new(&python)
            // Leaves no bytecode among the sources.
            .arg("-B")
            .arg(programs.join(program))
            .arg(&self.path)
            .args(["--block-size", &self.geometry.block_size().to_string()])
            .args(["--prog-size", &self.geometry.prog_size().to_string()])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
        // A program that does not take it all says why on standard error.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        succeeded(child.wait_with_output().unwrap())
    }
}

pub(crate) fn apply<D: BlockDevice>(store: &mut Store<D>, change: &Change) -> Result<(), Error> {
    match change {
        Change::Set { path, data } => store.set(&Key::new(path), data),
        Change::SetPartial { path, offset, data } => {
            store.set_partial(&Key::new(path), *offset, data)
        }
        Change::Truncate { path, size } => store.truncate(&Key::new(path), *size),
        Change::SetAttribute { path, kind, data } => {
            store.set_attribute(&Key::new(path), *kind, data)
        }
        Change::RemoveAttribute { path, kind } => store.remove_attribute(&Key::new(path), *kind),
        Change::MakeDictionary { path } => store.create_dictionary(&Key::new(path)),
        Change::Remove { path } => store.remove(&Key::new(path)),
        Change::Rename { path, to } => store.rename(&Key::new(path), &Key::new(to)),
    }
}

/// The standard output of a program that must have succeeded. What it says on standard error, the version of the C
/// littlefs among it, is shown where the test fails or output is not captured.
fn succeeded(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    eprint!("{said}");
    assert!(output.status.success(), "{}: {said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn same_lines(actual: &str, expected: &str, reader: &str, after: &str) {
    if actual == expected {
        return;
    }
    let differing: Vec<_> = expected
        .lines()
        .filter(|line| !actual.lines().any(|other| other == *line))
        .map(|line| format!("- {line}"))
        .chain(
            actual
                .lines()
                .filter(|line| !expected.lines().any(|other| other == *line))
                .map(|line| format!("+ {line}")),
        )
        .take(20)
        .collect();
    panic!(
        "after {after}, {reader} sees another tree (- expected, + seen):\n{}",
        differing.join("\n")
    );
}
