//! Power cuts in the recovery from a power cut.

use super::memory::Memory;
use super::origin::{Origin, epochs_of, space_of};
use super::{Part, Place, Run, Sweep};
use crate::contract::{Contract, Order};
use crate::crash::{Candidate, CrashState, Epoch, Space};
use crate::judge::{Boot, Course, Recovery, hear_and_record};
use crate::model::Model;
use crate::record::Recording;
use crate::subject::Contents;
use crate::trace::Blocks;
use crate::verdict::Verdict;
use num_bigint::BigUint;
use rayon::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;

/// So many recoveries are run, and then cut, before the next: what is at hand at a time is bounded by that.
const AT_ONCE: usize = 128;

/// All recoveries of a workload, several cuts deep.
///
/// It goes on from a number of recoveries at a time, in an order that does not hang on threads: so what is remembered, and
/// what is run, is the same at every run.
pub(super) struct Dive<'d, 'a> {
    sweep: &'d Sweep<'a>,
    memory: Memory,
    part: Part,
}

/// A recovery that is to be cut.
struct Cut<'s, 'o> {
    origin: &'o Origin<'s>,
    course: Arc<Course>,
}

/// A recovery, and its course where nothing was wrong.
pub(super) type Recovered = (Recovery, Option<Course>);

impl<'d, 'a> Dive<'d, 'a> {
    pub(super) fn new(sweep: &'d Sweep<'a>) -> Self {
        Self {
            sweep,
            memory: Memory::new(sweep.memory),
            part: Part::default(),
        }
    }

    /// What came of it, in the order of the states, and about how many bytes it remembers.
    pub(super) fn finish(mut self) -> (Part, u64) {
        self.part
            .found
            .sort_by(|(one, _), (other, _)| one.state.cmp(&other.state));
        (self.part, self.memory.size())
    }

    /// Recovers from the prefixes of the recording that have so many writes or more, and from what further cuts leave.
    /// Returns how many of these there were time for.
    pub(super) fn prefixes(&mut self, recording: &Recording<'_>, from: u32, further: u32) -> usize {
        let mut origins = Origin::prefixes(Run::of(recording), recording.candidates());
        origins.retain(|origin| origin.state.issued() >= from);
        let mut done = 0;
        for origins in origins.chunks(AT_ONCE) {
            if self.is_cut_short() {
                break;
            }
            self.from(origins, further);
            done += origins.len();
            self.sweep.parts_are_done(origins.len());
        }
        done
    }

    /// Covers the epochs of the recording that end with so many writes or more, and cuts the recoveries from their states.
    /// Returns what came of each epoch.
    pub(super) fn epochs(
        &mut self,
        recording: &Recording<'_>,
        space: &Arc<Space>,
        from: u32,
        further: u32,
    ) -> Vec<Part> {
        let run = Run::of(recording);
        let all = epochs_of(run, space);
        let (before, rest) = all.split_at(all.partition_point(|(epoch, _)| epoch.end() < from));
        let nothing = before.iter().map(|(epoch, _)| Part::nothing_of(run, epoch));
        let mut parts: Vec<Part> = nothing.collect();
        for epochs in rest.chunks(AT_ONCE) {
            let epochs = epochs.iter().map(|(epoch, base)| LazyCut {
                run,
                space: Arc::clone(space),
                epoch: Arc::clone(epoch),
                base: base.clone(),
            });
            let epochs: Vec<_> = epochs.collect();
            let (covered, origins) = self.cover(&epochs, further > 0);
            parts.extend(covered);
            self.from(&origins, further);
            self.sweep.parts_are_done(epochs.len());
        }
        for part in &mut parts {
            self.part.found.append(&mut part.found);
        }
        parts
    }

    fn is_cut_short(&mut self) -> bool {
        self.part.cut_short |= self.sweep.is_cancelled();
        self.part.cut_short
    }

    /// Recovers from states, and from all that cuts in these recoveries leave, `further` cuts deep.
    fn from(&mut self, origins: &[Origin<'_>], further: u32) {
        for origins in origins.chunks(AT_ONCE) {
            if self.is_cut_short() {
                return;
            }
            let courses = self.recover(origins, further > 0);
            if further > 0 {
                let cut = origins.iter().zip(courses).filter_map(|(origin, course)| {
                    let course = course?;
                    Some(Cut { origin, course })
                });
                self.cut(&cut.collect::<Vec<_>>(), further - 1);
            }
        }
    }

    /// Recovers from states: from each of those that are remembered not again. Returns the course of each recovery in which
    /// nothing was wrong, where they are `needed`.
    fn recover(&mut self, origins: &[Origin<'_>], needed: bool) -> Vec<Option<Arc<Course>>> {
        let names: Vec<Vec<u128>> = if self.memory.is_there() {
            origins
                .par_iter()
                .map(|origin| origin.names(self.sweep.aftermath))
                .collect()
        } else {
            vec![Vec::new(); origins.len()]
        };
        let mut courses: Vec<Option<Arc<Course>>> = vec![None; origins.len()];
        // Those that may turn out to be the same as one before them wait for that one.
        let mut claimed: HashSet<u128> = HashSet::new();
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (place, names) in names.iter().enumerate() {
            if names.iter().any(|name| claimed.contains(name)) {
                second.push(place);
            } else {
                claimed.extend(names);
                first.push(place);
            }
        }
        for mut round in [first, second] {
            round.retain(|&place| match self.memory.recall(&names[place], needed) {
                Some(known) => {
                    courses[place].clone_from(&known.course);
                    self.part.remembered += 1;
                    false
                }
                None => true,
            });
            let recovered: Vec<Recovered> = round
                .par_iter()
                .map(|&place| self.sweep.recover_and_record(&origins[place]))
                .collect();
            for (place, (recovery, course)) in round.into_iter().zip(recovered) {
                let origin = &origins[place];
                self.part.recoveries += 1;
                if let Verdict::Violation(violation) = recovery.verdict {
                    let (state, outlook) = (origin.id(), origin.outlook.clone());
                    let candidate = Candidate { state, outlook };
                    self.part.found.push((candidate, violation));
                }
                courses[place] = course.map(|course| {
                    let name = origin.name(&course);
                    self.memory.learn(name, course, needed)
                });
            }
        }
        for origin in origins {
            self.part.count(origin);
        }
        courses
    }

    /// Recovers from all that cuts in recoveries leave.
    fn cut(&mut self, cut: &[Cut<'_, '_>], further: u32) {
        let aftermath = self.sweep.aftermath;
        let boots: Vec<(CrashState, Boot)> = cut
            .par_iter()
            .map(|Cut { origin, course }| (origin.id(), origin.boot(course, aftermath)))
            .collect();
        let contract = self.sweep.contract;
        let pieces: Vec<(Vec<Origin<'_>>, Vec<LazyCut<'_>>)> = cut
            .par_iter()
            .zip(&boots)
            .map(|(Cut { origin, .. }, (id, boot))| {
                if is_prefix(contract) || boot.writes_unseen() > 0 {
                    return (origin.prefixes_of(boot, id).collect(), Vec::new());
                }
                let run = origin.run_of(boot, id);
                let space = Arc::new(space_of(boot, contract));
                let epochs = epochs_of(run, &space).into_iter();
                let epochs = epochs.map(|(epoch, base)| LazyCut {
                    run,
                    space: Arc::clone(&space),
                    epoch: Arc::clone(epoch),
                    base,
                });
                (Vec::new(), epochs.collect())
            })
            .collect();
        let (mut origins, mut lazily) = (Vec::new(), Vec::new());
        for (eager, lazy) in pieces {
            origins.extend(eager);
            lazily.extend(lazy);
        }
        self.from(&origins, further);
        drop(origins);
        for epochs in lazily.chunks(AT_ONCE) {
            if self.is_cut_short() {
                return;
            }
            let (parts, origins) = self.cover(epochs, further > 0);
            for (part, epoch) in parts.into_iter().zip(epochs) {
                if epoch.run.sampled {
                    self.part.absorb_sample(part);
                } else {
                    self.part.states += &epoch.epoch.states().into();
                    self.part.absorb(part);
                }
            }
            self.from(&origins, further);
        }
    }

    /// Recovers from all states of epochs, as many at once as are read alike. Returns what came of each epoch, and the
    /// states whose recoveries are to be cut, where they are `needed`.
    fn cover<'e>(&self, epochs: &'e [LazyCut<'_>], needed: bool) -> (Vec<Part>, Vec<Origin<'e>>) {
        let covered: Vec<(Part, Vec<Origin<'e>>)> = epochs
            .par_iter()
            .map(
                |LazyCut {
                     run,
                     space,
                     epoch,
                     base,
                 }| {
                    let mut part = Part::nothing_of(*run, epoch);
                    let mut origins = Vec::new();
                    self.sweep.epoch(*run, space, epoch, &mut part, |leaf| {
                        if needed {
                            origins.extend(Origin::of_leaf(*run, space, base, leaf));
                        }
                    });
                    (part, origins)
                },
            )
            .collect();
        let (parts, origins): (Vec<_>, Vec<_>) = covered.into_iter().unzip();
        (parts, origins.into_iter().flatten().collect())
    }
}

/// An epoch of a run whose states are covered at once.
struct LazyCut<'s> {
    run: Run<'s>,
    space: Arc<Space>,
    epoch: Arc<Epoch>,
    /// The image at its begin.
    base: Blocks,
}

/// Whether the contract's states are the prefixes of what was written.
fn is_prefix(contract: &Contract) -> bool {
    contract.order == Order::Issued && contract.is_exhaustive()
}

impl Sweep<'_> {
    pub(super) fn recover_and_record(&self, origin: &Origin<'_>) -> Recovered {
        let _noted = self.note(&Place::State(origin.id()));
        let (story, outlook) = (origin.run.story, &origin.outlook);
        let terms = (self.aftermath, self.budget);
        let recovered = hear_and_record(self.subject, origin.disk(), story, outlook, terms);
        self.recovery_is_done();
        recovered
    }

    /// Recovers from a state that `rest` follows on: from each cut in turn, and judges the last recovery. The recoveries
    /// that were cut are put behind `boots`, the last of them first, each with the cut that it began from.
    ///
    /// None where a recovery that is cut finds a violation before, or the contract does not allow the cut.
    pub(super) fn follow(
        &self,
        origin: &Origin<'_>,
        rest: Option<&CrashState>,
        boots: &mut Vec<(Candidate, Boot)>,
    ) -> Option<Followed> {
        let (recovery, course) = self.recover_and_record(origin);
        let (state, outlook) = (origin.state.clone(), origin.outlook.clone());
        let candidate = Candidate { state, outlook };
        let Some(cut) = rest else {
            let recovery = self.rested(origin, recovery, course.as_ref());
            return Some(Followed {
                versions: origin.run.story.versions().to_vec(),
                contents: self.shown_on(origin.disk()),
                candidate,
                recovery,
            });
        };
        let boot = origin.boot(&course?, self.aftermath);
        let state = cut.first_cut();
        let outlook = space_of(&boot, self.contract).outlook_of(&state)?;
        let id = origin.id();
        let next = origin.next(&boot, &id, Candidate { state, outlook });
        let followed = self.follow(&next, cut.then(), boots);
        boots.push((candidate, boot));
        followed
    }
}

/// The last recovery of several.
pub(super) struct Followed {
    /// The state that it began from, and what that may show.
    pub(super) candidate: Candidate,
    /// The states of the model that its versions are of.
    pub(super) versions: Vec<Model>,
    pub(super) recovery: Recovery,
    pub(super) contents: Result<Contents, String>,
}

impl Part {
    /// Counts a crash state that has been recovered from alone.
    fn count(&mut self, origin: &Origin<'_>) {
        if origin.judged {
            return;
        }
        if origin.run.sampled {
            self.sampled += 1;
        } else {
            self.states += &1.into();
            self.covered += &1.into();
        }
    }

    /// Adds what came of other crash states.
    fn absorb(&mut self, other: Self) {
        self.covered += &other.covered;
        self.recoveries += other.recoveries;
        self.sampled += other.sampled;
        self.cut_short |= other.cut_short;
        self.found.extend(other.found);
    }

    /// Adds what came of crash states that do not stand for all.
    fn absorb_sample(&mut self, mut sample: Self) {
        let sampled: BigUint = std::mem::take(&mut sample.covered).exact().clone();
        sample.sampled += u64::try_from(sampled).unwrap_or(u64::MAX);
        self.absorb(sample);
    }
}
