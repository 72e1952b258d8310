//! T10: somebody deletes the Service of one side at 50 %. Until Serin has created it again, no proxy may send the requests of
//! the primary to the canary, and afterwards everything is as before. Prints how many requests were lost meanwhile: some
//! proxies drop a whole route while one of its Services is missing.

use std::io::{self, Write};

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::Service;
use kube::{Api, api::DeleteParams};
use serde_json::json;
use serin_bed::{
    story::{PATIENCE, Story},
    wait,
};

use crate::{Family, Shared, lives::Life, story, way::Way};

pub(crate) const STORIES: Family = &[story!(t10_skipper), story!(t10_traefik), story!(t10_contour)];

/// The canary's largest share of the answers while a Service is missing. If it got everything for 1.3 s of about 7 s,
/// it would have more.
const MOST: f64 = 0.6;

async fn t10(shared: &Shared, namespace: &str, way: Way) -> anyhow::Result<()> {
    let life = Life::begin(shared, namespace, way).await?;
    life.adopted(json!({"steps": [{"weight": 50, "hold": "60m"}], "threshold": 30})).await?;
    life.story.set_image("app", "app:2").await?;
    life.at_step(1).await?;
    life.users.share("2", 0.5).await?;
    life.users.whole("the step")?;
    for side in ["app-canary", "app-primary"] {
        deleted(&life.story, side).await?;
        let window = life.users.window().await?;
        let (share, lost) = (window.share("2"), window.lost());
        writeln!(io::stdout(), "{way:?}, without {side}: {lost} of {} lost, {share} new", window.requests)?;
        ensure!(share <= MOST, "without {side} the canary got {share}: {:?}", window.versions);
        life.users.share("2", 0.5).await?;
        let after = life.users.window().await?;
        ensure!(after.lost() == 0, "{side} is back, and requests are lost: {:?}", after.failures);
    }
    Ok(())
}

/// Deletes the Service, and waits until Serin has created it again.
async fn deleted(story: &Story<'_>, name: &str) -> anyhow::Result<()> {
    let api: Api<Service> = story.api();
    let uid = api.get(name).await?.metadata.uid.context("a Service without a uid")?;
    api.delete(name, &DeleteParams::default()).await?;
    let back = async || api.get(name).await.ok().filter(|now| now.metadata.uid.as_ref() != Some(&uid));
    wait::until(&format!("another Service {name}"), PATIENCE, back).await.map(drop)
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
