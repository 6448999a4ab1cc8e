//! Where a crash state can be damaged so that a store could see it.

use super::{Damage, DamageKind, DecayedDisk, Unit};
use crate::crash::CrashView;
use crate::session::Session;
use crate::trace::Image;
use cutpoint_engine::device::{BlockId, Geometry};
use std::collections::BTreeMap;
use std::ops::Range;

/// The smallest number of bytes that are taken to go bad together.
const UNIT: u32 = 16;

/// The places of one crash state. Recovery hangs on what it reads alone, so damage elsewhere changes nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Survey {
    unit: u32,
    /// Bytes that were read and hold something: ranges that do not touch, in order.
    bytes: Vec<(BlockId, Range<u32>)>,
    /// Units with such bytes.
    units: Vec<Unit>,
    /// Blocks with such bytes.
    blocks: Vec<BlockId>,
    /// All bytes, units and blocks that hold something.
    all: [u64; 3],
}

impl Survey {
    /// The places where the session's device was read since `session` began, of those that hold something of `image`.
    pub(super) fn of(
        session: &Session<'_, DecayedDisk<CrashView>>,
        image: &Image,
        geometry: Geometry,
        erase_value: u8,
    ) -> Self {
        let read = session.disk().with(DecayedDisk::take_read);
        let bytes = image.to_vec(geometry, erase_value);
        let blocks = bytes.chunks_exact(geometry.block_size() as usize);
        let mut survey = Self {
            unit: geometry.prog_size().max(UNIT).min(geometry.block_size()),
            ..Self::default()
        };
        for (block, bytes) in (0..).map(BlockId::new).zip(blocks) {
            let held = bytes.iter().rposition(|&byte| byte != erase_value);
            if let Some(last) = held {
                survey.add(block, last as u32 + 1, &read);
            }
        }
        survey
    }

    /// Adds a block of which the first `held` bytes hold something.
    fn add(&mut self, block: BlockId, held: u32, read: &BTreeMap<BlockId, Vec<bool>>) {
        let units = held.div_ceil(self.unit);
        let all = [held, units, 1].map(u64::from);
        for (sum, more) in self.all.iter_mut().zip(all) {
            *sum += more;
        }
        let Some(read) = read.get(&block).map(|read| &read[..held as usize]) else {
            return;
        };
        if !read.contains(&true) {
            return;
        }
        let mut offset = 0;
        for run in read.chunk_by(|one, next| one == next) {
            let end = offset + run.len() as u32;
            if run[0] {
                self.bytes.push((block, offset..end));
            }
            offset = end;
        }
        let unit = |index: u32| Unit {
            block,
            offset: index * self.unit,
            length: self.unit,
        };
        let seen = read.chunks(self.unit as usize);
        let seen = (0..).zip(seen).filter(|(_, bytes)| bytes.contains(&true));
        let units: Vec<Unit> = seen.map(|(index, _)| unit(index)).collect();
        self.units.extend(units);
        self.blocks.push(block);
    }

    /// How many damages of this kind there are, those included that nobody reads.
    pub(super) fn all(&self, kind: DamageKind) -> u64 {
        let [bytes, units, blocks] = self.all;
        match kind {
            DamageKind::Flip => bytes * 8,
            DamageKind::Garbled | DamageKind::UnreadableUnit => units,
            DamageKind::Unreadable => blocks,
        }
    }

    /// How many of this kind are of bytes that are read.
    pub(super) fn read(&self, kind: DamageKind) -> u64 {
        match kind {
            DamageKind::Flip => {
                let lengths = self.bytes.iter().map(|(_, bytes)| bytes.len() as u64);
                lengths.sum::<u64>() * 8
            }
            DamageKind::Garbled | DamageKind::UnreadableUnit => self.units.len() as u64,
            DamageKind::Unreadable => self.blocks.len() as u64,
        }
    }

    /// The damage of this kind with this number, of those that are read; none where there are fewer.
    pub(super) fn damage(&self, kind: DamageKind, number: u64) -> Option<Damage> {
        match kind {
            DamageKind::Flip => {
                let mut left = number;
                for (block, bytes) in &self.bytes {
                    let bits = bytes.len() as u64 * 8;
                    if left < bits {
                        let bit = u64::from(bytes.start) * 8 + left;
                        return Some(Damage::Flip { block: *block, bit });
                    }
                    left -= bits;
                }
                None
            }
            DamageKind::Garbled => self
                .units
                .get(number as usize)
                .copied()
                .map(Damage::Garbled),
            DamageKind::UnreadableUnit => {
                let unit = self.units.get(number as usize).copied();
                unit.map(Damage::UnreadableUnit)
            }
            DamageKind::Unreadable => {
                let block = self.blocks.get(number as usize).copied();
                block.map(Damage::Unreadable)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_counted_everywhere_and_tried_where_it_is_read() {
        let mut survey = Survey {
            unit: 16,
            ..Survey::default()
        };
        let block = BlockId::new(2);
        let mut read = vec![false; 64];
        read[3..5].fill(true);
        read[40..64].fill(true);
        survey.add(block, 42, &BTreeMap::from([(block, read)]));
        survey.add(BlockId::new(3), 5, &BTreeMap::new());
        let counts = DamageKind::ALL.map(|kind| (survey.all(kind), survey.read(kind)));
        assert_eq!(counts, [(47 * 8, 4 * 8), (4, 2), (4, 2), (2, 1)]);
        let all = |kind| (0..).map_while(move |number| survey.damage(kind, number));
        let bits: Vec<u64> = all.clone()(DamageKind::Flip)
            .map(|damage| match damage {
                Damage::Flip { bit, .. } => bit / 8,
                other => panic!("{other}"),
            })
            .collect();
        let bytes: Vec<u64> = [3, 4, 40, 41].iter().flat_map(|&at| [at; 8]).collect();
        assert_eq!(bits, bytes);
        let units: Vec<String> = all(DamageKind::Garbled)
            .map(|damage| damage.to_string())
            .collect();
        assert_eq!(units, ["garbled:2.0/16", "garbled:2.32/16"]);
    }
}
