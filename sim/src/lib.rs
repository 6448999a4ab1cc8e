//! Cuts the power at every possible point of a storage engine's life and proves what survives.
//!
//! A workload runs once on a simulated device that records every write. Each state that a power cut could have left is
//! then a view of that recording; the engine mounts on it, and what it shows is held against a model. Every run of the
//! same workload explores the same states and finds the same things, with any number of threads.
//!
//! ```
//! use cutpoint::explore::Sweep;
//! use cutpoint::op::{Operation, Value};
//! use cutpoint::subjects::EngineSubject;
//! use cutpoint::workload::Workload;
//! use cutpoint_engine::device::Geometry;
//!
//! let workload = Workload::new("rename-over", Geometry::new(512, 64)?)
//!     .then(Operation::set("/new", Value::generated(700, 1)))
//!     .then(Operation::set("/d/old", Value::literal("old")))
//!     .then(Operation::rename("/new", "/d/old"));
//! let report = Sweep::new(&EngineSubject::default(), &workload).run();
//! assert!(report.is_complete());
//! assert_eq!(report.first_violation(), None);
//! # Ok::<(), cutpoint_engine::device::GeometryError>(())
//! ```
//!
//! To test an engine of your own, see [`subject`] and [`check`](mod@check).
//!
//! # The rooms
//!
//! From the ground up; none uses one that stands below it in this list.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`medium`], [`trace`] | kinds of media; the events that a device saw, and what it held before them |
//! | [`phase`] | what subjects are at when they write |
//! | [`guard`], [`disk`], [`shared`] | the rules and the budget of simulated devices; the one that records; handles |
//! | [`faulty`] | devices that fail |
//! | [`contract`] | what kinds of devices guarantee |
//! | [`crash`] | crash states, which exist, and views that show them |
//! | [`op`], [`refusal`], [`model`] | what is run, why a store says no, what should come of it |
//! | [`files`], [`nor_flash`] | what stores stand on that are not made for our devices |
//! | [`subject`], [`subjects`] | engines under test and their promises; those that come with the harness |
//! | [`isolate`] | calls into subjects, with panics and spent budgets as values |
//! | [`workload`] | operations on a device; the built-in ones, those on images of the corpus, and all short sequences |
//! | [`verdict`] | what can be wrong with a store, and the comparison that finds it |
//! | [`record`] | the recording run, checked against the model |
//! | [`coverage`] | what has been cut, lost, kept and torn of a recording |
//! | [`judge`] | one recovery |
//! | [`inflight`] | what each worker is at, on disk |
//! | [`explore`] | all of a workload's recoveries, in parallel |
//! | [`audit`] | what each sync of a workload is needed for, and where one is missing |
//! | [`mutants`] | faults made of a recording, one at a time, and whether the harness notices |
//! | [`bounded`] | all recoveries of all short sequences of operations |
//! | [`faults`] | all of a workload's runs on devices that fail, and their recoveries |
//! | [`case`] | workloads with crash models and verdicts, as text that people review |
//! | [`check`](mod@check) | tests of engines as part of their own `cargo test` |
//! | [`anatomy`] | images taken apart: blocks, pairs with their logs, values, damage |
//! | [`generate`] | random workloads |
//! | [`shrink`] | witnesses made small |
//! | [`campaign`] | random workloads for as long as there is time |
//! | [`run`] | the folder that a sweep or a campaign leaves, written and read back |
//! | [`decay`] | all of a workload's crash states with damage on top |
//! | [`report`] | results as text |
//! | [`html`] | results as a page for a browser |
//! | [`cli`] | the `cutpoint` command |
#![forbid(unsafe_code)]

pub mod anatomy;
mod as_text;
pub mod audit;
pub mod bounded;
pub mod campaign;
pub mod case;
pub mod check;
pub mod cli;
pub mod contract;
pub mod coverage;
pub mod crash;
pub mod decay;
pub mod disk;
pub mod explore;
pub mod faults;
pub mod faulty;
pub mod files;
pub mod fuzzing;
pub mod generate;
pub mod guard;
pub mod html;
pub mod inflight;
pub mod isolate;
pub mod judge;
pub mod medium;
pub mod model;
pub mod mutants;
pub mod nor_flash;
pub mod op;
pub mod phase;
pub mod record;
pub mod refusal;
pub mod report;
pub mod run;
mod session;
pub mod shared;
pub mod shrink;
pub mod subject;
pub mod subjects;
pub mod trace;
pub mod verdict;
pub mod workload;

pub use check::check;
pub use session::default_budget;

/// The examples of the README, compiled and run with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
