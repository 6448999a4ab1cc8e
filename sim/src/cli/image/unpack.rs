//! An image becomes a folder.

mod merge;

use super::CliError;
use super::open::{Image, Mounted};
use super::target::folder_of;
use clap::Args;
use cutpoint_engine::{Attribute, Key, Kind, Node, Store, Timestamp};
use merge::merge;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// Make a folder of an image and all it holds
///
/// Values become files, dictionaries folders, names stay the bytes that they are. The times that the image knows are
/// set; attributes of other types are left behind, and counted. The folder is made under another name beside its place
/// and moved there when all is done. A damaged image is refused: 'cutpoint image read' may still read some of its
/// values.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cutpoint image unpack site.img site          into a new folder
  cutpoint image unpack site.img site --force  into one that is there

Exit codes: 0 done, 2 bad usage or input.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: Image,
    /// The folder to make
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Unpack into a folder that is there: files of the same names are replaced, all others stay
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<(), CliError> {
    let folder = &arguments.folder;
    let exists = match fs::symlink_metadata(folder) {
        Ok(_) if !arguments.force => {
            return Err(CliError::at(
                folder,
                "exists already; --force unpacks into it",
            ));
        }
        Ok(_) if !folder.is_dir() => return Err(CliError::at(folder, "is not a folder")),
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(CliError::at(folder, error)),
    };
    let mut mounted = arguments.image.mount()?;
    if let Some(damage) = mounted.call(Store::check)?.damage.first() {
        let what = format!("{damage}; 'cutpoint image check' names all damage");
        return Err(arguments.image.error(what));
    }

    // Where all can be renamed to its place: on the same file system.
    let beside = if exists { folder } else { folder_of(folder) };
    let staging = tempfile::Builder::new()
        .prefix(".cutpoint-unpack-")
        .tempdir_in(beside)
        .map_err(|error| CliError::at(folder, error))?;
    let made = staging.path().join("folder");
    let contents = Contents::of(&mut mounted)?;
    contents.make(&mut mounted, &made, folder)?;
    if exists {
        merge(&made, folder)?;
    } else {
        fs::rename(&made, folder).map_err(|error| CliError::at(folder, error))?;
    }
    writeln!(out, "{contents}")?;
    Ok(())
}

/// What an image holds, without the values' bytes.
#[derive(Debug, Default)]
struct Contents {
    /// Dictionaries before what they hold, the root first.
    entries: Vec<Entry>,
    /// Attributes that a folder has no place for.
    left_out: usize,
}

#[derive(Debug)]
struct Entry {
    key: Key,
    kind: Kind,
    modified: Option<SystemTime>,
}

impl Contents {
    fn of(mounted: &mut Mounted) -> Result<Self, CliError> {
        let mut contents = Self::default();
        let attributes = mounted.call(|store| store.attributes(&Key::ROOT))?;
        contents.add(Key::ROOT, Kind::Dictionary, &attributes);
        mounted.call(|store| {
            store.walk(false, &mut |item| {
                let kind = match item.node {
                    Node::Dictionary => Kind::Dictionary,
                    Node::Value { .. } => Kind::Value,
                };
                contents.add(item.key, kind, &item.attributes);
            })
        })?;
        contents.entries.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(contents)
    }

    fn add(&mut self, key: Key, kind: Kind, attributes: &[Attribute]) {
        let time = attributes
            .iter()
            .filter(|attribute| attribute.kind == Timestamp::ATTRIBUTE)
            .find_map(|attribute| Timestamp::decode(&attribute.data));
        self.left_out += attributes.len() - usize::from(time.is_some());
        self.entries.push(Entry {
            key,
            kind,
            modified: time.and_then(Timestamp::to_system_time),
        });
    }

    /// Makes the folder `made`; errors name the places in `folder`, where it will go.
    fn make(&self, mounted: &mut Mounted, made: &Path, folder: &Path) -> Result<(), CliError> {
        for Entry {
            key,
            kind,
            modified,
        } in &self.entries
        {
            let inside = path_of(key)?;
            let path = made.join(&inside);
            let failed = |error: io::Error| CliError::at(&folder.join(&inside), error);
            if *kind == Kind::Dictionary {
                fs::create_dir(&path).map_err(failed)?;
                continue;
            }
            let value = mounted.call(|store| store.get(key))?;
            let mut file = File::create_new(&path).map_err(failed)?;
            file.write_all(&value).map_err(failed)?;
            if let Some(time) = modified {
                file.set_modified(*time).map_err(failed)?;
            }
        }
        // Once nothing more comes into them, from the inside out.
        for entry in self.entries.iter().rev() {
            let Some(time) = entry.modified else { continue };
            if entry.kind == Kind::Dictionary {
                let inside = path_of(&entry.key)?;
                File::open(made.join(&inside))
                    .and_then(|opened| opened.set_modified(time))
                    .map_err(|error| CliError::at(&folder.join(&inside), error))?;
            }
        }
        Ok(())
    }
}

/// How much it is, for people.
impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self
            .entries
            .iter()
            .filter(|entry| entry.kind == Kind::Value);
        let files = files.count();
        let folders = self.entries.len() - 1 - files;
        write!(f, "files: {files}, folders: {folders}")?;
        if self.left_out > 0 {
            write!(f, "; attributes left out: {}", self.left_out)?;
        }
        Ok(())
    }
}

/// The path of `key` below the folder that is the root.
///
/// # Errors
///
/// A name that is none of a single file here: it could lead out of the folder.
fn path_of(key: &Key) -> Result<PathBuf, CliError> {
    let mut path = PathBuf::new();
    for segment in key.segments() {
        let name = os_name(segment).filter(|name| {
            let mut components = Path::new(name).components();
            !segment.contains(&0)
                && matches!(components.next(), Some(Component::Normal(only)) if only == *name)
                && components.next().is_none()
        });
        path.push(name.ok_or_else(|| {
            CliError::argument(
                &key.to_string(),
                "no file can have this name here; rename it with 'cutpoint image mv'",
            )
        })?);
    }
    Ok(path)
}

#[cfg(unix)]
#[allow(
    clippy::unnecessary_wraps,
    reason = "other systems know names that are none"
)]
fn os_name(name: &[u8]) -> Option<&OsStr> {
    Some(std::os::unix::ffi::OsStrExt::from_bytes(name))
}

#[cfg(not(unix))]
fn os_name(name: &[u8]) -> Option<&OsStr> {
    std::str::from_utf8(name).ok().map(OsStr::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::seal::seal;
    use clap::Parser;
    use cutpoint_engine::device::{Geometry, MemoryDevice};
    use cutpoint_engine::{FormatOptions, MountOptions};

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn names_that_would_leave_the_folder_are_refused() {
        assert_eq!(path_of(&Key::new("/a/b")).unwrap(), Path::new("a/b"));
        assert_eq!(path_of(&Key::ROOT).unwrap(), Path::new(""));
        for name in ["..", ".", "a\0b", "a/../../b"] {
            let refused = path_of(&Key::new(name)).unwrap_err();
            assert!(
                refused.to_string().contains("no file can have this name"),
                "{name:?}"
            );
        }
    }

    #[test]
    fn images_with_such_names_are_refused_and_leave_nothing() {
        for name in ["../up", "..", "/abs", "a/b", "a\0b", "."] {
            let scratch = tempfile::tempdir().unwrap();
            let image = scratch.path().join("store.img");
            fs::write(&image, image_with(name)).unwrap();
            let folder = scratch.path().join("folder");
            let command = [Path::new("unpack"), &image, &folder];
            let arguments = CommandLine::parse_from(command).arguments;
            let mut out = Vec::new();
            let refused = run(&arguments, &mut out).unwrap_err().to_string();
            assert!(
                refused.contains("the name of entry 1 is none that is allowed"),
                "{name:?}: {refused}"
            );
            assert_eq!(fs::read_dir(&scratch).unwrap().count(), 1, "{name:?}");
        }
    }

    /// An image with a file of this name, which no engine would write.
    fn image_with(name: &str) -> Vec<u8> {
        let stand_in = "n".repeat(name.len());
        let mut device = MemoryDevice::new(Geometry::new(512, 8).unwrap());
        Store::format(&mut device, &FormatOptions::default()).unwrap();
        let mut store = Store::mount(&mut device, &MountOptions::default()).unwrap();
        store.set(&Key::new(&stand_in), b"0000").unwrap();
        let mut image = device.into_image();
        let at = image
            .windows(name.len())
            .rposition(|bytes| bytes == stand_in.as_bytes())
            .unwrap();
        image[at..at + name.len()].copy_from_slice(name.as_bytes());
        seal(&mut image, 512);
        image
    }
}
