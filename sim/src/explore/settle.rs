//! Power cuts in recoveries without a bound to how many follow on each other.

mod graph;

use super::origin::Origin;
use super::{Found, Place, Sweep};
use crate::judge::{Aftermath, Course, Recovery};
use crate::record::LiveViolation;
use crate::trace::Fingerprint;
use crate::verdict::{Promise, Stage, Verdict, Violation, ViolationKind};
use graph::Graph;
use serde::Serialize;

/// A store that writes at more boots in a row than that, none of them cut, will not stop.
const BOOTS: u32 = 16;

/// What repeated power cuts in recoveries lead to, however many there are.
///
/// What a recovery writes up to the end of its repairs can be cut, again and again. All images that this leaves are a graph:
/// from each one an edge leads to what each cut in the recovery from it leaves, and to what the recovery leaves where it is
/// not cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettleReport {
    /// The subject's name.
    pub subject: String,
    /// The workload's name.
    pub workload: String,
    /// The name of the trace that the states belong to; none where there is a violation without a power cut.
    pub fingerprint: Option<Fingerprint>,
    /// The crash states of the workload, which is where it begins.
    pub states: u64,
    /// The images that there are, told apart by their bytes.
    pub images: u64,
    /// How many of them are at rest: recovery from them writes nothing.
    pub resting: u64,
    /// The edges between different ones.
    pub edges: u64,
    /// How many cuts it takes to come to every image. No further cut leads to a new one.
    pub cuts: u32,
    /// The most boots in a row that write, where none of them is cut.
    pub boots: u32,
    /// Whether cuts can lead back to an image, so that they can keep the store from coming to rest for as long as they go on.
    pub cycles: bool,
    /// Recoveries that were run.
    pub recoveries: u64,
    /// There are more images than were looked at.
    pub cut_short: bool,
    /// How many crash states show a violation or lead to a store that never comes to rest.
    pub violations: u64,
    /// The first few.
    pub witnesses: Vec<Found>,
}

impl SettleReport {
    /// Whether every path of cuts comes to rest in an allowed state, once the power stays.
    pub fn is_settled(&self) -> bool {
        !self.cut_short && self.violations == 0
    }
}

impl Sweep<'_> {
    /// Explores what power cuts in recoveries lead to, in the recoveries from that, and so on, until no further cut leads to
    /// anything new. The first cut falls anywhere in the workload, under the prefix model; each of the others into what a
    /// recovery writes between the mount and the end of its repairs.
    ///
    /// ```
    /// use cutpoint::explore::Sweep;
    /// use cutpoint::subjects::EngineSubject;
    /// use cutpoint::workload::builtin;
    ///
    /// let subject = EngineSubject::default();
    /// let workload = builtin::builtin("rename-512")?;
    /// let report = Sweep::new(&subject, &workload).settle();
    /// assert!(report.is_settled());
    /// assert!(report.resting < report.images);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn settle(&self) -> SettleReport {
        let sweep = self.to_rest();
        match sweep.record() {
            Ok(recording) => Graph::of(&sweep, &recording).report(&sweep, &recording),
            Err(violation) => sweep.report_live(*violation),
        }
    }

    /// The same, where recoveries make their repairs before anything else, and only these are cut: what
    /// [`settle`](Self::settle) explores. [`replay`](Self::replay) then reads ids of its states.
    #[must_use]
    pub fn to_rest(self) -> Self {
        Self {
            aftermath: Aftermath::RepairsFirst,
            ..self
        }
    }

    fn report_live(&self, LiveViolation { step, violation }: LiveViolation) -> SettleReport {
        let text = step.and_then(|step| self.workload.steps().nth(step as usize));
        SettleReport {
            violations: 1,
            witnesses: vec![Found {
                place: Place::Recording { step },
                step: text.map(|step| step.to_string()),
                violation,
            }],
            ..self.nothing()
        }
    }

    fn nothing(&self) -> SettleReport {
        SettleReport {
            subject: self.subject.name().to_owned(),
            workload: self.workload.name().to_owned(),
            fingerprint: None,
            states: 0,
            images: 0,
            resting: 0,
            edges: 0,
            cuts: 0,
            boots: 0,
            cycles: false,
            recoveries: 0,
            cut_short: false,
            violations: 0,
            witnesses: Vec::new(),
        }
    }

    /// The same recovery, unless it leads to boot after boot that writes.
    pub(super) fn rested(
        &self,
        origin: &Origin<'_>,
        recovery: Recovery,
        course: Option<&Course>,
    ) -> Recovery {
        match (self.aftermath, course) {
            (Aftermath::RepairsFirst, Some(course)) if !self.rests(origin, course, BOOTS) => {
                Recovery {
                    verdict: Verdict::Violation(restless()),
                    ..recovery
                }
            }
            _ => recovery,
        }
    }

    /// Whether the store comes to rest within so many boots; or to something that is wrong.
    fn rests(&self, origin: &Origin<'_>, course: &Course, boots: u32) -> bool {
        if !course.has_repaired() {
            return true;
        }
        let Some(left) = boots.checked_sub(1) else {
            return false;
        };
        let (id, boot) = (origin.id(), origin.boot(course, self.aftermath));
        let Some(next) = origin.prefixes_of(&boot, &id).last() else {
            return true;
        };
        let (_, course) = self.recover_and_record(&next);
        course.is_none_or(|course| self.rests(&next, &course, left))
    }
}

fn restless() -> Violation {
    Violation {
        kind: ViolationKind::Restless,
        promise: Promise::Rests,
        stage: Stage::Check,
        detail: format!("more than {BOOTS} boots in a row write, and none of them is cut"),
    }
}
