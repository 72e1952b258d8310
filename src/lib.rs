//! Serin, a canary operator for Kubernetes.
//!
//! The data flow: watch → [`snapshot::Snapshot`] → [`plan::questions`] (pure) → [`queries`] → [`plan::decide`] (pure,
//! total) → [`plan::Plan`] → [`apply`]. Modules in layer order, low to high; each may use only modules above it
//! (`e2e/tests/repo.rs` checks this):
//!
//! 1. [`text`], [`pattern`], [`names`], [`clock`], [`outbound`], [`proxies`], [`scope`], [`config`]
//! 2. [`expression`], [`api`], [`spec`], [`write_budget`], [`snapshot`]
//! 3. [`statistics`], [`manifest`], [`router`], [`analysis`] - pure
//! 4. [`plan`] - pure
//! 5. [`net`], [`telemetry`], [`retry`], [`queues`], [`source`], [`webhook`] - I/O leaves
//! 6. [`events`], [`observe`], [`alert`], [`queries`], [`apply`], [`server`]
//! 7. [`leader`], [`definitions`], [`controller`], [`explain`], [`backtest`], [`release`]
//! 8. [`cli`]
//! 9. [`loadtester`] - a program of its own

pub mod names;

mod clock;
pub mod config;
mod outbound;
mod pattern;
pub mod proxies;
pub mod scope;
mod text;

pub mod api;
pub mod expression;
pub mod snapshot;
pub mod spec;
pub mod write_budget;

pub mod analysis;
pub mod manifest;
pub mod router;
pub mod statistics;

pub mod plan;

mod net;
mod queues;
mod retry;
mod source;
pub mod telemetry;
mod webhook;

mod alert;
mod apply;
mod events;
pub mod observe;
mod queries;
mod server;

pub mod backtest;
mod controller;
mod definitions;
pub mod explain;
mod leader;
mod release;

pub mod cli;

pub mod loadtester;

#[cfg(test)]
mod tests;
