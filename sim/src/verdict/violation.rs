use crate::as_text;
use crate::isolate::Stopped;
use crate::op::OperationKind;
use crate::session::Failure;
use crate::subject::{Durability, Health};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A broken promise: what kind of damage, which promise, where it showed, and the particulars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// What kind it is.
    pub kind: ViolationKind,
    /// The promise that it breaks.
    pub promise: Promise,
    /// When it showed.
    pub stage: Stage,
    /// The particulars: the key, what was expected, what was seen.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.kind)?;
        match &self.stage {
            // Where most violations show, so that it needs no words.
            Stage::Recording | Stage::Mount | Stage::Contents | Stage::Check => {}
            stage => write!(f, "{stage}: ")?,
        }
        f.write_str(&self.detail)
    }
}

impl Violation {
    /// The violation that a failed call is: `kind` and `promise` are those of an error that it returned.
    pub(crate) fn of_failure(
        failure: &Failure,
        kind: ViolationKind,
        promise: Promise,
        stage: Stage,
    ) -> Self {
        let (kind, promise, detail) = match failure {
            Failure::Error(error) => (kind, promise, error.to_string()),
            Failure::Stopped(Stopped::Panicked(message)) => {
                (ViolationKind::Panic, Promise::Ends, message.clone())
            }
            Failure::Stopped(Stopped::BudgetExhausted) => (
                ViolationKind::Hang,
                Promise::Ends,
                "used up its budget of device calls".into(),
            ),
            Failure::Misuse(error) => (
                ViolationKind::DeviceMisuse,
                Promise::DeviceRules,
                error.to_string(),
            ),
        };
        Self {
            kind,
            promise,
            stage,
            detail,
        }
    }

    /// The violation that damage is; none where there is none.
    pub(crate) fn of_health(health: &Health, stage: Stage) -> Option<Self> {
        let first = health.damage.first()?;
        let detail = match health.damage.len() - 1 {
            0 => first.clone(),
            more => format!("{first}; {more} more"),
        };
        Some(Self {
            kind: ViolationKind::CheckFailed,
            promise: Promise::Sound,
            stage,
            detail,
        })
    }
}

/// What a violation looks like from outside. The order is from the gravest to the least among those that a comparison
/// of contents finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ViolationKind {
    /// A key that must be there is not.
    LostKey,
    /// A value holds bytes that were never set there.
    TornValue,
    /// A value holds what was set there earlier.
    StaleValue,
    /// A key that was removed is back.
    ResurrectedKey,
    /// A key is there that never was, or it is there twice.
    GhostKey,
    /// A dictionary stands where a value should, or the reverse.
    WrongKind,
    /// Attributes are not those that they should be.
    WrongAttributes,
    /// The store does not mount.
    Unmountable,
    /// Part of the store cannot be read.
    Unreadable,
    /// The structure is damaged.
    CheckFailed,
    /// The store mounts but takes no changes.
    Wedged,
    /// A call panicked.
    Panic,
    /// A call did not end within its budget of device calls.
    Hang,
    /// A call broke the rules of the device.
    DeviceMisuse,
    /// A call returned something else than it should, without a power cut.
    WrongResult,
    /// Another implementation sees something else.
    PeerDisagrees,
    /// The same calls led to something else the second time.
    NotDeterministic,
    /// Recovery goes on writing, boot after boot.
    Restless,
}

impl ViolationKind {
    /// What it is, in a sentence for people who have not met it before.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::LostKey => "A key that must be there is not.",
            Self::TornValue => "A value holds bytes that were never set there.",
            Self::StaleValue => "A value holds what was set there earlier.",
            Self::ResurrectedKey => "A key that was removed is back.",
            Self::GhostKey => "A key is there that never was, or it is there twice.",
            Self::WrongKind => "A dictionary stands where a value should, or the reverse.",
            Self::WrongAttributes => "Attributes are not those that they should be.",
            Self::Unmountable => "The store does not mount: all that it held is out of reach.",
            Self::Unreadable => "Part of the store cannot be read.",
            Self::CheckFailed => "The structure of the store is damaged.",
            Self::Wedged => "The store mounts but takes no changes.",
            Self::Panic => "A call on the store panicked.",
            Self::Hang => "A call on the store did not end.",
            Self::DeviceMisuse => "A call on the store broke the rules of the device.",
            Self::WrongResult => "A call returned something else than it should.",
            Self::PeerDisagrees => "Another implementation sees something else.",
            Self::NotDeterministic => "The same calls led to something else the second time.",
            Self::Restless => "Recovery goes on writing, boot after boot.",
        }
    }

    /// All kinds.
    pub const ALL: [Self; 17] = [
        Self::LostKey,
        Self::TornValue,
        Self::StaleValue,
        Self::ResurrectedKey,
        Self::GhostKey,
        Self::WrongKind,
        Self::WrongAttributes,
        Self::Unmountable,
        Self::Unreadable,
        Self::CheckFailed,
        Self::Wedged,
        Self::Panic,
        Self::Hang,
        Self::DeviceMisuse,
        Self::WrongResult,
        Self::PeerDisagrees,
        Self::NotDeterministic,
    ];
}

/// The last kind is the last of them, so that none is missing.
const _: () = assert!(ViolationKind::ALL.len() == ViolationKind::NotDeterministic as usize + 1);

impl fmt::Display for ViolationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LostKey => "lost key",
            Self::TornValue => "torn value",
            Self::StaleValue => "stale value",
            Self::ResurrectedKey => "resurrected key",
            Self::GhostKey => "ghost key",
            Self::WrongKind => "wrong kind",
            Self::WrongAttributes => "wrong attributes",
            Self::Unmountable => "unmountable",
            Self::Unreadable => "unreadable",
            Self::CheckFailed => "check failed",
            Self::Wedged => "wedged",
            Self::Panic => "panic",
            Self::Hang => "hang",
            Self::DeviceMisuse => "device misuse",
            Self::WrongResult => "wrong result",
            Self::PeerDisagrees => "peer disagrees",
            Self::NotDeterministic => "not deterministic",
            Self::Restless => "restless",
        })
    }
}

/// What a subject promised, or what any store must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Promise {
    /// Changes survive a power cut from this moment on.
    Durable(Durability),
    /// An operation of this kind happens whole or not at all.
    Atomic(OperationKind),
    /// What no call touched stays as it was.
    Intact,
    /// A call does what it is for.
    Meaning,
    /// The store mounts after a power cut.
    Mountable,
    /// What the store shows can be read.
    Readable,
    /// The structural check is clean.
    Sound,
    /// Mounting again shows the same.
    Settled,
    /// A recovered store takes changes and keeps them.
    Usable,
    /// Every call ends, without a panic.
    Ends,
    /// A block that takes no more writes is replaced by another one.
    Replaces,
    /// What a format can tell of a damaged medium, the store does not show as sound.
    Tells,
    /// Other implementations see the same.
    Understood,
    /// Calls on the device keep to its rules.
    DeviceRules,
    /// The same calls on the same device do the same.
    Repeatable,
    /// Once the power stays, recovery comes to an end of its writes.
    Rests,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Durable(Durability::OnReturn) => {
                f.write_str("every change is durable once its call has returned")
            }
            Self::Durable(Durability::OnSync) => {
                f.write_str("every change is durable once a sync after it has returned")
            }
            Self::Atomic(kind) => write!(f, "every {kind} is atomic"),
            Self::Intact => f.write_str("nothing appears that no call put there"),
            Self::Meaning => f.write_str("every call does what it is for"),
            Self::Mountable => f.write_str("the store mounts after a power cut"),
            Self::Readable => f.write_str("what the store shows can be read"),
            Self::Sound => f.write_str("the structural check is clean"),
            Self::Settled => f.write_str("mounting again shows the same"),
            Self::Usable => f.write_str("a recovered store takes changes and keeps them"),
            Self::Ends => f.write_str("every call ends, without a panic"),
            Self::Replaces => f.write_str("a block that takes no more writes is replaced"),
            Self::Tells => f.write_str("damage that checksums can tell is never shown as sound"),
            Self::Understood => f.write_str("other implementations see the same"),
            Self::DeviceRules => f.write_str("calls on the device keep to its rules"),
            Self::Repeatable => f.write_str("the same calls do the same"),
            Self::Rests => f.write_str("once the power stays, recovery comes to rest"),
        }
    }
}

impl Promise {
    /// All of them.
    fn all() -> impl Iterator<Item = Self> {
        let durable = [Durability::OnReturn, Durability::OnSync].map(Self::Durable);
        let others = [
            Self::Intact,
            Self::Meaning,
            Self::Mountable,
            Self::Readable,
            Self::Sound,
            Self::Settled,
            Self::Usable,
            Self::Ends,
            Self::Replaces,
            Self::Tells,
            Self::Understood,
            Self::DeviceRules,
            Self::Repeatable,
            Self::Rests,
        ];
        let atomic = OperationKind::ALL.map(Self::Atomic);
        durable.into_iter().chain(others).chain(atomic)
    }
}

/// A text is no promise as promises print.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{0}' is no promise")]
pub struct ParsePromiseError(String);

impl FromStr for Promise {
    type Err = ParsePromiseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::all()
            .find(|promise| promise.to_string() == text)
            .ok_or_else(|| ParsePromiseError(text.to_owned()))
    }
}

impl Serialize for Promise {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_text::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Promise {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_text::deserialize(deserializer)
    }
}

/// When a violation showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// While the workload ran, without a power cut.
    Recording,
    /// On the first mount after the cut.
    Mount,
    /// When everything was read.
    Contents,
    /// In the structural check.
    Check,
    /// When a medium without a store was formatted.
    FormatAgain,
    /// On the second mount.
    SecondMount,
    /// On this change of the recovered store: an operation as text.
    Epilogue(String),
    /// When everything was read after the changes.
    AfterEpilogue,
    /// On the mount after them.
    MountAfterEpilogue,
    /// When the peer had mounted its copy of the crash state and read everything.
    PeerContents,
    /// When the peer had changed its copy, or when the subject read that.
    PeerChanges,
    /// When the peer had mounted a copy of what the subject has left after its changes.
    PeerAfterEpilogue,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recording => f.write_str("without a power cut"),
            Self::Mount => f.write_str("on the first mount"),
            Self::Contents => f.write_str("when everything was read"),
            Self::Check => f.write_str("in the structural check"),
            Self::FormatAgain => f.write_str("formatting again"),
            Self::SecondMount => f.write_str("on the second mount"),
            Self::Epilogue(operation) => write!(f, "on {operation} after recovery"),
            Self::AfterEpilogue => f.write_str("after further changes"),
            Self::MountAfterEpilogue => f.write_str("on the mount after further changes"),
            Self::PeerContents => f.write_str("on the crash state"),
            Self::PeerChanges => f.write_str("after its changes of a copy"),
            Self::PeerAfterEpilogue => f.write_str("after the subject's further changes"),
        }
    }
}

/// A text is no stage as stages print.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{0}' is no stage of a recovery")]
pub struct ParseStageError(String);

impl FromStr for Stage {
    type Err = ParseStageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fixed = [
            Self::Recording,
            Self::Mount,
            Self::Contents,
            Self::Check,
            Self::FormatAgain,
            Self::SecondMount,
            Self::AfterEpilogue,
            Self::MountAfterEpilogue,
            Self::PeerContents,
            Self::PeerChanges,
            Self::PeerAfterEpilogue,
        ];
        if let Some(stage) = fixed.into_iter().find(|stage| stage.to_string() == text) {
            return Ok(stage);
        }
        text.strip_prefix("on ")
            .and_then(|text| text.strip_suffix(" after recovery"))
            .map(|operation| Self::Epilogue(operation.to_owned()))
            .ok_or_else(|| ParseStageError(text.to_owned()))
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_text::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Stage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_text::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_and_stages_read_what_they_print() {
        let mut texts: Vec<String> = Vec::new();
        for promise in Promise::all() {
            texts.push(promise.to_string());
            assert_eq!(promise.to_string().parse(), Ok(promise));
        }
        texts.sort_unstable();
        assert!(texts.is_sorted_by(|a, b| a < b), "one promise, one text");
        let removal = Stage::Epilogue("remove /d".to_owned());
        for stage in [Stage::Check, Stage::PeerAfterEpilogue, removal] {
            assert_eq!(stage.to_string().parse(), Ok(stage));
        }
        assert!("never".parse::<Promise>().is_err() && "now".parse::<Stage>().is_err());
    }
}
