//! A namespace in memory for the planner: executes plans on a snapshot, simulates controllers, and controls the clock.
//! There is no API server and no operator: tests with real parts cover those.
//!
//! - [`world`]: the objects, as an API server stores them; [`fixture`]: the initial objects of models; [`objects`]:
//!   other objects, as scenarios define them; [`time`].
//! - [`controllers`]: runs those of [`pods`], [`configs`], [`scalers`] and [`knative`].
//! - [`course`]: the passage of time; [`sim`]: the loop of queries, answers, decision and writes; [`records`]: the
//!   memory of the records of runs; [`rate`]: how often objects are written.
//! - [`rates`]: requests to both sides, for comparisons.
//! - [`together`]: several Canaries in the namespace.
//! - [`observer`]: invariants of every decision and every write; [`route`], [`shares`]: their view of traffic and pods.
//! - [`late_proxy`]: a proxy that learns about each object separately, late and in any order; `numbered_clusters`: one whose
//!   clusters have the numbers of rules.
//! - [`behaviour`]: a transcript without its texts.
//! - [`answers`]: scripted answers, and events during the wait.
//! - [`writes`]: plans are executed, or interrupted.
//! - [`others`]: parties that revert or refuse the operator's writes.
//! - [`scenario`] and [`step`]: scenarios as data; [`show`]: the parts that are compared; [`transcript`]: events as
//!   lines.

mod answers;
pub mod behaviour;
#[cfg(test)]
mod compared;
pub mod configs;
pub mod controllers;
mod course;
pub mod fixture;
#[cfg(test)]
mod jobs;
pub mod knative;
mod late_ports;
pub mod late_proxy;
#[cfg(test)]
mod meanwhile;
mod numbered_clusters;
mod objects;
pub mod observer;
pub mod others;
pub mod pods;
mod rate;
pub mod rates;
mod records;
pub mod route;
pub mod scalers;
pub mod scenario;
mod shares;
mod show;
pub mod sim;
mod step;
#[cfg(test)]
mod targets;
pub mod time;
pub mod together;
pub mod transcript;
#[cfg(test)]
mod upgrades;
#[cfg(test)]
mod waiters;
pub mod world;
mod writes;

pub use sim::{Sim, Trouble};
