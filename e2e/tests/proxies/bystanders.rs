//! Users of what stands beside an application: another host, another path of the same host, requests that a route of the
//! user's own answers, a path whose weights the user set. Whatever happens to the application, they get what they got.

use std::time::Duration;

use anyhow::{bail, ensure};
use serde_json::{Value, json};
use serin_bed::{
    load::{LoadHandle, Target},
    story::{PATIENCE, Story, deployment},
};
use tokio::time::sleep;

use crate::way::{Way, ingress};

/// The version of the application beside.
const VERSION: &str = "beside";
/// Requests a second of each kind.
const RATE: f64 = 20.0;
/// Requests with this header are answered by a route of the user's own, with this status.
const ANSWERED: (&str, u16) = ("x-answered", 204);
/// The share of `/shared` that the application beside has.
const SHARE: f64 = 0.8;
/// How many answers that share is measured on, and how far it may be off: four standard deviations.
const SHARED: (u64, f64) = (200, 0.12);

/// The routes of `app` with others beside them; the one of `app` first.
pub(crate) fn routes(way: Way, host: &str) -> anyhow::Result<Vec<Value>> {
    let elsewhere = host.replacen("app", "beside", 1);
    Ok(match way {
        Way::Skipper => {
            let weights = json!({"app": 20, "beside": 80}).to_string();
            let (header, status) = ANSWERED;
            let own = format!("own: Header(\"{header}\", \"1\") -> status({status}) -> <shunt>");
            let annotations =
                json!({"zalando.org/backend-weights": weights, "zalando.org/skipper-routes": own});
            vec![
                ingress("app", annotations, &[(host, &[("/", &["app"]), ("/shared", &["app", "beside"])])]),
                ingress(
                    "beside",
                    json!({}),
                    &[(host, &[("/beside", &["beside"])]), (&elsewhere, &[("/", &["beside"])])],
                ),
            ]
        }
        _ => bail!("no routes beside {way:?}"),
    })
}

/// The application beside.
pub(crate) fn application() -> Vec<Value> {
    vec![
        deployment("beside", &format!("beside:{VERSION}"), 1),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "beside"},
            "spec": {"selector": {"app": "beside"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
        }),
    ]
}

/// Users beside the application, at work from the beginning to the end.
pub(crate) struct Bystanders {
    /// By what they ask for; all get the one version.
    others: Vec<(&'static str, LoadHandle)>,
    /// Those that a route of the user's own answers.
    answered: Option<LoadHandle>,
    shared: Option<LoadHandle>,
}

impl Bystanders {
    pub(crate) async fn begin(way: Way, story: &Story<'_>) -> anyhow::Result<Self> {
        let target = way.target(story).await?;
        let at = |path: &str| Target { path: path.to_owned(), ..target.clone() };
        let (path, host) = (at("/beside"), Target::at(target.address, &story.host("beside")));
        path.serving(VERSION, PATIENCE).await?;
        host.serving(VERSION, PATIENCE).await?;
        let load = |target: &Target| LoadHandle::start(target, RATE, 2);
        let answered = target.clone().header(ANSWERED.0, "1");
        Ok(Self {
            others: vec![("/beside", load(&path)), ("another host", load(&host))],
            answered: (way == Way::Skipper).then(|| load(&answered)),
            shared: (way == Way::Skipper).then(|| load(&at("/shared"))),
        })
    }

    /// Fails as soon as the user's weights are not in force.
    pub(crate) async fn shares_stay(&self) -> anyhow::Result<()> {
        loop {
            let Some(load) = &self.shared else {
                sleep(Duration::from_secs(3600)).await;
                continue;
            };
            let (answers, within) = SHARED;
            load.reset();
            let window = load.requests(answers, PATIENCE).await?;
            ensure!(window.lost() == 0, "/shared: {:?}", window.failures);
            let share = window.share(VERSION);
            ensure!(
                (share - SHARE).abs() <= within,
                "of /shared {share} went beside in place of {SHARE}: {:?}",
                window.versions
            );
        }
    }

    /// How many requests they sent; each was answered as before there was a Canary.
    pub(crate) fn unharmed(&self) -> anyhow::Result<u64> {
        let mut all = 0;
        for (what, load) in &self.others {
            let window = load.snapshot();
            ensure!(window.lost() == 0, "{what}: {:?}", window.failures);
            let ok = window.versions.get(VERSION).map_or(0, |v| v.ok);
            ensure!(ok == window.requests, "{what}: of {} only {ok}: {:?}", window.requests, window.versions);
            all += ok;
        }
        if let Some(load) = &self.answered {
            let window = load.snapshot();
            let own = window.statuses.get(&ANSWERED.1).copied().unwrap_or_default();
            ensure!(own == window.requests, "of {} only {own}: {:?}", window.requests, window.statuses);
            all += own;
        }
        Ok(all)
    }
}
