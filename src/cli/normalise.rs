//! From the forms that people and manifests use to one plain form: the command, two dashes, `--flag=value`.
//!
//! Go programs accept one dash or two, and a Flagger Deployment names no command. Both are normalised here, before
//! clap sees anything. Values are not changed.

use std::path::Path;

use super::flags::{FLAGS, Flag, Kind, Use, find, go_bool};

/// Program names for which the default command is `run`.
const FLAGGER: &str = "flagger";

/// A command line in plain form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Program, command and arguments.
    pub(super) words: Vec<String>,
    /// Variables that were turned into arguments, for error messages.
    pub(super) from_env: Vec<String>,
}

/// Reads `argv` and the environment. Arguments take precedence over variables, and `SERIN_…` over Flagger's own names.
pub(super) fn normalise(argv: &[String], env: &dyn Fn(&str) -> Option<String>) -> Line {
    let program = argv.first().map(String::as_str).unwrap_or_default();
    let given = argv.get(1..).unwrap_or_default();
    let (command, rest) = match given.first().map(String::as_str) {
        None if is_called(program, FLAGGER) => ("run", given),
        Some("-h" | "--help" | "-V") | None => return Line { words: words(given), from_env: Vec::new() },
        Some(first) if first.starts_with('-') => ("run", given),
        Some(first) => (first, &given[1..]),
    };
    let shared: fn(&Flag) -> bool = match command {
        "run" => |_| true,
        "explain" | "backtest" | "release-all" => |f| f.used == Use::Shared,
        _ => return Line { words: words(given), from_env: Vec::new() },
    };
    let (mut line, from_env) = variables(env, shared);
    line.splice(0..0, ["serin".to_owned(), command.to_owned()]);
    if command == "run" {
        dashes(rest, &mut line);
    } else {
        line.extend_from_slice(rest);
    }
    Line { words: line, from_env }
}

/// Whether the program was started under `name`, in any folder.
pub(super) fn is_called(program: &str, name: &str) -> bool {
    Path::new(program).file_name().is_some_and(|file| file == name)
}

fn words(given: &[String]) -> Vec<String> {
    std::iter::once("serin".to_owned()).chain(given.iter().cloned()).collect()
}

/// Variables that are set, as arguments. An empty variable counts as not set, as in Flagger, and so does the
/// `SERIN_PORT` that Kubernetes sets in Pods beside a Service called `serin`.
fn variables(env: &dyn Fn(&str) -> Option<String>, wanted: fn(&Flag) -> bool) -> (Vec<String>, Vec<String>) {
    let meant = |value: &String| !value.is_empty() && !value.starts_with("tcp://");
    let (mut arguments, mut names) = (Vec::new(), Vec::new());
    for flag in FLAGS.iter().filter(|f| wanted(f)) {
        let candidates = std::iter::once(flag.env()).chain(flag.flagger_env.map(String::from));
        let set = candidates.into_iter().find_map(|name| Some((env(&name).filter(meant)?, name)));
        if let Some((value, name)) = set {
            arguments.push(format!("--{}={value}", flag.name));
            names.push(name);
        }
    }
    (arguments, names)
}

/// Go's way of reading flags: `-flag value` and `-flag=value` become `--flag=value`.
fn dashes(given: &[String], line: &mut Vec<String>) {
    let mut given = given.iter();
    while let Some(word) = given.next() {
        let Some(bare) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            line.push(word.clone());
            continue;
        };
        let (name, value) = match bare.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (bare, None),
        };
        match (find(name), value) {
            (Some(_), Some(value)) => line.push(format!("--{name}={value}")),
            (Some(flag), None) if flag.kind == Kind::Bool => line.push(format!("--{name}=true")),
            (Some(_), None) => line.push(match given.next() {
                Some(value) => format!("--{name}={value}"),
                None => format!("--{name}"),
            }),
            (None, Some(value)) if name == "version" => {
                if go_bool(value) != Some(false) {
                    line.push("--version".to_owned());
                }
            }
            (None, _) if bare.len() > 1 => line.push(format!("--{bare}")),
            (None, _) => line.push(word.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(line: &str, vars: &[(&str, &str)]) -> Line {
        let argv: Vec<String> = line.split(' ').map(String::from).collect();
        let env = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        normalise(&argv, &env)
    }

    #[track_caller]
    fn becomes(line: &str, expected: &str) {
        assert_eq!(plain(line, &[]).words.join(" "), expected);
    }

    #[test]
    fn one_dash_and_two_are_the_same() {
        let expected = "serin run --mesh-provider=contour --enable-leader-election=true --v=4";
        becomes("serin run -mesh-provider=contour -enable-leader-election -v=4", expected);
        becomes("serin run --mesh-provider contour --enable-leader-election=true --v 4", expected);
    }

    #[test]
    fn flags_without_a_command_mean_run() {
        becomes("./flagger -log-level=info", "serin run --log-level=info");
        becomes("/serin --log-level info", "serin run --log-level=info");
        becomes("/flagger", "serin run");
        becomes("serin", "serin");
        becomes("serin --help", "serin --help");
    }

    #[test]
    fn other_commands_are_left_as_they_are() {
        becomes("serin explain podinfo -n test", "serin explain podinfo -n test");
        becomes("serin crd canaries", "serin crd canaries");
    }

    #[test]
    fn version_is_asked_for_as_in_go() {
        becomes("flagger -version", "serin run --version");
        becomes("flagger -version=true", "serin run --version");
    }

    #[test]
    fn variables_come_first_so_that_arguments_win() {
        let line = plain(
            "flagger -port=9090",
            &[("SERIN_PORT", "8081"), ("SERIN_NAMESPACE", ""), ("SLACK_URL", "s")],
        );
        assert_eq!(line.words.join(" "), "serin run --port=8081 --slack-url=s --port=9090");
        assert_eq!(line.from_env, ["SERIN_PORT", "SLACK_URL"]);
    }

    #[test]
    fn the_variable_of_a_service_called_serin_is_not_ours() {
        let line = plain("serin run", &[("SERIN_PORT", "tcp://10.0.0.1:8080")]);
        assert_eq!(line.words.join(" "), "serin run");
    }

    #[test]
    fn only_shared_variables_reach_the_commands_that_look_at_a_cluster() {
        let vars = [("SERIN_PORT", "8081"), ("SERIN_MESH_PROVIDER", "contour"), ("SERIN_NAMESPACE", "a")];
        assert_eq!(
            plain("serin explain x", &vars).words.join(" "),
            "serin explain --mesh-provider=contour x"
        );
    }
}
