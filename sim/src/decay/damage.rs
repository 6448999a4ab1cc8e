use crate::crash::CrashState;
use cutpoint_engine::device::BlockId;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// What has become of a piece of a medium since it was written. It stays so until the block is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Damage {
    /// A bit reads as the other value.
    Flip {
        /// The block.
        block: BlockId,
        /// The bit: eight times the offset of its byte, and its place in that, 0 for the lowest.
        bit: u64,
    },
    /// Every byte of a unit reads as another value.
    Garbled(Unit),
    /// Reads of any byte of a unit fail.
    UnreadableUnit(Unit),
    /// Reads of a block fail.
    Unreadable(BlockId),
}

/// Bytes of a block that go bad together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit {
    /// The block.
    pub block: BlockId,
    /// The first byte.
    pub offset: u32,
    /// How many bytes.
    pub length: u32,
}

/// A kind of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DamageKind {
    /// [`Damage::Flip`].
    Flip,
    /// [`Damage::Garbled`].
    Garbled,
    /// [`Damage::UnreadableUnit`].
    UnreadableUnit,
    /// [`Damage::Unreadable`].
    Unreadable,
}

impl DamageKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [
        Self::Flip,
        Self::Garbled,
        Self::UnreadableUnit,
        Self::Unreadable,
    ];
}

impl fmt::Display for DamageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Flip => "bits flipped",
            Self::Garbled => "units garbled",
            Self::UnreadableUnit => "units unreadable",
            Self::Unreadable => "blocks unreadable",
        })
    }
}

impl Unit {
    /// Whether the byte at `offset` of `block` is one of it.
    pub fn contains(self, block: BlockId, offset: u32) -> bool {
        block == self.block
            && offset
                .checked_sub(self.offset)
                .is_some_and(|place| place < self.length)
    }
}

impl Damage {
    /// The block.
    pub fn block(self) -> BlockId {
        match self {
            Self::Flip { block, .. } | Self::Unreadable(block) => block,
            Self::Garbled(unit) | Self::UnreadableUnit(unit) => unit.block,
        }
    }

    /// Its kind.
    pub fn kind(self) -> DamageKind {
        match self {
            Self::Flip { .. } => DamageKind::Flip,
            Self::Garbled(_) => DamageKind::Garbled,
            Self::UnreadableUnit(_) => DamageKind::UnreadableUnit,
            Self::Unreadable(_) => DamageKind::Unreadable,
        }
    }

    /// Whether the device says so when it is read.
    pub fn is_told_by_the_device(self) -> bool {
        matches!(self, Self::UnreadableUnit(_) | Self::Unreadable(_))
    }
}

impl Damage {
    /// What it is, in words: `bit 5 of byte 120 of block 3 is flipped`.
    pub fn in_words(&self) -> String {
        let of_unit = |unit: &Unit, what| {
            let Unit {
                block,
                offset,
                length,
            } = unit;
            format!("the {length} bytes from {offset} on of block {block} {what}")
        };
        match self {
            Self::Flip { block, bit } => {
                format!(
                    "bit {} of byte {} of block {block} is flipped",
                    bit % 8,
                    bit / 8
                )
            }
            Self::Garbled(unit) => of_unit(unit, "are all others"),
            Self::UnreadableUnit(unit) => of_unit(unit, "cannot be read"),
            Self::Unreadable(block) => format!("block {block} cannot be read"),
        }
    }
}

/// For example `flip:3.120.5` (bit 5 of byte 120 of block 3), `garbled:3.96/16` (16 bytes from 96 on),
/// `unreadable:3.96/16`, `unreadable:3`.
impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flip { block, bit } => write!(f, "flip:{block}.{}.{}", bit / 8, bit % 8),
            Self::Garbled(unit) => write!(f, "garbled:{unit}"),
            Self::UnreadableUnit(unit) => write!(f, "unreadable:{unit}"),
            Self::Unreadable(block) => write!(f, "unreadable:{block}"),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}/{}", self.block, self.offset, self.length)
    }
}

/// A crash state and what has become of it since: `117+flip:3.120.5`. It reads back to the same, and one has one text.
///
/// ```
/// use cutpoint::decay::{Damage, DecayState};
/// use cutpoint_engine::device::BlockId;
///
/// let decayed: DecayState = "117+unreadable:3".parse()?;
/// assert_eq!(decayed.state.to_string(), "117");
/// assert_eq!(decayed.damage, Damage::Unreadable(BlockId::new(3)));
/// # Ok::<(), cutpoint::decay::ParseDecayError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecayState {
    /// The crash state.
    pub state: CrashState,
    /// The damage.
    pub damage: Damage,
}

impl DecayState {
    /// Whether a text that names a state names one with damage.
    pub fn is_meant_by(text: &str) -> bool {
        text.contains('+')
    }
}

impl fmt::Display for DecayState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.state, self.damage)
    }
}

impl Serialize for DecayState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text is no id of a crash state with damage as ids print.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "'{0}' is no crash state with damage: a form such as 117+flip:3.120.5, 117+garbled:3.96/16 or 117+unreadable:3 is \
     needed"
)]
pub struct ParseDecayError(pub String);

impl FromStr for DecayState {
    type Err = ParseDecayError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text)
            // One state, one text.
            .filter(|state| state.to_string() == text)
            .ok_or_else(|| ParseDecayError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<DecayState> {
    let (state, damage) = text.split_once('+')?;
    let (what, place) = damage.split_once(':')?;
    let damage = match what {
        "flip" => {
            let (block, bit) = place.split_once('.')?;
            let (offset, bit) = bit.split_once('.')?;
            let offset: u32 = offset.parse().ok()?;
            let bit = bit.parse().ok().filter(|&bit: &u64| bit < 8)?;
            Damage::Flip {
                block: parse_block(block)?,
                bit: u64::from(offset) * 8 + bit,
            }
        }
        "garbled" => Damage::Garbled(parse_unit(place)?),
        "unreadable" if place.contains('.') => Damage::UnreadableUnit(parse_unit(place)?),
        "unreadable" => Damage::Unreadable(parse_block(place)?),
        _ => return None,
    };
    Some(DecayState {
        state: state.parse().ok()?,
        damage,
    })
}

fn parse_block(text: &str) -> Option<BlockId> {
    Some(BlockId::new(text.parse().ok()?))
}

fn parse_unit(text: &str) -> Option<Unit> {
    let (block, range) = text.split_once('.')?;
    let (offset, length) = range.split_once('/')?;
    Some(Unit {
        block: parse_block(block)?,
        offset: offset.parse().ok()?,
        length: length.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn damage() -> impl Strategy<Value = Damage> {
        let block = any::<u32>().prop_map(BlockId::new);
        let unit =
            (block.clone(), any::<u32>(), any::<u32>()).prop_map(|(block, offset, length)| Unit {
                block,
                offset,
                length,
            });
        prop_oneof![
            (block.clone(), 0..=u64::from(u32::MAX) * 8 + 7)
                .prop_map(|(block, bit)| Damage::Flip { block, bit }),
            unit.clone().prop_map(Damage::Garbled),
            unit.prop_map(Damage::UnreadableUnit),
            block.prop_map(Damage::Unreadable),
        ]
    }

    proptest! {
        #[test]
        fn reads_what_it_prints(issued: u32, nested: bool, damage in damage()) {
            let state = CrashState::prefix(issued);
            let state = if nested { state.and_then(CrashState::prefix(3)) } else { state };
            let decayed = DecayState { state, damage };
            let text = decayed.to_string();
            prop_assert!(DecayState::is_meant_by(&text));
            prop_assert_eq!(text.parse(), Ok(decayed));
        }

        #[test]
        fn takes_only_what_it_prints(text in "[0-9]{1,3}[+](flip|garbled|unreadable):[0-9./+]{1,9}") {
            if let Ok(decayed) = text.parse::<DecayState>() {
                prop_assert_eq!(decayed.to_string(), text);
            }
        }
    }

    #[test]
    fn a_text_that_names_no_damage_is_refused() {
        for text in [
            "117",
            "117+",
            "117+flip:3",
            "117+flip:3.1.8",
            "117+flip:03.1.7",
            "+unreadable:3",
            "1+garbled:3.4",
        ] {
            assert_eq!(
                text.parse::<DecayState>(),
                Err(ParseDecayError(text.into())),
                "{text}"
            );
        }
    }
}
