use super::Epoch;
use super::epoch::{Chain, ChainValue, Windows};
use crate::crash::write::Write;
use crate::crash::{CrashState, Fate, Flaw};
use cutpoint_engine::device::BlockId;
use num_bigint::BigUint;
use rand::{Rng, RngExt};
use std::sync::Arc;

/// What is not decided of an epoch: for each chain, what may still have become of it. It stands for all crash states that
/// can be put together from these.
#[derive(Clone, Debug)]
pub struct Open {
    pub(super) epoch: Arc<Epoch>,
    /// By chain: values that are left, ascending; never none.
    pub(super) left: Vec<Vec<u32>>,
}

/// What a value of a chain makes of some bytes of a block: those that it leaves as they were are none.
pub(in super::super) type Effect = Vec<Option<u8>>;

/// Values of a chain that make the same of some bytes.
#[derive(Debug)]
pub(in super::super) struct Class {
    pub(in super::super) effect: Effect,
    pub(in super::super) values: Vec<u32>,
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
    pub(super) fn may_be_nothing(&self) -> bool {
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
        self.one(|count| rng.random_range(0..count))
    }

    /// One of the states: for each chain of writes, `choose` is told how many things may have become of it, at least one,
    /// and gives the number of one of them, from 0; a number too large counts modulo.
    pub fn pick(&self, choose: impl FnMut(usize) -> usize) -> CrashState {
        self.one(choose).least()
    }

    fn one(&self, mut choose: impl FnMut(usize) -> usize) -> Self {
        let mut one = |left: &Vec<u32>| vec![left[choose(left.len()) % left.len()]];
        Self {
            epoch: Arc::clone(&self.epoch),
            left: self.left.iter().map(&mut one).collect(),
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

    pub(super) fn state(&self, pick: impl Fn(&[u32]) -> u32) -> CrashState {
        let picked: Vec<u32> = self.left.iter().map(|left| pick(left)).collect();
        self.picked(&picked)
    }

    pub(super) fn picked(&self, values: &[u32]) -> CrashState {
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
    pub(super) fn window(&self) -> (usize, usize) {
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
    pub(in super::super) fn chains_of(&self, block: BlockId) -> &[usize] {
        self.epoch.by_block.get(&block).map_or(&[], Vec::as_slice)
    }

    /// The values left of a chain, in classes by what they make of `length` bytes from `offset` on of a block, as far as
    /// `wanted` says. Where it is known what the bytes were, `below`, what they are counts, not how they came to be.
    pub(in super::super) fn classes(
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
    pub(in super::super) fn is_open(
        &self,
        chain: usize,
        block: BlockId,
        offset: u32,
        length: usize,
    ) -> bool {
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
    pub(in super::super) fn settled(
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

    pub(super) fn touching(
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
    pub(in super::super) fn narrow(&mut self, chain: usize, values: Vec<u32>) {
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
