//! The command line: the command, its settings, its exit code. The only reader of the environment.
//!
//! Flags are listed in [`flags`], brought into one form in [`normalise`] and turned into a [`Config`] in [`settings`].
//! Does no work of its own: `controller`, `explain` and `release` do.
#![allow(clippy::disallowed_methods, reason = "the command line is read here")]

pub mod flags;
mod normalise;
mod probe;
mod settings;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Arg, ArgAction, ArgMatches, Command};

pub(crate) use self::settings::{encoding, filter};
use self::{
    flags::{FLAGS, Flag, Kind, REMOTE_MESH, Use},
    normalise::{Line, is_called, normalise},
};
use crate::{
    api,
    backtest::{self, Wanted},
    config::Config,
    controller, explain,
    proxies::Proxies,
    release, telemetry,
};

/// Threads of the runtime. They mostly wait for answers: more threads would only use more memory.
const RUNTIME_THREADS: usize = 2;

/// The task.
#[derive(Debug, PartialEq)]
enum Task {
    Run(Config),
    Crd(Option<String>),
    Explain { config: Config, namespace: String, name: String, ask: bool },
    Backtest(Box<Backtest>),
    Release(Config),
}

/// What is played over the past.
#[derive(Debug, PartialEq)]
struct Backtest {
    config: Config,
    namespace: String,
    name: String,
    wanted: Wanted,
    json: bool,
}

/// Runs the program: 0 if all went well, 1 if the work did not, 2 if the command line cannot be read.
pub fn main() -> ExitCode {
    let argv: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    if argv.first().is_some_and(|program| is_called(program, "wget")) {
        return probe::main(&argv);
    }
    let line = normalise(&argv, &|name| std::env::var(name).ok());
    match parse(&line) {
        Ok(task) => finish(perform(by(task, Proxies::read(&|name| std::env::var(name).ok())))),
        Err(problem) => refuse(&problem, &line),
    }
}

/// Sets the proxies of tasks that contact servers.
fn by(mut task: Task, proxies: Proxies) -> Task {
    match &mut task {
        Task::Run(config) | Task::Explain { config, .. } => config.proxies = proxies,
        Task::Backtest(backtest) => backtest.config.proxies = proxies,
        Task::Crd(_) | Task::Release(_) => {}
    }
    task
}

/// Prints help, the version, or what is wrong with the command line.
fn refuse(problem: &clap::Error, line: &Line) -> ExitCode {
    let failed = problem.use_stderr();
    let mut printed = problem.print();
    if failed && !line.from_env.is_empty() {
        printed =
            printed.and(writeln!(io::stderr(), "Variables that were read: {}", line.from_env.join(", ")));
    }
    if failed || printed.is_err() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

fn finish(done: anyhow::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // With standard error closed only the exit code reports it.
            writeln!(io::stderr(), "error: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

/// The reader of our output is gone, as with `| head`.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

fn perform(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Crd(name) => print_crds(name.as_deref()),
        Task::Run(config) => {
            telemetry::init(&config.log_filter, config.log_json)?;
            for flag in &config.unserved_flags {
                tracing::warn!("{flag}: this flag is accepted and not acted on");
            }
            for variable in &config.proxies.refused {
                tracing::warn!("{variable}");
            }
            block_on(controller::run(config))
        }
        Task::Explain { config, namespace, name, ask } => {
            telemetry::init(&config.log_filter, config.log_json)?;
            block_on(explain::run(config, namespace, name, ask))
        }
        Task::Backtest(backtest) => {
            let Backtest { config, namespace, name, wanted, json } = *backtest;
            telemetry::init(&config.log_filter, config.log_json)?;
            block_on(backtest::run(config, namespace, name, wanted, json))
        }
        Task::Release(config) => {
            telemetry::init(&config.log_filter, config.log_json)?;
            block_on(release::run(config))
        }
    }
}

fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        anyhow::bail!("another TLS provider is already in place");
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(RUNTIME_THREADS).enable_all().build()?;
    runtime.block_on(work)
}

fn print_crds(name: Option<&str>) -> anyhow::Result<()> {
    let all = api::crd::all_crds();
    let wanted: Vec<_> = all
        .iter()
        .filter(|crd| {
            name.is_none_or(|n| crd.spec.names.plural == n || crd.metadata.name.as_deref() == Some(n))
        })
        .collect();
    if let (Some(name), true) = (name, wanted.is_empty()) {
        let names: Vec<_> = all.iter().map(|crd| crd.spec.names.plural.as_str()).collect();
        anyhow::bail!("there is no {name} here; choose one of {}", names.join(", "));
    }
    let mut out = io::stdout().lock();
    for (i, crd) in wanted.into_iter().enumerate() {
        let separator = if i == 0 { "" } else { "---\n" };
        write!(out, "{separator}{}", api::crd::to_yaml(crd))?;
    }
    Ok(())
}

/// The flags as clap sees them, for error messages.
fn argument(flag: &'static Flag) -> Arg {
    let arg = Arg::new(flag.name)
        .long(flag.name)
        .action(ArgAction::Set)
        .hide_default_value(flag.default.is_empty());
    let name = flag.name;
    let arg = match flag.kind {
        Kind::Bool => arg
            .value_name("BOOL")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(|value: &str| {
                flags::go_bool(value).map(|b| b.to_string()).ok_or("write true or false")
            }),
        Kind::Text => arg.value_name("TEXT"),
        Kind::Form => arg
            .value_name("VALUE")
            .value_parser(move |value: &str| settings::check(name, value).map(|()| value.to_owned())),
    };
    let heading = match flag.used {
        Use::Served | Use::Shared => "Flags",
        Use::Meaningless | Use::Unserved { .. } => "Flags of Flagger that are accepted and not acted on",
    };
    let known_env = flag.flagger_env.map(|e| format!(", {e}")).unwrap_or_default();
    let arg = arg.help(format!("{} [env: {}{known_env}]", flag.help, flag.env())).help_heading(heading);
    if flag.default.is_empty() { arg } else { arg.default_value(flag.default) }
}

/// A command that reads a cluster as `run` would, and prints for a person.
fn looking(name: &'static str) -> Command {
    let decides = |flag: &&Flag| flag.used == Use::Shared || flag.name == REMOTE_MESH;
    let shared = FLAGS.iter().filter(decides).map(|flag| match flag.name {
        "log-level" => argument(flag).default_value("warn"),
        "zap-encoding" => argument(flag).default_value("console"),
        _ => argument(flag),
    });
    Command::new(name).args(shared).args_override_self(true)
}

fn command() -> Command {
    let namespace = |id: &'static str| Arg::new(id).long("namespace").short('n').value_name("NAME");
    Command::new("serin")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A canary operator for Kubernetes, drop-in for Flagger")
        .after_help("Flags without a command mean `serin run`, with one dash or two.")
        .propagate_version(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("run")
                .display_name("serin")
                .about("Run the operator")
                .args(FLAGS.iter().map(argument))
                .args_override_self(true),
        )
        .subcommand(
            Command::new("crd")
                .about("Print the CustomResourceDefinitions as YAML")
                .arg(Arg::new("name").value_name("NAME").help("Print this one only, e.g. canaries")),
        )
        .subcommand(
            looking("explain")
                .about("Say what would be done about a Canary now, and why; writes nothing")
                .arg(Arg::new("canary").value_name("CANARY").required(true))
                .arg(namespace("of-namespace").default_value("default").help("Namespace of the Canary"))
                .arg(
                    Arg::new("ask")
                        .long("ask")
                        .action(ArgAction::SetTrue)
                        .help("Query the metrics server instead of showing both branches"),
                ),
        )
        .subcommand(backtest_command().arg(
            namespace("of-namespace").default_value("default").help("Namespace of the Canary"),
        ))
        .subcommand(
            looking("release-all")
                .about("Hand every Canary's traffic back to its target and let go of it; run before uninstalling")
                .arg(namespace("namespace").help("Release the Canaries of these namespaces only, as in shop,billing")),
        )
}

fn backtest_command() -> Command {
    let value = |id: &'static str, default: &'static str| {
        let arg = Arg::new(id).long(id);
        if default.is_empty() { arg } else { arg.default_value(default) }
    };
    looking("backtest")
        .about("Say how often a Canary's analysis would have rolled back a release that changed nothing; reads Prometheus")
        .arg(Arg::new("canary").value_name("CANARY").required(true))
        .arg(
            value("over", Wanted::OVER)
                .value_name("TIME")
                .value_parser(Wanted::time)
                .help("How much of the past is read, as 36h or 7d"),
        )
        .arg(
            value("replays", Wanted::REPLAYS)
                .value_name("NUMBER")
                .value_parser(clap::value_parser!(u32).range(1..=100_000))
                .help("How many releases are played"),
        )
        .arg(
            value("seed", "1")
                .value_name("NUMBER")
                .value_parser(clap::value_parser!(u64))
                .help("Of the random numbers: the same seed plays the same times and pods"),
        )
        .arg(
            value("prometheus", "")
                .value_name("URL")
                .help("Prometheus in place of the Canary's, such as one behind a port-forward"),
        )
        .arg(
            Arg::new("output").long("output").short('o').value_name("FORM").value_parser(["json"]).help("json in place of a table"),
        )
}

fn backtest_task(config: Config, given: &ArgMatches) -> Backtest {
    let text = |id: &str| given.get_one::<String>(id).cloned();
    Backtest {
        config,
        namespace: text("of-namespace").unwrap_or_default(),
        name: text("canary").unwrap_or_default(),
        wanted: Wanted {
            over: given.get_one("over").copied().unwrap_or_default(),
            replays: given.get_one::<u32>("replays").map_or(0, |number| *number as usize),
            seed: given.get_one("seed").copied().unwrap_or_default(),
            prometheus: text("prometheus"),
        },
        json: text("output").is_some(),
    }
}

fn parse(line: &Line) -> Result<Task, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(&line.words)?;
    let (name, given) = matches.subcommand().unwrap_or(("", &matches));
    let settings = |given: &ArgMatches| {
        settings::config(given).map_err(|e| clap::Error::raw(clap::error::ErrorKind::ValueValidation, e))
    };
    let text = |id: &str| given.try_get_one::<String>(id).ok().flatten().cloned();
    Ok(match name {
        "crd" => Task::Crd(text("name")),
        "explain" => Task::Explain {
            config: settings(given)?,
            namespace: text("of-namespace").unwrap_or_default(),
            name: text("canary").unwrap_or_default(),
            ask: given.get_flag("ask"),
        },
        "backtest" => Task::Backtest(Box::new(backtest_task(settings(given)?, given))),
        "release-all" => Task::Release(settings(given)?),
        _ => Task::Run(settings(given)?),
    })
}

#[cfg(test)]
mod tests;
