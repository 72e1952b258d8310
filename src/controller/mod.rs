//! The loop: observe → questions → query → decide → apply, for one Canary at a time, until there is nothing left to do.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module wires the I/O together")]

mod asking;
mod dropped_status;
mod failed_writes;
mod lanes;
mod pass_state;
mod pause;
mod queue;
mod report;
mod run_turns;
mod runs;
mod slots;
mod synced;
mod turn;
mod unanswered;
mod worker;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use kube::{Client, client::ClientBuilder};
use tokio::{sync::mpsc, task::JoinError};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    clock,
    config::Config,
    definitions,
    events::Events,
    leader::{Leadership, Unable},
    names,
    net::Outbound,
    observe::{self, ObjectCache},
    server,
    snapshot::{CANARY, Key, Kind},
    telemetry::Metrics,
};
use turn::Turn;
use worker::{Parts, Worker};

/// Running tasks get this long at shutdown.
const DRAIN: Duration = Duration::from_secs(2);
/// Longest wait for the definitions at startup.
const DEFINITIONS: Duration = Duration::from_secs(10);

/// A client that counts its requests and writes only while the operator leads, and the way out to servers that users
/// name. Without these, it is the client of a command that only reads.
///
/// # Errors
/// As [`client`].
pub(crate) async fn connect(
    config: &Config,
    operator: Option<(&Metrics, &Leadership)>,
) -> anyhow::Result<(Client, Outbound)> {
    let settings = settings(config).await?;
    let api = settings.cluster_url.to_string();
    let out = Outbound::new(config.rules.outbound.clone(), Some(&api), config.quote_answers)
        .by(config.proxies.clone());
    let builder = ClientBuilder::try_from(settings).context("build a client")?;
    let client = match operator {
        Some((metrics, leadership)) => builder.with_layer(&metrics.api).with_layer(leadership).build(),
        None => builder.build(),
    };
    Ok((client, out))
}

/// A client with Serin's name and without retries: every call has its own deadline, and a refused
/// write is decided again.
///
/// # Errors
/// No usable kubeconfig and no service account.
pub(crate) async fn client(config: &Config) -> anyhow::Result<Client> {
    Client::try_from(settings(config).await?).context("build a client")
}

async fn settings(config: &Config) -> anyhow::Result<kube::Config> {
    let mut settings = match &config.kubeconfig {
        Some(path) => {
            let file = kube::config::Kubeconfig::read_from(path)
                .with_context(|| format!("read --kubeconfig {}", path.display()))?;
            kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default()).await?
        }
        None => kube::Config::infer().await.context("find a kubeconfig or a service account")?,
    };
    if let Some(master) = &config.master {
        settings.cluster_url = master.parse().with_context(|| format!("--master {master} is no URL"))?;
    }
    settings.default_retry = false;
    settings.read_timeout = None;
    let agent = format!("{}/{}", names::COMPONENT, env!("CARGO_PKG_VERSION"));
    settings.headers.push((http::header::USER_AGENT, agent.parse().context("user agent")?));
    Ok(settings)
}

/// Runs the operator until SIGTERM or SIGINT.
///
/// # Errors
/// It cannot start: no client, or the port is taken. Or it has lost the Lease.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let listener = server::open(config.port).await?;
    let metrics = Arc::new(Metrics::new(&config.rules.mesh_provider));
    let leadership = if config.election.is_some() { Leadership::default() } else { Leadership::always() };
    let (client, out) = connect(&config, Some((&metrics, &leadership))).await?;
    let (stop, tasks, publishing) = (CancellationToken::new(), TaskTracker::new(), TaskTracker::new());
    tokio::spawn(stop_on_signal(stop.clone()));

    let cache = Arc::new(ObjectCache::of(&config.scope));
    let known = cache.clone();
    let out = out.never_to(Arc::new(move || known.api_server()));
    let (triggers, mut receiver) = mpsc::unbounded_channel();
    let events = Events::new(client.clone(), metrics.clone(), publishing.clone());
    let unable = unable(&cache, &config);
    let mut turn = Turn::run_for(&config, &client, leadership.clone(), &metrics, unable);
    if turn.is_none() {
        metrics.set_leading(true);
        keep_definitions(&config, &client, &events, &stop).await;
    }
    observe::watch_all(&client, &config, &cache, &metrics, triggers.clone(), &tasks, &stop);
    let readiness = readiness(&cache, &config, leadership);
    let access = config.metrics_auth.then(|| server::Access::new(client.clone()));
    let faces = server::Faces::new(metrics.clone(), readiness, access);
    let served = tokio::spawn(server::serve(listener, faces, stop.clone()));
    if let Some(turn) = &mut turn
        && turn.comes(&mut receiver, &stop).await
    {
        keep_definitions(&config, &client, &events, &stop).await;
        cache.concerned().into_iter().for_each(|key| drop(triggers.send(key)));
    }

    let (tracked, stopped) = (tasks.clone(), stop.clone());
    let parts = Parts { client, out, events, metrics, cache, triggers, tasks: tracked, stop: stopped };
    work(Arc::new(Worker::new(config, parts)), receiver, &stop).await;
    if let Some(turn) = turn {
        turn.give_up().await;
    }
    stop.cancel();
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!("some watches did not end in time");
    }
    publishing.close();
    tokio::time::timeout(DRAIN, publishing.wait()).await.ok();
    served.await?;
    Ok(())
}

/// Keeps the definitions up to date, if that is our task, and waits for the first time.
async fn keep_definitions(config: &Config, client: &Client, events: &Events, stop: &CancellationToken) {
    if config.manage_crds {
        let first = definitions::keep(client.clone(), events.clone(), stop.clone());
        // with definitions of an older version, decisions could not be stored
        tokio::time::timeout(DEFINITIONS, first).await.ok();
    }
}

/// Why this operator could not work, if it led. Definitions that do not exist yet are made by the one that leads.
fn unable(cache: &Arc<ObjectCache>, config: &Config) -> Unable {
    let (cache, kinds) = (cache.clone(), observe::mandatory(&config.rules));
    Box::new(move || {
        let there = |kind: &Kind| kind.group != CANARY.group || cache.defines(&kind.crd());
        let there: Vec<Kind> = kinds.iter().copied().filter(there).collect();
        let awaited = cache.awaited(&there, clock::now());
        (!awaited.is_empty()).then(|| format!("not yet listed: {}", awaited.join(", ")))
    })
}

/// Processes Canaries until `stop`, once all mandatory kinds have been listed.
async fn work(worker: Arc<Worker>, triggers: mpsc::UnboundedReceiver<Key>, stop: &CancellationToken) {
    tokio::select! {
        () = worker.synced() => {}
        () = stop.cancelled() => return,
    }
    worker.resume_runs();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "watching");
    let task = |key, start| {
        let worker = worker.clone();
        Box::pin(async move { worker.work(key, start).await })
    };
    let report = |tasks| worker.report_queue(tasks);
    let panicked = |key: &Key, error: &JoinError| worker.panicked(key, error);
    queue::run(triggers, (stop.clone(), DRAIN), task, report, panicked).await;
}

/// Ready while every kind that all Canaries depend on is visible.
fn readiness(cache: &Arc<ObjectCache>, config: &Config, leadership: Leadership) -> server::Readiness {
    let (cache, kinds) = (cache.clone(), observe::mandatory(&config.rules));
    Arc::new(move || {
        let now = clock::now();
        if let Some(why) = leadership.refused() {
            return Err(why);
        }
        let serin =
            cache.flagger().filter(|(holder, until)| *until > now && holder.starts_with(names::LEASE_HOLDER));
        if let Some((holder, _)) = serin {
            return Err(format!(
                "another Serin ({holder}) leads, and this one does nothing: run it with --enable-leader-election too, or \
                 scale one of them down"
            ));
        }
        let beside = [observe::CRDS, observe::NAMESPACES, observe::LEASES];
        let needed = |kind| beside.contains(&kind) || kinds.contains(&kind);
        let stale = cache.stale_kinds(now).into_iter().filter(|stale| needed(stale.kind));
        let lost: Vec<String> = stale
            .map(|stale| {
                let of = stale.namespace.map(|of| format!(" in namespace {of}")).unwrap_or_default();
                format!("{}{of} not seen since {:.0}: {}", stale.kind.plural, stale.since, stale.why)
            })
            .collect();
        match (lost.is_empty(), cache.synced(&kinds)) {
            (true, true) => Ok(()),
            (true, false) => Err("the watches have not synced yet".into()),
            (false, _) => Err(lost.join("\n")),
        }
    })
}

/// Cancels once the process is asked to end.
pub(crate) async fn stop_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else { return };
    tokio::select! { _ = term.recv() => {}, _ = tokio::signal::ctrl_c() => {} }
    tracing::info!("stopping");
    stop.cancel();
}
