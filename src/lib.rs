//! Serin, a canary operator for Kubernetes.
//!
//! One way through: watch → [`snapshot::Snapshot`] → [`plan::questions`] (pure) → [`queries`] → [`plan::decide`] (pure,
//! total) → [`plan::Plan`] → [`apply`]. Modules in layer order, low to high; each uses only what stands above it
//! (`e2e/tests/repo.rs` checks that):
//!
//! 1. [`text`], [`names`], [`clock`], [`outbound`], [`config`]
//! 2. [`expression`], [`api`], [`snapshot`]
//! 3. [`manifest`], [`router`], [`analysis`] - pure
//! 4. [`plan`] - pure
//! 5. [`net`], [`telemetry`], [`retry`], [`queues`], [`source`], [`webhook`] - I/O leaves
//! 6. [`events`], [`observe`], [`alert`], [`queries`], [`apply`], [`server`]
//! 7. [`controller`], [`explain`], [`release`]
//! 8. [`cli`]
//! 9. [`loadtester`] - a program of its own

pub mod names;

pub mod clock;
pub mod config;
pub mod outbound;
pub mod text;

pub mod api;
pub mod expression;
pub mod snapshot;

pub mod analysis;
pub mod manifest;
pub mod router;

pub mod plan;

pub mod net;
pub mod queues;
pub mod retry;
pub mod source;
pub mod telemetry;
pub mod webhook;

pub mod alert;
pub mod apply;
pub mod events;
pub mod observe;
pub mod queries;
pub mod server;

pub mod controller;
pub mod explain;
pub mod release;

pub mod cli;

pub mod loadtester;
