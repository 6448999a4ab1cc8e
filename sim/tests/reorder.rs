//! The engine's promises on devices that hold writes back: of what was written since the last sync, any part may have
//! reached the medium, as long as each block's own writes keep their order.

use cutpoint::crash::{CrashState, CrashView};
use cutpoint::default_budget;
use cutpoint::model::{Content, Model, ModelNode};
use cutpoint::record::Recording;
use cutpoint::subjects::EngineSubject;
use cutpoint::trace::{Event, Trace};
use cutpoint::workload::{Workload, builtin};
use cutpoint_engine::device::BlockId;
use cutpoint_engine::{Error, FormatOptions, Item, Key, MountOptions, Node, Sabotage, Store};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::sync::Arc;

/// So many ways to lose writes of one cut are all tried; of more, this many chosen at random.
const WAYS_PER_CUT: usize = 64;

/// What may have become of the writes of an open epoch: how many of each block's, from its first on, have survived.
type Survivors = BTreeMap<BlockId, usize>;

fn ways(open: &[&Event], rng: &mut ChaCha8Rng) -> Vec<Survivors> {
    let mut writes: Survivors = BTreeMap::new();
    for event in open {
        *writes.entry(event.written_block().unwrap()).or_default() += 1;
    }
    let count: usize = writes.values().map(|count| count + 1).product();
    if count > WAYS_PER_CUT {
        let choose = |rng: &mut ChaCha8Rng| {
            let lose = |(&block, &count): (&BlockId, &usize)| (block, rng.random_range(0..=count));
            writes.iter().map(lose).collect()
        };
        return (0..WAYS_PER_CUT).map(|_| choose(rng)).collect();
    }
    let mut ways = vec![Survivors::new()];
    for (&block, &count) in &writes {
        ways = ways
            .iter()
            .flat_map(|way| {
                (0..=count).map(move |kept| {
                    let mut way = way.clone();
                    way.insert(block, kept);
                    way
                })
            })
            .collect();
    }
    ways
}

/// The medium with all of `durable` and the survivors of `open`.
fn medium(trace: &Trace, durable: &[&Event], open: &[&Event], mut way: Survivors) -> CrashView {
    let mut events: Vec<Event> = durable.iter().map(|&event| event.clone()).collect();
    for &event in open {
        let left = way.get_mut(&event.written_block().unwrap()).unwrap();
        if *left > 0 {
            *left -= 1;
            events.push(event.clone());
        }
    }
    let image = trace.image().clone();
    let trace = Trace::new(trace.geometry(), trace.erase_value(), image, events);
    let all = CrashState::prefix(trace.writes());
    CrashView::new(Arc::new(trace), all).unwrap()
}

fn shown(store: &mut Store<&mut CrashView>, what: &str) -> Model {
    let mut model = Model::default();
    let mut insert = |item: Item| {
        let attributes = item.attributes.into_iter();
        let attributes = attributes
            .map(|attribute| (attribute.kind, attribute.data))
            .collect();
        let node = match item.node {
            Node::Dictionary => ModelNode::Dictionary { attributes },
            Node::Value { content, .. } => ModelNode::Value {
                content: Content::bytes(content.unwrap()),
                attributes,
            },
        };
        model.insert(item.key, node);
    };
    store
        .walk(true, &mut insert)
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let attributes = store.attributes(&Key::ROOT).unwrap();
    insert(Item {
        key: Key::ROOT,
        node: Node::Dictionary,
        attributes,
    });
    model
}

/// Recovers from every cut of the workload with every way to lose writes; says how many states that was.
fn sweep(workload: &Workload, mount: MountOptions) -> usize {
    let subject = EngineSubject::new(FormatOptions::default(), mount);
    let recording = Recording::of(&subject, workload, default_budget(workload.geometry())).unwrap();
    let (trace, history) = (recording.trace(), recording.history());
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut durable, mut open): (Vec<&Event>, Vec<&Event>) = (Vec::new(), Vec::new());
    let mut step = 0;
    let mut states = 0;
    for event in trace.events() {
        match event {
            Event::OperationStart(started) => step = *started,
            Event::OperationEnd(_) => assert!(open.is_empty(), "returned before it was durable"),
            Event::Sync => durable.append(&mut open),
            Event::Erase { .. } | Event::Prog { .. } => {
                open.push(event);
                // Until the first format has returned there may be no store.
                if step == 0 {
                    continue;
                }
                let before = history.version_before(step) as usize;
                let after = history.version_before(step + 1) as usize;
                for way in ways(&open, &mut rng) {
                    let what = format!("{}, step {step}, {way:?}", workload.name());
                    let mut medium = medium(trace, &durable, &open, way);
                    recover(
                        &mut medium,
                        mount,
                        &recording.versions()[before..=after],
                        &what,
                    );
                    states += 1;
                }
            }
        }
    }
    states
}

fn recover(medium: &mut CrashView, mount: MountOptions, allowed: &[Model], what: &str) {
    let mut store =
        Store::mount(&mut *medium, &mount).unwrap_or_else(|error| panic!("{what}: {error}"));
    let model = shown(&mut store, what);
    assert!(allowed.contains(&model), "{what}: neither before nor after");
    assert_eq!(store.check().unwrap().damage, [], "{what}");
    match store.set(&Key::new("/works"), b"on") {
        Ok(()) | Err(Error::NoSpace) => {}
        Err(error) => panic!("{what}: {error}"),
    }
    let mut store = Store::mount(medium, &mount).unwrap();
    let report = store.check().unwrap();
    assert_eq!(
        (report.damage, report.repair_pending),
        (Vec::new(), false),
        "{what}"
    );
}

#[test]
fn every_call_is_atomic_and_durable_where_writes_are_held_back() {
    let mut states = 0;
    for workload in builtin::select("all").unwrap() {
        states += sweep(&workload, MountOptions::default());
    }
    assert!(states > 5_000, "{states} states");
}

#[test]
fn pairs_that_move_are_no_exception() {
    for workload in builtin::select("all").unwrap() {
        if workload.geometry().block_size() == 128 {
            sweep(&workload, MountOptions::default().with_block_cycles(1));
        }
    }
}

/// The check can fail: a commit that reaches the medium before what it points to.
#[test]
#[should_panic(expected = "step")]
fn a_commit_before_its_data_is_caught() {
    let workload = builtin::builtin("sizes-512").unwrap();
    let mount = MountOptions::default().with_sabotage(Sabotage::CommitBeforeData);
    sweep(&workload, mount);
}
