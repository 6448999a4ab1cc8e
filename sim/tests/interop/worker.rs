use crate::model::{Change, LOOKED_FOR};
use cutpoint_engine::device::Geometry;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The C littlefs as a process that answers requests: `interop/worker.py`.
pub(crate) struct Worker {
    child: Child,
    requests: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

/// How the C littlefs is configured.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Settings {
    block_size: u32,
    block_count: u32,
    prog_size: u32,
    pub(crate) cache_size: u32,
    /// Compactions after which a pair moves; -1 for never.
    pub(crate) block_cycles: i32,
    pub(crate) disk_version: u32,
}

impl Settings {
    /// No wear levelling, whole blocks cached, the newest disk version.
    pub(crate) fn new(geometry: Geometry) -> Self {
        Self {
            block_size: geometry.block_size(),
            block_count: geometry.block_count(),
            prog_size: geometry.prog_size(),
            cache_size: geometry.block_size(),
            block_cycles: -1,
            disk_version: 0,
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "request", rename_all = "snake_case")]
enum Request<'a> {
    Format {
        settings: Settings,
    },
    Trees {
        settings: Settings,
        kinds: [u8; 4],
    },
    Change {
        settings: Settings,
        changes: &'a [Change],
        cut: Option<u64>,
    },
}

#[derive(Serialize)]
struct Framed<'a> {
    #[serde(flatten)]
    request: Request<'a>,
    /// The length of the image that follows.
    image: usize,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Reply<R> {
    Failed {
        error: String,
    },
    Done {
        image: usize,
        #[serde(flatten)]
        rest: R,
    },
}

/// What the C littlefs sees in an image.
#[derive(Deserialize)]
pub(crate) struct Trees {
    pub(crate) found: String,
    /// After its own repair.
    pub(crate) repaired: String,
}

/// How far a run of changes came.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Progress {
    /// Programs and erases of the whole run.
    pub(crate) writes: usize,
    /// Those that reached the image.
    pub(crate) kept: usize,
    /// Changes that were complete by then.
    pub(crate) done: usize,
}

#[derive(Deserialize)]
struct Nothing {}

impl Worker {
    pub(crate) fn start() -> Self {
        let python =
            std::env::var_os("CUTPOINT_LITTLEFS_PYTHON").unwrap_or_else(|| "python3".into());
        let mut child = Command::new(&python)
            // Leaves no bytecode among the sources.
            .arg("-B")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop/worker.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
        Self {
            requests: child.stdin.take(),
            replies: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// An empty store.
    pub(crate) fn format(&mut self, settings: Settings) -> Vec<u8> {
        self.ask::<Nothing>(Request::Format { settings }, &[]).1
    }

    /// What the C littlefs sees, and the image after its repair.
    pub(crate) fn trees(&mut self, settings: Settings, image: &[u8]) -> (Trees, Vec<u8>) {
        self.ask(
            Request::Trees {
                settings,
                kinds: LOOKED_FOR,
            },
            image,
        )
    }

    /// The image after the changes, or after a part of their writes where the power is `cut`; the number is taken
    /// modulo one more than there are writes.
    pub(crate) fn change(
        &mut self,
        settings: Settings,
        image: &[u8],
        changes: &[Change],
        cut: Option<u64>,
    ) -> (Progress, Vec<u8>) {
        self.ask(
            Request::Change {
                settings,
                changes,
                cut,
            },
            image,
        )
    }

    /// What the C littlefs sees; none where it cannot read what it lists.
    pub(crate) fn try_trees(&mut self, settings: Settings, image: &[u8]) -> Option<Trees> {
        let kinds = LOOKED_FOR;
        let request = Request::Trees { settings, kinds };
        self.try_ask(request, image).ok().map(|(trees, _)| trees)
    }

    fn ask<R: DeserializeOwned>(&mut self, request: Request<'_>, image: &[u8]) -> (R, Vec<u8>) {
        self.try_ask(request, image)
            .unwrap_or_else(|error| panic!("the C littlefs: {error}"))
    }

    fn try_ask<R: DeserializeOwned>(
        &mut self,
        request: Request<'_>,
        image: &[u8],
    ) -> Result<(R, Vec<u8>), String> {
        let framed = Framed {
            request,
            image: image.len(),
        };
        let mut message = serde_json::to_vec(&framed).unwrap();
        message.push(b'\n');
        message.extend_from_slice(image);
        let requests = self.requests.as_mut().expect("open until dropped");
        requests
            .write_all(&message)
            .and_then(|()| requests.flush())
            .expect("the worker takes requests");
        let mut line = String::new();
        self.replies.read_line(&mut line).unwrap();
        assert!(
            !line.is_empty(),
            "the worker has ended: {:?}",
            self.child.wait()
        );
        match serde_json::from_str(&line).unwrap() {
            Reply::Failed { error } => Err(error),
            Reply::Done { image, rest } => {
                let mut bytes = vec![0; image];
                self.replies.read_exact(&mut bytes).unwrap();
                Ok((rest, bytes))
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.requests = None;
        let _ = self.child.wait();
    }
}
