//! Crash states: what a power cut can leave of a trace, and devices that show it.

mod cuts;
mod history;
mod lazy;
mod prefix;
mod space;
mod state;
mod tear;
mod view;
mod write;

pub use cuts::{Cuts, Outlook};
pub use history::{Candidate, History};
pub use lazy::{LazyView, Leaf, Leaves};
pub use prefix::prefix_states;
pub use space::{Epoch, Open, Space};
pub(crate) use space::{Seen, SeenWrite};
pub use state::{CrashState, Fate, Flaw, ParseStateError};
pub use tear::{Reached, Tear};
pub use view::{CrashView, StateNotInTrace};
