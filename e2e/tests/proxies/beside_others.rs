//! A whole life next to other users of the same proxy, and mishaps during a run. Prints how long changes take to have
//! an effect.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, ensure};
use futures::StreamExt;
use kube::{
    Api,
    api::{ApiResource, DynamicObject},
    core::GroupVersionKind,
    runtime::{WatchStreamExt, watcher},
};
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{Behaviour, Selector, proxies::Door, story::Story};
use tokio::{task::JoinHandle, time::Instant};

use crate::{
    Family, Shared,
    bystanders::beside,
    lives::{Life, handed_back, lived},
    story,
    way::Way,
};

pub(crate) const STORIES: Family = &[
    story!(life_by_skipper),
    story!(mishaps_by_skipper),
    story!(life_by_gloo),
    story!(mishaps_by_gloo),
    story!(life_by_envoy_gateway),
    story!(mishaps_by_envoy_gateway),
];

/// A share is measured on this many answers, with this tolerance: three standard deviations at one half.
const SHARES: (u64, f64) = (2500, 0.03);

async fn whole_life(shared: &Shared, namespace: &str, way: Way) -> anyhow::Result<()> {
    let (mut life, others) = beside(shared, namespace, way).await?;
    life.users = life.users.counting(SHARES.0, SHARES.1);
    tokio::select! {
        lived = lived(shared, &life) => lived?,
        harmed = others.shares_stay() => harmed?,
    }
    let unharmed = others.unharmed()?;
    writeln!(io::stdout(), "{way:?}: nothing lost; {unharmed} requests of others, all answered as before")?;
    Ok(())
}

async fn life_by_skipper(shared: &Shared) -> anyhow::Result<()> {
    whole_life(shared, "beside-skipper", Way::Skipper).await
}

/// A version that never becomes ready, a version that fails at half of the traffic, a crash of the operator during a
/// run, and a Canary that is deleted during a run: no request is lost except those that a version failed itself, the user's
/// weights of another path stay in effect, and a weight of 0 has an effect within the settle time.
async fn mishaps(shared: &Shared, namespace: &str, way: Way) -> anyhow::Result<()> {
    let (mut life, others) = beside(shared, namespace, way).await?;
    life.users = life.users.counting(SHARES.0, SHARES.1);
    tokio::select! {
        met = meets_mishaps(shared, &life) => met?,
        harmed = others.shares_stay() => harmed?,
    }
    others.unharmed().map(drop)
}

async fn meets_mishaps(shared: &Shared, life: &Life<'_>) -> anyhow::Result<()> {
    let (way, namespace) = (life.way, life.story.namespace.as_str());
    let writes = Writes::follow(&life.story, way);
    life.adopted(json!({"steps": [{"weight": 50, "hold": "60m"}], "threshold": 2})).await?;

    let is = |image: &str, behaviour: Behaviour| -> anyhow::Result<()> {
        let pods = Selector::image(&format!("app:{image}")).in_namespace(namespace);
        shared.bed.kubelet()?.set(pods, behaviour);
        Ok(())
    };
    is("never-ready", Behaviour { ready: Some(false), ..Behaviour::default() })?;
    life.story.edit_canary("app", json!({"spec": {"progressDeadlineSeconds": 10}})).await?;
    life.story.set_image("app", "app:never-ready").await?;
    life.story.phase("app", Phase::Failed).await?;
    life.users.still("1").await?;
    life.story.edit_canary("app", json!({"spec": {"progressDeadlineSeconds": 120}})).await?;

    is("bad", Behaviour { error_rate: Some(1.0), ..Behaviour::default() })?;
    life.story.set_image("app", "app:bad").await?;
    let (first, _) = life.users.answers_of("bad").await?;
    let rise = first.saturating_duration_since(writes.last());
    life.story.phase("app", Phase::Failed).await?;
    let (_, last) = life.users.answers_of("bad").await?;
    let fall = last.saturating_duration_since(writes.last());
    writeln!(
        io::stdout(),
        "{way:?}: the first answer of 50 % came {} ms after the write, the last one {} ms after that of 0 %",
        rise.as_millis(),
        fall.as_millis()
    )?;
    let settle = life.story.canary_that("app", |_| true).await?.spec.settle_time;
    ensure!(settle.is_none(), "the settle time is to be the router's own");
    let settle = serin::router::by_name(way.provider()).context("a provider without a router")?.settle();
    ensure!(fall <= settle, "the settle time is {settle:?}, and the last answer came after {fall:?}");

    // a window is as short as a few scrapes, so a good version may have some without values
    life.story.edit_canary("app", json!({"spec": {"analysis": {"threshold": 30}}})).await?;
    life.story.set_image("app", "app:2").await?;
    life.story.phase("app", Phase::Progressing).await?;
    life.at_step(1).await?;
    life.users.share("2", 0.5).await?;
    shared.operator.lock().await.restart().await?;
    life.users.share("2", 0.5).await?;
    life.users.whole("the operator's end")?;
    handed_back(life).await.context("deletion in mid-run")
}

async fn mishaps_by_skipper(shared: &Shared) -> anyhow::Result<()> {
    mishaps(shared, "mishaps-skipper", Way::Skipper).await
}

async fn life_by_gloo(shared: &Shared) -> anyhow::Result<()> {
    whole_life(shared, "beside-gloo", Way::Gloo).await
}

async fn mishaps_by_gloo(shared: &Shared) -> anyhow::Result<()> {
    mishaps(shared, "mishaps-gloo", Way::Gloo).await
}

async fn life_by_envoy_gateway(shared: &Shared) -> anyhow::Result<()> {
    whole_life(shared, "beside-envoy-gw", Way::Gateway(Door::EnvoyGateway)).await
}

async fn mishaps_by_envoy_gateway(shared: &Shared) -> anyhow::Result<()> {
    mishaps(shared, "mishaps-envoy-gw", Way::Gateway(Door::EnvoyGateway)).await
}

/// The times at which the route of an application was written, from a watch.
struct Writes {
    last: Arc<Mutex<Instant>>,
    task: JoinHandle<()>,
}

impl Writes {
    fn follow(story: &Story<'_>, way: Way) -> Self {
        let (group, version, kind, name) = match way {
            Way::Skipper => ("networking.k8s.io", "v1", "Ingress", "app-canary"),
            Way::Gloo => ("gateway.solo.io", "v1", "RouteTable", "app"),
            _ => ("gateway.networking.k8s.io", "v1", "HTTPRoute", "app"),
        };
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<DynamicObject> = Api::namespaced_with(story.client.clone(), &story.namespace, &resource);
        let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let last = Arc::new(Mutex::new(Instant::now()));
        let sink = last.clone();
        let task = tokio::spawn(async move {
            let mut stream = std::pin::pin!(watcher(api, config).default_backoff().applied_objects());
            let mut before = Value::Null;
            while let Some(event) = stream.next().await {
                let Ok(route) = event else { continue };
                let said = json!([route.data["spec"], route.metadata.annotations]);
                if said != before {
                    *sink.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                    before = said;
                }
            }
        });
        Self { last, task }
    }

    fn last(&self) -> Instant {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Writes {
    fn drop(&mut self) {
        self.task.abort();
    }
}
