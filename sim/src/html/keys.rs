//! What the model allows beside what recovery showed, key by key.

use crate::crash::Outlook;
use crate::explore::Replay;
use crate::judge::Shown;
use crate::model::{Attributes, Content, Model, ModelNode};
use crate::subject::{Contents, EntryNode};
use crate::verdict::ViolationKind;
use cutpoint_engine::Key;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How many keys are listed that are as they should be.
const SOUND_KEYS: usize = 12;
/// How many keys are listed that are not.
const WRONG_KEYS: usize = 60;
/// The longest value that is shown itself, in bytes.
const SHOWN_BYTES: usize = 24;

/// The comparison.
#[derive(Debug, Serialize)]
pub(super) struct Keys {
    /// What the columns of allowed states are called.
    allowed: Vec<String>,
    /// How many states between those of the columns are allowed as well.
    between: u32,
    /// There may be no store.
    may_be_none: bool,
    /// What recovery showed, in words.
    shown: String,
    /// Why it showed nothing.
    failure: Option<String>,
    rows: Vec<Row>,
    /// How many keys are as they should be and not listed.
    sound: usize,
    /// How many keys are not, and not listed.
    wrong: usize,
}

#[derive(Debug, Serialize)]
struct Row {
    key: String,
    allowed: Vec<Option<String>>,
    shown: Option<String>,
    /// `sound` or `wrong`; empty where nothing was shown at all.
    class: &'static str,
}

/// What stands under a key.
#[derive(Clone, Debug)]
struct Node {
    /// None for a dictionary.
    content: Option<Content>,
    attributes: Attributes,
}

type Nodes = BTreeMap<Key, Node>;

impl Keys {
    pub(super) fn of(replay: &Replay<'_>) -> Self {
        let outlook = &replay.candidate.outlook;
        let (start, end) = (*outlook.versions.start(), *outlook.versions.end());
        let mut versions = vec![start];
        if end > start {
            versions.push(end);
        }
        let models: Vec<Nodes> = versions
            .iter()
            .filter_map(|&version| replay.versions.get(version as usize))
            .map(of_model)
            .collect();
        let shown = replay.contents.as_ref().map(of_contents);
        let violation = replay.recovery.verdict.violation();
        let with_attributes =
            violation.is_some_and(|violation| violation.kind == ViolationKind::WrongAttributes);
        let mut keys: Vec<&Key> = models
            .iter()
            .chain(shown.as_ref().ok())
            .flat_map(BTreeMap::keys)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let (mut rows, mut sound, mut wrong) = (Vec::new(), 0, 0);
        let (mut sound_listed, mut wrong_listed) = (0, 0);
        for key in keys {
            let allowed: Vec<Option<&Node>> = models.iter().map(|model| model.get(key)).collect();
            let seen = shown.as_ref().ok().map(|shown| shown.get(key));
            let fits = |seen: Option<&Node>| {
                let mut allowed = allowed.iter();
                allowed.any(|allowed| alike(*allowed, seen, with_attributes))
            };
            let class = match seen {
                None => "",
                Some(seen) if fits(seen) => "sound",
                Some(_) => "wrong",
            };
            let (listed, most, more) = if class == "wrong" {
                (&mut wrong_listed, WRONG_KEYS, &mut wrong)
            } else {
                (&mut sound_listed, SOUND_KEYS, &mut sound)
            };
            // Of keys that the operation changes, both states are of interest.
            let changes = allowed.windows(2).any(|two| !alike(two[0], two[1], false));
            if *listed >= most && !changes {
                *more += 1;
                continue;
            }
            *listed += 1;
            rows.push(Row {
                key: key.to_string(),
                allowed: allowed.iter().map(|node| node.map(said)).collect(),
                shown: seen.flatten().map(said),
                class,
            });
        }
        Self {
            allowed: names(replay, outlook),
            between: (end - start).saturating_sub(1),
            may_be_none: outlook.before_first_return,
            shown: match replay.recovery.shown {
                Some(Shown::Version(version)) if version == start => {
                    "the older of the allowed states".to_owned()
                }
                Some(Shown::Version(_)) => "a newer one of the allowed states".to_owned(),
                Some(Shown::Intermediate) => {
                    "a state inside the operation, which the subject's promises name".to_owned()
                }
                Some(Shown::Uninitialised) => {
                    "no store, as the subject's promises allow here".to_owned()
                }
                None => "nothing that is allowed".to_owned(),
            },
            failure: shown.err().cloned(),
            rows,
            sound,
            wrong,
        }
    }
}

/// What the allowed states are called.
fn names(replay: &Replay<'_>, outlook: &Outlook) -> Vec<String> {
    let (start, end) = (*outlook.versions.start(), *outlook.versions.end());
    if start == end {
        return vec!["must show".to_owned()];
    }
    let history = replay.recording.history();
    let is_around = replay.boots.is_empty() && start == history.version_before(outlook.step);
    if is_around && end == start + 1 {
        let step = outlook.step;
        return vec![
            format!("may show: before operation {step}"),
            format!("or: after operation {step}"),
        ];
    }
    vec![
        "may show: the oldest".to_owned(),
        "or: the newest".to_owned(),
    ]
}

fn of_model(model: &Model) -> Nodes {
    let node = |node: &ModelNode| Node {
        content: match node {
            ModelNode::Dictionary { .. } => None,
            ModelNode::Value { content, .. } => Some(content.clone()),
        },
        attributes: node.attributes().clone(),
    };
    let nodes = model.nodes();
    nodes.map(|(key, of)| (key.clone(), node(of))).collect()
}

fn of_contents(contents: &Contents) -> Nodes {
    let entries = contents.entries().iter();
    entries
        .map(|entry| {
            let content = match &entry.node {
                EntryNode::Dictionary => None,
                EntryNode::Value(bytes) => Some(Content::bytes(bytes.as_slice())),
            };
            let attributes = entry.attributes.clone();
            let node = Node {
                content,
                attributes,
            };
            (entry.key.clone(), node)
        })
        .collect()
}

fn alike(one: Option<&Node>, other: Option<&Node>, with_attributes: bool) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            let digest = |node: &Node| node.content.as_ref().map(Content::sha256);
            digest(one) == digest(other) && (!with_attributes || one.attributes == other.attributes)
        }
        _ => false,
    }
}

/// What stands under a key, in short.
fn said(node: &Node) -> String {
    let mut said = match &node.content {
        None => "dictionary".to_owned(),
        Some(content) => {
            let size = content.len();
            match content.known() {
                Some(bytes) if is_text(bytes) => {
                    format!("\"{}\", {size} B", bytes.escape_ascii())
                }
                _ => {
                    let [a, b, c, d, ..] = content.sha256();
                    format!("{size} B, sha256 {a:02x}{b:02x}{c:02x}{d:02x}…")
                }
            }
        }
    };
    for (kind, data) in &node.attributes {
        // Writing to a string does not fail.
        let _ = write!(said, "; attribute {kind:#04x}: {} B", data.len());
    }
    said
}

/// Whether the bytes are few and can be read.
fn is_text(bytes: &[u8]) -> bool {
    let readable = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    bytes.len() <= SHOWN_BYTES && bytes.iter().all(readable)
}
