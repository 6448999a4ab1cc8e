//! From a run's writes to its epochs.

use super::Epoch;
use super::epoch::{Chain, ChainValue, EpochWrite, Windows};
use crate::contract::{Contract, Order, Sets, Tearing};
use crate::crash::Reached;
use crate::crash::tear::Tear;
use crate::crash::write::Write;
use cutpoint_engine::device::{BlockId, Geometry};
use std::collections::BTreeMap;

pub(super) struct Build<'a> {
    pub(super) geometry: Geometry,
    pub(super) erase_value: u8,
    pub(super) contract: &'a Contract,
}

impl Build<'_> {
    pub(super) fn epoch(
        &self,
        before: u32,
        writes: Vec<EpochWrite>,
        start: usize,
        end: usize,
        follows: bool,
    ) -> Epoch {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut of_block: BTreeMap<BlockId, usize> = BTreeMap::new();
        for (place, write) in writes.iter().enumerate() {
            let block = write.event.written_block().unwrap_or(BlockId::new(0));
            let group = match self.contract.order {
                Order::Issued if groups.is_empty() => None,
                Order::Issued => Some(0),
                Order::PerBlock => of_block.get(&block).copied(),
                Order::Any => None,
            };
            let group = group.unwrap_or_else(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            of_block.insert(block, group);
            groups[group].push(place);
        }
        let windows = match self.contract.order {
            Order::Issued => Windows::UntilNext { start, end },
            Order::PerBlock | Order::Any => Windows::UntilSync { start, end },
        };
        let chains: Vec<Chain> = groups
            .into_iter()
            .map(|places| Chain {
                values: self.values(&places, &writes),
                writes: places,
            })
            .collect();
        let mut by_block: BTreeMap<BlockId, Vec<usize>> = BTreeMap::new();
        for (chain, places) in chains.iter().enumerate().rev() {
            for &place in &places.writes {
                let block = writes[place]
                    .event
                    .written_block()
                    .unwrap_or(BlockId::new(0));
                let chains = by_block.entry(block).or_default();
                if chains.last() != Some(&chain) {
                    chains.push(chain);
                }
            }
        }
        Epoch {
            before,
            erase_value: self.erase_value,
            block_size: self.geometry.block_size(),
            writes,
            chains,
            by_block,
            windows,
            follows,
        }
    }

    fn values(&self, places: &[usize], writes: &[EpochWrite]) -> Vec<ChainValue> {
        let mut values = Vec::new();
        for whole in 0..=places.len() {
            values.push(ChainValue { whole, tear: None });
            let Some(write) = places.get(whole).map(|&place| &writes[place]) else {
                break;
            };
            let block_size = self.geometry.block_size();
            if let Some(write) = Write::of(write.number, &write.event, block_size, self.erase_value)
            {
                let torn = self.tears(&write).into_iter();
                values.extend(torn.map(|tear| ChainValue {
                    whole,
                    tear: Some(tear),
                }));
            }
        }
        values
    }

    /// What may be left of a write that the cut met.
    fn tears(&self, write: &Write<'_>) -> Vec<Tear> {
        let tearing = if write.is_erase() {
            self.contract.erase
        } else {
            self.contract.program
        };
        let Tearing::Units {
            unit,
            sets,
            noise,
            zeroed_tail,
        } = tearing
        else {
            return Vec::new();
        };
        let unit = unit.bytes(self.geometry);
        let units = Tear::units(unit, write.start, write.length());
        let mut reached: Vec<Reached> = match sets {
            Sets::All { up_to } if units <= up_to.min(16) => {
                let all = ((1_u32 << units) - 1) as u16;
                (1..all).map(Reached::Set).collect()
            }
            Sets::All { .. } | Sets::Classes => {
                let front = (1..units).map(Reached::First);
                let back = (1..units).map(Reached::Last);
                // Without the first or the last unit, it is a run.
                let holes = (1..units.max(2) - 1).map(Reached::AllBut);
                front.chain(back).chain(holes).collect()
            }
        };
        if noise {
            reached.extend((0..units).map(Reached::Spoiled));
        }
        if zeroed_tail && write.is_erase() {
            reached.extend((1..=units).map(Reached::ZeroedTail));
        }
        let tears = reached.into_iter().map(|reached| Tear { unit, reached });
        tears.filter(|&tear| write.can_be(tear)).collect()
    }
}
