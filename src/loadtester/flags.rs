//! The command line of the load tester: Flagger's names and defaults, with one dash or two, and some of its own.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Parser};
use regex::Regex;

use crate::{
    api::duration,
    cli::{encoding, filter, flags::go_bool},
};

/// Settings of the load tester.
#[derive(Debug, Parser)]
#[command(
    name = "serin-loadtester",
    version,
    about = "Load, checks and gates for Canaries, drop-in for Flagger's load tester",
    args_override_self = true
)]
pub(super) struct Flags {
    /// Port of the tasks, the gates, /metrics and /healthz
    #[arg(long, default_value_t = 9090, value_name = "PORT")]
    pub(super) port: u16,
    /// error, warn, info, debug, trace, or a filter as in serin=debug
    #[arg(long, default_value = "debug", value_name = "LEVEL", value_parser = filter)]
    pub(super) log_level: String,
    /// Form of log lines: json or console
    #[arg(long, default_value = "json", value_name = "FORM", value_parser = encoding)]
    pub(super) zap_encoding: std::primitive::bool,
    /// Longest time a command may run
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = time)]
    pub(super) timeout: Duration,
    /// Serve payloads of namespaces in which this is found; write ^test$ for one namespace alone
    #[arg(long, default_value = "", value_name = "REGEXP", hide_default_value = true)]
    pub(super) namespace_regexp: Regex,
    /// Programs that commands may be made of, besides the default ones; those that are named here are given any argument
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) allow_commands: Vec<String>,
    /// Run every command, by a shell, as Flagger does: anyone who reaches the port can then run anything
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_parser = yes, action = ArgAction::Set)]
    pub(super) allow_any_command: std::primitive::bool,
    /// Commands that run at once; loads and checks are counted apart
    #[arg(long, default_value_t = 64, value_name = "NUMBER", value_parser = places)]
    pub(super) max_commands: usize,
    /// Who may open and close gates by HTTP: local for those who run something in the Pod, anyone as in Flagger
    #[arg(long, default_value = "local", value_name = "WHO", value_parser = ["local", "anyone"])]
    pub(super) gate_changes: String,
    /// File with a token: gates are then opened and closed by those alone who send it
    #[arg(long, value_name = "PATH")]
    pub(super) gate_token_file: Option<PathBuf>,
    /// ConfigMap in which gates are kept
    #[arg(long, default_value = "serin-loadtester-gates", value_name = "NAME")]
    pub(super) gates: String,
    /// Keep gates in memory: they are closed again after a restart
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_parser = yes, action = ArgAction::Set)]
    pub(super) gates_in_memory: std::primitive::bool,
    /// Namespace of that ConfigMap; empty is the one the load tester runs in
    #[arg(long, default_value = "", value_name = "NAME", hide_default_value = true)]
    pub(super) namespace: String,
    /// Path of a kubeconfig; without one, the account of the Pod
    #[arg(long, value_name = "PATH")]
    pub(super) kubeconfig: Option<PathBuf>,
    /// Accepted, without meaning here
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_parser = yes, action = ArgAction::Set)]
    zap_replace_globals: std::primitive::bool,
}

fn yes(text: &str) -> Result<bool, String> {
    go_bool(text).ok_or_else(|| "write true or false".to_owned())
}

fn time(text: &str) -> Result<Duration, String> {
    let read = duration::parse(text).filter(|t| !t.is_zero());
    read.ok_or_else(|| "write a time with its units, e.g. 90s or 1h".to_owned())
}

fn places(text: &str) -> Result<usize, String> {
    let read = text.parse::<usize>().ok().filter(|n| (1..=10_000).contains(n));
    read.ok_or_else(|| "write a whole number from 1 to 10000".to_owned())
}

/// Go's flags have one dash or two.
fn two_dashes(words: impl IntoIterator<Item = String>) -> impl Iterator<Item = String> {
    words.into_iter().map(|word| match word.strip_prefix('-') {
        Some(rest) if rest.len() > 1 && !rest.starts_with('-') => format!("-{word}"),
        _ => word,
    })
}

/// Reads a command line.
///
/// # Errors
/// It cannot be read, or asks for help or the version.
pub(super) fn parse(words: impl IntoIterator<Item = String>) -> Result<Flags, clap::Error> {
    Flags::try_parse_from(two_dashes(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Flags, clap::Error> {
        parse(line.split(' ').map(String::from))
    }

    #[test]
    fn a_command_line_of_flagger_is_read() {
        let flags =
            read("./loadtester -port=8080 -log-level=info -timeout=90s -zap-replace-globals").unwrap();
        assert_eq!((flags.port, flags.timeout), (8080, Duration::from_secs(90)));
        assert_eq!(flags.log_level, "warn,serin=info,kube_client::client=error");
        assert!(!flags.allow_any_command);
        let flags = read("x -port 8080 --namespace-regexp ^te -allow-any-command -port 81").unwrap();
        assert!(flags.port == 81 && flags.namespace_regexp.is_match("test") && flags.allow_any_command);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for line in [
            "x -port=0x",
            "x -gate-changes=all",
            "x -timeout=0",
            "x -namespace-regexp=(",
            "x -max-commands=0",
            "x -nonsense",
            "x y",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
