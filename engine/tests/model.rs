//! The store against a model, over random operations, geometries and remounts.

use cutpoint_engine::device::{Geometry, MemoryDevice};
use cutpoint_engine::{DiskVersion, Error, FormatOptions, Key, Kind, MountOptions, Node, Store};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What a key holds: bytes, or nothing for a dictionary.
type Model = BTreeMap<Key, Option<Vec<u8>>>;

#[derive(Clone, Debug)]
enum Operation {
    Set(Key, usize),
    SetPartial(Key, u32, usize),
    Truncate(Key, u32),
    Allocate(Key, u32),
    Remove(Key),
    Rename(Key, Key),
    CreateDictionary(Key),
    Remount,
}

/// Few names, so that operations meet; one a prefix of another, one long enough to split early.
fn key() -> impl Strategy<Value = Key> {
    let name = prop_oneof![
        4 => (0..24u8).prop_map(|n| format!("k{n}")),
        1 => Just("k".to_owned()),
        1 => Just("a-rather-long-name-of-a-key".to_owned()),
    ];
    let dictionary =
        prop_oneof![3 => Just(""), 3 => Just("/d"), 1 => Just("/d/e"), 1 => Just("/f/g/h")];
    (dictionary, name).prop_map(|(dictionary, name)| Key::new(format!("{dictionary}/{name}")))
}

fn place() -> impl Strategy<Value = Key> {
    prop_oneof![
        8 => key(),
        1 => prop_oneof![Just("/d"), Just("/d/e"), Just("/f/g"), Just("/f"), Just("/")].prop_map(Key::new),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let size = prop_oneof![4 => 0..40usize, 2 => 40..700usize, 1 => 700..5000usize];
    prop_oneof![
        8 => (place(), size).prop_map(|(key, size)| Operation::Set(key, size)),
        4 => (place(), 0..3000u32, 0..900usize)
            .prop_map(|(key, offset, size)| Operation::SetPartial(key, offset, size)),
        2 => (place(), 0..3000u32).prop_map(|(key, size)| Operation::Truncate(key, size)),
        1 => (place(), 0..2000u32).prop_map(|(key, size)| Operation::Allocate(key, size)),
        4 => place().prop_map(Operation::Remove),
        4 => (place(), place()).prop_map(|(source, dest)| Operation::Rename(source, dest)),
        1 => place().prop_map(Operation::CreateDictionary),
        1 => Just(Operation::Remount),
    ]
}

fn geometry() -> impl Strategy<Value = Geometry> {
    prop_oneof![
        Just((128, 1200, 1)),
        Just((128, 1200, 16)),
        Just((128, 1200, 128)),
        Just((256, 400, 8)),
        Just((512, 300, 16)),
        Just((512, 300, 512)),
        Just((4096, 100, 1)),
        Just((4096, 100, 256)),
        Just((4096, 100, 2048)),
    ]
    .prop_map(|(block_size, block_count, prog_size)| {
        Geometry::new(block_size, block_count)
            .unwrap()
            .with_prog_size(prog_size)
            .unwrap()
    })
}

fn value(seed: usize, size: usize) -> Vec<u8> {
    (0..size).map(|i| (i * 7 + seed * 13) as u8).collect()
}

fn below<'m>(model: &'m Model, key: &'m Key) -> impl Iterator<Item = &'m Key> {
    model
        .keys()
        .filter(move |other| *other != key && other.starts_with(key))
}

fn is_dictionary(model: &Model, key: &Key) -> bool {
    key.is_root() || model.get(key).is_some_and(Option::is_none)
}

/// Makes the dictionaries above `key`; the value that stands in the way, if one does.
fn parents(model: &mut Model, key: &Key) -> Result<(), Error> {
    let mut missing = Vec::new();
    let mut above = key.parent();
    while let Some(parent) = above {
        match model.get(&parent) {
            Some(Some(_)) => return Err(Error::DictionaryExpected(parent)),
            Some(None) => break,
            None if parent.is_root() => break,
            None => missing.push(parent.clone()),
        }
        above = parent.parent();
    }
    model.extend(missing.into_iter().map(|parent| (parent, None)));
    Ok(())
}

fn apply(model: &mut Model, operation: &Operation, seed: usize) -> Result<(), Error> {
    match operation {
        Operation::Remount => Ok(()),
        Operation::Set(key, size) => {
            if is_dictionary(model, key) {
                return Err(Error::ValueExpected(key.clone()));
            }
            parents(model, key)?;
            model.insert(key.clone(), Some(value(seed, *size)));
            Ok(())
        }
        Operation::CreateDictionary(key) => {
            if key.is_root() || model.contains_key(key) {
                return Err(Error::AlreadyPresent(key.clone()));
            }
            parents(model, key)?;
            model.insert(key.clone(), None);
            Ok(())
        }
        Operation::Remove(key) => {
            if key.is_root() {
                return Err(Error::RootFixed);
            }
            model.retain(|other, _| !other.starts_with(key));
            Ok(())
        }
        Operation::SetPartial(key, offset, size) => {
            if is_dictionary(model, key) {
                return Err(Error::ValueExpected(key.clone()));
            }
            parents(model, key)?;
            let old = model.entry(key.clone()).or_insert(Some(Vec::new()));
            let old = old.as_mut().unwrap();
            let offset = (*offset as usize).min(old.len());
            let end = offset + size;
            if end > old.len() {
                old.resize(end, 0);
            }
            old[offset..end].copy_from_slice(&value(seed, *size));
            Ok(())
        }
        Operation::Truncate(key, size) => {
            if is_dictionary(model, key) {
                return Err(Error::ValueExpected(key.clone()));
            }
            parents(&mut model.clone(), key)?;
            match model.get_mut(key) {
                Some(Some(old)) => old.resize(*size as usize, 0),
                _ => return Err(Error::NotFound(key.clone())),
            }
            Ok(())
        }
        Operation::Allocate(key, size) => {
            if is_dictionary(model, key) {
                return Err(Error::ValueExpected(key.clone()));
            }
            parents(model, key)?;
            if model.contains_key(key) {
                return Err(Error::AlreadyPresent(key.clone()));
            }
            model.insert(key.clone(), Some(vec![0; *size as usize]));
            Ok(())
        }
        Operation::Rename(source, dest) => rename(model, source, dest),
    }
}

fn rename(model: &mut Model, source: &Key, dest: &Key) -> Result<(), Error> {
    if source.is_root() {
        return Err(Error::RootFixed);
    }
    let Some(node) = model.get(source).cloned() else {
        return Err(Error::NotFound(source.clone()));
    };
    if source == dest {
        return Ok(());
    }
    if node.is_none() && dest.starts_with(source) {
        return Err(Error::RenameSourcePrefix {
            source: source.clone(),
            dest: dest.clone(),
        });
    }
    let inside = is_dictionary(model, dest);
    let target = if inside {
        dest.child(source.name().unwrap())
    } else {
        dest.clone()
    };
    if target == *source {
        return Ok(());
    }
    match model.get(&target) {
        Some(None) => return Err(Error::AlreadyPresent(target)),
        Some(Some(_)) if node.is_none() && inside => return Err(Error::AlreadyPresent(target)),
        Some(Some(_)) if node.is_none() => return Err(Error::ValueExpected(source.clone())),
        _ => parents(model, &target)?,
    }
    let moved: Vec<Key> = model
        .keys()
        .filter(|key| key.starts_with(source))
        .cloned()
        .collect();
    for key in moved {
        let node = model.remove(&key).unwrap();
        let rest = &key.as_bytes()[source.as_bytes().len()..];
        model.insert(Key::new([target.as_bytes(), rest].concat()), node);
    }
    Ok(())
}

fn contents(store: &mut Store<MemoryDevice>) -> Model {
    let mut model = Model::new();
    store
        .walk(true, &mut |item| {
            let value = match item.node {
                Node::Dictionary => None,
                Node::Value { content, .. } => content,
            };
            assert!(model.insert(item.key, value).is_none(), "a key twice");
        })
        .unwrap();
    model
}

fn assert_sound(store: &mut Store<MemoryDevice>) {
    let report = store.check().unwrap();
    assert_eq!(report.damage, [], "damage");
    assert!(!report.repair_pending);
}

fn run(geometry: Geometry, version: DiskVersion, options: MountOptions, operations: &[Operation]) {
    let mut device = MemoryDevice::new(geometry);
    Store::format(&mut device, &FormatOptions::default().with_version(version)).unwrap();
    let mut store = Store::mount(device, &options).unwrap();
    let mut model = Model::new();
    for (seed, operation) in operations.iter().enumerate() {
        let mut next = model.clone();
        let expected = apply(&mut next, operation, seed);
        let got = match operation {
            Operation::Set(key, size) => store.set(key, &value(seed, *size)),
            Operation::SetPartial(key, offset, size) => {
                store.set_partial(key, *offset, &value(seed, *size))
            }
            Operation::Truncate(key, size) => store.truncate(key, *size),
            Operation::Allocate(key, size) => store.allocate(key, *size),
            Operation::Remove(key) => store.remove(key),
            Operation::Rename(source, dest) => store.rename(source, dest),
            Operation::CreateDictionary(key) => store.create_dictionary(key),
            Operation::Remount => {
                store = Store::mount(store.unmount(), &options).unwrap();
                Ok(())
            }
        };
        assert_eq!(got, expected, "{operation:?}");
        if got.is_ok() {
            model = next;
        }
        assert_sound(&mut store);
        assert_eq!(contents(&mut store), model, "after {operation:?}");
    }
    for (key, node) in &model {
        if let Some(value) = node {
            assert_eq!(store.get(key).as_ref(), Ok(value));
            assert_eq!(store.size(key), Ok(value.len() as u64));
            let middle = value.len() / 3;
            let part = store.get_partial(key, middle as u32, 700).unwrap();
            assert_eq!(part, value[middle..(middle + 700).min(value.len())]);
            assert_eq!(
                store.get_partial(key, value.len() as u32 + 1, 5),
                Ok(Vec::new())
            );
            continue;
        }
        let listed = store.list(key).unwrap().into_iter().map(|(key, _)| key);
        let expected = below(&model, key).filter(|other| other.parent().as_ref() == Some(key));
        assert!(listed.eq(expected.cloned()), "entries of {key}");
        assert_eq!(store.exists(key), Ok(Some(Kind::Dictionary)));
    }
    let mut store = Store::mount(store.unmount(), &options).unwrap();
    assert_eq!(contents(&mut store), model);
    assert_sound(&mut store);
}

/// 300 cases, or as many as `PROPTEST_CASES` says. A failure is written down as a case by hand, not as a seed.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(300),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn agrees_with_the_model(
        geometry in geometry(),
        version in prop_oneof![Just(DiskVersion::V2_1), Just(DiskVersion::V2_0)],
        lookahead in prop_oneof![Just(1 << 16), Just(7)],
        index in prop::sample::select(vec![0, 300, 1000, 64 << 10]),
        cycles in prop::sample::select(vec![0, 1, 2, 5, 500]),
        operations in prop::collection::vec(operation(), 1..120),
    ) {
        let options = MountOptions::default().with_lookahead(lookahead).with_block_cycles(cycles).with_index(index);
        run(geometry, version, options, &operations);
    }
}

#[test]
fn holds_several_thousand_keys_in_one_dictionary() {
    let geometry = Geometry::new(512, 4096)
        .unwrap()
        .with_prog_size(16)
        .unwrap();
    let mut device = MemoryDevice::new(geometry);
    Store::format(&mut device, &FormatOptions::default()).unwrap();
    let mut store = Store::mount(device, &MountOptions::default()).unwrap();
    for i in 0..1500u32 {
        // 769 and 1500 have no common factor, so the order is shuffled.
        let key = Key::new(format!("/d/key{:05}", i * 769 % 1500));
        store.set(&key, &value(i as usize, 32)).unwrap();
    }
    assert_eq!(store.list(&Key::new("/d")).unwrap().len(), 1500);
    assert_sound(&mut store);
    for i in 0..1500u32 {
        let key = Key::new(format!("/d/key{:05}", i * 769 % 1500));
        assert_eq!(store.get(&key).unwrap(), value(i as usize, 32));
    }
    for i in (0..1500).rev() {
        store.remove(&Key::new(format!("/d/key{i:05}"))).unwrap();
    }
    store.remove(&Key::new("/d")).unwrap();
    assert_sound(&mut store);
    assert_eq!(store.check().unwrap().blocks_used, 2);
}

#[test]
fn nests_dictionaries_40_deep() {
    let geometry = Geometry::new(128, 512).unwrap();
    let mut device = MemoryDevice::new(geometry);
    Store::format(&mut device, &FormatOptions::default()).unwrap();
    let options = MountOptions::default().with_block_cycles(3);
    let mut store = Store::mount(device, &options).unwrap();
    let deep = |depth: usize| Key::new("/d".repeat(depth));
    // The deepest first: all above it are made in one step.
    for depth in (1..=40).rev() {
        store
            .set(&deep(depth).child("v"), &[depth as u8; 9])
            .unwrap();
        assert_sound(&mut store);
    }
    let mut store = Store::mount(store.unmount(), &options).unwrap();
    for depth in 1..=40 {
        assert_eq!(store.get(&deep(depth).child("v")), Ok(vec![depth as u8; 9]));
    }
    assert_eq!(store.size(&Key::ROOT), Ok(40 * 9));
    store.rename(&deep(20), &Key::new("/moved")).unwrap();
    let moved = Key::new(format!("/moved{}/v", "/d".repeat(20)));
    assert_eq!(store.get(&moved), Ok(vec![40; 9]));
    store.remove(&Key::new("/moved")).unwrap();
    store.remove(&deep(1)).unwrap();
    assert_sound(&mut store);
    assert_eq!(store.list(&Key::ROOT), Ok(Vec::new()));
}
