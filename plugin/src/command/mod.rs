//! The commands: read, print, and return an exit code.
#![allow(clippy::disallowed_methods, reason = "this module asks for the time, and waits")]

mod args;
mod asking;
mod backtest;
mod complete;
mod context;
mod convert;
mod dashboard;
mod diff;
mod display;
mod doctor;
mod environment;
mod explain;
mod files;
mod follow;
mod following;
mod get;
mod history;
mod image;
mod interrupt;
mod lint;
mod list;
mod migrate;
mod out;
mod probe;
mod request;
mod simulate;
mod undo;
mod values;
mod version;

use std::{
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use clap::{CommandFactory as _, FromArgMatches as _};

use self::{
    args::{Cli, Command, SetCommand},
    context::Context,
    environment::Environment,
    interrupt::interrupted,
    out::Out,
    values::Output,
};
use crate::{
    cluster::Cluster,
    failure::{Failure, code},
};

/// Threads of the runtime. It mostly waits for answers.
const RUNTIME_THREADS: usize = 2;

/// Runs the program.
pub fn main() -> ExitCode {
    let argv: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    let cli = match parse(&argv) {
        Ok(cli) => cli,
        Err(problem) => {
            let failed = problem.use_stderr();
            return match problem.print() {
                Ok(()) if !failed => ExitCode::SUCCESS,
                _ => ExitCode::from(code::USAGE),
            };
        }
    };
    let form = output(&cli.command);
    match perform(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = if form == Some(Output::Json) { failure.json() } else { failure.text() };
            let text: Vec<String> = text.lines().map(crate::text::clean).collect();
            if !failure.message.is_empty() {
                // if standard error is closed, only the exit code remains
                writeln!(io::stderr(), "{}", text.join("\n")).ok();
            }
            ExitCode::from(failure.code)
        }
    }
}

/// `kubectl canary` if kubectl called the plugin by its file name, otherwise the file name.
fn called(argv: &[String]) -> String {
    let file =
        argv.first().and_then(|path| Path::new(path).file_stem()).map(|s| s.to_string_lossy().into_owned());
    match file.as_deref().and_then(|file| file.strip_prefix("kubectl-")) {
        Some(plugin) => format!("kubectl {plugin}"),
        None => file.unwrap_or_else(|| "kubectl canary".into()),
    }
}

fn parse(argv: &[String]) -> Result<Cli, clap::Error> {
    let called = called(argv);
    let mut command = Cli::command().name("kubectl-canary").bin_name(called.clone()).display_name(called);
    let matches = command.try_get_matches_from_mut(argv)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

fn output(command: &Command) -> Option<Output> {
    match command {
        Command::List(args) => args.output,
        Command::Get(args) => args.output,
        Command::Status(args) => args.output,
        Command::History(args) => args.output,
        Command::Explain(args) => args.output,
        Command::Events(args) => args.output,
        Command::Approve(args) | Command::Promote(args) => args.asking.output,
        Command::Abort(args) => args.asking.output,
        Command::Migrate(command) => command.output(),
        Command::Probe(args) => args.json().then_some(Output::Json),
        Command::Doctor(args) => args.json().then_some(Output::Json),
        Command::Diff(args) => args.output,
        Command::Simulate(args) => args.output,
        Command::Backtest(args) => args.output,
        Command::Advance(args) | Command::Resume(args) | Command::Retry(args) => args.asking.output,
        Command::Finish(args) => args.asking.output,
        Command::Pause(args) => args.asking.output,
        Command::Version(args) => args.output,
        Command::Set(_)
        | Command::Undo(_)
        | Command::Dashboard(_)
        | Command::Lint(_)
        | Command::Convert(_)
        | Command::Completion(_)
        | Command::Complete(_) => None,
    }
}

fn perform(cli: Cli) -> Result<(), Failure> {
    let environment = Environment::read();
    let out =
        Out { term: environment.term(&cli.global), terminal: environment.terminal, quiet: cli.global.quiet };
    if let Command::Completion(args) = &cli.command {
        return complete::script(out, args.shell, &mut Cli::command());
    }
    if let Command::Lint(args) = &cli.command {
        return lint::run(out, args);
    }
    if let Command::Convert(command) = &cli.command {
        return convert::run(out, command);
    }
    if let Command::Simulate(args) = &cli.command
        && args.offline()
    {
        return simulate::run_offline(out, args);
    }
    if let Command::Migrate(command) = &cli.command
        && command.offline()
    {
        return migrate::run_offline(out, command);
    }
    let login = cli.global.login();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return Err(Failure::failed("another TLS provider is already in place"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
    let done = runtime.block_on(async {
        if let Command::Version(args) = &cli.command {
            return version::run(out, &login, args).await;
        }
        if let Command::Probe(args) = &cli.command {
            return tokio::select! {
                done = probe::run(out, args, login.namespace.as_deref()) => done,
                () = interrupted() => Err(Failure::new(code::INTERRUPTED, "")),
            };
        }
        if let Command::Complete(args) = &cli.command {
            return complete::candidates(out, &login, &args.words, &Cli::command()).await;
        }
        let cluster = Cluster::connect(&login).await?;
        if let Command::Dashboard(args) = &cli.command {
            let only = login.namespace.is_some();
            return Box::pin(dashboard::run(&Context { cluster, out }, args, only, login.flags())).await;
        }
        let work = run(Context { cluster, out }, cli.command);
        tokio::select! {
            done = work => done,
            () = interrupted() => Err(Failure::new(code::INTERRUPTED, "")),
        }
    });
    // do not wait for a running watch
    runtime.shutdown_background();
    done
}

async fn run(context: Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::List(args) => list::run(&context, &args).await,
        Command::Get(args) => Box::pin(get::run(&context, &args)).await,
        Command::Status(args) => Box::pin(follow::run(&context, &args)).await,
        Command::History(args) => history::run(&context, &args).await,
        Command::Explain(args) => explain::run(&context, &args).await,
        Command::Events(args) => history::events(&context, &args).await,
        Command::Approve(args) => Box::pin(request::approve(&context, &args)).await,
        Command::Promote(args) => Box::pin(request::promote(&context, &args)).await,
        Command::Abort(args) => Box::pin(request::abort(&context, &args)).await,
        Command::Migrate(command) => migrate::run(&context, &command).await,
        Command::Doctor(args) => Box::pin(doctor::run(&context, &args)).await,
        Command::Diff(args) => diff::run(&context, &args).await,
        Command::Simulate(args) => simulate::run(&context, &args).await,
        Command::Backtest(args) => Box::pin(backtest::run(&context, &args)).await,
        Command::Advance(args) => Box::pin(request::advance(&context, &args)).await,
        Command::Finish(args) => Box::pin(request::finish(&context, &args)).await,
        Command::Pause(args) => Box::pin(request::pause(&context, &args)).await,
        Command::Resume(args) => Box::pin(request::resume(&context, &args)).await,
        Command::Retry(args) => Box::pin(request::retry(&context, &args)).await,
        Command::Undo(args) => Box::pin(undo::run(&context, &args)).await,
        Command::Set(SetCommand::Image(args)) => Box::pin(image::run(&context, &args)).await,
        // done before
        Command::Version(_)
        | Command::Dashboard(_)
        | Command::Probe(_)
        | Command::Lint(_)
        | Command::Convert(_)
        | Command::Completion(_)
        | Command::Complete(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Cli, clap::Error> {
        let argv: Vec<String> = ["kubectl-canary"].iter().chain(words).map(|w| (*w).to_owned()).collect();
        parse(&argv)
    }

    #[test]
    fn exit_code_2_what_cannot_be_meant() {
        for words in [
            vec!["get"],
            vec!["gte", "app"],
            vec!["get", "app", "--keep"],
            vec!["get", "deployment/app"],
            vec!["get", "app", "-o", "toml"],
            vec!["status", "app", "--timeout", "soon"],
            vec!["set", "image", "app", "web"],
            vec!["approve"],
            vec!["list", "--as-group", "admins"],
        ] {
            let problem = parsed(&words).map(drop).unwrap_err();
            assert_eq!(problem.exit_code(), 2, "{words:?}");
        }
    }

    #[test]
    fn names_and_flags_are_taken_as_kubectl_takes_them() {
        let cli = parsed(&["get", "canary/app", "-n", "shop", "-w", "--keep"]).unwrap();
        let Command::Get(args) = &cli.command else { panic!("{cli:?}") };
        assert_eq!((args.name.as_str(), args.watch, args.keep), ("app", true, true));
        assert_eq!(cli.global.login().namespace.as_deref(), Some("shop"));
        let cli = parsed(&["status", "app", "--watch=false", "--timeout", "90"]).unwrap();
        let Command::Status(args) = cli.command else { panic!("status") };
        assert_eq!((args.watch, args.timeout), (false, Some(std::time::Duration::from_secs(90))));
    }

    #[test]
    fn usage_goes_by_the_name_of_the_file() {
        let of = |path: &str| called(&[path.to_owned()]);
        assert_eq!(of("/usr/bin/kubectl-canary"), "kubectl canary");
        assert_eq!((of("kubectl-serin.exe"), of("canary")), ("kubectl serin".into(), "canary".into()));
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
