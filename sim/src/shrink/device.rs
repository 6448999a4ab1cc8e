//! A smaller device: less of an image, fewer and smaller blocks, larger program units.

use super::probe::Probe;
use crate::op::{Operation, Value};
use crate::workload::{Start, Workload};
use cutpoint_engine::device::Geometry;

const BLOCK_SIZES: [u32; 4] = [128, 256, 512, 1024];
const BLOCK_COUNTS: [u32; 14] = [2, 4, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128];

pub(super) fn shrink(probe: &mut Probe<'_>, workload: &mut Workload) -> bool {
    if let Start::Store { .. } = workload.start() {
        let blank = workload.clone().from_blank();
        return probe.takes(workload, blank);
    }
    let smaller_blocks = smaller_blocks(probe, workload);
    let fewer_blocks = fewer_blocks(probe, workload);
    let larger_units = larger_units(probe, workload);
    let erases_to_ones = workload.erase_value() != 0xff && {
        let usual = workload.clone().with_erase_value(0xff);
        probe.takes(workload, usual)
    };
    smaller_blocks || fewer_blocks || larger_units || erases_to_ones
}

fn smaller_blocks(probe: &mut Probe<'_>, workload: &mut Workload) -> bool {
    let before = workload.geometry();
    for size in BLOCK_SIZES {
        if size >= before.block_size() {
            break;
        }
        let Some(geometry) = geometry(
            size,
            before.block_count(),
            before.prog_size().min(size),
            before,
        ) else {
            continue;
        };
        let smaller = workload.clone().on_device(geometry);
        // Values that filled a block should do so again.
        let scale = |length: u32| {
            let scaled = u64::from(length) * u64::from(size) / u64::from(before.block_size());
            scaled as u32
        };
        let operations = workload.operations().iter();
        let scaled = operations.map(|operation| scaled(operation, scale));
        let scaled = smaller.clone().with_operations(scaled.collect());
        if probe.takes(workload, scaled) || probe.takes(workload, smaller) {
            return true;
        }
    }
    false
}

fn scaled(operation: &Operation, scale: impl Fn(u32) -> u32) -> Operation {
    let mut operation = operation.clone();
    match &mut operation {
        Operation::Set { value, .. } | Operation::SetAttribute { data: value, .. } => {
            scale_value(value, scale);
        }
        Operation::SetPartial { offset, value, .. } => {
            *offset = scale(*offset);
            scale_value(value, scale);
        }
        Operation::Truncate { size, .. } | Operation::Allocate { size, .. } => *size = scale(*size),
        _ => {}
    }
    operation
}

fn scale_value(value: &mut Value, scale: impl Fn(u32) -> u32) {
    if let Value::Generated { length, .. } | Value::Repeated { length, .. } = value {
        *length = scale(*length);
    }
}

fn fewer_blocks(probe: &mut Probe<'_>, workload: &mut Workload) -> bool {
    let before = workload.geometry();
    for count in BLOCK_COUNTS {
        if count >= before.block_count() {
            break;
        }
        if let Ok(geometry) = before.with_block_count(count) {
            let fewer = workload.clone().on_device(geometry);
            if probe.takes(workload, fewer) {
                return true;
            }
        }
    }
    false
}

fn larger_units(probe: &mut Probe<'_>, workload: &mut Workload) -> bool {
    let before = workload.geometry();
    let mut unit = before.block_size();
    while unit > before.prog_size() {
        let larger = geometry(before.block_size(), before.block_count(), unit, before);
        if let Some(geometry) = larger {
            let larger = workload.clone().on_device(geometry);
            if probe.takes(workload, larger) {
                return true;
            }
        }
        unit /= 2;
    }
    false
}

/// These sizes, and what else is said of `like`; none where they are no device's.
fn geometry(block_size: u32, block_count: u32, prog_size: u32, like: Geometry) -> Option<Geometry> {
    let geometry = Geometry::new(block_size, block_count).ok()?;
    let geometry = geometry.with_prog_size(prog_size).ok()?;
    Some(geometry.with_erase_unordered(like.erase_unordered()))
}
