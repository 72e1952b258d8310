//! S1.2 behind each proxy that supports it: at 25 %, requests with a header for the new version get it, requests with a
//! header against it never do, and a quarter of all others do. No request is lost from before the release until after
//! it.

use serde_json::json;
use serin::api::Phase;
use serin_bed::proxies::Door;

use crate::{
    Family, Shared,
    clients::Clients,
    lives::{Life, handed_back},
    story,
    way::Way,
};

pub(crate) const STORIES: Family = &[
    story!(s1_2_contour),
    story!(s1_2_gateway_api_by_contour),
    story!(s1_2_gateway_api_by_istiod),
    story!(s1_2_gateway_api_by_envoy_gateway),
    story!(s1_2_istio),
    story!(s1_2_gloo),
];

async fn s1_2(shared: &Shared, namespace: &str, way: Way) -> anyhow::Result<()> {
    let life = Life::begin(shared, namespace, way).await?;
    let header = |value: &str| json!([{"headers": {"x-canary": {"exact": value}}}]);
    let steps = |hold: &str| json!([{"weight": 25, "hold": hold}]);
    let pins = json!({"always": header("always"), "never": header("never"), "steps": steps("60m")});
    life.adopted(pins).await?;
    let target = way.target(&life.story).await?;
    let always = Clients::start(&target.clone().header("x-canary", "always"));
    let never = Clients::start(&target.header("x-canary", "never"));
    life.story.set_image("app", "app:2").await?;
    life.at_step(1).await?;
    always.all("2").await?;
    never.all("1").await?;
    life.users.share("2", 0.25).await?;
    life.story.edit_canary("app", json!({"spec": {"analysis": {"steps": steps("0s")}}})).await?;
    life.story.phase("app", Phase::Succeeded).await?;
    for (clients, who) in [(&life.users, "everybody"), (&always, "always"), (&never, "never")] {
        clients.all("2").await?;
        clients.whole(who)?;
    }
    life.story.set_image("app", "app:3").await?;
    life.at_step(1).await?;
    always.all("3").await?;
    life.story.set_image("app", "app:2").await?;
    life.story.phase("app", Phase::Succeeded).await?;
    always.all("2").await?;
    life.users.whole("everybody, after an abort")?;
    if way == Way::Gateway(Door::EnvoyGateway) {
        handed_back(&life).await?;
    }
    always.whole("always, after an abort")?;
    never.whole("never, after an abort")
}

async fn s1_2_contour(shared: &Shared) -> anyhow::Result<()> {
    s1_2(shared, "s1-2-contour", Way::Contour).await
}

async fn s1_2_gateway_api_by_contour(shared: &Shared) -> anyhow::Result<()> {
    s1_2(shared, "s1-2-gwapi-contour", Way::Gateway(Door::Contour)).await
}

async fn s1_2_gateway_api_by_istiod(shared: &Shared) -> anyhow::Result<()> {
    s1_2(shared, "s1-2-gwapi-istiod", Way::Gateway(Door::Mesh)).await
}

/// Its clusters have the numbers of rules. The Canary is deleted in the end.
async fn s1_2_gateway_api_by_envoy_gateway(shared: &Shared) -> anyhow::Result<()> {
    s1_2(shared, "s1-2-gwapi-envoy-gw", Way::Gateway(Door::EnvoyGateway)).await
}

async fn s1_2_istio(shared: &Shared) -> anyhow::Result<()> {
    s1_2(shared, "s1-2-istio", Way::Istio).await
}

async fn s1_2_gloo(shared: &Shared) -> anyhow::Result<()> {
    s1_2(shared, "s1-2-gloo", Way::Gloo).await
}
