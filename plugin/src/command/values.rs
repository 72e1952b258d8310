//! Parses the values of flags and arguments.

use std::time::Duration;

use clap::ValueEnum;
use serin::api::duration;

/// When to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Choice {
    Auto,
    Always,
    Never,
}

/// Forms of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// More columns, and times instead of ages
    Wide,
    /// Names only
    Name,
    /// The view as JSON
    Json,
    /// The view as YAML
    Yaml,
}

/// Forms of what `lint` found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintOutput {
    /// A line per finding
    #[default]
    Text,
    /// As JSON
    Json,
    /// As GitHub shows it beside the line
    Github,
}

/// The least level that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Least {
    #[default]
    Error,
    Warning,
    Note,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum For {
    /// The end of the run
    #[default]
    Ended,
    /// A gate, or the end of the run
    Gate,
}

/// Shells, and kubectl itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    /// The file kubectl_complete-canary, by which kubectl completes "kubectl canary"
    Kubectl,
}

/// A duration in Go's format, or seconds.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    duration::parse(text).ok_or_else(|| format!("{text:?} is not a duration such as 30s, 10m or 1h30m"))
}

/// `NAME`, `canary/NAME` or `canaries.flagger.app/NAME`.
pub(super) fn name(text: &str) -> Result<String, String> {
    let bare = match text.split_once('/') {
        Some(("canary" | "canaries" | "canaries.flagger.app" | "canary.flagger.app", name)) => name,
        Some((kind, _)) => {
            return Err(format!("{kind:?} is not a Canary: write NAME or canary/NAME, and -n NAMESPACE"));
        }
        None => text,
    };
    if bare.is_empty() { Err("the name is empty".into()) } else { Ok(bare.to_owned()) }
}

pub(super) fn image(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((container, image)) if !container.is_empty() && !image.is_empty() => {
            Ok((container.to_owned(), image.to_owned()))
        }
        _ => Err(format!("{text:?} is not CONTAINER=IMAGE, e.g. app=example.com/app:2")),
    }
}
