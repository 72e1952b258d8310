//! Forbidden hosts in every field that may contain one, and Keptn as a metrics provider.

use kube::api::ListParams;
use serde_json::{Value, json};
use serin::api::{Canary, CanaryRun, Phase};
use serin_bed::{
    Operator,
    badprom::{Badprom, Says},
    hooks::Receiver,
    story::{PATIENCE, Story},
};

use anyhow::ensure;

use crate::{
    Family, Shared,
    bad_common::{
        accepted, ends_well, failed_checks, held_at_25, pace, refused, stands, story, untouched_at_25,
    },
};

pub(crate) const STORIES: Family = &[
    crate::story!(x1_a_host_that_is_not_allowed_is_named_with_its_field),
    crate::story!(x2_a_name_that_leads_inside_is_not_followed),
    crate::story!(x4_what_a_server_says_is_cut_and_in_no_metric),
    crate::story!(x4_what_metrics_servers_say_is_in_events_only),
    crate::story!(a_value_that_keptn_keeps_is_a_metric),
];

/// With an operator that does not quote servers.
pub(crate) const ALONE: Family = &[crate::story!(x4_with_quoting_off_what_servers_say_is_nowhere)];

async fn x1_a_host_that_is_not_allowed_is_named_with_its_field(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "host-inside").await?;
    let hook = json!({"name": "gate", "type": "rollout", "url": "http://169.254.169.254/latest/meta-data"});
    let edit = |c: &mut Value| {
        c["spec"]["metricsServer"] = json!("http://2130706433:9090");
        c["spec"]["analysis"]["webhooks"] = json!([hook]);
    };
    story.initialised("app", edit).await?;
    let words =
        ["spec.metricsServer: host not allowed: 127.0.0.1 is a loopback address", "--allowed-networks"];
    refused(&story, "app", "HostNotAllowed", &words).await?;
    story.event("app", "spec.metricsServer: host not allowed").await?;
    story.edit_canary("app", json!({"spec": {"metricsServer": shared.bed.prometheus_url()}})).await?;
    let words =
        ["spec.analysis.webhooks[gate].url: host not allowed: 169.254.169.254 is the metadata service"];
    refused(&story, "app", "HostNotAllowed", &words).await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Progressing).await?;
    let canary: Canary = story.api().get("app").await?;
    ensure!(failed_checks(&canary) == 0, "counted against the release: {:?}", canary.status);
    story.edit_canary("app", json!({"spec": {"analysis": {"webhooks": null}}})).await?;
    accepted(&story, "app").await?;
    ends_well(&story).await
}

async fn x2_a_name_that_leads_inside_is_not_followed(shared: &Shared) -> anyhow::Result<()> {
    let server = Badprom::start(Says::Values(vec!["100"])).await?;
    let port = server.url().rsplit(':').next().unwrap_or_default().to_owned();
    shared.bed.name("inside.test", "127.0.0.1")?;
    let edit = |c: &mut Value| c["spec"]["metricsServer"] = json!(format!("http://inside.test:{port}"));
    let story = held_at_25(shared, "host-rebound", edit).await?;
    pace(&story).await?;
    let words = ["host not allowed: inside.test resolves to 127.0.0.1, which is a loopback address"];
    stands(&story, "app", "Frozen", "True", "MetricsUnavailable", &words).await?;
    untouched_at_25(&story).await?;
    story.edit_canary("app", json!({"spec": {"metricsServer": server.url()}})).await?;
    ends_well(&story).await
}

async fn x4_what_a_server_says_is_cut_and_in_no_metric(shared: &Shared) -> anyhow::Result<()> {
    const MARKER: &str = "m4rker-of-a-remote";
    let hooks = Receiver::start().await?;
    hooks.answer("/check", 403, &format!("{MARKER}{}", "x".repeat(5000)));
    let hook = json!({"name": "check", "type": "rollout", "url": hooks.url("/check")});
    let story = story(shared, "host-says").await?;
    story.initialised("app", |c| c["spec"]["analysis"]["webhooks"] = json!([hook])).await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Failed).await?;
    // Events are written after the status
    story.event("app", MARKER).await?;
    let events = story.events("app").await?;
    let quoting: Vec<_> = events.iter().filter(|text| text.contains(MARKER)).collect();
    ensure!(quoting.iter().all(|text| text.len() < 1300), "an Event quotes more than 1 KiB");
    let metrics = shared.operator.lock().await.metrics().await?;
    ensure!(!metrics.contains(MARKER), "a metric repeats what a server said");
    Ok(())
}

/// A marker in a server's messages.
const MARKER: &str = "m4rker-of-a-server";

/// A run at 25 % whose metrics server answers with long error messages.
async fn complained_of<'a>(
    shared: &'a Shared,
    namespace: &str,
    server: &Badprom,
) -> anyhow::Result<Story<'a>> {
    let url = server.url();
    let story = held_at_25(shared, namespace, |c| c["spec"]["metricsServer"] = json!(url)).await?;
    server.say(Says::Text(500, format!("{{\"error\":\"{MARKER}{}\"}}", "x".repeat(5000))));
    pace(&story).await?;
    stands(&story, "app", "Frozen", "True", "MetricsUnavailable", &["answered with status 500"]).await?;
    Ok(story)
}

/// Which of Canary, records, log, operator metrics and Events quote the server.
async fn repeating(story: &Story<'_>, operator: &Operator) -> anyhow::Result<Vec<&'static str>> {
    let canary: Canary = story.api().get("app").await?;
    let runs = story.api::<CanaryRun>().list(&ListParams::default()).await?;
    let all = [
        ("Canary", json!(canary).to_string()),
        ("CanaryRun", json!(runs.items).to_string()),
        ("log", operator.logs()?),
        ("metrics", operator.metrics().await?),
        ("Events", story.events("app").await?.join("\n")),
    ];
    ensure!(!runs.items.is_empty(), "there is no record of the run");
    Ok(all.iter().filter(|(_, text)| text.contains(MARKER)).map(|(what, _)| *what).collect())
}

async fn x4_what_metrics_servers_say_is_in_events_only(shared: &Shared) -> anyhow::Result<()> {
    let good = Says::Values(vec!["100"]);
    let server = Badprom::start(good.clone()).await?;
    let story = complained_of(shared, "host-complains", &server).await?;
    story.event("app", MARKER).await?;
    let warned = format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[]}},"warnings":["{MARKER}"]}}"#
    );
    let text = format!(r#"{{"status":"success","data":{{"resultType":"string","result":[1,"{MARKER}"]}}}}"#);
    for (status, answer, words) in [
        (200, warned, "comes with warnings"),
        (200, text, "it is a text, where numbers are wanted"),
        (400, format!(r#"{{"error":"{MARKER}"}}"#), "rejected the query with status 400"),
    ] {
        server.say(Says::Text(status, answer));
        story.condition("app", "Frozen", "True", words).await?;
    }
    let repeating = repeating(&story, &*shared.operator.lock().await).await?;
    ensure!(repeating == ["Events"], "the server is repeated in {repeating:?}");
    ensure!(
        story.events("app").await?.iter().all(|text| text.len() < 1300),
        "an Event quotes more than 1 KiB"
    );
    untouched_at_25(&story).await?;
    server.say(good);
    ends_well(&story).await
}

async fn x4_with_quoting_off_what_servers_say_is_nowhere(shared: &Shared) -> anyhow::Result<()> {
    shared.operator.lock().await.kill9().await?;
    let flags = ["--quote-answers=false", "--namespace=host-quiet"];
    shared.bed.namespace("host-quiet").await?;
    let mut operator = Operator::start(&shared.bed, &flags, &[])?;
    operator.ready(PATIENCE).await?;
    let good = Says::Values(vec!["100"]);
    let server = Badprom::start(good.clone()).await?;
    let story = complained_of(shared, "host-quiet", &server).await?;
    let repeating = repeating(&story, &operator).await?;
    ensure!(repeating.is_empty(), "the server is repeated in {repeating:?}");
    server.say(good);
    ends_well(&story).await?;
    operator.kill9().await
}

async fn a_value_that_keptn_keeps_is_a_metric(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "keptn").await?;
    story.bed.apply_yaml("keptn", include_str!("../../manifests/keptn.yaml")).await?;
    let kept = |value: &str| {
        json!({
            "apiVersion": "metrics.keptn.sh/v1beta1", "kind": "KeptnMetric", "metadata": {"name": "errors"},
            "spec": {"fetchIntervalSeconds": 10}, "status": {"value": value},
        })
    };
    let template = |query: &str| {
        json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate", "metadata": {"name": "mine"},
            "spec": {"provider": {"type": "keptn"}, "query": query},
        })
    };
    let metric = json!([{"name": "mine", "templateRef": {"name": "mine"}, "thresholdRange": {"max": 5}}]);
    story.apply(vec![template("keptnmetric/{{ namespace }}/errors"), kept("3.5")]).await?;
    story.initialised("app", |c| c["spec"]["analysis"]["metrics"] = metric).await?;
    story.set_image("app", "app:2").await?;
    ends_well(&story).await?;

    story.apply(vec![kept("7")]).await?;
    story.set_image("app", "app:3").await?;
    story.event("app", "Halt app.keptn advancement mine 7.00 > 5").await?;
    story.phase("app", Phase::Failed).await?;

    story.apply(vec![template("analysis/{{ namespace }}/errors")]).await?;
    story.set_image("app", "app:4").await?;
    let words = ["Analyses of Keptn are not served", "keptnmetric/<namespace>/<name>"];
    stands(&story, "app", "Frozen", "True", "MetricsUnavailable", &words).await?;
    untouched_at_25(&story).await?;
    story.apply(vec![template("keptnmetric/{{ namespace }}/errors"), kept("1")]).await?;
    story.phase("app", Phase::Succeeded).await.map(drop)
}
