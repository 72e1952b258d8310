//! Requirements of stories that not every bed has, and that this machine may lack.
//!
//! `e2e/parts/lacking.sh` finds them by trying each one. Stories with a missing requirement are skipped, and listed
//! with the reason at the end of the run. `.ci/steps` collects these lists, and fails in CI if there are any.

use std::{
    collections::BTreeMap,
    env,
    fs::OpenOptions,
    io::{self, Write},
    path::Path,
    process::Command,
};

use anyhow::{Context, bail};

use crate::namespace;

/// Names the file that collects the skipped stories of a whole run.
const GATHERED: &str = "SERIN_SKIPPED";

/// A requirement of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A bed, which needs kernel namespaces.
    Bed,
    /// kube-proxy, which calls `nft`.
    Nftables,
    /// Graphite's own web application.
    Graphite,
}

impl Need {
    fn name(self) -> &'static str {
        match self {
            Self::Bed => "bed",
            Self::Nftables => "nftables",
            Self::Graphite => "graphite",
        }
    }
}

/// The missing requirements of this machine, and the stories of a test target that are skipped because of them.
#[derive(Debug)]
pub struct Lacking {
    target: &'static str,
    /// By requirement: the reason, with the remedy.
    reasons: BTreeMap<String, String>,
    /// Stories, each with the reason.
    skipped: Vec<(String, String)>,
}

impl Lacking {
    /// Tries everything that stories of `target` may need.
    ///
    /// # Errors
    /// The script cannot be run.
    pub fn find(target: &'static str) -> anyhow::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../parts/lacking.sh");
        let output =
            Command::new(&script).output().with_context(|| format!("running {}", script.display()))?;
        if !output.status.success() {
            bail!("{}: {}", script.display(), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(Self::read(target, &String::from_utf8_lossy(&output.stdout)))
    }

    fn read(target: &'static str, text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        let reasons = lines.map(|(need, why)| (need.to_owned(), why.to_owned())).collect();
        Self { target, reasons, skipped: Vec::new() }
    }

    /// Enters a namespace, as [`crate::enter`] does. If that is impossible, all stories are skipped.
    ///
    /// # Errors
    /// The namespace could not be set up.
    pub fn enter(&self) -> anyhow::Result<()> {
        if self.has(Need::Bed) { namespace::enter() } else { Ok(()) }
    }

    /// Whether `need` is met.
    pub fn has(&self, need: Need) -> bool {
        self.reason(need).is_none()
    }

    /// Nothing works without a bed.
    fn reason(&self, need: Need) -> Option<&String> {
        self.reasons.get(Need::Bed.name()).or_else(|| self.reasons.get(need.name()))
    }

    /// Whether a story is skipped because of its requirement. Records it if so.
    pub fn skips(&mut self, story: &str, need: Need) -> bool {
        let Some(reason) = self.reason(need).cloned() else { return false };
        self.skipped.push((story.to_owned(), reason));
        true
    }

    /// Adds the skipped stories to the list of the whole run, or prints them if there is no list.
    ///
    /// # Errors
    /// The list cannot be written.
    pub(crate) fn tell(&self) -> anyhow::Result<()> {
        if self.skipped.is_empty() {
            return Ok(());
        }
        let lines = self.skipped.iter().map(|(story, why)| format!("{}::{story}: {why}", self.target));
        let lines = lines.collect::<Vec<_>>().join("\n") + "\n";
        let Some(path) = env::var_os(GATHERED) else {
            write!(io::stdout(), "\n{} stories were SKIPPED:\n{lines}\n", self.skipped.len())?;
            return Ok(());
        };
        let file = OpenOptions::new().append(true).create(true).open(&path);
        file.and_then(|mut file| file.write_all(lines.as_bytes())).context("noting what was skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_is_skipped_for_what_it_needs() {
        let mut lacking = Lacking::read("stories", "nftables\tnft is missing: apt-get install nftables\n");
        assert!(lacking.skips("services::shares", Need::Nftables));
        assert!(!lacking.skips("rest::writes_nothing", Need::Bed));
        assert!(!lacking.skips("sources::graphite", Need::Graphite));
        let why = "nft is missing: apt-get install nftables".to_owned();
        assert_eq!(lacking.skipped, [("services::shares".to_owned(), why)]);
    }

    #[test]
    fn without_a_bed_every_story_is_skipped() {
        let mut lacking = Lacking::read("stories", "bed\tno network namespaces: run it as root\n");
        assert!(lacking.skips("rest::writes_nothing", Need::Bed));
        assert!(lacking.skips("sources::graphite", Need::Graphite));
    }
}
