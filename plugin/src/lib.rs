//! `kubectl canary`: watch and control releases from a terminal.
//!
//! The plugin reads facts from the cluster, derives a view, and shows it on a screen. Modules in layer order, low to
//! high: each uses only modules above it in this list (checked by `e2e/tests/repo.rs`):
//!
//! 1. [`text`], [`difference`], [`failure`]
//! 2. [`view`] - pure: what is shown, be it on a terminal, as JSON or on a page
//! 3. [`lint`] - pure: what is wrong with Canaries in files
//! 4. [`convert`] - pure: objects of Argo Rollouts as those of Serin
//! 5. [`simulate`], [`migrate`], [`doctor`], [`probe`] - pure: what a run will be like, what changes for Canaries of Flagger, whether
//!    all is there, and which version answers
//! 6. [`schema`] - pure: what `-o json` prints
//! 7. [`screen`] - pure: views as lines
//! 8. [`cluster`] - reads and writes the API server
//! 9. [`command`] - the command line

pub mod difference;
pub mod failure;
pub mod text;

pub mod view;

pub mod lint;

pub mod convert;

pub mod doctor;
pub mod migrate;
pub mod probe;
pub mod simulate;

pub mod schema;

pub mod screen;

mod cluster;

pub mod command;
