//! The files of a release, made from built binaries and the repository so that the same commit results in the same
//! bytes: nothing here depends on the time, the user or the order of a folder.
//!
//! - [`archive`]: tar and gzip without traces of the machine
//! - [`image`]: the container image as an OCI archive. [`unpack`] unpacks it for the check.
//! - [`schema`]: JSON schemas of the definitions
//! - [`bom`]: the bill of materials
//! - [`notes`]: the release notes, from the changelog
//! - [`release`]: all files
//! - [`links`], [`site`]: the documentation as a site, and a check of its links

pub mod archive;
pub mod bom;
pub mod image;
pub mod links;
pub mod notes;
pub mod release;
pub mod schema;
pub mod site;
pub mod unpack;
