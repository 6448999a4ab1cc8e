//! Less of a crash state, and the one write that decides.

use super::Nature;
use crate::crash::{CrashState, Fate, Flaw, Reached, Tear};
use crate::explore::{Found, Place, Replay, Sweep};
use crate::trace::Event;
use std::fmt;

/// A single write whose fate decides: with another one, nothing would be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flip {
    /// Its number, among the writes of what the last power cut fell into.
    pub write: u32,
    /// What it is, in words.
    pub what: String,
    /// What has become of it.
    pub fate: Fate,
    /// With what else nothing would be wrong.
    pub instead: Fate,
}

impl fmt::Display for Flip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |fate| match fate {
            Fate::Persisted => "on the medium".to_owned(),
            Fate::Lost => "lost".to_owned(),
            Fate::Torn(tear) => format!("torn ({tear})"),
        };
        let (fate, instead) = (words(self.fate), words(self.instead));
        let Self { write, what, .. } = self;
        write!(
            f,
            "write {write} ({what}) is {fate}; were it {instead}, nothing would be wrong"
        )
    }
}

/// The least crash state of a sweep that shows the same as `found` and can be reached from it step by step, and the write
/// that decides there. Each look takes from `left`.
pub(super) fn least(sweep: Sweep<'_>, found: Found, left: &mut u64) -> (Found, Option<Flip>) {
    let nature = Nature::of(&found);
    let Place::State(state) = &found.place else {
        return (found, None);
    };
    let mut look = Look { sweep, left };
    let mut levels = levels(state);
    // The witness is there; looking at it is what the rest is about.
    let Some(mut replay) = look.at(&levels) else {
        return (found, None);
    };
    let mut least = found;
    'less: loop {
        for smaller in smaller(&replay, &levels) {
            let there = look.at(&smaller);
            let shown = there.and_then(|replay| Some((replay.found()?, replay)));
            if let Some((found, there)) = shown.filter(|(found, _)| Nature::of(found) == nature) {
                (levels, least, replay) = (smaller, found, there);
                continue 'less;
            }
        }
        break;
    }
    let flip = flip(&mut look, &replay, &levels);
    (least, flip)
}

/// Looks at single crash states.
struct Look<'a, 'l> {
    sweep: Sweep<'a>,
    left: &'l mut u64,
}

impl<'a> Look<'a, '_> {
    /// The state, replayed; none where there is no such state, or there have been enough looks.
    fn at(&mut self, levels: &[CrashState]) -> Option<Replay<'a>> {
        if *self.left == 0 {
            return None;
        }
        // Two recordings and a recovery.
        *self.left = self.left.saturating_sub(3);
        self.sweep.replay(&joined(levels)?).ok()
    }
}

/// The cuts of a state, one by one.
fn levels(state: &CrashState) -> Vec<CrashState> {
    std::iter::successors(Some(state), |state| state.then())
        .map(CrashState::first_cut)
        .collect()
}

fn joined(levels: &[CrashState]) -> Option<CrashState> {
    let (first, rest) = levels.split_first()?;
    let rest = rest.iter().cloned();
    Some(rest.fold(first.clone(), CrashState::and_then))
}

/// States with a cut less, a torn write less, a torn unit less, or a write less on the medium.
fn smaller(replay: &Replay<'_>, levels: &[CrashState]) -> Vec<Vec<CrashState>> {
    let mut smaller = Vec::new();
    if let [before @ .., _] = levels
        && !before.is_empty()
    {
        smaller.push(before.to_vec());
    }
    for (place, level) in levels.iter().enumerate() {
        let with = |write, fate| {
            let mut levels = levels.to_vec();
            levels[place] = level.with_fate(write, fate);
            levels
        };
        for &(write, flaw) in level.flaws() {
            if let Flaw::Torn(tear) = flaw {
                smaller.push(with(write, Fate::Lost));
                smaller.push(with(write, Fate::Persisted));
                smaller.extend(fewer_units(tear).map(|tear| with(write, Fate::Torn(tear))));
            }
        }
        let kept = in_flight(replay, level, place == 0);
        let kept = kept.filter(|&write| level.fate(write) == Fate::Persisted);
        smaller.extend(kept.map(|write| with(write, Fate::Lost)));
    }
    smaller
}

/// How far back writes are looked at where it is not known which of them were in flight.
const NEAR: u32 = 16;

/// The writes up to a cut that may have been in flight, the last first.
fn in_flight(replay: &Replay<'_>, level: &CrashState, is_first: bool) -> impl Iterator<Item = u32> {
    let space = is_first.then(|| replay.recording.space_with(replay.contract, replay.syncs));
    let epoch = space.as_ref().and_then(|space| space.epoch_of(level));
    let near = level.issued().saturating_sub(NEAR);
    // In an epoch of its own, the last write is the only one; those before it may be lost with it.
    let first = epoch.map_or(near, |epoch| {
        epoch.before().min(level.issued().saturating_sub(1))
    });
    (first..level.issued()).rev()
}

/// The same tear with one unit less on the medium.
fn fewer_units(tear: Tear) -> impl Iterator<Item = Tear> {
    let reached = match tear.reached {
        Reached::First(count @ 2..) => vec![Reached::First(count - 1)],
        Reached::Last(count @ 2..) => vec![Reached::Last(count - 1)],
        Reached::Spoiled(count @ 1..) => vec![Reached::Spoiled(count - 1)],
        Reached::ZeroedTail(count @ 2..) => vec![Reached::ZeroedTail(count - 1)],
        Reached::Set(set) => {
            let units = (0..16).filter(|unit| set >> unit & 1 != 0);
            let without = units.map(|unit| set & !(1 << unit));
            without.filter(|&set| set != 0).map(Reached::Set).collect()
        }
        _ => Vec::new(),
    };
    reached
        .into_iter()
        .map(move |reached| Tear { reached, ..tear })
}

/// The first write of the last cut, from its end, that decides.
fn flip(look: &mut Look<'_, '_>, replay: &Replay<'_>, levels: &[CrashState]) -> Option<Flip> {
    let (cut, before) = levels.split_last()?;
    let trace = match replay.boots.last() {
        Some((_, boot)) => boot.trace(),
        None => replay.recording.trace(),
    };
    // Those that are torn, then those on the medium from the last on, then those that are lost.
    let (torn, lost): (Vec<_>, Vec<_>) = cut
        .flaws()
        .iter()
        .partition(|(_, flaw)| matches!(flaw, Flaw::Torn(_)));
    let number = |&(write, _): &(u32, Flaw)| write;
    let in_flight = in_flight(replay, cut, before.is_empty());
    let writes: Vec<u32> = torn
        .iter()
        .map(number)
        .chain(in_flight)
        .chain(lost.iter().map(number))
        .chain([cut.issued()])
        .collect();
    for write in writes {
        let fate = cut.fate(write);
        for instead in [Fate::Persisted, Fate::Lost] {
            if instead == fate {
                continue;
            }
            let mut levels = before.to_vec();
            levels.push(cut.with_fate(write, instead));
            let is_clean = look
                .at(&levels)
                .is_some_and(|replay| replay.found().is_none());
            if is_clean {
                return Some(Flip {
                    write,
                    what: trace.write(write).map(described).unwrap_or_default(),
                    fate,
                    instead,
                });
            }
        }
    }
    None
}

fn described(write: &Event) -> String {
    match write {
        Event::Prog {
            block,
            offset,
            data,
        } => {
            let length = data.len();
            format!("program block {block}, {length} bytes at {offset}")
        }
        Event::Erase { block } => format!("erase block {block}"),
        Event::Sync | Event::OperationStart(_) | Event::OperationEnd(_) => String::new(),
    }
}
