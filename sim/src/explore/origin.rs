use super::Run;
use crate::contract::Contract;
use crate::crash::{
    Candidate, CrashState, CrashView, Cuts, Epoch, Leaf, Outlook, Space, prefix_states,
};
use crate::disk::RecordingDisk;
use crate::judge::{Aftermath, Boot, Course, Story, prospects};
use crate::trace::{Blocks, Image};
use std::sync::Arc;

/// Where a leaf stands for at most so many crash states, all of them are cut again in their recovery.
const STATES_PER_LEAF: usize = 8;

/// A crash state that is recovered from, and against what.
pub(super) struct Origin<'s> {
    pub(super) run: Run<'s>,
    /// The state, as one of the run's.
    pub(super) state: CrashState,
    pub(super) outlook: Outlook,
    image: Blocks,
    /// It has been judged, with the others of its leaf: it is recovered from to be cut again.
    pub(super) judged: bool,
    /// What further cuts leave stands for more than itself.
    sampled: bool,
}

impl<'s> Origin<'s> {
    /// One state of a run.
    pub(super) fn of(run: Run<'s>, candidate: Candidate) -> Self {
        let image = view(run, &candidate.state).blocks();
        Self::with_image(run, candidate, image)
    }

    fn with_image(run: Run<'s>, Candidate { state, outlook }: Candidate, image: Blocks) -> Self {
        Self {
            sampled: run.sampled,
            run,
            state,
            outlook,
            image,
            judged: false,
        }
    }

    /// States of a run, each the prefix with one write more than the one before, from none on.
    pub(super) fn prefixes(run: Run<'s>, prefixes: Vec<Candidate>) -> Vec<Self> {
        let images = run.trace.prefix_images();
        let origins = prefixes.into_iter().zip(images);
        origins
            .map(|(candidate, image)| Self::with_image(run, candidate, image))
            .collect()
    }

    /// States of a leaf, which have been judged: all where they are few, else two that stand for the others. The image at
    /// the begin of their epoch is `base`.
    pub(super) fn of_leaf(run: Run<'s>, space: &Space, base: &Blocks, leaf: &Leaf) -> Vec<Self> {
        let states = leaf.open.each(STATES_PER_LEAF);
        let sampled = run.sampled || states.is_none();
        let states = states.unwrap_or_else(|| vec![leaf.open.least(), leaf.open.most()]);
        let durable = leaf.open.epoch().before();
        let origins = states.into_iter().filter_map(|state| {
            let outlook = space.outlook_of(&state)?;
            let image = view(run, &state).blocks_over(base, durable);
            Some(Self {
                run,
                state,
                outlook,
                image,
                judged: true,
                sampled,
            })
        });
        origins.collect()
    }

    /// A disk that holds the state and records what recovery does to it.
    pub(super) fn disk(&self) -> RecordingDisk {
        let (geometry, erase_value) = (self.run.trace.geometry(), self.run.trace.erase_value());
        let image = Image::Blocks(self.image.clone());
        RecordingDisk::on(image, geometry, erase_value).with_medium(self.run.trace.medium())
    }

    /// The state with all cuts before.
    pub(super) fn id(&self) -> CrashState {
        self.run.id(&self.state)
    }

    /// The names that the recovery from it can have, where nothing is wrong.
    pub(super) fn names(&self, aftermath: Aftermath) -> Vec<u128> {
        let image = self.image_name();
        let prospects = prospects(self.run.story, &self.outlook, aftermath).into_iter();
        prospects.map(|prospect| prospect.on(image)).collect()
    }

    /// The name of what is on the medium.
    pub(super) fn image_name(&self) -> u128 {
        self.image.name()
    }

    /// The name of the recovery from it, which took this course.
    pub(super) fn name(&self, course: &Course) -> u128 {
        let prospect = course.prospect(self.run.story.next_step());
        prospect.on(self.image_name())
    }

    /// The recovery from it, as far as it is to be cut.
    pub(super) fn boot(&self, course: &Course, aftermath: Aftermath) -> Boot {
        match aftermath {
            Aftermath::Changes => Boot::of(course, self.run.story),
            Aftermath::RepairsFirst => Boot::of_repair(course, self.run.story),
        }
    }

    /// The recovery from it, as a run that can be cut; `id` is its own.
    pub(super) fn run_of<'b>(&'b self, boot: &'b Boot, id: &'b CrashState) -> Run<'b> {
        Run {
            story: boot,
            trace: boot.trace(),
            before: Some(id),
            sampled: self.sampled,
        }
    }

    /// One of the states that a cut in the recovery leaves.
    pub(super) fn next<'b>(
        &'b self,
        boot: &'b Boot,
        id: &'b CrashState,
        cut: Candidate,
    ) -> Origin<'b> {
        self.unseen(boot, Origin::of(self.run_of(boot, id), cut))
    }

    /// What the cuts in the recovery leave where its writes have one order: from the first write on, as before it there is
    /// what it found.
    pub(super) fn prefixes_of<'b>(
        &'b self,
        boot: &'b Boot,
        id: &'b CrashState,
    ) -> impl Iterator<Item = Origin<'b>> {
        let cuts = prefix_states(boot.trace(), boot.history());
        let cuts = Origin::prefixes(self.run_of(boot, id), cuts);
        cuts.into_iter().skip(1).map(|cut| self.unseen(boot, cut))
    }

    /// What a cut leaves before the state was seen is not bound by it.
    fn unseen<'b>(&'b self, boot: &Boot, next: Origin<'b>) -> Origin<'b> {
        let issued = next.state.issued();
        if issued == 0 || issued > boot.writes_unseen() {
            return next;
        }
        let run = Run {
            story: self.run.story,
            ..next.run
        };
        Origin {
            run,
            outlook: self.outlook.clone(),
            ..next
        }
    }
}

fn view(run: Run<'_>, state: &CrashState) -> CrashView {
    match CrashView::new(Arc::clone(run.trace), state.clone()) {
        Ok(view) => view,
        Err(error) => unreachable!("{error}, but it was made from it"),
    }
}

/// The crash states of a recovery.
pub(super) fn space_of(boot: &Boot, contract: &Contract) -> Space {
    let trace = boot.trace();
    let cuts = Cuts::of(trace.events(), boot.history());
    let (geometry, erase_value) = (trace.geometry(), trace.erase_value());
    Space::of(trace.events(), 0, geometry, erase_value, contract, cuts)
}

/// The epochs of a run, each with the image at its begin.
pub(super) fn epochs_of<'e>(run: Run<'_>, space: &'e Space) -> Vec<(&'e Arc<Epoch>, Blocks)> {
    let images = run.trace.prefix_images();
    let epochs = space.epochs().iter();
    epochs
        .map(|epoch| (epoch, images[epoch.before() as usize].clone()))
        .collect()
}
