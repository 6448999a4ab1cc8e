//! An image taken apart, for people: as text, as a map of blocks on a terminal, and as a drawing.
//!
//! Texts carry escapes for colour; whoever prints them where no colour is wanted takes these out.

mod class;
mod drawing;
mod dump;
mod map;

pub(crate) use dump::data;

pub use drawing::drawing;
pub use dump::dump;
pub use map::map;
