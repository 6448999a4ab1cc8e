//! Recoveries that need not be run again.

use crate::judge::Course;
use crate::model::Model;
use cutpoint_engine::Key;
use std::collections::HashMap;
use std::mem::size_of;
use std::sync::Arc;

/// Recoveries in which nothing was wrong, by name: by the bytes that they began from, what they showed, and what was done to
/// the recovered store from which time on. Another recovery of the same name is the same call by call, so that there is
/// nothing wrong in it either. Whether what it shows is allowed is for its own crash state to say: a name of it is asked for
/// only where it is.
///
/// What was wrong is not remembered: it is seen again each time.
#[derive(Debug)]
pub(super) struct Memory {
    limit: u64,
    size: u64,
    known: HashMap<u128, Known>,
    /// By name, what was seen first: most recoveries see what others have seen.
    seen: HashMap<u128, Arc<Model>>,
}

/// A recovery that is known; its course is left out where it is not to be cut in turn.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) course: Option<Arc<Course>>,
}

impl Memory {
    /// Room for about so many bytes; with none, nothing is remembered.
    pub(super) fn new(limit: u64) -> Self {
        Self {
            limit,
            size: 0,
            known: HashMap::new(),
            seen: HashMap::new(),
        }
    }

    /// Whether it remembers anything at all.
    pub(super) fn is_there(&self) -> bool {
        self.limit > 0
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The recovery that has one of these names, with its course where one is `needed`.
    pub(super) fn recall(&self, names: &[u128], needed: bool) -> Option<&Known> {
        let known = names.iter().find_map(|name| self.known.get(name))?;
        (known.course.is_some() || !needed).then_some(known)
    }

    /// Remembers the recovery of this name, where there is room, with its course where one is `needed`. Returns the course
    /// in any case.
    pub(super) fn learn(&mut self, name: u128, course: Course, needed: bool) -> Arc<Course> {
        let entry = 2 * size_of::<(u128, Known)>();
        if !needed {
            let course = Arc::new(course);
            if self.takes(entry) {
                self.known.insert(name, Known { course: None });
            }
            return course;
        }
        let model = course.seen().name();
        let course = if let Some(seen) = self.seen.get(&model) {
            course.with_seen(Arc::clone(seen))
        } else {
            if self.takes(size_of_model(course.seen())) {
                self.seen.insert(model, Arc::clone(course.seen()));
            }
            course
        };
        let course = Arc::new(course);
        if self.takes(entry + course.size()) {
            let course = Some(Arc::clone(&course));
            self.known.insert(name, Known { course });
        }
        course
    }

    /// Takes room for so many bytes, where there is any.
    fn takes(&mut self, bytes: usize) -> bool {
        let size = self.size + bytes as u64;
        let fits = size <= self.limit;
        if fits {
            self.size = size;
        }
        fits
    }
}

/// About how many bytes of memory a model takes, without its values, which others hold too.
fn size_of_model(model: &Model) -> usize {
    let node = 2 * size_of::<(Key, crate::model::ModelNode)>();
    let names = model
        .sorted()
        .into_iter()
        .map(|(key, _)| key.to_string().len());
    size_of::<Model>() + names.map(|name| node + name).sum::<usize>()
}
