//! T10: somebody deletes the Service of one side at 50 %, and Serin is frozen, so that it cannot create it again. No proxy may
//! send the requests of the primary to the canary if another route is possible, and once Serin goes on everything is as before.
//! Prints how many requests were lost meanwhile: some proxies drop a whole route while one of its Services is missing.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::ensure;
use k8s_openapi::api::core::v1::Service;
use kube::{Api, api::DeleteParams};
use serde_json::json;
use serin_bed::{
    load::{Version, Window},
    story::PATIENCE,
    wait,
};
use tokio::time::sleep;

use crate::{Family, Shared, lives::Life, story, way::Way};

/// They freeze the operator, so no other story may run beside them.
pub(crate) const STORIES: Family = &[story!(t10_skipper), story!(t10_traefik), story!(t10_contour)];

/// The canary's largest share of all requests while a Service is missing. It has half of them at this step.
const MOST: f64 = 0.6;
/// By then each proxy has noticed that a Service is gone.
const NOTICED: Duration = Duration::from_secs(6);

async fn t10(shared: &Shared, namespace: &str, way: Way) -> anyhow::Result<()> {
    let life = Life::begin(shared, namespace, way).await?;
    life.adopted(json!({"steps": [{"weight": 50, "hold": "60m"}], "threshold": 30})).await?;
    life.story.set_image("app", "app:2").await?;
    life.at_step(1).await?;
    life.users.share("2", 0.5).await?;
    life.users.whole("the step")?;
    for side in ["app-canary", "app-primary"] {
        // Contour leads all requests of a route to the Services of it that exist
        let most = if way == Way::Contour && side == "app-primary" { 1.0 } else { MOST };
        let window = while_frozen(shared, &life, side).await?;
        let (share, lost) = (share_of_new(&window), window.lost());
        writeln!(io::stdout(), "{way:?}, without {side}: {lost} of {} lost, {share} new", window.requests)?;
        ensure!(share <= most, "without {side} the canary got {share}: {:?}", window.versions);
        // the first answers after that: Serin moves nobody to the canary
        let share = share_of_new(&life.users.window().await?);
        ensure!(share <= most, "{side} comes back, and the canary gets {share}");
        exists(&life, side).await?;
        life.users.share("2", 0.5).await?;
        wait::until(&format!("no lost requests after {side} is back"), PATIENCE, async || {
            let window = life.users.window().await.ok()?;
            (window.lost() == 0).then_some(())
        })
        .await?;
    }
    Ok(())
}

/// What users get without this Service, once proxies have noticed. The operator goes on afterwards, also if this fails.
async fn while_frozen(shared: &Shared, life: &Life<'_>, side: &str) -> anyhow::Result<Window> {
    let operator = shared.operator.lock().await;
    operator.pause()?;
    let window = without(life, side).await;
    operator.resume()?;
    window
}

async fn without(life: &Life<'_>, side: &str) -> anyhow::Result<Window> {
    let api: Api<Service> = life.story.api();
    api.delete(side, &DeleteParams::default()).await?;
    sleep(NOTICED).await;
    let window = life.users.window().await?;
    ensure!(api.get_opt(side).await?.is_none(), "{side} came back while it was measured");
    Ok(window)
}

/// Of all requests, those that the new version answered.
fn share_of_new(window: &Window) -> f64 {
    window.versions.get("2").map_or(0, Version::total) as f64 / window.requests.max(1) as f64
}

async fn exists(life: &Life<'_>, side: &str) -> anyhow::Result<()> {
    let api: Api<Service> = life.story.api();
    wait::object(api, side, PATIENCE, |_| true).await.map(drop)
}

async fn t10_skipper(shared: &Shared) -> anyhow::Result<()> {
    t10(shared, "t10-skipper", Way::Skipper).await
}

async fn t10_traefik(shared: &Shared) -> anyhow::Result<()> {
    t10(shared, "t10-traefik", Way::Traefik).await
}

async fn t10_contour(shared: &Shared) -> anyhow::Result<()> {
    t10(shared, "t10-contour", Way::Contour).await
}
