//! One application behind each proxy, under continuous load: in its users' form, adopted, released, released badly and
//! repaired, handed back. No request is lost, and each step gives the new version its share.

use anyhow::{Context, ensure};
use kube::{
    Api,
    api::{ApiResource, DynamicObject},
    core::GroupVersionKind,
};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Behaviour, Selector,
    lacking::Need,
    proxies::Door,
    story::{Story, deployment},
};

use crate::{
    Family, Shared,
    bystanders::beside,
    clients::Clients,
    story,
    way::{Way, through},
};

pub(crate) const STORIES: Family = &[
    story!(contour),
    story!(traefik),
    story!(gateway_api_by_contour),
    story!(gateway_api_by_istiod),
    story!(gateway_api_v1beta1),
    story!(istio),
    story!(services, Need::Nftables),
];

const SHARES: [i32; 3] = [10, 50, 30];

/// An application that its users reach in some way, under load.
pub(crate) struct Life<'a> {
    pub(crate) story: Story<'a>,
    pub(crate) way: Way,
    pub(crate) users: Clients,
    /// The user's objects in front of it.
    routes: Vec<Value>,
}

/// The Deployment: ready after three seconds, with requests counted by Prometheus.
pub(crate) fn app() -> Value {
    let mut app = deployment("app", "app:1", 2);
    let template = &mut app["spec"]["template"];
    template["metadata"]["annotations"] =
        json!({"prometheus.io/scrape": "true", "prometheus.io/port": "8080"});
    template["spec"]["containers"][0]["env"] = json!([{"name": "READY_AFTER_MS", "value": "3000"}]);
    app
}

/// A Canary for `app`. `analysis` overrides the checks, which use the proxy's series and windows of two seconds.
pub(crate) fn canary(way: Way, host: &str, analysis: &Value) -> Value {
    let mut all = json!({
        "interval": "2s", "threshold": 10,
        "metrics": [{"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "6s"}],
    });
    for (field, value) in analysis.as_object().into_iter().flatten() {
        all[field] = value.clone();
    }
    let mut canary = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": "app"},
        "spec": {
            "provider": way.provider(),
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"},
            "progressDeadlineSeconds": 120,
            "service": way.service(host),
            "analysis": all,
        },
    });
    json_patch::merge(&mut canary["spec"], &way.reference());
    canary
}

impl<'a> Life<'a> {
    /// The application before there is a Canary.
    pub(crate) async fn begin(shared: &'a Shared, namespace: &str, way: Way) -> anyhow::Result<Self> {
        Self::begin_with(shared, namespace, way, app()).await
    }

    /// The same with another Deployment.
    pub(crate) async fn begin_with(
        shared: &'a Shared,
        namespace: &str,
        way: Way,
        app: Value,
    ) -> anyhow::Result<Self> {
        let host = format!("app.{namespace}.example.com");
        let objects = way.objects(&host);
        Self::begin_behind(shared, namespace, way, app, objects).await
    }

    /// The same with other routes.
    pub(crate) async fn begin_behind(
        shared: &'a Shared,
        namespace: &str,
        way: Way,
        app: Value,
        routes: Vec<Value>,
    ) -> anyhow::Result<Self> {
        shared.proxy_of(way).await?;
        let story = Story::new(&shared.bed, namespace).await?;
        shared.bed.gateway(namespace, &[&story.host("app"), &story.host("beside")]).await?;
        let mut objects = routes.clone();
        objects.push(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "app"},
            "spec": {"selector": {"app": "app"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
        }));
        objects.push(app);
        story.apply(objects).await?;
        let users = Clients::begin(&way.target(&story).await?).await?;
        Ok(Self { story, way, users, routes })
    }

    /// A Canary takes it over.
    pub(crate) async fn adopted(&self, analysis: Value) -> anyhow::Result<()> {
        let host = self.story.host("app");
        self.story.apply(vec![canary(self.way, &host, &analysis)]).await?;
        self.story.phase("app", Phase::Initialized).await.map(drop)
    }

    /// Waits until the step with this number has its weight.
    pub(crate) async fn at_step(&self, index: i32) -> anyhow::Result<()> {
        let there = |c: &Canary| {
            let step = c.status.as_ref().and_then(|s| s.step.as_ref());
            step.is_some_and(|s| s.index == index && s.confirmed.is_some())
        };
        self.story.canary_that("app", there).await.with_context(|| format!("waiting for step {index}"))?;
        Ok(())
    }
}

/// The whole life of an application whose router splits by weight.
async fn life(shared: &Shared, namespace: &str, way: Way) -> anyhow::Result<()> {
    let (life, others) = beside(shared, namespace, way).await?;
    tokio::select! {
        lived = lived(shared, &life) => lived?,
        harmed = others.shares_stay() => harmed?,
    }
    others.unharmed().map(drop)
}

/// From the adoption to the end.
pub(crate) async fn lived(shared: &Shared, life: &Life<'_>) -> anyhow::Result<()> {
    let steps = |holds: [&str; 3]| -> Value {
        let all = SHARES.iter().zip(holds).map(|(weight, hold)| json!({"weight": weight, "hold": hold}));
        json!(all.collect::<Vec<_>>())
    };
    life.adopted(json!({"steps": steps(["60m", "60m", "60m"])})).await?;
    life.users.whole("adoption")?;
    life.story.set_image("app", "app:2").await?;
    for (step, weight) in (1..).zip(SHARES) {
        life.at_step(step).await?;
        life.users.share("2", f64::from(weight) / 100.0).await?;
        let holds = [1, 2, 3].map(|later| if later <= step { "0s" } else { "60m" });
        life.story.edit_canary("app", json!({"spec": {"analysis": {"steps": steps(holds)}}})).await?;
    }
    life.story.phase("app", Phase::Succeeded).await?;
    life.users.all("2").await?;
    life.users.whole("the good release")?;
    fails_and_is_mended(shared, life).await?;
    handed_back(life).await
}

/// A release that fails all requests is rolled back. Setting the target back ends the failure.
async fn fails_and_is_mended(shared: &Shared, life: &Life<'_>) -> anyhow::Result<()> {
    let bad = Behaviour { error_rate: Some(1.0), ..Behaviour::default() };
    shared.bed.kubelet()?.set(Selector::image("app:3").in_namespace(&life.story.namespace), bad);
    life.story.set_image("app", "app:3").await?;
    life.story.phase("app", Phase::Failed).await?;
    life.users.all("2").await?;
    life.users.whole("the bad release")?;
    life.story.set_image("app", "app:2").await?;
    life.story.phase("app", Phase::Succeeded).await?;
    Ok(())
}

/// The Canary is deleted: the users' former objects are restored.
pub(crate) async fn handed_back(life: &Life<'_>) -> anyhow::Result<()> {
    life.story.delete_canary("app").await?;
    for wanted in &life.routes {
        let is = object(&life.story, wanted).await?;
        ensure!(contains(&is["spec"], &wanted["spec"]), "is {}, was {}", is["spec"], wanted["spec"]);
        let marked = is["metadata"].to_string().contains("serin.dev/");
        ensure!(!marked, "our marks are left: {}", is["metadata"]);
    }
    life.users.all("2").await?;
    life.users.whole("deletion")
}

/// The current object, with the kind and name of `like`.
async fn object(story: &Story<'_>, like: &Value) -> anyhow::Result<Value> {
    let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
    let (api_version, kind) = (text(&like["apiVersion"]), text(&like["kind"]));
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &kind));
    let api: Api<DynamicObject> = Api::namespaced_with(story.client.clone(), &story.namespace, &resource);
    Ok(serde_json::to_value(api.get(&text(&like["metadata"]["name"])).await?)?)
}

/// Whether `is` contains all of `wanted`, with lists of the same length. The API server fills in defaults.
fn contains(is: &Value, wanted: &Value) -> bool {
    match (is, wanted) {
        (Value::Object(is), Value::Object(wanted)) => {
            wanted.iter().all(|(field, value)| is.get(field).is_some_and(|is| contains(is, value)))
        }
        (Value::Array(is), Value::Array(wanted)) => {
            is.len() == wanted.len() && is.iter().zip(wanted).all(|(is, wanted)| contains(is, wanted))
        }
        _ => is == wanted,
    }
}

async fn contour(shared: &Shared) -> anyhow::Result<()> {
    life(shared, "contour", Way::Contour).await
}

async fn traefik(shared: &Shared) -> anyhow::Result<()> {
    life(shared, "traefik", Way::Traefik).await
}

async fn gateway_api_by_contour(shared: &Shared) -> anyhow::Result<()> {
    life(shared, "gwapi-contour", Way::Gateway(Door::Contour)).await
}

async fn gateway_api_by_istiod(shared: &Shared) -> anyhow::Result<()> {
    life(shared, "gwapi-istiod", Way::Gateway(Door::Mesh)).await
}

async fn gateway_api_v1beta1(shared: &Shared) -> anyhow::Result<()> {
    life(shared, "gwapi-v1beta1", Way::Beta).await
}

async fn istio(shared: &Shared) -> anyhow::Result<()> {
    life(shared, "istio", Way::Istio).await
}

/// Plain Services: users stay on the old version while the new one is called by name.
async fn services(shared: &Shared) -> anyhow::Result<()> {
    let life = Life::begin(shared, "services", Way::Services).await?;
    life.adopted(json!({"iterations": 3, "interval": "60m"})).await?;
    life.users.whole("adoption")?;
    let asked = Clients::start(&through(&life.story, "app-canary").await?);
    life.story.set_image("app", "app:2").await?;
    life.at_step(1).await?;
    asked.all("2").await?;
    life.users.still("1").await?;
    life.story.edit_canary("app", json!({"spec": {"analysis": {"interval": "2s"}}})).await?;
    life.story.phase("app", Phase::Succeeded).await?;
    life.users.all("2").await?;
    life.users.whole("the good release")?;
    fails_and_is_mended(shared, &life).await?;
    drop(asked);
    handed_back(&life).await
}
