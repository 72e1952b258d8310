//! `kubectl canary`: watch and steer releases from a terminal.
//!
//! Facts are read of the cluster, a view is derived of them, a screen shows it. Modules in layer order, low to high; each
//! uses only what stands above it (`e2e/tests/repo.rs` checks that):
//!
//! 1. [`text`], [`failure`]
//! 2. [`view`] - pure: what is shown, be it on a terminal, as JSON or on a page
//! 3. [`lint`] - pure: what is wrong with Canaries in files
//! 4. [`screen`] - pure: views as lines
//! 5. [`cluster`] - reads and writes the API server
//! 6. [`command`] - the command line

pub mod failure;
pub mod text;

pub mod view;

pub mod lint;

pub mod screen;

mod cluster;

pub mod command;
