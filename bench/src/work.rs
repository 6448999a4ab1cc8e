//! A row made ready for one side: its keys, how often, and the loop that is measured.

use crate::row::{Draw, KeyOperation, Order, Row, Start, ValueOperation};
use crate::subject::{Subject, Summary};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The dictionary that all keys are in.
const DICTIONARY: &str = "/d";
/// The large value.
const LARGE: &str = "/d/large";
/// Bytes of a small value.
const SMALL: usize = 32;
/// Bytes of a part of a large value.
const PART: usize = 4096;
/// How many calls a measured loop makes, about: enough for the clock.
const CALLS: u32 = 200;
/// How many times it overwrites: enough for logs to be compacted as often as they are in the long run.
const OVERWRITES: u32 = 2000;
/// How many entries a measured loop reads, about, where a call reads them all.
const ENTRIES: u32 = 4000;
/// How many bytes a measured loop moves, about.
const BYTES: u32 = 2 << 20;

/// A row for one side.
pub(crate) struct Work<S: Subject> {
    action: Action,
    /// The keys of one round.
    keys: Vec<S::Key>,
    rounds: u32,
    /// What is written.
    value: Vec<u8>,
    /// What is read into.
    buffer: Vec<u8>,
    /// How many times what the numbers are per is done.
    pub(crate) operations: u32,
    /// How many keys are found and bytes are read in all, if the side does what it should.
    pub(crate) found: usize,
}

#[derive(Clone, Copy)]
enum Action {
    Set,
    Exists,
    Read,
    List,
    Remove,
    Mount,
    Summarise(Summary),
    ReadParts,
    ReadThrough,
    Append,
    AppendThrough,
}

/// Puts on an empty store what a row starts from.
pub(crate) fn prepare<S: Subject>(store: &mut S, start: Start, draw: Draw) {
    store.create_dictionary(&S::key(DICTIONARY));
    match start {
        Start::Empty => {}
        Start::Filled(count, order) => {
            let value = bytes(SMALL, 0);
            for path in paths(count, order, draw) {
                store.set(&S::key(&path), &value);
            }
        }
        Start::Value(size) => store.set(&S::key(LARGE), &bytes(size as usize, 0)),
    }
}

/// Brings a store that has just been mounted to the state in which it usually is: it has been searched before.
pub(crate) fn warm_up<S: Subject>(store: &mut S) {
    // Behind all others.
    store.exists(&S::key(&format!("{DICTIONARY}/zzz")));
}

impl<S: Subject> Work<S> {
    pub(crate) fn new(row: Row, draw: Draw) -> Self {
        match row {
            Row::Keys {
                operation,
                count,
                created,
            } => Self::on_keys(operation, count, created, draw),
            Row::Value { operation, size } => Self::on_value(operation, size),
        }
    }

    fn on_keys(operation: KeyOperation, count: u32, created: Order, draw: Draw) -> Self {
        let dictionary = || vec![DICTIONARY.to_owned()];
        // Not the order in which they were created.
        let other = Draw(draw.0 + 1000);
        let other_paths = || paths(count, Order::Shuffled, other);
        let removed = |order| paths(count, order, other);
        let sample = || {
            let mut paths = other_paths();
            paths.truncate(CALLS as usize);
            paths
        };
        let few = || (CALLS / count).max(1);
        let per_entry = || (ENTRIES / count).clamp(1, CALLS);
        let (action, paths, rounds) = match operation {
            KeyOperation::Create => (Action::Set, paths(count, created, draw), 1),
            KeyOperation::LookupHit => (Action::Exists, sample(), few()),
            KeyOperation::LookupMiss => {
                let absent = sample().into_iter().map(|path| path + "x");
                (Action::Exists, absent.collect(), few())
            }
            KeyOperation::Get => (Action::Read, sample(), few()),
            KeyOperation::Overwrite => (Action::Set, other_paths(), OVERWRITES.div_ceil(count)),
            KeyOperation::List => (Action::List, dictionary(), per_entry()),
            KeyOperation::Remove(order) => (Action::Remove, removed(order), 1),
            KeyOperation::Mount => (Action::Mount, dictionary(), per_entry()),
            KeyOperation::Summary(summary) => {
                (Action::Summarise(summary), dictionary(), per_entry())
            }
        };
        let per_round = match action {
            Action::List => count,
            _ => paths.len() as u32,
        };
        let operations = per_round * rounds;
        let found = match operation {
            KeyOperation::LookupHit | KeyOperation::List => operations as usize,
            KeyOperation::Get => operations as usize * SMALL,
            _ => 0,
        };
        Self {
            action,
            keys: paths.iter().map(|path| S::key(path)).collect(),
            rounds,
            value: bytes(SMALL, 1),
            buffer: vec![0; SMALL],
            operations,
            found,
        }
    }

    fn on_value(operation: ValueOperation, size: u32) -> Self {
        let parts = size.div_ceil(PART as u32);
        let often = BYTES / size;
        let (action, rounds, operations) = match operation {
            ValueOperation::WriteWhole => (Action::Set, 1, often),
            ValueOperation::ReadWhole => (Action::Read, often, often),
            ValueOperation::ReadParts => (Action::ReadParts, often, often * parts),
            ValueOperation::ReadPartsOpen => (Action::ReadThrough, often, often * parts),
            ValueOperation::AppendParts => (Action::Append, 1, parts),
            ValueOperation::AppendPartsOpen => (Action::AppendThrough, 1, parts),
        };
        let keys = match operation {
            ValueOperation::WriteWhole => {
                let paths = (0..often).map(|index| format!("{LARGE}{index}"));
                paths.map(|path| S::key(&path)).collect()
            }
            _ => vec![S::key(LARGE)],
        };
        let found = match operation {
            ValueOperation::ReadWhole
            | ValueOperation::ReadParts
            | ValueOperation::ReadPartsOpen => (size * rounds) as usize,
            _ => 0,
        };
        Self {
            action,
            keys,
            rounds,
            value: bytes(size as usize, 1),
            buffer: vec![0; size as usize],
            operations,
            found,
        }
    }

    /// What is measured, and nothing else; also says how many keys and bytes were found. Not inlined: instructions
    /// are counted between its start and its end.
    #[inline(never)]
    pub(crate) fn measured_loop(&mut self, mut store: S) -> (S, usize) {
        let mut found = 0;
        for _ in 0..self.rounds {
            for key in &self.keys {
                match self.action {
                    Action::Set => store.set(key, &self.value),
                    Action::Exists => found += usize::from(store.exists(key)),
                    Action::Read => found += store.read_at(key, 0, &mut self.buffer),
                    Action::List => found += store.list(key),
                    Action::Remove => store.remove(key),
                    Action::Mount => store = S::mount(store.unmount()),
                    Action::Summarise(summary) => {
                        store.summarise(key, summary);
                    }
                    Action::ReadParts => {
                        for (index, part) in self.buffer.chunks_mut(PART).enumerate() {
                            found += store.read_at(key, (index * PART) as u32, part);
                        }
                    }
                    Action::ReadThrough => {
                        found += store.read_through(key, &mut self.buffer, PART);
                    }
                    Action::Append => {
                        for (index, part) in self.value.chunks(PART).enumerate() {
                            store.append(key, (index * PART) as u32, part);
                        }
                    }
                    Action::AppendThrough => store.append_through(key, &self.value, PART),
                }
            }
        }
        (store, found)
    }
}

/// The paths of `count` keys.
fn paths(count: u32, order: Order, draw: Draw) -> Vec<String> {
    let mut paths: Vec<String> = (0..count)
        .map(|index| format!("{DICTIONARY}/key{index:05}"))
        .collect();
    if order == Order::Shuffled {
        paths.shuffle(&mut ChaCha8Rng::seed_from_u64(u64::from(draw.0)));
    }
    paths
}

/// Bytes that are not all alike; another `salt` gives others.
fn bytes(length: usize, salt: u8) -> Vec<u8> {
    (0..length)
        .map(|index| (index as u8).wrapping_mul(31) ^ ((index >> 8) as u8) ^ salt)
        .collect()
}
