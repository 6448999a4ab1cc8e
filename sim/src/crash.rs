//! Crash states: what a power cut can leave of a trace, and devices that show it.

mod history;
mod prefix;
mod state;
mod view;

pub use history::{Candidate, History};
pub use prefix::prefix_states;
pub use state::{CrashState, ParseStateError, StateForm};
pub use view::{CrashView, StateNotInTrace};
