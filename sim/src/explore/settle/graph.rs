use super::super::nested::Recovered;
use super::super::origin::Origin;
use super::super::{Found, Place, Run, Sweep};
use super::{BOOTS, SettleReport, restless};
use crate::crash::CrashState;
use crate::judge::{Boot, Course};
use crate::record::Recording;
use crate::verdict::{Verdict, Violation};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};

/// The most cuts that follow on each other. Where so many still lead to new images, it is left at that.
const CUTS: u32 = 64;

/// How many witnesses a report names; the others are counted.
const WITNESSES: usize = 8;

/// All images that cuts in recoveries leave, and what leads from each to others.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    /// By the names that the recovery from a node can have.
    known: HashMap<Vec<u128>, usize>,
    cuts: u32,
    cut_short: bool,
}

/// An image, and what the recovery from it is held to. The same image is two nodes where one history allows another state
/// than the other.
struct Node {
    image: u128,
    id: CrashState,
    /// The step of the workload that its first cut fell into.
    step: u32,
    /// Nodes that cuts in the recovery lead to, by the writes that are left of it: 1, 2, and so on. The last is where it
    /// is not cut. None where the recovery writes nothing.
    next: Vec<usize>,
    violation: Option<Violation>,
    is_recovered: bool,
}

/// A node that has just been found.
struct Fresh<'s> {
    node: usize,
    origin: Origin<'s>,
}

impl Graph {
    /// That of a recording.
    pub(super) fn of(sweep: &Sweep<'_>, recording: &Recording<'_>) -> Self {
        let mut graph = Self::default();
        let origins = Origin::prefixes(Run::of(recording), recording.candidates());
        sweep.announce(origins.len());
        let mut fresh = Vec::new();
        for origin in origins {
            let step = origin.outlook.step;
            graph.enter(sweep, origin, step, &mut fresh);
        }
        graph.expand(sweep, fresh, 0);
        sweep.parts_are_done(recording.candidates().len());
        graph
    }

    /// The node of a state: one that is known, or a fresh one.
    fn enter<'s>(
        &mut self,
        sweep: &Sweep<'_>,
        origin: Origin<'s>,
        step: u32,
        fresh: &mut Vec<Fresh<'s>>,
    ) -> usize {
        let node = self.nodes.len();
        let known = *self
            .known
            .entry(origin.names(sweep.aftermath))
            .or_insert(node);
        if known == node {
            self.nodes.push(Node {
                image: origin.image_name(),
                id: origin.id(),
                step,
                next: Vec::new(),
                violation: None,
                is_recovered: false,
            });
            fresh.push(Fresh { node, origin });
        }
        known
    }

    /// Recovers from fresh nodes, which `cuts` further cuts have led to, and from all that is found from there.
    fn expand(&mut self, sweep: &Sweep<'_>, fresh: Vec<Fresh<'_>>, cuts: u32) {
        if fresh.is_empty() {
            return;
        }
        // Those that the workload leaves are always looked at.
        let too_many = cuts > 0 && self.nodes.len() as u64 > sweep.bound();
        if too_many || cuts > CUTS || sweep.is_cancelled() {
            self.cut_short = true;
            return;
        }
        self.cuts = cuts;
        let recovered: Vec<Recovered> = fresh
            .par_iter()
            .map(|fresh| sweep.recover_and_record(&fresh.origin))
            .collect();
        let mut cut: Vec<(Fresh<'_>, Course)> = Vec::new();
        for (fresh, (recovery, course)) in fresh.into_iter().zip(recovered) {
            let node = &mut self.nodes[fresh.node];
            node.is_recovered = true;
            if let Verdict::Violation(violation) = recovery.verdict {
                node.violation = Some(violation);
            }
            cut.extend(
                course
                    .filter(Course::has_repaired)
                    .map(|course| (fresh, course)),
            );
        }
        let boots: Vec<(CrashState, Boot)> = cut
            .par_iter()
            .map(|(fresh, course)| {
                let origin = &fresh.origin;
                (origin.id(), origin.boot(course, sweep.aftermath))
            })
            .collect();
        let mut further = Vec::new();
        for ((from, _), (id, boot)) in cut.iter().zip(&boots) {
            let step = self.nodes[from.node].step;
            let next = from.origin.prefixes_of(boot, id);
            let next = next.map(|origin| self.enter(sweep, origin, step, &mut further));
            self.nodes[from.node].next = next.collect();
        }
        self.expand(sweep, further, cuts + 1);
    }

    /// The graph in figures.
    pub(super) fn report(self, sweep: &Sweep<'_>, recording: &Recording<'_>) -> SettleReport {
        let (mut images, mut resting, mut edges) = (HashSet::new(), HashSet::new(), HashSet::new());
        let (mut boots, mut found) = (0, Vec::new());
        for (number, node) in self.nodes.iter().enumerate() {
            images.insert(node.image);
            if node.is_at_rest() {
                resting.insert(node.image);
            }
            // What leaves the bytes as they were is as a cut before the first write, and leads nowhere.
            let next = node.next.iter().map(|&next| self.nodes[next].image);
            let other = next.filter(|&next| next != node.image);
            edges.extend(other.map(|next| (node.image, next)));
            match self.boots_from(number) {
                Some(more) => boots = boots.max(more),
                None => found.push((node, restless())),
            }
            found.extend(node.violation.clone().map(|violation| (node, violation)));
        }
        found.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
        let violations = found.len() as u64;
        let witnesses = found
            .into_iter()
            .take(WITNESSES)
            .map(|(node, violation)| Found {
                place: Place::State(node.id.clone()),
                step: recording.step(node.step).map(|step| step.to_string()),
                violation,
            });
        SettleReport {
            fingerprint: Some(recording.trace().fingerprint()),
            states: recording.candidates().len() as u64,
            images: images.len() as u64,
            resting: resting.len() as u64,
            edges: edges.len() as u64,
            cuts: self.cuts,
            boots,
            cycles: has_cycles(&edges),
            recoveries: self.nodes.iter().filter(|node| node.is_recovered).count() as u64,
            cut_short: self.cut_short,
            violations,
            witnesses: witnesses.collect(),
            ..sweep.nothing()
        }
    }

    /// How many boots in a row write from a node on, where none of them is cut; none where they do not end. Where something
    /// is wrong on the way, or it was not followed, it ends there.
    fn boots_from(&self, mut node: usize) -> Option<u32> {
        for boots in 0..=BOOTS {
            match self.nodes[node].next.last() {
                None => return Some(boots),
                Some(&next) => node = next,
            }
        }
        None
    }
}

/// Whether any of these edges lead back to where they began.
fn has_cycles(edges: &HashSet<(u128, u128)>) -> bool {
    let mut into: HashMap<u128, Vec<u128>> = HashMap::new();
    let mut left: HashMap<u128, usize> = HashMap::new();
    for &(from, to) in edges {
        into.entry(to).or_default().push(from);
        *left.entry(from).or_default() += 1;
    }
    // Nodes from which nothing leads on are taken away, again and again; the order does not matter to what is left.
    let is_end = |node: &u128| !left.contains_key(node);
    let mut ends: Vec<u128> = into.keys().copied().filter(is_end).collect();
    let mut taken = 0;
    while let Some(end) = ends.pop() {
        for from in into.get(&end).into_iter().flatten() {
            if let Some(left) = left.get_mut(from) {
                *left -= 1;
                taken += 1;
                if *left == 0 {
                    ends.push(*from);
                }
            }
        }
    }
    taken < edges.len()
}

impl Node {
    /// Nothing is wrong, and recovery writes nothing.
    fn is_at_rest(&self) -> bool {
        self.is_recovered && self.violation.is_none() && self.next.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::has_cycles;

    #[test]
    fn cycles_are_told_from_ways_that_meet_again() {
        let meet = [(1, 2), (1, 3), (2, 4), (3, 4), (0, 1)];
        assert!(!has_cycles(&meet.into()));
        assert!(has_cycles(&[(0, 1), (1, 2), (2, 3), (3, 1)].into()));
        assert!(!has_cycles(&[].into()));
    }
}
