//! The load tester: generates load and runs checks for Canaries, and keeps gates that people open. A separate program
//! (`serin-loadtester`) with the API of Flagger's load tester, so that hooks written for that one work.
//!
//! Reads flags, creates a client, serves until it is stopped. It knows nothing about the operator: hooks reach it by
//! HTTP like any other server. It makes no verdict; for the client, the end of a command is one.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this module wires a program together"
)]

mod arguments;
mod command;
mod exec;
mod flags;
mod gates;
mod http;
mod keepers;
mod peer;
mod tasks;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};
use tokio_util::sync::CancellationToken;

use self::{command::Policy, flags::Flags, gates::Gates, http::Tester, keepers::Keepers, tasks::Tasks};
use crate::{
    controller,
    server::{
        self,
        listen::{self, Limits},
    },
    telemetry,
};

/// Programs that may run by default: those that generate load, and those that checks are made of.
const COMMANDS: [&str; 7] = ["curl", "ghz", "grep", "grpc_health_probe", "hey", "jq", "wrk"];

/// Runs the program: 0 if it was stopped, 1 if it failed, 2 if the command line is invalid.
pub fn main() -> ExitCode {
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let flags = match flags::parse(words) {
        Ok(flags) => flags,
        Err(problem) => {
            let told = problem.print().is_ok();
            return if problem.use_stderr() || !told { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match run(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // standard error may be closed
            writeln!(io::stderr(), "error: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

fn run(flags: Flags) -> anyhow::Result<()> {
    telemetry::init(&flags.log_level, flags.zap_encoding)?;
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        anyhow::bail!("another TLS provider is already in place");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(serve(flags))
}

async fn serve(flags: Flags) -> anyhow::Result<()> {
    let listener = server::open(flags.port).await?;
    let stop = CancellationToken::new();
    tokio::spawn(controller::stop_on_signal(stop.clone()));
    let (gates, keepers) = (gates(&flags).await?, keepers(&flags)?);
    let limits = limits(&flags);
    let any_argument: BTreeSet<_> = flags.allow_commands.iter().filter(|c| !c.is_empty()).cloned().collect();
    let listed: BTreeSet<_> = COMMANDS.into_iter().map(String::from).chain(any_argument.clone()).collect();
    if flags.allow_any_command {
        tracing::warn!(
            "every command is run, by a shell: anyone who reaches port {} can run anything",
            flags.port
        );
    } else {
        tracing::info!("commands may be made of {}", listed.iter().cloned().collect::<Vec<_>>().join(", "));
    }
    let tasks = Arc::new(Tasks::new(flags.timeout, flags.max_commands, stop.clone()));
    let tester = Tester {
        namespaces: flags.namespace_regexp,
        policy: Policy { any: flags.allow_any_command, listed, any_argument },
        gates,
        keepers,
        tasks: tasks.clone(),
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), port = flags.port, "serving");
    listen::serve(listener, http::router(Arc::new(tester)), limits, stop).await;
    tasks.ended().await;
    Ok(())
}

/// Connections are kept while checks run and wait, with room for other connections.
fn limits(flags: &Flags) -> Limits {
    let limits = Limits::default();
    let whole = flags.timeout.saturating_mul(2).saturating_add(Duration::from_secs(60));
    Limits { connections: limits.connections + 2 * flags.max_commands, whole, ..limits }
}

fn keepers(flags: &Flags) -> anyhow::Result<Keepers> {
    if let Some(path) = &flags.gate_token_file {
        let named = || format!("--gate-token-file {}", path.display());
        let token = std::fs::read_to_string(path).with_context(|| format!("read {}", named()))?;
        return Keepers::of_token(&token).map_err(|why| anyhow::anyhow!("{}: {why}", named()));
    }
    if flags.gate_changes == "anyone" {
        tracing::warn!(
            "everyone who reaches port {} can open and close gates: see --gate-changes",
            flags.port
        );
        return Ok(Keepers::Anyone);
    }
    Ok(Keepers::Local)
}

/// Where gates are kept; in memory if there is no cluster, which is logged.
async fn gates(flags: &Flags) -> anyhow::Result<Gates> {
    let memory = || Gates::Memory(Mutex::default());
    if flags.gates_in_memory {
        tracing::info!("gates are kept in memory: they are closed again after a restart");
        return Ok(memory());
    }
    let mut settings = match &flags.kubeconfig {
        Some(path) => {
            let file = kube::config::Kubeconfig::read_from(path)
                .with_context(|| format!("read --kubeconfig {}", path.display()))?;
            kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default()).await?
        }
        None => match kube::Config::incluster() {
            Ok(settings) => settings,
            Err(error) => {
                tracing::warn!(
                    "no cluster to keep gates in ({error}): they are kept in memory and closed again after a restart"
                );
                return Ok(memory());
            }
        },
    };
    settings.default_retry = false;
    let agent = concat!("serin-loadtester/", env!("CARGO_PKG_VERSION"));
    settings.headers.push((::http::header::USER_AGENT, agent.parse().context("user agent")?));
    let namespace =
        Some(flags.namespace.clone()).filter(|n| !n.is_empty()).unwrap_or(settings.default_namespace.clone());
    let client = Client::try_from(settings).context("build a client")?;
    let api: Api<ConfigMap> = Api::namespaced(client, &namespace);
    tracing::info!("gates are kept in ConfigMap {} in namespace {namespace}", flags.gates);
    Ok(Gates::Kept { api: Box::new(api), name: flags.gates.clone() })
}

#[cfg(test)]
mod fuzz_tests;
