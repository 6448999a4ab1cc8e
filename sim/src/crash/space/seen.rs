//! What became of an epoch's writes in the crash states that have been recovered from.

use super::epoch::Windows;
use super::{Epoch, Open};

/// Of the crash states of an epoch that have been seen: for each write, what has become of it in at least one of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// By place in the epoch.
    writes: Vec<SeenWrite>,
    /// By place: those places, one bit each, that have been kept in a state in which this one is lost. Empty where all
    /// writes are of one chain, as their order is fixed then.
    kept_without: Vec<Box<[u64]>>,
    /// By cut from the epoch's first one on: whether a state has been seen that it leaves.
    cuts: Vec<bool>,
}

/// What has been seen of a write.
#[derive(Clone, Copy, Debug, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is seen or not, whatever the others are"
)]
pub(crate) struct SeenWrite {
    /// Nothing of it was on the medium.
    pub(crate) lost: bool,
    /// All of it was.
    pub(crate) kept: bool,
    /// A part of it was.
    pub(crate) torn: bool,
    /// All of it was, and nothing of a later one.
    pub(crate) kept_last: bool,
    /// A part of it was, and nothing of a later one.
    pub(crate) torn_last: bool,
}

impl Seen {
    /// Nothing, of an epoch.
    pub(crate) fn nothing(epoch: &Epoch) -> Self {
        let writes = epoch.writes.len();
        let (start, end) = epoch.windows.ends();
        let is_ordered = epoch.chains.len() < 2;
        let rows = if is_ordered { 0 } else { writes };
        Self {
            writes: vec![SeenWrite::default(); writes],
            kept_without: vec![vec![0; writes.div_ceil(64)].into(); rows],
            cuts: vec![false; end + 1 - start],
        }
    }

    /// Everything that is there to be seen.
    pub(crate) fn everything(epoch: &std::sync::Arc<Epoch>) -> Self {
        let mut seen = Self::nothing(epoch);
        seen.add(&Open::all(epoch));
        seen
    }

    /// Adds all states that `open` stands for; they are of the same epoch.
    pub(crate) fn add(&mut self, open: &Open) {
        let epoch = &open.epoch;
        let blocks = epoch.writes.len().div_ceil(64);
        let mut kept = vec![0_u64; blocks];
        let mut lost = Vec::new();
        // In every state, this write or a later one has left something.
        let mut reached = None;
        for (chain, left) in epoch.chains.iter().zip(&open.left) {
            let (least, most) = (left[0] as usize, left[left.len() - 1] as usize);
            let fewest = chain.values[least].touched();
            for &place in &chain.writes[..chain.values[most].whole] {
                self.writes[place].kept = true;
                kept[place / 64] |= 1 << (place % 64);
            }
            for &place in &chain.writes[fewest..] {
                self.writes[place].lost = true;
                lost.push(place);
            }
            reached = reached.max(fewest.checked_sub(1).map(|last| chain.writes[last]));
        }
        for (chain, left) in epoch.chains.iter().zip(&open.left) {
            for &value in left {
                let value = chain.values[value as usize];
                let Some(before) = value.touched().checked_sub(1) else {
                    continue;
                };
                let place = chain.writes[before];
                let is_last = Some(place) >= reached;
                let write = &mut self.writes[place];
                write.torn |= value.tear.is_some();
                write.torn_last |= is_last && value.tear.is_some();
                write.kept_last |= is_last && value.tear.is_none();
            }
        }
        if !self.kept_without.is_empty() {
            for place in lost {
                for (row, kept) in self.kept_without[place].iter_mut().zip(&kept) {
                    *row |= kept;
                }
            }
        }
        self.add_cuts(open);
    }

    fn add_cuts(&mut self, open: &Open) {
        let epoch = &open.epoch;
        let (start, _) = epoch.windows.ends();
        let mut add =
            |first: usize, last: usize| self.cuts[first - start..=last - start].fill(true);
        if let (Windows::UntilNext { .. }, [chain]) = (epoch.windows, epoch.chains.as_slice()) {
            // The cuts that leave one state lie apart from those that leave the next.
            for &value in &open.left[0] {
                if chain.values[value as usize].tear.is_none() {
                    let mut one = open.clone();
                    one.left[0] = vec![value];
                    let (first, last) = one.window();
                    add(first, last);
                }
            }
        } else {
            let (first, last) = open.window();
            add(first, last);
        }
    }

    /// By place in the epoch, what has been seen of each write.
    pub(crate) fn writes(&self) -> &[SeenWrite] {
        &self.writes
    }

    /// How many pairs of writes have been seen in both orders: the one lost and the other kept, and the other way round.
    pub(crate) fn both_orders(&self, epoch: &Epoch) -> u64 {
        let mut chain_of = vec![0; epoch.writes.len()];
        for (index, chain) in epoch.chains.iter().enumerate() {
            for &place in &chain.writes {
                chain_of[place] = index;
            }
        }
        let kept_without = |kept: usize, lost: usize| {
            let row = &self.kept_without[lost];
            row[kept / 64] >> (kept % 64) & 1 == 1
        };
        let places = 0..self.kept_without.len();
        let pairs = places.flat_map(|b| (0..b).map(move |a| (a, b)));
        let both = pairs.filter(|&(a, b)| {
            chain_of[a] != chain_of[b] && kept_without(a, b) && kept_without(b, a)
        });
        both.count() as u64
    }

    /// Whether a state has been seen that a cut at this place in the trace leaves: before the event with this index.
    pub(crate) fn has_cut(&self, epoch: &Epoch, cut: usize) -> bool {
        let (start, _) = epoch.windows.ends();
        let cut = cut.checked_sub(start).and_then(|cut| self.cuts.get(cut));
        cut.copied().unwrap_or(false)
    }
}
