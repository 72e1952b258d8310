//! What a release consists of, made from built binaries and the repository so that the same commit gives the same bytes:
//! nothing here asks for the time, the user or the order of a folder.
//!
//! - [`archive`]: tar and gzip without traces of the machine
//! - [`image`]: the container image as an OCI archive; [`unpack`] is the way back, for the check
//! - [`schema`]: JSON schemas of the definitions
//! - [`bom`]: the bill of materials
//! - [`notes`]: the release notes, from the changelog
//! - [`release`]: all of it
//! - [`links`], [`site`]: the documentation as a site, and whether its links lead somewhere

pub mod archive;
pub mod bom;
pub mod image;
pub mod links;
pub mod notes;
pub mod release;
pub mod schema;
pub mod site;
pub mod unpack;
