//! Phases: what a subject is at when it writes, told by itself.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A part of a subject's work, such as a compaction, by the name that the subject gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phase(Cow<'static, str>);

impl Phase {
    /// The phase of this name.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The phase of this name, which has been read from somewhere.
    pub fn named(name: String) -> Self {
        Self(Cow::Owned(name))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a subject shows its phase, and the device that records looks at each write. Clones are the same place.
///
/// ```
/// use cutpoint::phase::{Phase, PhaseMark};
///
/// let mark = PhaseMark::default();
/// let of_the_subject = mark.clone();
/// of_the_subject.show(Some(Phase::new("compaction")));
/// assert_eq!(mark.shown(), Some(Phase::new("compaction")));
/// ```
#[derive(Clone, Debug, Default)]
pub struct PhaseMark(Arc<Mutex<Option<Phase>>>);

impl PhaseMark {
    /// From now on, writes are of this phase, or of none.
    pub fn show(&self, phase: Option<Phase>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    /// The phase that was shown last.
    pub fn shown(&self) -> Option<Phase> {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.clone()
    }
}
