//! How an entry of a store is printed, as JSON for programs and as text for people.

use cutpoint_engine::{Attribute, Key, Kind};
use serde::Serialize;
use std::collections::BTreeMap;

/// A key in JSON: `path` is for people, `path_hex` has the exact bytes.
#[derive(Debug, Serialize)]
pub(super) struct JsonPath {
    path: String,
    path_hex: String,
}

impl From<&Key> for JsonPath {
    fn from(key: &Key) -> Self {
        Self {
            path: String::from_utf8_lossy(key.as_bytes()).into_owned(),
            path_hex: hex::encode(key.as_bytes()),
        }
    }
}

/// A kind in JSON.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum JsonKind {
    Value,
    Dictionary,
}

impl From<Kind> for JsonKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Value => Self::Value,
            Kind::Dictionary => Self::Dictionary,
        }
    }
}

/// Attributes in JSON: type and bytes in hexadecimal.
pub(super) fn json_attributes(attributes: &[Attribute]) -> BTreeMap<String, String> {
    attributes
        .iter()
        .map(|attribute| (hex::encode([attribute.kind]), hex::encode(&attribute.data)))
        .collect()
}

/// A key as text: a dictionary ends in a slash.
pub(super) fn text_path(key: &Key, kind: Kind) -> String {
    match kind {
        Kind::Dictionary if !key.is_root() => format!("{key}/"),
        _ => key.to_string(),
    }
}
