//! Completion: scripts for shells, the script for kubectl, and the candidates that they query.

use std::time::Duration;

use clap::Command;
use clap_complete::Shell as Script;
use tokio::time::timeout;

use super::{out::Out, values::Shell};
use crate::{
    cluster::{Cluster, Login},
    failure::Failure,
    screen::Term,
};

/// The longest time that a shell waits for names.
const PATIENCE: Duration = Duration::from_secs(2);
/// Cobra's directive that stops a shell from offering files.
const NO_FILES: &str = ":4\n";
/// The script that kubectl calls. It must be on the PATH as kubectl_complete-canary.
const FOR_KUBECTL: &str = "#!/bin/sh\nexec kubectl canary __complete -- \"$@\"\n";
/// Commands whose arguments are names of Canaries.
const NAMED: [&str; 21] = [
    "list", "ls", "get", "status", "history", "explain", "events", "diff", "simulate", "plan", "backtest",
    "approve", "promote", "abort", "advance", "finish", "pause", "resume", "retry", "undo", "rollback",
];

pub(super) fn script(out: Out, shell: Shell, command: &mut Command) -> Result<(), Failure> {
    let script = match shell {
        Shell::Kubectl => return out.text(FOR_KUBECTL),
        Shell::Bash => Script::Bash,
        Shell::Zsh => Script::Zsh,
        Shell::Fish => Script::Fish,
        Shell::Powershell => Script::PowerShell,
    };
    let mut text = Vec::new();
    clap_complete::generate(script, command, "kubectl-canary", &mut text);
    out.text(&String::from_utf8_lossy(&text))
}

/// Prints one candidate per line, as kubectl expects.
pub(super) async fn candidates(
    out: Out,
    login: &Login,
    words: &[String],
    command: &Command,
) -> Result<(), Failure> {
    let (words, last) = match words.split_last() {
        Some((last, words)) => (words, last.as_str()),
        None => (words, ""),
    };
    let mut all = of_command(words, last, command);
    if all.is_none() {
        let mut login = login.clone();
        if let Some(namespace) = namespace(words) {
            login.namespace = Some(namespace);
        }
        all = Some(names(&login).await);
    }
    let fits = all.into_iter().flatten().filter(|word| word.starts_with(last));
    let whole = Out { term: Term { width: Term::ENDLESS, ..out.term }, ..out };
    whole.text(&(fits.map(|word| word + "\n").collect::<String>() + NO_FILES))
}

/// Candidates that the command line itself defines. None: names of Canaries.
fn of_command(words: &[String], last: &str, command: &Command) -> Option<Vec<String>> {
    let mut here = command;
    for word in words {
        if let Some(next) = here.find_subcommand(word) {
            here = next;
        }
    }
    if last.starts_with('-') {
        let globals = command.get_arguments().filter(|arg| arg.is_global_set());
        let all = here.get_arguments().chain(globals).filter(|arg| !arg.is_hide_set());
        let mut flags: Vec<String> =
            all.filter_map(|arg| arg.get_long()).map(|long| format!("--{long}")).collect();
        flags.sort();
        flags.dedup();
        return Some(flags);
    }
    if here.has_subcommands() {
        let all = here.get_subcommands().filter(|c| !c.is_hide_set());
        return Some(all.map(|c| c.get_name().to_owned()).collect());
    }
    (!NAMED.contains(&here.get_name()) && here.get_name() != "image").then(Vec::new)
}

fn namespace(words: &[String]) -> Option<String> {
    let mut words = words.iter();
    let mut found = None;
    while let Some(word) = words.next() {
        if word == "-n" || word == "--namespace" {
            found = words.next().cloned();
        } else if let Some(name) = word.strip_prefix("--namespace=") {
            found = Some(name.to_owned());
        }
    }
    found
}

/// Names of Canaries. Empty if the cluster does not answer in time: a shell has no place to show errors.
async fn names(login: &Login) -> Vec<String> {
    let listed = async {
        let cluster = Cluster::connect(login).await?;
        cluster.list(false, None).await
    };
    let all = timeout(PATIENCE, listed).await.ok().and_then(Result::ok).unwrap_or_default();
    all.into_iter().filter_map(|canary| canary.metadata.name).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::command::args::Cli;

    fn of(words: &[&str], last: &str) -> Option<Vec<String>> {
        let words: Vec<_> = words.iter().map(|w| (*w).to_owned()).collect();
        let all = of_command(&words, last, &Cli::command());
        all.map(|all| all.into_iter().filter(|word| word.starts_with(last)).collect())
    }

    #[test]
    fn words_flags_and_names_are_offered_where_they_fit() {
        assert_eq!(of(&[], "app"), Some(vec!["approve".into()]));
        assert_eq!(of(&["set"], ""), Some(vec!["image".into()]));
        assert_eq!(of(&["get"], "--no-t"), Some(vec!["--no-tree".into()]));
        assert_eq!(of(&["get"], "--kube"), Some(vec!["--kubeconfig".into()]));
        assert_eq!(of(&["get", "-n", "shop"], ""), None);
        assert_eq!(of(&["version"], ""), Some(vec![]));
        assert!(!of(&[], "").unwrap().contains(&"__complete".to_owned()));
        let words = ["get", "-n", "a", "--namespace=b"].map(str::to_owned);
        assert_eq!(namespace(&words).as_deref(), Some("b"));
    }
}
