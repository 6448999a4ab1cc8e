mod seen;

pub(crate) use seen::{Seen, SeenWrite};

use super::tear::Tear;
use super::write::Write;
use super::{CrashState, Cuts, Fate, Flaw, Outlook, Reached};
use crate::contract::{Contract, Order, Sets, Sync, Tearing};
use crate::trace::Event;
use cutpoint_engine::device::{BlockId, Geometry};
use num_bigint::BigUint;
use rand::{Rng, RngExt};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The crash states of a run that a contract allows, epoch by epoch.
///
/// A state is counted in one epoch only: the one of the last write of which anything reached the medium.
#[derive(Clone, Debug)]
pub struct Space {
    epochs: Vec<Arc<Epoch>>,
    cuts: Cuts,
}

/// The writes between two completed syncs, and what may have become of them.
///
/// They fall into chains that have nothing to do with each other: what reached the medium of one chain says nothing about
/// the others. Which chains there are is the contract's [`Order`].
#[derive(Debug)]
pub struct Epoch {
    /// The writes before it, all of them durable.
    before: u32,
    erase_value: u8,
    block_size: u32,
    writes: Vec<EpochWrite>,
    chains: Vec<Chain>,
    /// By block, the chains that write to it, the newest first.
    by_block: BTreeMap<BlockId, Vec<usize>>,
    windows: Windows,
    /// The state in which all is lost belongs to an epoch before this one.
    follows: bool,
}

#[derive(Debug)]
struct EpochWrite {
    number: u32,
    event: Event,
    /// The cut before it.
    cut: usize,
}

/// Writes that reach the medium in this order.
#[derive(Debug)]
struct Chain {
    /// Places in the epoch's list of writes.
    writes: Vec<usize>,
    /// What may have become of them.
    values: Vec<ChainValue>,
}

/// The first writes of a chain reached the medium, so many; of the next one a part did, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ChainValue {
    whole: usize,
    tear: Option<Tear>,
}

/// Which cuts leave a state.
#[derive(Clone, Copy, Debug)]
enum Windows {
    /// Those before the next write. `start`: the first that leaves the state in which all is lost; `end`: the last that
    /// leaves the one in which nothing is.
    UntilNext { start: usize, end: usize },
    /// All from its last write on to `end`, where the epoch ends.
    UntilSync { start: usize, end: usize },
}

impl Windows {
    /// The first and the last of the epoch's cuts.
    fn ends(self) -> (usize, usize) {
        let (Self::UntilNext { start, end } | Self::UntilSync { start, end }) = self;
        (start, end)
    }
}

impl Space {
    /// The states of a run with these events on a device of these sizes that erases to `erase_value`. Its first write has
    /// the number `first`.
    pub fn of(
        events: &[Event],
        first: u32,
        geometry: Geometry,
        erase_value: u8,
        contract: &Contract,
        cuts: Cuts,
    ) -> Self {
        let mut epochs = Vec::new();
        let mut open: Vec<EpochWrite> = Vec::new();
        let (mut number, mut start) = (first, 0);
        let mut close = |open: &mut Vec<EpochWrite>, next: u32, start: usize, end: usize| {
            let writes = std::mem::take(open);
            let before = next - writes.len() as u32;
            let follows = !epochs.is_empty();
            let build = Build {
                geometry,
                erase_value,
                contract,
            };
            epochs.push(Arc::new(build.epoch(before, writes, start, end, follows)));
        };
        for (cut, event) in events.iter().enumerate() {
            if event.written_block().is_some() {
                let event = event.clone();
                // In the order of issue, a state lasts until the next write, over syncs and all.
                if contract.order == Order::Issued
                    && let Some(last) = open.last()
                    && epoch_ended(events, last.cut, cut, contract)
                {
                    let begin = start;
                    start = last.cut + 1;
                    close(&mut open, number, begin, cut);
                }
                open.push(EpochWrite { number, event, cut });
                number += 1;
            } else if *event == Event::Sync
                && contract.sync == Sync::Trusted
                && contract.order != Order::Issued
            {
                if !open.is_empty() {
                    close(&mut open, number, start, cut);
                }
                start = cut + 1;
            }
        }
        if !open.is_empty() || contract.order != Order::Issued || number == first {
            close(&mut open, number, start, events.len());
        }
        Self { epochs, cuts }
    }

    /// The epochs, in order.
    pub fn epochs(&self) -> &[Arc<Epoch>] {
        &self.epochs
    }

    /// How many states there are.
    pub fn states(&self) -> BigUint {
        self.epochs.iter().map(|epoch| epoch.states()).sum()
    }

    /// The epoch that the write with this number is in; none where there is no such write.
    pub fn epoch_with(&self, write: u32) -> Option<&Arc<Epoch>> {
        let has = |epoch: &&Arc<Epoch>| {
            let first = epoch.before();
            (first..first + epoch.len() as u32).contains(&write)
        };
        self.epochs.iter().find(has)
    }

    /// The last epoch that has the state; none where the contract does not allow it.
    pub fn epoch_of(&self, state: &CrashState) -> Option<&Arc<Epoch>> {
        let mut last_first = self.epochs.iter().rev();
        last_first.find(|epoch| epoch.window_of(state).is_some())
    }

    /// What may be shown of the states that `open` stands for, all of them.
    pub fn outlook(&self, open: &Open) -> Outlook {
        let (first, last) = open.window();
        self.cuts.outlook(first, last)
    }

    /// What may be shown of one state; none where the contract does not allow the state.
    pub fn outlook_of(&self, state: &CrashState) -> Option<Outlook> {
        let windows = self
            .epochs
            .iter()
            .filter_map(|epoch| epoch.window_of(state));
        let (first, last) = windows.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        Some(self.cuts.outlook(first, last))
    }
}

/// Whether a sync closed the epoch between two writes, given by their cuts.
fn epoch_ended(events: &[Event], write: usize, next: usize, contract: &Contract) -> bool {
    contract.sync == Sync::Trusted && events[write..next].contains(&Event::Sync)
}

struct Build<'a> {
    geometry: Geometry,
    erase_value: u8,
    contract: &'a Contract,
}

impl Build<'_> {
    fn epoch(
        &self,
        before: u32,
        writes: Vec<EpochWrite>,
        start: usize,
        end: usize,
        follows: bool,
    ) -> Epoch {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut of_block: BTreeMap<BlockId, usize> = BTreeMap::new();
        for (place, write) in writes.iter().enumerate() {
            let block = write.event.written_block().unwrap_or(BlockId::new(0));
            let group = match self.contract.order {
                Order::Issued if groups.is_empty() => None,
                Order::Issued => Some(0),
                Order::PerBlock => of_block.get(&block).copied(),
                Order::Any => None,
            };
            let group = group.unwrap_or_else(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            of_block.insert(block, group);
            groups[group].push(place);
        }
        let windows = match self.contract.order {
            Order::Issued => Windows::UntilNext { start, end },
            Order::PerBlock | Order::Any => Windows::UntilSync { start, end },
        };
        let chains: Vec<Chain> = groups
            .into_iter()
            .map(|places| Chain {
                values: self.values(&places, &writes),
                writes: places,
            })
            .collect();
        let mut by_block: BTreeMap<BlockId, Vec<usize>> = BTreeMap::new();
        for (chain, places) in chains.iter().enumerate().rev() {
            for &place in &places.writes {
                let block = writes[place]
                    .event
                    .written_block()
                    .unwrap_or(BlockId::new(0));
                let chains = by_block.entry(block).or_default();
                if chains.last() != Some(&chain) {
                    chains.push(chain);
                }
            }
        }
        Epoch {
            before,
            erase_value: self.erase_value,
            block_size: self.geometry.block_size(),
            writes,
            chains,
            by_block,
            windows,
            follows,
        }
    }

    fn values(&self, places: &[usize], writes: &[EpochWrite]) -> Vec<ChainValue> {
        let mut values = Vec::new();
        for whole in 0..=places.len() {
            values.push(ChainValue { whole, tear: None });
            let Some(write) = places.get(whole).map(|&place| &writes[place]) else {
                break;
            };
            let block_size = self.geometry.block_size();
            if let Some(write) = Write::of(write.number, &write.event, block_size, self.erase_value)
            {
                let torn = self.tears(&write).into_iter();
                values.extend(torn.map(|tear| ChainValue {
                    whole,
                    tear: Some(tear),
                }));
            }
        }
        values
    }

    /// What may be left of a write that the cut met.
    fn tears(&self, write: &Write<'_>) -> Vec<Tear> {
        let tearing = if write.is_erase() {
            self.contract.erase
        } else {
            self.contract.program
        };
        let Tearing::Units {
            unit,
            sets,
            noise,
            zeroed_tail,
        } = tearing
        else {
            return Vec::new();
        };
        let unit = unit.bytes(self.geometry);
        let units = Tear::units(unit, write.start, write.length());
        let mut reached: Vec<Reached> = match sets {
            Sets::All { up_to } if units <= up_to.min(16) => {
                let all = ((1_u32 << units) - 1) as u16;
                (1..all).map(Reached::Set).collect()
            }
            Sets::All { .. } | Sets::Classes => {
                let front = (1..units).map(Reached::First);
                let back = (1..units).map(Reached::Last);
                // Without the first or the last unit, it is a run.
                let holes = (1..units.max(2) - 1).map(Reached::AllBut);
                front.chain(back).chain(holes).collect()
            }
        };
        if noise {
            reached.extend((0..units).map(Reached::Spoiled));
        }
        if zeroed_tail && write.is_erase() {
            reached.extend((1..=units).map(Reached::ZeroedTail));
        }
        let tears = reached.into_iter().map(|reached| Tear { unit, reached });
        tears.filter(|&tear| write.can_be(tear)).collect()
    }
}

impl Epoch {
    /// How many crash states are counted in this epoch.
    pub fn states(&self) -> BigUint {
        let all: BigUint = self.chains.iter().map(|chain| chain.values.len()).product();
        all - u32::from(self.follows)
    }

    /// How many writes came before it; they are durable.
    pub fn before(&self) -> u32 {
        self.before
    }

    /// How many writes there are.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    fn write(&self, place: usize) -> Write<'_> {
        let EpochWrite { number, event, .. } = &self.writes[place];
        match Write::of(*number, event, self.block_size, self.erase_value) {
            Some(write) => write,
            None => unreachable!("only writes are in an epoch"),
        }
    }

    /// The window of the state where this epoch has it.
    fn window_of(self: &Arc<Self>, state: &CrashState) -> Option<(usize, usize)> {
        let first = self.before;
        let inside = |&(write, _): &(u32, Flaw)| write >= first;
        let next = first + self.writes.len() as u32;
        if state.issued() < first || state.issued() > next || !state.flaws().iter().all(inside) {
            return None;
        }
        let mut open = Open::all(self);
        for (chain, left) in self.chains.iter().zip(&mut open.left) {
            left.retain(|&value| {
                let fates =
                    (0..chain.writes.len()).map(|place| chain.values[value as usize].fate(place));
                let numbers = chain.writes.iter().map(|&place| self.writes[place].number);
                fates
                    .zip(numbers)
                    .all(|(fate, number)| fate == state.fate(number))
            });
            if left.is_empty() {
                return None;
            }
        }
        Some(open.window())
    }
}

impl ChainValue {
    /// The fate of the chain's write at `place`.
    fn fate(self, place: usize) -> Fate {
        match self.tear {
            _ if place < self.whole => Fate::Persisted,
            Some(tear) if place == self.whole => Fate::Torn(tear),
            _ => Fate::Lost,
        }
    }

    /// How many of the chain's writes left anything on the medium.
    fn touched(self) -> usize {
        self.whole + usize::from(self.tear.is_some())
    }
}

/// What is not decided of an epoch: for each chain, what may still have become of it. It stands for all crash states that
/// can be put together from these.
#[derive(Clone, Debug)]
pub struct Open {
    epoch: Arc<Epoch>,
    /// By chain: values that are left, ascending; never none.
    left: Vec<Vec<u32>>,
}

/// What a value of a chain makes of some bytes of a block: those that it leaves as they were are none.
pub(super) type Effect = Vec<Option<u8>>;

/// Values of a chain that make the same of some bytes.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) effect: Effect,
    pub(super) values: Vec<u32>,
}

impl Open {
    /// Nothing is decided.
    pub fn all(epoch: &Arc<Epoch>) -> Self {
        let chains = epoch.chains.iter();
        Self {
            epoch: Arc::clone(epoch),
            left: chains
                .map(|chain| (0..chain.values.len() as u32).collect())
                .collect(),
        }
    }

    /// Those of the states in which nothing has reached the medium of the write with this number and of all behind it.
    #[must_use]
    pub fn before(mut self, write: u32) -> Self {
        let epoch = &self.epoch;
        for (chain, left) in epoch.chains.iter().zip(&mut self.left) {
            let is_before = |&place: &usize| epoch.writes[place].number < write;
            let most = chain.writes.iter().take_while(|&place| is_before(place));
            let most = most.count();
            left.retain(|&value| chain.values[value as usize].touched() <= most);
        }
        self
    }

    /// The epoch.
    pub fn epoch(&self) -> &Arc<Epoch> {
        &self.epoch
    }

    /// How many crash states these are, of those that are counted in this epoch.
    pub fn states(&self) -> BigUint {
        let all: BigUint = self.left.iter().map(Vec::len).product();
        all - u32::from(self.epoch.follows && self.may_be_nothing())
    }

    /// Whether all writes may be lost.
    fn may_be_nothing(&self) -> bool {
        self.left.iter().all(|left| left.first() == Some(&0))
    }

    /// The state with the fewest writes on the medium, which is what the others are if everything undecided is lost.
    pub fn least(&self) -> CrashState {
        self.state(|left| left[0])
    }

    /// The state with the most writes on the medium.
    pub fn most(&self) -> CrashState {
        self.state(|left| left[left.len() - 1])
    }

    /// All the states, where they are at most `limit`.
    pub fn each(&self, limit: usize) -> Option<Vec<CrashState>> {
        let mut picks: Vec<Vec<u32>> = vec![Vec::new()];
        for left in &self.left {
            if picks.len() * left.len() > limit {
                return None;
            }
            picks = picks
                .iter()
                .flat_map(|pick| {
                    left.iter()
                        .map(move |&value| [pick.as_slice(), &[value]].concat())
                })
                .collect();
        }
        Some(picks.iter().map(|pick| self.picked(pick)).collect())
    }

    /// One of the states, each as likely as any other.
    pub fn any(&self, rng: &mut impl Rng) -> CrashState {
        self.any_one(rng).least()
    }

    /// One of the states, each as likely as any other, and nothing open.
    pub(crate) fn any_one(&self, rng: &mut impl Rng) -> Self {
        let picked = self
            .left
            .iter()
            .map(|left| vec![left[rng.random_range(0..left.len())]])
            .collect();
        Self {
            epoch: Arc::clone(&self.epoch),
            left: picked,
        }
    }

    /// The state in which the first `whole` writes of the epoch reached the medium and no other did, where the writes
    /// have one order; none where they have not, or there are fewer.
    pub(crate) fn prefix(epoch: &Arc<Epoch>, whole: usize) -> Option<Self> {
        let left = match epoch.chains.as_slice() {
            [] => (whole == 0).then(Vec::new)?,
            [chain] => {
                let is_it = |value: &ChainValue| value.whole == whole && value.tear.is_none();
                vec![vec![chain.values.iter().position(is_it)? as u32]]
            }
            _ => return None,
        };
        Some(Self {
            epoch: Arc::clone(epoch),
            left,
        })
    }

    fn state(&self, pick: impl Fn(&[u32]) -> u32) -> CrashState {
        let picked: Vec<u32> = self.left.iter().map(|left| pick(left)).collect();
        self.picked(&picked)
    }

    fn picked(&self, values: &[u32]) -> CrashState {
        let epoch = &self.epoch;
        let mut fates = vec![Fate::Lost; epoch.writes.len()];
        for (chain, &value) in epoch.chains.iter().zip(values) {
            for (index, &place) in chain.writes.iter().enumerate() {
                fates[place] = chain.values[value as usize].fate(index);
            }
        }
        let first = epoch.before;
        let reached = fates.iter().rposition(|&fate| fate != Fate::Lost);
        let issued = first + reached.map_or(0, |last| last as u32 + 1);
        let flaws = fates
            .iter()
            .zip(first..issued)
            .filter_map(|(fate, number)| match fate {
                Fate::Persisted => None,
                Fate::Lost => Some((number, Flaw::Lost)),
                Fate::Torn(tear) => Some((number, Flaw::Torn(*tear))),
            });
        CrashState::with_flaws(issued, flaws.collect())
    }

    /// The first and the last of the cuts that leave one of these states.
    fn window(&self) -> (usize, usize) {
        let epoch = &self.epoch;
        match epoch.windows {
            Windows::UntilNext { start, end } => {
                let Some((chain, left)) = epoch.chains.iter().zip(&self.left).next() else {
                    return (start, end);
                };
                let value = |place: usize| chain.values[left[place] as usize];
                let (least, most) = (value(0), value(left.len() - 1));
                let cut_of = |index: usize| epoch.writes.get(index).map(|write| write.cut);
                let first = match (least.whole.checked_sub(1), least.tear) {
                    (_, Some(_)) => cut_of(least.whole).unwrap_or(start),
                    (Some(whole), None) => cut_of(whole).map_or(start, |cut| cut + 1),
                    (None, None) => start,
                };
                (first, cut_of(most.whole).unwrap_or(end))
            }
            Windows::UntilSync { start, end } => {
                let chains = epoch.chains.iter().zip(&self.left);
                let last_touched = chains.filter_map(|(chain, left)| {
                    let fewest = left
                        .iter()
                        .map(|&value| chain.values[value as usize].touched())
                        .min()?;
                    let last = fewest.checked_sub(1)?;
                    Some(epoch.writes[chain.writes[last]].cut + 1)
                });
                (last_touched.max().unwrap_or(start), end)
            }
        }
    }

    /// The chains that write to a block, the newest first.
    pub(super) fn chains_of(&self, block: BlockId) -> &[usize] {
        self.epoch.by_block.get(&block).map_or(&[], Vec::as_slice)
    }

    /// The values left of a chain, in classes by what they make of `length` bytes from `offset` on of a block, as far as
    /// `wanted` says. Where it is known what the bytes were, `below`, what they are counts, not how they came to be.
    pub(super) fn classes(
        &self,
        chain: usize,
        block: BlockId,
        offset: u32,
        wanted: &[bool],
        below: Option<&[u8]>,
    ) -> Vec<Class> {
        let places = &self.epoch.chains[chain];
        let length = wanted.len();
        let mut so_far: Effect = match below {
            Some(bytes) => bytes
                .iter()
                .zip(wanted)
                .map(|(&byte, &wanted)| wanted.then_some(byte))
                .collect(),
            None => vec![None; length],
        };
        let mut applied = 0;
        let mut classes: Vec<Class> = Vec::new();
        // Most values make the same of these bytes as the one before.
        let mut class_of_whole: Option<usize> = None;
        for &value in &self.left[chain] {
            let ChainValue { whole, tear } = places.values[value as usize];
            while applied < whole {
                if let Some(write) = self.touching(places.writes[applied], block, offset, length) {
                    apply(&write, Fate::Persisted, offset, wanted, &mut so_far);
                    class_of_whole = None;
                }
                applied += 1;
            }
            let torn = tear.and_then(|tear| {
                let write = self.touching(places.writes[whole], block, offset, length)?;
                let mut effect = so_far.clone();
                apply(&write, Fate::Torn(tear), offset, wanted, &mut effect);
                Some(effect)
            });
            match (torn, class_of_whole) {
                (Some(effect), _) => {
                    put(&mut classes, value, &effect);
                }
                (None, Some(class)) => classes[class].values.push(value),
                (None, None) => class_of_whole = Some(put(&mut classes, value, &so_far)),
            }
        }
        classes
    }

    /// Whether these bytes hang on what is open of a chain.
    pub(super) fn is_open(&self, chain: usize, block: BlockId, offset: u32, length: usize) -> bool {
        let Chain { writes, values } = &self.epoch.chains[chain];
        let left = &self.left[chain];
        let [Some(&least), Some(&most)] = [left.first(), left.last()] else {
            return false;
        };
        // All values have the writes before the least of them, and none those behind the most.
        let open = values[least as usize].whole..values[most as usize].touched();
        let touches = |&place: &usize| self.touching(place, block, offset, length).is_some();
        left.len() > 1 && writes[open].iter().any(touches)
    }

    /// What a chain makes of some bytes that hang on nothing open of it.
    pub(super) fn settled(
        &self,
        chain: usize,
        block: BlockId,
        offset: u32,
        wanted: &[bool],
    ) -> Effect {
        let places = &self.epoch.chains[chain];
        let mut effect = vec![None; wanted.len()];
        let value = places.values[self.left[chain][0] as usize];
        for (index, &place) in places.writes.iter().enumerate().take(value.touched()) {
            if let Some(write) = self.touching(place, block, offset, wanted.len()) {
                apply(&write, value.fate(index), offset, wanted, &mut effect);
            }
        }
        effect
    }

    fn touching(
        &self,
        place: usize,
        block: BlockId,
        offset: u32,
        length: usize,
    ) -> Option<Write<'_>> {
        let of_block = self.epoch.writes[place].event.written_block() == Some(block);
        let write = of_block.then(|| self.epoch.write(place))?;
        write.touches(offset, length).then_some(write)
    }

    /// Decides that a chain has one of these values.
    pub(super) fn narrow(&mut self, chain: usize, values: Vec<u32>) {
        self.left[chain] = values;
    }
}

fn apply(write: &Write<'_>, fate: Fate, offset: u32, wanted: &[bool], effect: &mut Effect) {
    write.change(fate, offset, wanted.len(), |place, byte| {
        if wanted[place] {
            effect[place] = Some(byte);
        }
    });
}

/// Puts a value to those that make the same of the bytes; says which class that is.
fn put(classes: &mut Vec<Class>, value: u32, effect: &Effect) -> usize {
    if let Some(class) = classes.iter().position(|class| class.effect == *effect) {
        classes[class].values.push(value);
        return class;
    }
    classes.push(Class {
        effect: effect.clone(),
        values: vec![value],
    });
    classes.len() - 1
}
