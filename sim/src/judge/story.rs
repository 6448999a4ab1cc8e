use crate::crash::History;
use crate::model::Model;
use crate::op::Operation;
use crate::record::Recording;
use crate::subject::Promises;
use crate::workload::Step;
use cutpoint_engine::device::Geometry;

/// What was done before a power cut: a workload, or what was done to a recovered store. A recovery is judged against it.
pub(crate) trait Story: Sync {
    /// The states of the model that it led to, from the one before the first step on.
    fn versions(&self) -> &[Model];
    /// Which step led to which.
    fn history(&self) -> &History;
    /// The operation of a step; none for one that is no operation.
    fn operation(&self, step: u32) -> Option<&Operation>;
    /// Whether the first step makes the store.
    fn begins_with_format(&self) -> bool;
    fn promises(&self) -> &Promises;
    fn geometry(&self) -> Geometry;
    /// Blocks of the device that are out of use.
    fn lost_blocks(&self) -> u64;
    /// The index of the step that follows all others, for the time.
    fn next_step(&self) -> u32;
}

impl Story for Recording<'_> {
    fn versions(&self) -> &[Model] {
        self.versions()
    }

    fn history(&self) -> &History {
        self.history()
    }

    fn operation(&self, step: u32) -> Option<&Operation> {
        self.step(step).and_then(Step::operation)
    }

    fn begins_with_format(&self) -> bool {
        self.step(0) == Some(Step::Format)
    }

    fn promises(&self) -> &Promises {
        self.promises()
    }

    fn geometry(&self) -> Geometry {
        self.trace().geometry()
    }

    fn lost_blocks(&self) -> u64 {
        self.defects().lost_blocks()
    }

    fn next_step(&self) -> u32 {
        self.workload().steps().count() as u32
    }
}
