//! What stories need beyond the parts that every bed has, and this machine may not have.
//!
//! Found out by `e2e/parts/lacking.sh`, which tries each. A story that needs what is missing is skipped, and named at the
//! end of the run with the reason; `.ci/steps` gathers these lists, and makes them a failure in CI.

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

/// Names the file that the skipped stories of a whole run are gathered in.
const GATHERED: &str = "SERIN_SKIPPED";

/// What a story needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A bed, which takes namespaces of the kernel.
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

/// What this machine lacks, and the stories of a test target that are skipped for it.
#[derive(Debug)]
pub struct Lacking {
    target: &'static str,
    /// By need: the reason, with the remedy.
    reasons: BTreeMap<String, String>,
    /// Stories, with their reason.
    skipped: Vec<(String, String)>,
}

impl Lacking {
    /// Tries everything that stories of `target` may need.
    ///
    /// # Errors
    /// The script does not run.
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

    /// Enters a namespace, as [`crate::enter`] does, unless there can be none: then all stories are skipped.
    ///
    /// # Errors
    /// The namespace is not what it should be.
    pub fn enter(&self) -> anyhow::Result<()> {
        if self.has(Need::Bed) { namespace::enter() } else { Ok(()) }
    }

    /// Whether `need` can be met.
    pub fn has(&self, need: Need) -> bool {
        self.reason(need).is_none()
    }

    /// Nothing can be had without a bed.
    fn reason(&self, need: Need) -> Option<&String> {
        self.reasons.get(Need::Bed.name()).or_else(|| self.reasons.get(need.name()))
    }

    /// Whether a story is skipped because of its need; notes it if so.
    pub fn skips(&mut self, story: &str, need: Need) -> bool {
        let Some(reason) = self.reason(need).cloned() else { return false };
        self.skipped.push((story.to_owned(), reason));
        true
    }

    /// Adds what was skipped to the list of the whole run, or prints it where there is none.
    ///
    /// # Errors
    /// That list cannot be written.
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
