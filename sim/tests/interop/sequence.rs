//! One sequence of turns with power cuts.

use crate::changes::{self, Writer};
use crate::image::{apply, same_lines};
use crate::model::{Change, Entry, Model};
use crate::worker::{Progress, Settings, Worker};
use cutpoint::crash::{CrashState, CrashView};
use cutpoint::disk::RecordingDisk;
use cutpoint::guard::Guarded;
use cutpoint::shared::Shared;
use cutpoint::trace::{Event, Image, Trace};
use cutpoint_engine::device::{BlockDevice, BlockId, Geometry, MemoryDevice};
use cutpoint_engine::{DiskVersion, FormatOptions, Key, MountOptions, Node, Store};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

const TURNS: usize = 12;
/// A name that no change uses.
const PROBE: &[u8] = b"/probe";

/// Block size, block count, program size.
const GEOMETRIES: [(u32, u32, u32); 11] = [
    (128, 1024, 1),
    (128, 1024, 16),
    (128, 1024, 128),
    (256, 512, 64),
    (512, 512, 1),
    (512, 512, 16),
    (512, 512, 512),
    (1024, 256, 1),
    (2048, 192, 256),
    (4096, 128, 1),
    (4096, 128, 512),
];

/// What has been tried.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sequences: u32,
    pub(crate) turns: u32,
    pub(crate) engine_cuts: u32,
    pub(crate) c_cuts: u32,
    /// Cuts with a change in flight of which the store showed nothing, of the engine's and of the C littlefs's.
    pub(crate) before: [u32; 2],
    /// Of which it showed all.
    pub(crate) after: [u32; 2],
    /// The C littlefs's with a new value still empty.
    pub(crate) created_empty: u32,
    /// Cuts after which something was left to repair.
    pub(crate) repairs: [u32; 2],
    /// Cuts after which pairs of split dictionaries may have been left on the list without a parent.
    pub(crate) windows: u32,
    /// Readings in which the C littlefs overlooked an entry until its repair.
    pub(crate) overlooked: u32,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.sequences += other.sequences;
        self.turns += other.turns;
        self.engine_cuts += other.engine_cuts;
        self.c_cuts += other.c_cuts;
        for side in 0..2 {
            self.before[side] += other.before[side];
            self.after[side] += other.after[side];
            self.repairs[side] += other.repairs[side];
        }
        self.created_empty += other.created_empty;
        self.windows += other.windows;
        self.overlooked += other.overlooked;
    }
}

/// An image that both sides write to, and what must be in it.
pub(crate) struct Sequence<'a> {
    worker: &'a mut Worker,
    rng: ChaCha8Rng,
    geometry: Geometry,
    settings: Settings,
    image: Vec<u8>,
    model: Model,
    /// The engine lost power in the removal of a dictionary that holds others, and has made no change since: parts of
    /// split dictionaries may be on the list without a parent, which the C littlefs's repair is not told of.
    /// docs/engine.md names what must not happen then: that the C littlefs loses power.
    window: bool,
    /// What the C littlefs may fail to see before its repair: the entry behind the one that a pending move names
    /// (docs/interop.md).
    overlooked: Option<Vec<u8>>,
    tally: Tally,
}

impl<'a> Sequence<'a> {
    /// An empty store of a geometry, disk version and maker that hang on the seed.
    pub(crate) fn new(worker: &'a mut Worker, seed: u64, log: &mut Vec<String>) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let &(block_size, block_count, prog_size) = GEOMETRIES.choose(&mut rng).unwrap();
        let geometry = Geometry::new(block_size, block_count)
            .unwrap()
            .with_prog_size(prog_size)
            .unwrap();
        let mut settings = Settings::new(geometry);
        let version = *[DiskVersion::V2_0, DiskVersion::V2_1]
            .choose(&mut rng)
            .unwrap();
        if version == DiskVersion::V2_0 {
            settings.disk_version = 0x0002_0000;
        }
        let by_engine = rng.random();
        let image = if by_engine {
            let mut device = MemoryDevice::new(geometry);
            Store::format(&mut device, &FormatOptions::default().with_version(version)).unwrap();
            device.into_image()
        } else {
            worker.format(settings)
        };
        // Left to itself, the C littlefs makes 2.1 of it with its first write.
        if rng.random_ratio(1, 3) {
            settings.disk_version = 0;
        }
        let maker = if by_engine {
            "the engine"
        } else {
            "the C littlefs"
        };
        log.push(format!("{geometry}; version {version:?}, made by {maker}"));
        Self {
            worker,
            rng,
            geometry,
            settings,
            image,
            model: Model::default(),
            window: false,
            overlooked: None,
            tally: Tally {
                sequences: 1,
                ..Tally::default()
            },
        }
    }

    /// Takes all turns. What is done is in `log` before it is.
    pub(crate) fn run(mut self, log: &mut Vec<String>) -> Tally {
        let block_size = self.geometry.block_size();
        let sizes: Vec<_> = changes::boundary_sizes(block_size)
            .into_iter()
            .filter(|&size| size <= 2 * block_size as usize + 1)
            .collect();
        for turn in 0..TURNS {
            let writer = *[Writer::Engine, Writer::C].choose(&mut self.rng).unwrap();
            if turn == TURNS / 2 && !self.window {
                self.turn(writer, &changes::moved_in(block_size), None, log);
                let path = changes::OUTER.to_vec();
                let cut = Some(self.rng.random());
                self.turn(Writer::Engine, &[Change::Remove { path }], cut, log);
                continue;
            }
            let mut changes = if turn == 0 {
                changes::split_dictionaries(block_size)
            } else {
                let count = *[1, 1, 2, 3, 8].choose(&mut self.rng).unwrap();
                changes::random(
                    &mut self.model.clone(),
                    &mut self.rng,
                    writer,
                    &sizes,
                    count,
                )
            };
            if writer == Writer::C && self.repair_pending() {
                // The C littlefs does not repair before it changes attributes, and hits another entry
                // (interop/misplaced_attribute.py).
                let of_attributes = changes.iter().take_while(|change| change.is_of_attribute());
                changes.drain(..of_attributes.count());
            }
            let may_cut = writer == Writer::Engine || !self.window;
            let cut = (may_cut && self.rng.random_ratio(3, 4)).then(|| self.rng.random());
            self.turn(writer, &changes, cut, log);
        }
        self.tally
    }

    /// One side makes changes, and may lose power in between; then all must agree on what is there.
    fn turn(
        &mut self,
        writer: Writer,
        changes: &[Change],
        cut: Option<u64>,
        log: &mut Vec<String>,
    ) {
        let mut states = vec![self.model.clone()];
        for change in changes {
            let mut next = states[states.len() - 1].clone();
            next.apply(change);
            states.push(next);
        }
        self.vary();
        let changes_listed: Vec<_> = changes.iter().map(Change::to_string).collect();
        let name = if writer == Writer::C {
            "the C littlefs"
        } else {
            "the engine"
        };
        log.push(format!("{name}: {}", changes_listed.join("; ")));
        let progress = match writer {
            Writer::Engine => {
                let cycles = *[0, 1, 2, 500].choose(&mut self.rng).unwrap();
                log.push(format!("  block cycles {cycles}"));
                let options = MountOptions::default().with_block_cycles(cycles);
                let (progress, image) =
                    change_with_engine(&self.image, self.geometry, &options, changes, cut);
                self.image = image;
                progress
            }
            Writer::C => {
                log.push(format!("  {:?}", self.settings));
                let (progress, image) =
                    self.worker.change(self.settings, &self.image, changes, cut);
                self.image = image;
                progress
            }
        };
        log.push(format!(
            "  {} of {} writes, {} changes done",
            progress.kept, progress.writes, progress.done
        ));
        self.tally.turns += 1;

        let in_flight = changes.get(progress.done);
        let mut allowed = vec![states[progress.done].clone()];
        allowed.extend(states.get(progress.done + 1).cloned());
        if let (Writer::C, Some(Change::Set { path, .. })) = (writer, in_flight)
            && !allowed[0].contains(path)
        {
            // The C littlefs makes a new file in a commit of its own.
            let mut empty = allowed[0].clone();
            empty.apply(&Change::Set {
                path: path.clone(),
                data: Vec::new(),
            });
            allowed.push(empty);
        }
        let seen = self.settle(&allowed);
        self.count(writer, cut, in_flight, seen);
        if writer == Writer::Engine {
            // Its first change repairs.
            let still = self.window && progress.done == 0;
            let removal = matches!(in_flight, Some(Change::Remove { path })
                if states[progress.done].holds_dictionaries(path) && seen == 1);
            self.window = still || removal;
            self.tally.windows += u32::from(removal);
        }
        if seen == 1 || progress.done > 0 {
            self.overlooked = match in_flight {
                Some(Change::Remove { path } | Change::Rename { path, .. }) => {
                    states[progress.done].behind(path)
                }
                _ => None,
            };
        }
        self.model = allowed.swap_remove(seen);
        self.agree();
    }

    /// Other options for the C littlefs than in the last turn.
    fn vary(&mut self) {
        // The C littlefs loses what an inline value holds beyond its cache.
        let smallest = self
            .geometry
            .prog_size()
            .max(self.geometry.block_size() / 8);
        let sizes = [self.geometry.block_size(), smallest];
        // A small cache makes more programs of a commit, so that a cut can tear it.
        self.settings.cache_size = *sizes.choose(&mut self.rng).unwrap();
    }

    /// Which of the `allowed` states the image shows.
    fn settle(&mut self, allowed: &[Model]) -> usize {
        let tree = read_with_engine(&self.image, self.geometry).tree();
        let seen = allowed.iter().position(|model| model.tree() == tree);
        seen.unwrap_or_else(|| {
            same_lines(
                &tree,
                &allowed[0].tree(),
                "the engine",
                "the cut (against the state before the change)",
            );
            unreachable!("the trees differ");
        })
    }

    fn count(&mut self, writer: Writer, cut: Option<u64>, in_flight: Option<&Change>, seen: usize) {
        if cut.is_none() {
            return;
        }
        let side = usize::from(writer == Writer::C);
        self.tally.engine_cuts += u32::from(writer == Writer::Engine);
        self.tally.c_cuts += u32::from(writer == Writer::C);
        if in_flight.is_some() {
            match seen {
                0 => self.tally.before[side] += 1,
                1 => self.tally.after[side] += 1,
                _ => self.tally.created_empty += 1,
            }
        }
        self.tally.repairs[side] += u32::from(self.repair_pending());
    }

    fn repair_pending(&self) -> bool {
        let mut store = mount(&self.image, self.geometry);
        store.check().unwrap().repair_pending
    }

    /// All readers see the model: both sides before any repair, and both after the repair of each.
    fn agree(&mut self) {
        let expected = self.model.tree();
        let repaired_by_c = self.c_sees(&self.image.clone(), &expected, "as it is");
        let tree = read_with_engine(&repaired_by_c, self.geometry).tree();
        same_lines(&tree, &expected, "the engine", "the C littlefs's repair");
        if !self.window {
            self.nothing_pending(&repaired_by_c, "the C littlefs's repair");
        }

        let probe = |change: fn(Vec<u8>) -> Change| [change(PROBE.to_vec())];
        let options = MountOptions::default();
        let made = probe(|path| Change::MakeDictionary { path });
        let (_, repaired) = change_with_engine(&self.image, self.geometry, &options, &made, None);
        let mut with_probe = self.model.clone();
        with_probe.apply(&made[0]);
        let tree = read_with_engine(&repaired, self.geometry).tree();
        same_lines(&tree, &with_probe.tree(), "the engine", "its own repair");
        self.nothing_pending(&repaired, "the engine's repair");
        let repaired = self.c_sees(&repaired, &with_probe.tree(), "after the engine's repair");

        // And back, with a write on the C littlefs's side.
        let removed = probe(|path| Change::Remove { path });
        let (_, image) = self.worker.change(self.settings, &repaired, &removed, None);
        let tree = read_with_engine(&image, self.geometry).tree();
        same_lines(
            &tree,
            &expected,
            "the engine",
            "a removal by the C littlefs",
        );
    }

    /// The image after the C littlefs's repair.
    fn c_sees(&mut self, image: &[u8], expected: &str, state: &str) -> Vec<u8> {
        let (trees, repaired) = self.worker.trees(self.settings, image);
        let without = self
            .overlooked
            .as_ref()
            .map(|path| self.model.without(path).tree());
        if without.is_some_and(|tree| tree == trees.found) {
            self.tally.overlooked += 1;
        } else {
            let reader = format!("the C littlefs, the image {state},");
            same_lines(&trees.found, expected, &reader, "the turn");
        }
        same_lines(
            &trees.repaired,
            expected,
            &format!("the C littlefs, the image {state},"),
            "the C littlefs's repair",
        );
        repaired
    }

    fn nothing_pending(&self, image: &[u8], after: &str) {
        let report = mount(image, self.geometry).check().unwrap();
        assert!(
            !report.repair_pending,
            "after {after}, something is left to repair"
        );
    }
}

/// The image after the changes, or after some of their writes where the power is `cut`, as in [`Worker::change`].
pub(crate) fn change_with_engine(
    image: &[u8],
    geometry: Geometry,
    options: &MountOptions,
    changes: &[Change],
    cut: Option<u64>,
) -> (Progress, Vec<u8>) {
    let start = Image::new(image, geometry).unwrap();
    let disk = Shared::new(RecordingDisk::on(start, geometry, 0xff));
    let mut store = Store::mount(disk.clone(), options).unwrap();
    for (index, change) in changes.iter().enumerate() {
        apply(&mut store, change).unwrap_or_else(|error| panic!("{change}: {error}"));
        disk.with(|disk| disk.end_operation(index as u32));
    }
    drop(store);
    disk.with(|disk| assert_eq!(disk.guard().misuse(), None));
    let trace = disk.into_inner().expect("the store is gone").into_trace();
    let writes = trace.writes();
    let kept = cut.map_or(writes, |cut| (cut % (u64::from(writes) + 1)) as u32);
    let done = changes_done(&trace, kept);
    let mut view = CrashView::new(Arc::new(trace), CrashState::prefix(kept)).unwrap();
    let mut left = vec![0; image.len()];
    for (block, bytes) in (0..).zip(left.chunks_mut(geometry.block_size() as usize)) {
        view.read(BlockId::new(block), 0, bytes).unwrap();
    }
    let progress = Progress {
        writes: writes as usize,
        kept: kept as usize,
        done,
    };
    (progress, left)
}

/// How many changes were complete after `kept` writes.
fn changes_done(trace: &Trace, kept: u32) -> usize {
    let mut writes = 0;
    let mut done = 0;
    for event in trace.events() {
        writes += u32::from(event.written_block().is_some());
        done += usize::from(matches!(event, Event::OperationEnd(_)) && writes <= kept);
    }
    done
}

fn mount(image: &[u8], geometry: Geometry) -> Store<MemoryDevice> {
    let device = MemoryDevice::from_image(image.to_vec(), geometry.block_size()).unwrap();
    Store::mount(device, &MountOptions::default()).unwrap()
}

/// All that the engine sees, of a structure without damage.
pub(crate) fn read_with_engine(image: &[u8], geometry: Geometry) -> Model {
    let mut store = mount(image, geometry);
    let mut model = Model::default();
    store
        .walk(true, &mut |item| {
            let content = match item.node {
                Node::Dictionary => None,
                Node::Value { content, .. } => content,
            };
            let attributes = item
                .attributes
                .into_iter()
                .map(|one| (one.kind, one.data))
                .collect();
            model.insert(
                path_of(&item.key),
                Entry {
                    content,
                    attributes,
                },
            );
        })
        .unwrap();
    assert_eq!(store.check().unwrap().damage, []);
    model
}

fn path_of(key: &Key) -> Vec<u8> {
    key.segments()
        .fold(Vec::new(), |path, name| [&path, &b"/"[..], name].concat())
}
