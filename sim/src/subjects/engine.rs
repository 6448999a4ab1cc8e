use crate::model::Attributes;
use crate::op::Operation;
use crate::phase::{Phase, PhaseMark};
use crate::refusal::Refusal;
use crate::subject::{
    BadBlocks, Checks, Contents, Device, Entry, EntryNode, Health, Mounted, Promises, Subject,
    SubjectError, Times,
};
use crate::workload::Workload;
use cutpoint_engine::{
    Attribute, Clock, DiskVersion, Error, FormatOptions, Item, Key, MountError, MountOptions, Node,
    Store, Timestamp,
};
use std::cell::Cell;
use std::rc::Rc;

/// The key-value store of this workspace, which promises everything that [`Promises::default`] states, to keep times, and
/// to replace all bad blocks but the first two.
#[derive(Clone, Debug, Default)]
pub struct EngineSubject {
    format: FormatOptions,
    mount: MountOptions,
}

impl EngineSubject {
    /// Its name, which a command line may leave out.
    pub const NAME: &'static str = "engine";

    /// The engine with these settings.
    pub fn new(format: FormatOptions, mount: MountOptions) -> Self {
        Self { format, mount }
    }

    /// The same, formatting in this version, where one is given: as a workload says.
    #[must_use]
    pub fn formatting_in(self, version: Option<DiskVersion>) -> Self {
        let format = self.format;
        Self {
            format: version.map_or(format, |version| format.with_version(version)),
            ..self
        }
    }

    /// The engine as this workload wants it.
    pub fn for_workload(workload: &Workload) -> Self {
        Self::default()
            .moving_after(workload.block_cycles())
            .formatting_in(workload.disk_version())
    }

    /// The same, moving pairs after so many compactions, where a number is given: as a workload says.
    #[must_use]
    pub fn moving_after(self, compactions: Option<u32>) -> Self {
        let mount = self.mount;
        Self {
            mount: compactions.map_or(mount, |compactions| mount.with_block_cycles(compactions)),
            ..self
        }
    }
}

impl Subject for EngineSubject {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn promises(&self) -> Promises {
        Promises {
            times: Times::Kept,
            bad_blocks: BadBlocks::ReplacedBeyond(2),
            checks: Checks::LittlefsCommits,
            ..Promises::default()
        }
    }

    fn format(&self, device: Device) -> Result<(), SubjectError> {
        Store::format(device, &self.format).map_err(of_error)
    }

    fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        let store = Store::mount(device, &self.mount).map_err(of_mount_error)?;
        let clock = ToldTime::default();
        Ok(Box::new(MountedEngine {
            store: store.with_clock(clock.clone()),
            clock,
        }))
    }
}

/// A clock that shows what it was last told.
#[derive(Clone, Default)]
struct ToldTime(Rc<Cell<Option<Timestamp>>>);

impl Clock for ToldTime {
    fn now(&mut self) -> Option<Timestamp> {
        self.0.get()
    }
}

struct MountedEngine {
    store: Store<Device, ToldTime>,
    clock: ToldTime,
}

impl Mounted for MountedEngine {
    fn set_time(&mut self, now: Timestamp) {
        self.clock.0.set(Some(now));
    }

    fn show_phases(&mut self, mark: PhaseMark) {
        let listener = move |phase: Option<cutpoint_engine::Phase>| {
            mark.show(phase.map(|phase| Phase::new(phase.name())));
        };
        self.store.tell_phases(listener);
    }

    fn apply(&mut self, operation: &Operation) -> Result<(), SubjectError> {
        let store = &mut self.store;
        match operation {
            Operation::Set { key, value } => store.set(key, &value.bytes()),
            Operation::SetPartial { key, offset, value } => {
                store.set_partial(key, *offset, &value.bytes())
            }
            Operation::Truncate { key, size } => store.truncate(key, *size),
            Operation::Allocate { key, size } => store.allocate(key, *size),
            Operation::SetAttribute { key, kind, data } => {
                store.set_attribute(key, *kind, &data.bytes())
            }
            Operation::RemoveAttribute { key, kind } => store.remove_attribute(key, *kind),
            Operation::Remove { key } => store.remove(key),
            Operation::Rename { source, dest } => store.rename(source, dest),
            Operation::CreateDictionary { key } => store.create_dictionary(key),
            // Every call is durable when it returns.
            Operation::Sync | Operation::Remount => Ok(()),
        }
        .map_err(of_error)
    }

    fn contents(&mut self) -> Result<Contents, SubjectError> {
        let mut entries = Vec::new();
        let mut unread = None;
        self.store
            .walk(true, &mut |item| match of_item(item) {
                Ok(entry) => entries.push(entry),
                Err(key) => unread = Some(key),
            })
            .map_err(of_error)?;
        if let Some(key) = unread {
            return Err(SubjectError::Other(format!(
                "the walk was asked for values and left {key} out"
            )));
        }
        let root = self.store.attributes(&Key::ROOT).map_err(of_error)?;
        Ok(Contents::new(entries, of_attributes(root)))
    }

    fn check(&mut self) -> Result<Health, SubjectError> {
        let report = self.store.check().map_err(of_error)?;
        Ok(Health {
            damage: report.damage.iter().map(ToString::to_string).collect(),
            repair_pending: report.repair_pending,
        })
    }
}

fn of_item(item: Item) -> Result<Entry, Key> {
    let node = match item.node {
        Node::Dictionary => EntryNode::Dictionary,
        Node::Value {
            content: Some(bytes),
            ..
        } => EntryNode::Value(bytes),
        Node::Value { content: None, .. } => return Err(item.key),
    };
    Ok(Entry {
        key: item.key,
        node,
        attributes: of_attributes(item.attributes),
    })
}

fn of_attributes(attributes: Vec<Attribute>) -> Attributes {
    attributes
        .into_iter()
        .map(|attribute| (attribute.kind, attribute.data))
        .collect()
}

fn of_error(error: Error) -> SubjectError {
    SubjectError::Refused(match error {
        Error::NotFound(_) => Refusal::NotFound,
        Error::DictionaryExpected(_) => Refusal::DictionaryExpected,
        Error::ValueExpected(_) => Refusal::ValueExpected,
        Error::AlreadyPresent(_) => Refusal::AlreadyPresent,
        Error::RenameSourcePrefix { .. } => Refusal::RenameSourcePrefix,
        Error::RootFixed => Refusal::RootFixed,
        Error::NoSpace => Refusal::NoSpace,
        Error::NameTooLong { .. }
        | Error::NameNotAllowed(_)
        | Error::ValueTooLong { .. }
        | Error::AttributeTooLong { .. }
        | Error::EntryTooLarge(_) => Refusal::Unsupported,
        Error::ReadOnly => Refusal::ReadOnly,
        Error::Corrupt(corruption) => return SubjectError::Corrupt(corruption.to_string()),
        Error::Device(error) => return SubjectError::Device(error),
        other => return SubjectError::Other(other.to_string()),
    })
}

fn of_mount_error(error: MountError) -> SubjectError {
    match error {
        MountError::Corrupt(corruption) => SubjectError::Corrupt(corruption.to_string()),
        MountError::Device(error) => SubjectError::Device(error),
        other => SubjectError::Unmountable(other.to_string()),
    }
}
