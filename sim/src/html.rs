//! Results as one page that a browser opens from disk: what was found and how to see it again, timelines of what was
//! written, coverage, and what each sync is needed for.
//!
//! A [`Page`] holds everything it needs, and asks no network. Whatever comes from names and values is escaped, and a
//! content security policy lets nothing run but the page's own script. Long recordings are drawn in columns of many
//! writes, so that a page stays small however much was explored.
//!
//! ```
//! use cutpoint::explore::Sweep;
//! use cutpoint::html::Page;
//! use cutpoint::op::{Operation, Value};
//! use cutpoint::subjects::EngineSubject;
//! use cutpoint::workload::Workload;
//! use cutpoint_engine::device::Geometry;
//!
//! let subject = EngineSubject::default();
//! let workload = Workload::new("hostile-name", Geometry::new(512, 16)?)
//!     .then(Operation::set("/<script>", Value::literal("1")));
//! let sweep = Sweep::new(&subject, &workload);
//! let mut page = Page::new("A first look");
//! page.add_sweep(&sweep, &sweep.run(), None);
//! let html = page.render()?;
//! assert!(!html.contains("/<script>"), "names are shown, not run");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod audit;
mod charts;
mod coverage;
mod disk;
mod findings;
mod keys;
mod overview;
mod template;
mod timeline;
mod witness;

pub use template::PageError;

use crate::audit::AuditReport;
use crate::coverage::Coverage;
use crate::explore::{Place, Sweep, SweepReport};
use crate::report::replay_command;
use crate::run::Entry;
use audit::AuditTable;
use charts::Growth;
use overview::{Line, Sums};
use std::fmt;
use std::time::Duration;
use timeline::{Budget, Timeline};
use witness::Witness;

/// How many witnesses a page takes apart; of the others it says where they are and how to see them.
const WITNESSES: usize = 24;
/// How many witnesses a page names.
const NAMED: usize = 300;
/// How many sweeps a page lists; twice as many, where something was found in them.
const LINES: usize = 1500;

/// The command that shows a place of a sweep again.
type Replay = Box<dyn Fn(&SweepReport, &Place) -> String>;

/// A page in the making. See the [module](self) for an example.
pub struct Page {
    title: String,
    threads: Option<usize>,
    replay: Replay,
    sums: Sums,
    lines: Vec<Line>,
    /// How many sweeps have no line.
    unlisted: u64,
    growth: Growth,
    coverage: Coverage,
    timelines: Vec<Timeline>,
    budget: Budget,
    witnesses: Vec<Witness>,
    audits: Vec<AuditTable>,
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("title", &self.title)
            .field("witnesses", &self.witnesses.len())
            .finish_non_exhaustive()
    }
}

impl Page {
    /// A page with this title and nothing on it.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            threads: None,
            replay: Box::new(|report, place| {
                let peer = report.peer.as_ref().map(|peer| peer.name.as_str());
                replay_command(
                    &report.subject,
                    peer,
                    &report.workload,
                    &report.contract,
                    place,
                )
            }),
            sums: Sums::default(),
            lines: Vec::new(),
            unlisted: 0,
            growth: Growth::default(),
            coverage: Coverage::default(),
            timelines: Vec::new(),
            budget: Budget::default(),
            witnesses: Vec::new(),
            audits: Vec::new(),
        }
    }

    /// The same, for work that was done on so many threads.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self {
            threads: Some(threads),
            ..self
        }
    }

    /// The same, with the command that shows a place again as `command` says: for subjects that the `cutpoint` command
    /// does not know.
    #[must_use]
    pub fn with_replay(self, command: impl Fn(&SweepReport, &Place) -> String + 'static) -> Self {
        Self {
            replay: Box::new(command),
            ..self
        }
    }

    /// Adds a sweep and what it found. The workload is recorded again for its timeline, and the first witness of each
    /// kind of violation is recovered from again. `elapsed` is how long the sweep took, where rates are to be shown.
    pub fn add_sweep(
        &mut self,
        sweep: &Sweep<'_>,
        report: &SweepReport,
        elapsed: Option<Duration>,
    ) {
        self.add_report(report, elapsed);
        self.add_witnesses(Some(sweep), report);
        let is_new = |timeline: &Timeline| timeline.workload != report.workload;
        if report.violation_count() > 0 || self.timelines.iter().all(is_new) {
            let number = self.timelines.len();
            let timeline = Timeline::of(sweep, report, number, &self.witnesses, &mut self.budget);
            self.timelines.extend(timeline);
        }
    }

    /// Adds an entry of a run, as [`add_sweep`](Self::add_sweep) does where the sweep that made it can be told, and
    /// else what the run has kept of it. Where entries are added, charts show how coverage and findings grew with them.
    pub fn add_entry(&mut self, entry: &Entry, sweep: Option<&Sweep<'_>>) {
        if let Some(sweep) = sweep {
            self.add_sweep(sweep, &entry.report, None);
        } else {
            self.add_report(&entry.report, None);
            self.add_witnesses(None, &entry.report);
        }
        let causes = entry.findings.iter().map(|finding| &finding.cause);
        self.growth
            .add(causes, &self.coverage, entry.report.recoveries);
    }

    fn add_report(&mut self, report: &SweepReport, elapsed: Option<Duration>) {
        self.sums.add(report, elapsed);
        self.coverage += &report.coverage;
        let room = if report.violation_count() > 0 {
            2 * LINES
        } else {
            LINES
        };
        if self.lines.len() < room {
            self.lines.push(Line::of(report, elapsed, self.lines.len()));
        } else {
            self.unlisted += 1;
        }
    }

    fn add_witnesses(&mut self, sweep: Option<&Sweep<'_>>, report: &SweepReport) {
        for group in &report.violations {
            let number = self.witnesses.len();
            if number == NAMED {
                return;
            }
            let sweep = sweep.filter(|_| number < WITNESSES);
            let again = |place: &Place| (self.replay)(report, place);
            let witness = Witness::of(sweep, report, group, number, &again);
            self.witnesses.extend(witness);
        }
    }

    /// Adds an audit: its sweep, as [`add_sweep`](Self::add_sweep) does, and what each sync is needed for.
    pub fn add_audit(&mut self, sweep: &Sweep<'_>, report: &AuditReport) {
        self.add_sweep(sweep, &report.sweep, None);
        let again = |place: &Place| (self.replay)(&report.sweep, place);
        self.audits.push(AuditTable::of(report, &again));
    }

    /// The page, as HTML.
    ///
    /// # Errors
    ///
    /// [`PageError`] where the templates cannot be filled in: a fault of this crate.
    pub fn render(&self) -> Result<String, PageError> {
        template::render(self)
    }
}

/// The text, cut to so many characters.
fn shortened(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let start: String = text.chars().take(length - 1).collect();
    start + "…"
}
