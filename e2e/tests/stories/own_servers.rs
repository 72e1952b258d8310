//! Real metrics servers other than Prometheus: Canaries are promoted and rolled back by their values.

use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{Graphite, lacking::Need};

use crate::{
    Family, Shared,
    bad_common::{ends_well, stands, story, untouched_at_25},
};

pub(crate) const STORIES: Family =
    &[crate::story!(graphites_own_server_promotes_and_rolls_back, Need::Graphite)];

async fn graphites_own_server_promotes_and_rolls_back(shared: &Shared) -> anyhow::Result<()> {
    let mut graphite = Graphite::start(&shared.bed).await?;
    let story = story(shared, "graphite").await?;
    let query = |function: &str| {
        let series = "apps.{{ namespace }}.{{ target }}.errors";
        let template = json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate", "metadata": {"name": "mine"},
            "spec": {
                "provider": {"type": "graphite", "address": graphite.url()},
                "query": format!("target={function}({series})&from=-1min"),
            },
        });
        vec![template]
    };
    story.apply(query("sumSeries")).await?;
    let (good, broken) = (query("sumSeries"), query("nonesuch"));
    let metric = json!([{"name": "mine", "templateRef": {"name": "mine"}, "thresholdRange": {"max": 5}}]);
    let edit = |c: &mut Value| c["spec"]["analysis"]["metrics"] = metric;
    graphite.feed("apps.graphite.app.errors", 3.5).await?;
    story.initialised("app", edit).await?;
    story.event("app", "all the metrics providers are available!").await?;
    story.set_image("app", "app:2").await?;
    ends_well(&story).await?;

    // the newest value counts, and Graphite must not answer from its cache
    graphite.feed("apps.graphite.app.errors", 7.25).await?;
    story.set_image("app", "app:3").await?;
    story.event("app", "Halt app.graphite advancement mine 7.25 > 5").await?;
    story.phase("app", Phase::Failed).await?;

    graphite.feed("apps.graphite.app.errors", 0.5).await?;
    story.apply(broken).await?;
    story.set_image("app", "app:4").await?;
    let words = ["rejected the query with status 400", "The query was: target=nonesuch("];
    stands(&story, "app", "Frozen", "True", "MetricsUnavailable", &words).await?;
    story.event("app", "unknown function: nonesuch").await?;
    untouched_at_25(&story).await?;
    story.apply(good).await?;
    story.phase("app", Phase::Succeeded).await.map(drop)
}
