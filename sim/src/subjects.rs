//! The subjects that come with the harness.

mod engine;

pub use engine::EngineSubject;
