//! Media that decay: crash states with a bit flipped, a unit garbled, or a block that cannot be read.
//!
//! What a store can be held to hangs on what its format can tell. The subject says so ([`Checks`](crate::subject::Checks)),
//! and each recovery is held against what a store with those checksums would show: a typed error, an allowed state, or
//! what is listed as [not told](Silence) by the format. Anything else is a violation.

mod cover;
mod damage;
mod disk;
mod judge;
mod replay;
mod report;
mod survey;
mod sweep;

pub use damage::{Damage, DamageKind, DecayState, ParseDecayError, Unit};
pub use disk::DecayedDisk;
pub use judge::{Outcome, Silence};
pub use replay::{DecayReplay, DecayReplayError};
pub use report::{DecayFound, DecayReport, KindCounts};
pub use sweep::DecaySweep;
