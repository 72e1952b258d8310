//! A namespace in memory for the planner: plans are carried out on a snapshot, controllers are played, the clock is set by
//! hand. No API server and no operator: what those do is tested on real parts.
//!
//! - [`world`]: the objects, as an API server keeps them; [`fixture`]: those that models begin with; [`objects`]: others, as
//!   scenarios write them down; [`time`].
//! - [`controllers`]: plays those of [`pods`], [`configs`], [`scalers`] and [`knative`].
//! - [`course`]: how time passes; [`sim`]: the loop of questions, answers, decision and writes; [`records`]: what is kept of the records of runs; [`rate`]: how often objects are written.
//! - [`rates`]: requests of both sides, for comparisons.
//! - [`together`]: several Canaries in the namespace.
//! - [`observer`]: what must hold of every decision and every write; [`route`], [`shares`]: where it looks.
//! - [`late_proxy`]: a proxy that learns of each object by itself, late and in any order.
//! - [`behaviour`]: a transcript without its texts.
//! - [`answers`]: what is answered, and what happens meanwhile.
//! - [`others`]: who changes back or refuses what the operator writes.
//! - [`scenario`] and [`step`]: scenarios as data; [`show`]: what of them is compared; [`transcript`]: what happens, in lines.

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
pub mod late_proxy;
#[cfg(test)]
mod meanwhile;
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

pub use sim::{Sim, Trouble};
