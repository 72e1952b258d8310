//! Archives that depend only on their contents: sorted entries, one time for all entries, no owners.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
};

use anyhow::{Context as _, Result, bail};
use flate2::{Compression, GzBuilder, read::GzDecoder};
use ring::digest;
use tar::{Builder, EntryType, Header};

/// Mode of an executable.
pub const PROGRAM: u32 = 0o755;
/// Mode of any other file.
pub const PLAIN: u32 = 0o644;

enum Node {
    Folder,
    File { mode: u32, bytes: Vec<u8> },
    Link(String),
}

/// Files by path.
#[derive(Default)]
pub struct Tree(BTreeMap<String, Node>);

impl Tree {
    /// Adds a file and its parent folders.
    #[must_use]
    pub fn file(mut self, path: &str, mode: u32, bytes: impl Into<Vec<u8>>) -> Self {
        self.put(path, Node::File { mode, bytes: bytes.into() });
        self
    }

    /// Adds a symbolic link and its parent folders.
    #[must_use]
    pub fn link(mut self, path: &str, target: &str) -> Self {
        self.put(path, Node::Link(target.to_owned()));
        self
    }

    fn put(&mut self, path: &str, node: Node) {
        for (at, _) in path.match_indices('/') {
            self.0.entry(path[..at].to_owned()).or_insert(Node::Folder);
        }
        self.0.insert(path.to_owned(), node);
    }

    /// Returns a tar archive. `time` is the time of every entry, in seconds.
    pub fn tar(&self, time: u64) -> Result<Vec<u8>> {
        let mut builder = Builder::new(Vec::new());
        for (path, node) in &self.0 {
            let mut header = Header::new_gnu();
            header.set_mtime(time);
            header.set_uid(0);
            header.set_gid(0);
            header.set_size(0);
            header.set_mode(PROGRAM);
            let added = match node {
                Node::Folder => {
                    header.set_entry_type(EntryType::Directory);
                    builder.append_data(&mut header, format!("{path}/"), &[][..])
                }
                Node::File { mode, bytes } => {
                    header.set_mode(*mode);
                    header.set_size(bytes.len() as u64);
                    builder.append_data(&mut header, path, bytes.as_slice())
                }
                Node::Link(target) => {
                    header.set_entry_type(EntryType::Symlink);
                    builder.append_link(&mut header, path, target)
                }
            };
            added.with_context(|| format!("adding {path} to the archive"))?;
        }
        builder.into_inner().context("ending the archive")
    }

    /// Returns a compressed tar archive.
    pub fn tar_gz(&self, time: u64) -> Result<Vec<u8>> {
        gzip(&self.tar(time)?)
    }

    /// Reads a compressed tar archive of plain files.
    pub fn read_tar_gz(bytes: &[u8]) -> Result<Self> {
        let mut tree = Self::default();
        let mut archive = tar::Archive::new(GzDecoder::new(bytes));
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path()?.to_str().context("a path that is no text")?.to_owned();
            match entry.header().entry_type() {
                EntryType::Directory => {}
                EntryType::Regular => {
                    let mut bytes = Vec::new();
                    entry.read_to_end(&mut bytes)?;
                    let mode = if entry.header().mode()? & 0o100 == 0 { PLAIN } else { PROGRAM };
                    tree = tree.file(&path, mode, bytes);
                }
                other => bail!("{path} is a {other:?}: only files and folders are expected"),
            }
        }
        Ok(tree)
    }
}

/// Compresses without a name and a time.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(6));
    encoder.write_all(bytes)?;
    encoder.finish().context("compressing")
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> Tree {
        files.iter().fold(Tree::default(), |tree, path| tree.file(path, PLAIN, path.as_bytes()))
    }

    #[test]
    fn the_order_in_which_files_are_added_does_not_matter() {
        let (one, other) = (tree(&["b/c", "a", "b/a"]), tree(&["a", "b/a", "b/c"]));
        assert_eq!(one.tar_gz(7).unwrap(), other.tar_gz(7).unwrap());
    }

    #[test]
    fn an_archive_that_was_made_elsewhere_loses_its_times_and_owners() {
        let mut builder = Builder::new(Vec::new());
        for (path, time) in [("b", 99), ("a/c", 77)] {
            let mut header = Header::new_gnu();
            header.set_mtime(time);
            header.set_uid(1000);
            header.set_mode(0o664);
            header.set_size(path.len() as u64);
            builder.append_data(&mut header, path, path.as_bytes()).unwrap();
        }
        let theirs = gzip(&builder.into_inner().unwrap()).unwrap();
        let ours = Tree::read_tar_gz(&theirs).unwrap();
        assert_eq!(ours.tar(7).unwrap(), tree(&["a/c", "b"]).tar(7).unwrap());
    }

    #[test]
    fn folders_come_before_what_is_in_them() {
        let tar = tree(&["usr-a", "usr/bin/x"]).link("usr/y", "bin/x").tar(7).unwrap();
        let mut archive = tar::Archive::new(tar.as_slice());
        let paths: Vec<_> =
            archive.entries().unwrap().map(|e| e.unwrap().path().unwrap().display().to_string()).collect();
        assert_eq!(paths, ["usr/", "usr-a", "usr/bin/", "usr/bin/x", "usr/y"]);
    }

    #[test]
    fn digests_are_those_that_everybody_knows() {
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
