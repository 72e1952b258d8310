//! `serin backtest`: how often the analysis of a Canary would have rolled back releases that changed nothing, and how soon it would
//! have found worse ones, by the past of its primary.
//!
//! Reads a Prometheus, writes nothing. Every replay is decided by the operator's own planner: what is played beside it is a
//! Canary whose pods are ready at once ([`stage`]) and whose questions are answered from the past ([`replay`]).
//!
//! - [`asked`]: what of a Canary is played, and what has to be read for it
//! - [`reading`]: range queries, bounded in time and size; [`past`]: what they yield, and who plays the canary in it
//! - [`trial`]: many replays; [`suggest`]: the same with other settings; [`report`]: what they come to
//! - [`random`]: numbers that come again with their seed
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module reads the cluster")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the answer is for the terminal")]

mod asked;
mod past;
mod random;
mod reading;
mod replay;
mod report;
mod stage;
mod suggest;
#[cfg(test)]
mod tests;
mod trial;

use std::{ops::Range, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use futures::{FutureExt as _, future::BoxFuture};
use kube::{Api, Client, api::ListParams};

pub use past::{Cell, Past};
pub use random::Random;
pub use report::{Report, Rule, Service, Suggestion, Worse};

use self::{
    asked::Played,
    reading::{Hours, Server, ms},
    replay::Harm,
    suggest::percent,
    trial::{Sum, Trial},
};
use crate::{
    analysis::{Failure, Query},
    api::{Canary, CanaryRun, duration},
    clock,
    config::{Config, Rules},
    controller, explain,
    net::Outbound,
    queries::Asker,
    snapshot::Snapshot,
    source::{Contents, Http, Secrets, Series, Sources, Stretch, http::TIMEOUT},
    statistics::share_interval,
    telemetry::Metrics,
};

/// Fewer independent replays say too little.
const LEAST: usize = 50;
/// So many times as many failures have the worse releases.
const TIMES: [f64; 3] = [2.0, 10.0, 100.0];
/// Of each of them so many are played at most.
const WORSE: usize = 50;
/// Where nothing has failed in the past, worse releases are worse than this share.
const FAILING: f64 = 0.001;
/// Servers may have the last samples later than this.
const LATE: i64 = 60_000;
/// How likely the interval of the report is wrong.
const WRONG: f64 = 0.05;

/// What is wanted of a backtest.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// How much of the past is read.
    pub over: Duration,
    /// Releases that changed nothing.
    pub replays: usize,
    /// Of the random numbers: the same seed plays the same times and pods.
    pub seed: u64,
    /// Prometheus in place of the Canary's, such as one behind a port-forward.
    pub prometheus: Option<String>,
}

impl Wanted {
    /// How much is read and played, unless something else is said.
    pub const OVER: &str = "7d";
    /// See [`Wanted::OVER`].
    pub const REPLAYS: &str = "400";

    /// A time such as `36h` or `7d`.
    ///
    /// # Errors
    /// It is none, or shorter than an hour.
    pub fn time(text: &str) -> Result<Duration, String> {
        let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
        let time =
            days.map(|days| Duration::from_secs(86_400 * u64::from(days))).or_else(|| duration::parse(text));
        time.filter(|time| *time >= Duration::from_secs(3600))
            .ok_or_else(|| format!("{text:?} is not a time from 1h such as 36h or 7d"))
    }
}

/// Prints what a backtest of `name` in `namespace` finds.
///
/// # Errors
/// There is no such Canary, its past cannot be read or is too short, or false alarms are above what is stated.
pub(crate) async fn run(
    config: Config,
    namespace: String,
    name: String,
    wanted: Wanted,
    json: bool,
) -> anyhow::Result<()> {
    let (client, out) = controller::connect(&config, None).await?;
    let tell = |text: &str| eprintln!("{text}");
    let rules = named(&config.rules, &wanted);
    let out = match &wanted.prometheus {
        Some(_) => Outbound::new(rules.outbound.clone(), None, config.quote_answers).by(config.proxies),
        None => out,
    };
    let report = with(&client, out, &rules, (&namespace, &name), &wanted, &tell).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    if report.within { Ok(()) } else { bail!("{}", report.verdict()) }
}

/// The backtest of `name` in `namespace`, with the rights of `client`. `tell` hears how far it is.
///
/// # Errors
/// There is no such Canary, or its past cannot be read or is too short.
pub async fn backtest(
    client: &Client,
    rules: &Rules,
    namespace: &str,
    name: &str,
    wanted: &Wanted,
    tell: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Report> {
    let rules = named(rules, wanted);
    let out = Outbound::new(rules.outbound.clone(), None, true);
    with(client, out, &rules, (namespace, name), wanted, tell).await
}

/// The Prometheus that is given may be asked.
fn named(rules: &Rules, wanted: &Wanted) -> Rules {
    let mut rules = rules.clone();
    if let Some(server) = &wanted.prometheus {
        rules.outbound.name(server);
        rules.metrics_server.clone_from(server);
    }
    rules
}

async fn with(
    client: &Client,
    out: Outbound,
    rules: &Rules,
    (namespace, name): (&str, &str),
    wanted: &Wanted,
    tell: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Report> {
    let now = clock::now();
    let mut snap = explain::look(client, rules, namespace, name, now).await?;
    if let Some(server) = &wanted.prometheus {
        let mut canary = Canary::clone(&snap.canary);
        canary.spec.metrics_server = Some(server.clone());
        snap.canary = Arc::new(canary);
    }
    let played = plan(&snap)?;
    let metrics = Arc::new(Metrics::new(&rules.mesh_provider));
    let (sources, secrets) = (Sources::new(&Http::new(out, TIMEOUT), client), Secrets::new(client.clone()));
    let asker = Asker::new(sources, secrets, Contents::new(client.clone()), rules, metrics);
    let (runs, note) = runs(client, namespace, name).await;
    let step = ms(played.wanted.step.max(played.wanted.every));
    let to = (now.as_millisecond() - LATE).div_euclid(step) * step;
    let from = (to - ms(wanted.over.as_secs_f64())).div_euclid(step) * step;
    let server = Own { asker, tenant: namespace.to_owned() };
    let past = Hours { server: &server, tell, from, to }.past(&played.wanted, &runs).await?;
    let mut report = judged(&snap, &played, &past, wanted, tell).map_err(anyhow::Error::msg)?;
    report.notes.extend(note);
    Ok(report)
}

fn plan(snap: &Snapshot) -> anyhow::Result<Played> {
    let (name, namespace) = (snap.canary.metadata.name.as_deref(), snap.canary.metadata.namespace.as_deref());
    asked::played(snap).map_err(anyhow::Error::msg).with_context(|| {
        format!("backtest Canary {} in namespace {}", name.unwrap_or_default(), namespace.unwrap_or_default())
    })
}

/// When runs of the Canary were under way, in milliseconds, and what is to be said if that is not known.
async fn runs(client: &Client, namespace: &str, name: &str) -> (Vec<Range<i64>>, Option<String>) {
    let api: Api<CanaryRun> = Api::namespaced(client.clone(), namespace);
    let listed = match api.list(&ListParams::default()).await {
        Ok(listed) => listed.items,
        Err(error) => {
            let why = format!(
                "records of runs could not be read, so that hours with runs are not left out: {error}"
            );
            return (vec![], Some(why));
        }
    };
    let of = listed.into_iter().filter(|run| run.spec.canary == name);
    let times = of.filter_map(|run| {
        let began = run.spec.started?.0.as_millisecond();
        let ended = run.status.and_then(|status| status.ended).map_or(i64::MAX, |at| at.0.as_millisecond());
        Some(began..ended)
    });
    (times.collect(), None)
}

/// The sources of the operator.
struct Own {
    asker: Asker,
    tenant: String,
}

impl Server for Own {
    fn past<'a>(
        &'a self,
        query: &'a Query,
        stretch: Stretch,
    ) -> BoxFuture<'a, Result<Option<Vec<Series>>, Failure>> {
        self.asker.past(&self.tenant, query, stretch).boxed()
    }
}

/// What the analysis of this Canary comes to over a past that was read, or made up.
///
/// # Errors
/// The operator would not act on it, or the past is too short: why.
pub fn over(canary: &Canary, past: &Past, wanted: &Wanted) -> Result<Report, String> {
    let snap = stage::empty(canary.clone(), Rules::default());
    let played = asked::played(&snap)?;
    judged(&snap, &played, past, wanted, &|_| {})
}

fn judged(
    snap: &Snapshot,
    played: &Played,
    past: &Past,
    wanted: &Wanted,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Report, String> {
    let (burst, largest) = past.bursts();
    let trial = Trial { past, played, seed: wanted.seed, group: burst.round() as u64 };
    let independent = trial.independent(wanted.replays);
    if independent < LEAST {
        return Err(format!(
            "{independent} independent replays are too few to say anything: at least {LEAST} are needed. Read more of the past \
             (--over), or play more (--replays); a replay takes {} minutes",
            (played.longest / 60.0).ceil()
        ));
    }
    tell(&format!("playing {} releases that change nothing", wanted.replays));
    let tried = trial.run(&played.analysis, Harm::NONE, wanted.replays)?;
    if tried.replays < LEAST {
        return Err(format!(
            "only {} of {} replays could be played: runs, and times at which pods came and went, leave too little of the past. \
             Read more of it (--over)",
            tried.replays, wanted.replays
        ));
    }
    let alone = asked::thresholds_alone(&played.analysis);
    let alone = alone.map(|alone| trial.run(&alone, Harm::NONE, wanted.replays)).transpose()?;
    tell("playing releases that are worse");
    let (worse, mut notes) = worse(&trial, wanted)?;
    let hits = (percent(tried.rolled_back, tried.replays) / 100.0 * independent as f64).round() as u64;
    let (low, high) = share_interval(hits, independent as u64, WRONG);
    let within = 100.0 * low <= played.stated;
    tell("looking for thresholds");
    let mut suggestions = suggest::thresholds(&trial, wanted.replays)?;
    if !within {
        suggestions.extend(suggest::comparisons(&trial, largest, wanted.replays)?);
    }
    notes.extend(limits(&trial));
    Ok(Report {
        canary: snap.canary.metadata.name.clone().unwrap_or_default(),
        namespace: snap.canary.metadata.namespace.clone().unwrap_or_default(),
        over: past.looks() as f64 * past.every,
        past: service(past, (burst, largest)),
        as_configured: rule(&tried),
        thresholds_alone: alone.as_ref().map(rule),
        stated: played.stated,
        independent,
        interval: (100.0 * low, 100.0 * high),
        within,
        worse,
        not_played: played.left_out.clone(),
        suggestions,
        notes,
    })
}

/// Releases that fail more often from their first request on.
fn worse(trial: &Trial<'_>, wanted: &Wanted) -> Result<(Vec<Worse>, Vec<String>), String> {
    let mut notes = Vec::new();
    let counted = trial.past.total().rate();
    if counted.is_none() {
        notes.push("requests were not counted, so that no worse releases could be played".to_owned());
        return Ok((vec![], notes));
    }
    let failing = counted.filter(|rate| *rate > 0.0).unwrap_or_else(|| {
        notes.push(format!("no request has failed: worse releases are worse than {} %", 100.0 * FAILING));
        FAILING
    });
    let mut all = Vec::new();
    for times in TIMES {
        let target = (times * failing).min(1.0);
        let share = if failing < 1.0 { (target - failing) / (1.0 - failing) } else { 0.0 };
        let sum = trial.run(&trial.played.analysis, Harm { share, times }, wanted.replays.min(WORSE))?;
        let mut found = sum.found.clone();
        found.resize(sum.replays, f64::INFINITY);
        all.push(Worse {
            times,
            failing: 100.0 * target,
            replays: sum.replays,
            found: percent(sum.rolled_back, sum.replays),
            after: median(found),
        });
    }
    Ok((all, notes))
}

/// What the figures cannot show.
fn limits(trial: &Trial<'_>) -> Vec<String> {
    let mut notes = vec!["gates, webhooks and release windows are taken as passed".to_owned()];
    let pods = trial.past.pods_at_once();
    if trial.past.tells_pods() {
        if pods < 10 {
            notes.push(format!(
                "with {pods} pods no share below {:.0} % could be played",
                100.0 / pods.max(1) as f64
            ));
        }
    } else if !trial.past.pods.is_empty() {
        notes.push(
            "counters do not tell pods: requests were dealt out at random, which does not show what single pods do".into(),
        );
    }
    notes
}

fn service(past: &Past, (burst, largest): (f64, u64)) -> Service {
    let total = past.total();
    let counted = total.all > 0;
    Service {
        pods: past.tells_pods().then(|| past.pods_at_once()),
        requests: counted.then(|| total.all as f64 / (past.looks() as f64 * past.every)),
        failing: total.rate().map(|rate| 100.0 * rate),
        burst: counted.then_some(burst),
        largest: counted.then_some(largest),
    }
}

fn rule(sum: &Sum) -> Rule {
    let mut by: Vec<(String, f64)> =
        sum.by.iter().map(|(name, count)| (name.clone(), percent(*count, sum.replays))).collect();
    by.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    Rule {
        replays: sum.replays,
        rolled_back: percent(sum.rolled_back, sum.replays),
        by,
        undecided: percent(sum.undecided, sum.replays),
        promoted_after: median(sum.promoted.clone()),
    }
}

/// The median, if it is a number.
fn median(mut all: Vec<f64>) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().filter(|middle| middle.is_finite())
}
