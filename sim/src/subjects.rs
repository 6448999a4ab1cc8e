//! The subjects that come with the harness.

mod engine;
#[cfg(feature = "littlefs-c")]
mod littlefs_c;

pub use engine::EngineSubject;
#[cfg(feature = "littlefs-c")]
pub use littlefs_c::LittlefsCSubject;
