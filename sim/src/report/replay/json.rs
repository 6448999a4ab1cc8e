//! One crash state as a JSON object.

use super::levels;
use crate::explore::{PeerName, Replay};
use crate::judge::Shown;
use crate::subject::{Contents, EntryNode};
use crate::trace::{Fingerprint, Syncs};
use crate::verdict::Violation;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What a replay has shown, for programs: its serialised form.
#[derive(Debug, Serialize)]
pub struct ReplayJson<'a> {
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<&'a PeerName>,
    workload: &'a str,
    contract: &'static str,
    fingerprint: Fingerprint,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    without_sync: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with_sync_after: Option<u32>,
    /// Where the power went, one for each cut.
    cuts: Vec<Cut>,
    /// The first and the last version of the model that may be shown.
    allowed: [u32; 2],
    shown: Option<Shown>,
    violation: Option<&'a Violation>,
    /// Why nothing was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contents: Option<Vec<Shows>>,
}

/// One power cut.
#[derive(Debug, Serialize)]
struct Cut {
    issued: u32,
    writes: u32,
    step: String,
    inside: bool,
}

/// One key that the store shows, in the form of `cutpoint image tree --json`.
#[derive(Debug, Serialize)]
struct Shows {
    path: String,
    path_hex: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    attributes: BTreeMap<String, String>,
}

impl<'a> ReplayJson<'a> {
    /// That of this replay on the subject of that name.
    pub fn new(replay: &'a Replay<'a>, subject: &'a str) -> Self {
        let cuts = levels(replay);
        let cuts = cuts.iter().map(|level| {
            let outlook = &level.candidate.outlook;
            Cut {
                issued: level.candidate.state.issued(),
                writes: level.writes,
                step: level.name_of_step(outlook.step),
                inside: outlook.inside,
            }
        });
        let versions = &replay.candidate.outlook.versions;
        let (without_sync, with_sync_after) = match replay.syncs {
            Syncs::AsIssued => (None, None),
            Syncs::Without(sync) => (Some(sync), None),
            Syncs::AlsoAfter(write) => (None, Some(write)),
        };
        Self {
            subject,
            peer: replay.peer.as_ref(),
            workload: replay.recording.workload().name(),
            contract: replay.contract.name,
            fingerprint: replay.recording.trace().fingerprint(),
            state: replay.state.to_string(),
            without_sync,
            with_sync_after,
            cuts: cuts.collect(),
            allowed: [*versions.start(), *versions.end()],
            shown: replay.recovery.shown,
            violation: replay.recovery.verdict.violation(),
            failure: replay.contents.as_ref().err().map(String::as_str),
            contents: replay.contents.as_ref().ok().map(shows),
        }
    }
}

fn shows(contents: &Contents) -> Vec<Shows> {
    let entries = contents.entries().iter();
    entries
        .map(|entry| {
            let value = match &entry.node {
                EntryNode::Dictionary => None,
                EntryNode::Value(bytes) => Some(bytes),
            };
            let attributes = entry.attributes.iter();
            Shows {
                path: entry.key.to_string(),
                path_hex: hex::encode(entry.key.as_bytes()),
                kind: if value.is_some() {
                    "value"
                } else {
                    "dictionary"
                },
                size: value.map(Vec::len),
                sha256: value.map(|bytes| hex::encode(Sha256::digest(bytes))),
                attributes: attributes
                    .map(|(kind, data)| (format!("{kind:02x}"), hex::encode(data)))
                    .collect(),
            }
        })
        .collect()
}
