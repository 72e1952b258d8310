//! The loop: observe → questions → ask → decide → apply, for one Canary at a time, until nothing is left to do.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module wires the I/O together")]

mod pass_state;
mod queue;
mod records;
mod refused;
mod report;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use jiff::Timestamp;
use kube::Client;
use tokio::sync::{mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    alert::{self, Alerts},
    analysis::Reading,
    apply::Applier,
    clock,
    config::Config,
    events::Events,
    names,
    net::Outbound,
    observe::{self, GatherError, ObjectCache},
    plan::{self, Answers, Plan, Question, Wake},
    queries::{Asker, EventSink, WebhookRounds},
    retry::Backoffs,
    server,
    snapshot::{Key, Snapshot},
    source::{Contents, Http, Secrets, Sources, http::TIMEOUT},
    telemetry::{Metrics, Outcome, Reconcile},
    webhook::Webhooks,
};
use pass_state::PassState;
use queue::Again;

/// Plans carried out for one Canary before others get their turn. The longest chain of writes without waiting is
/// shorter; a Canary that needs more is being fought over.
const PASSES: usize = 24;
/// Canaries worked on at once. Most of that time is spent waiting for answers, so one that waits for a metrics server
/// holds up no other; the bound is for the API server's sake when all of them start at once.
const AT_ONCE: usize = 256;
/// Tasks under way get this long at shutdown.
const DRAIN: Duration = Duration::from_secs(2);
/// A Canary that cannot be worked on is tried again after at most this long.
const RETRY_CAP: Duration = Duration::from_secs(30);

/// Everything that working on a Canary needs.
pub(crate) struct Worker {
    cache: Arc<ObjectCache>,
    config: Config,
    asker: Asker,
    calls: WebhookRounds,
    telling: EventSink,
    applier: Applier,
    events: Events,
    alerts: Alerts,
    metrics: Arc<Metrics>,
    memory: Mutex<PassState>,
    /// Target of each Canary seen, for taking its series away once it is gone.
    targets: Mutex<BTreeMap<Key, String>>,
    failures: Mutex<Backoffs<Key>>,
    silences: Mutex<Backoffs<Key>>,
    record_failures: Mutex<Backoffs<Key>>,
}

/// A client, and the way out to servers that users name.
///
/// # Errors
/// As [`client`].
pub async fn connect(config: &Config) -> anyhow::Result<(Client, Outbound)> {
    let settings = settings(config).await?;
    let api = settings.cluster_url.to_string();
    let out = Outbound::new(config.rules.outbound.clone(), Some(&api), config.quote_answers);
    Ok((Client::try_from(settings).context("build a client")?, out))
}

/// A client with Serin's name and no retries of its own: every call has its deadline where it is made, and a refused
/// write is decided anew.
///
/// # Errors
/// No usable kubeconfig and no service account.
pub async fn client(config: &Config) -> anyhow::Result<Client> {
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
/// It cannot start: no client, or the port is taken.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let (client, out) = connect(&config).await?;
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    tokio::spawn(stop_on_signal(stop.clone()));

    let metrics = Arc::new(Metrics::new(&config.rules.mesh_provider));
    let cache = Arc::new(ObjectCache::default());
    let (triggers, receiver) = mpsc::unbounded_channel();
    observe::watch_all(&client, &config, &cache, triggers.clone(), &tasks, &stop);
    let (events, publishing) = Events::new(client.clone(), metrics.clone());
    let publishing = tokio::spawn(publishing);
    let (ready, readiness) = watch::channel(false);
    let served = tokio::spawn(server::serve(config.port, metrics.clone(), readiness, stop.clone()));

    let parts = Parts { client, out, events, metrics, cache, triggers, tasks: tasks.clone() };
    let worker = Arc::new(Worker::new(config, parts));
    tokio::select! {
        () = synced(&worker) => {
            ready.send_replace(true);
            tracing::info!(version = env!("CARGO_PKG_VERSION"), "watching");
            let work = { let worker = worker.clone(); move |key| { let worker = worker.clone(); async move { worker.work(key).await } } };
            queue::run(receiver, AT_ONCE, stop.clone(), work, |key, error| worker.panicked(key, error)).await;
        }
        () = stop.cancelled() => {}
    }
    stop.cancel();
    tasks.close();
    let drained = tokio::time::timeout(DRAIN, tasks.wait()).await;
    if drained.is_err() {
        tracing::warn!("some watches did not end in time");
    }
    drop(worker);
    tokio::time::timeout(DRAIN, publishing).await.ok();
    served.await??;
    Ok(())
}

/// What a worker is made of.
struct Parts {
    client: Client,
    out: Outbound,
    events: Events,
    metrics: Arc<Metrics>,
    cache: Arc<ObjectCache>,
    triggers: mpsc::UnboundedSender<Key>,
    tasks: TaskTracker,
}

/// Cancels once the process is told to end.
pub(crate) async fn stop_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else { return };
    tokio::select! { _ = term.recv() => {}, _ = tokio::signal::ctrl_c() => {} }
    tracing::info!("stopping");
    stop.cancel();
}

/// All mandatory kinds have been listed.
async fn synced(worker: &Worker) {
    let kinds = observe::mandatory(&worker.config.rules);
    while !worker.cache.synced(&kinds) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Worker {
    fn new(config: Config, parts: Parts) -> Self {
        let Parts { client, out, events, metrics, cache, triggers, tasks } = parts;
        let hooks = Webhooks::new(out.clone());
        Self {
            asker: Asker::new(
                Sources::new(&Http::new(out.clone(), TIMEOUT), &client),
                Secrets::new(client.clone()),
                Contents::new(client.clone()),
                metrics.clone(),
            ),
            calls: WebhookRounds::new(hooks.clone(), metrics.clone(), triggers),
            telling: EventSink::new(hooks, metrics.clone()),
            alerts: Alerts::new(alert::Parts {
                cache: cache.clone(),
                client: client.clone(),
                out,
                events: events.clone(),
                metrics: metrics.clone(),
                own: config.notifier.clone(),
                cluster: config.cluster_name.clone(),
                tasks,
            }),
            applier: Applier::new(client, cache.clone()),
            events,
            metrics,
            memory: Mutex::default(),
            targets: Mutex::default(),
            failures: Mutex::new(Backoffs::new(RETRY_CAP)),
            silences: Mutex::new(Backoffs::new(RETRY_CAP)),
            record_failures: Mutex::new(Backoffs::new(RETRY_CAP)),
            config,
            cache,
        }
    }

    /// Carries out plan after plan for one Canary until there is nothing left to do now.
    async fn work(&self, key: Key) -> Again {
        let measured = Reconcile::begin(&self.metrics);
        let mut wrote = false;
        let mut known: Option<(Vec<Question>, Answers)> = None;
        for _ in 0..PASSES {
            let now = clock::now();
            let snap = match self.observe(&key, now) {
                Ok(snap) => snap,
                Err(again) => {
                    measured.end(Outcome::Waiting);
                    return again;
                }
            };
            let questions = plan::questions(&snap, now);
            // a moment ago the same was asked, and only webhooks had not answered yet
            let answers = match known.take() {
                Some((asked, answers)) if asked == questions => answers,
                _ => self.ask(&key, &questions, now).await,
            };
            // no check asked for: then no window may end between the two looks at the clock, and be judged without answers
            let measured_now = questions.iter().any(|q| matches!(q, Question::Measure { .. }));
            let decided = if measured_now { clock::now() } else { now };
            let plan = plan::decide(&self.remembering(&key, snap.clone()), &answers, decided);
            self.report(&snap, &plan, &questions, &answers);
            match self.carry_out(&key, &snap, &plan).await {
                Ok(()) => self.timed(&snap, &plan, now, decided),
                Err(again) => {
                    measured.end(Outcome::Failed);
                    return again;
                }
            }
            wrote |= !plan.is_empty();
            let begun = self.calls.begin(&key, &plan.calls);
            if plan.is_empty() && self.calls.answered(&begun).await {
                known = Some((questions, answers));
                continue;
            }
            match plan.wake {
                Wake::Now => {}
                Wake::At(time) => {
                    measured.end(if wrote { Outcome::Applied } else { Outcome::Waiting });
                    return Again::After(until(time, clock::now()));
                }
                Wake::OnChange => {
                    measured.end(if wrote { Outcome::Applied } else { Outcome::Settled });
                    return Again::OnChange;
                }
            }
        }
        tracing::warn!(canary = %format!("{}.{}", key.1, key.0), "still not settled after many writes: is something else changing the same objects?");
        measured.end(Outcome::Failed);
        self.later(&key)
    }

    fn observe(&self, key: &Key, now: Timestamp) -> Result<Snapshot, Again> {
        match observe::gather(&self.cache, &self.config.rules, key, now) {
            Ok(snap) => {
                self.decodes(key);
                let mut snap = self.remembering(key, snap);
                snap.heard = self.calls.heard(key, &plan::run_of(&snap), now);
                Ok(snap)
            }
            Err(GatherError::Gone) => {
                self.forget(key);
                Err(Again::OnChange)
            }
            // its watch triggers again; the time is for a watch that is being opened anew
            Err(GatherError::Behind(_)) => Err(Again::After(Duration::from_secs(1))),
            Err(GatherError::Undecodable(why)) => {
                self.undecodable(key, &why);
                Err(Again::OnChange)
            }
        }
    }

    async fn ask(&self, key: &Key, questions: &[Question], now: Timestamp) -> Answers {
        if questions.is_empty() {
            return Answers::default();
        }
        let answers = self.asker.ask(questions).await;
        let unusable = |r: &Reading| matches!(r, Reading::Failed(_) | Reading::Doubted { .. });
        let silent = answers.readings.values().any(unusable) || answers.configs.values().any(Result::is_err);
        let mut silences = self.silences.lock().unwrap_or_else(PoisonError::into_inner);
        if silent {
            let wait = silences.next(key.clone()).max(Duration::from_secs(1));
            let until = clock::now().checked_add(jiff::SignedDuration::try_from(wait).unwrap_or_default());
            self.memory().ask_not_before.insert(key.clone(), until.unwrap_or(now));
        } else {
            silences.clear(key);
            self.memory().ask_not_before.remove(key);
        }
        answers
    }

    async fn carry_out(&self, key: &Key, snap: &Snapshot, plan: &Plan) -> Result<(), Again> {
        match self.applier.carry_out(&snap.canary, plan).await {
            Ok(failed) => {
                self.recorded(key, plan, failed.as_ref(), true);
                if !plan.is_empty() {
                    self.memory().refused.remove(key);
                    self.failures().clear(key);
                }
                self.say(snap, plan);
                Ok(())
            }
            Err((decided, error)) => {
                if decided {
                    self.recorded(key, plan, None, false);
                    self.say(snap, plan);
                }
                let name = format!("{}.{}", key.1, key.0);
                if error.moved() {
                    tracing::debug!(canary = name, %error, "deciding anew");
                } else {
                    tracing::warn!(canary = name, error = %chain(&error), "a write failed, trying again");
                }
                self.refused(key, plan, &error);
                Err(self.later(key))
            }
        }
    }

    fn later(&self, key: &Key) -> Again {
        Again::After(self.failures().next(key.clone()))
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, PassState> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn targets(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, String>> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, Backoffs<Key>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So much later than now.
fn until_after(wait: Duration) -> Timestamp {
    let now = clock::now();
    now.checked_add(jiff::SignedDuration::try_from(wait).unwrap_or_default()).unwrap_or(now)
}

fn until(time: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(time.duration_since(now)).unwrap_or_default()
}

/// An error with all its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
