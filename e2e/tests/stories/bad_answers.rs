//! Metrics servers that answer nonsense, too much, or not at all. An answer that says nothing about the release freezes
//! the run. An answer that shows no traffic counts as a failed check.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    badprom::{Badprom, Says, nobody},
    story::{PATIENCE, Story, canary, deployment},
};

use crate::{
    Family, Shared,
    bad_common::{
        ends_well, failed_checks, held_at_25, pace, stands, story, untouched_at_25, weight, well_goes_on,
    },
};

pub(crate) const STORIES: Family = &[
    crate::story!(a_login_page_freezes_the_run),
    crate::story!(a_gigabyte_freezes_the_run_and_is_not_kept),
    crate::story!(silence_freezes_the_run),
    crate::story!(half_an_answer_freezes_the_run),
    crate::story!(a_refused_connection_freezes_the_run),
    crate::story!(a_query_that_does_not_parse_freezes_the_run_and_is_named),
    crate::story!(not_a_number_counts_as_a_failed_check),
    crate::story!(no_series_count_as_a_failed_check),
    crate::story!(one_bad_series_of_many_counts_as_a_failed_check),
    crate::story!(f54_each_bad_answer_lets_nobody_through_and_is_told_from_the_others),
];

/// The limit of the operator's memory in KiB. The answer has a million series.
const MEMORY: u64 = 300_000;

fn good() -> Says {
    Says::Values(vec!["100", "100"])
}

/// A run at 25 % with metrics from `server`, which has answered correctly so far.
async fn measured_by<'a>(shared: &'a Shared, namespace: &str, server: &str) -> anyhow::Result<Story<'a>> {
    let server = server.to_owned();
    let edit = move |c: &mut Value| {
        c["spec"]["metricsServer"] = json!(server);
        c["spec"]["analysis"]["threshold"] = json!(50);
    };
    held_at_25(shared, namespace, edit).await
}

/// The answer `says` freezes the run at once, with `words`. The run stays frozen, and continues when the server is
/// repaired.
async fn frozen_by(shared: &Shared, namespace: &str, says: Says, words: &[&str]) -> anyhow::Result<()> {
    let server = Badprom::start(good()).await?;
    let story = measured_by(shared, namespace, &server.url()).await?;
    server.say(says);
    pace(&story).await?;
    let mut said = vec!["Prometheus query failed"];
    said.extend(words);
    let url = server.url();
    said.push(&url);
    stands(&story, "app", "Frozen", "True", "MetricsUnavailable", &said).await?;
    // both checks are queried each time
    server.asked_more(4, PATIENCE).await?;
    well_goes_on(&story).await?;
    untouched_at_25(&story).await?;
    server.say(good());
    ends_well(&story).await?;
    let status = story.canary_that("app", |_| true).await?.status.context("status")?;
    ensure!(!status.conditions.iter().any(|c| c.type_ == "Frozen"), "still called frozen");
    story.event("app", "the metrics server answers again").await
}

async fn a_login_page_freezes_the_run(shared: &Shared) -> anyhow::Result<()> {
    frozen_by(shared, "answer-html", Says::Html, &["cannot be read"]).await
}

async fn a_gigabyte_freezes_the_run_and_is_not_kept(shared: &Shared) -> anyhow::Result<()> {
    frozen_by(shared, "answer-flood", Says::Flood, &["is larger than"]).await?;
    let pid = shared.operator.lock().await.pid().context("the operator is not running")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("reading its memory")?;
    let peak = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let peak = peak.context("no peak of its memory")?;
    ensure!(peak < MEMORY, "the operator has used {peak} KiB");
    Ok(())
}

async fn silence_freezes_the_run(shared: &Shared) -> anyhow::Result<()> {
    frozen_by(shared, "answer-none", Says::Silence, &["did not answer within"]).await
}

async fn half_an_answer_freezes_the_run(shared: &Shared) -> anyhow::Result<()> {
    frozen_by(shared, "answer-half", Says::Stall, &["did not answer within"]).await
}

async fn a_refused_connection_freezes_the_run(shared: &Shared) -> anyhow::Result<()> {
    let nobody = nobody().await?;
    let story = measured_by(shared, "answer-refused", &nobody).await?;
    story.event("app", "Error checking metric providers").await?;
    pace(&story).await?;
    stands(&story, "app", "Frozen", "True", "MetricsUnavailable", &["Prometheus query failed", &nobody])
        .await?;
    well_goes_on(&story).await?;
    untouched_at_25(&story).await?;
    let server = Badprom::start(good()).await?;
    story.edit_canary("app", json!({"spec": {"metricsServer": server.url()}})).await?;
    ends_well(&story).await
}

async fn a_query_that_does_not_parse_freezes_the_run_and_is_named(shared: &Shared) -> anyhow::Result<()> {
    let broken = |query: &str| json!([{"name": "mine", "query": query, "thresholdRange": {"max": 5}, "interval": "5s"}]);
    let first = broken("sum(up{}");
    let story = held_at_25(shared, "answer-400", |c| c["spec"]["analysis"]["metrics"] = first).await?;
    pace(&story).await?;
    let words = ["Prometheus query failed for mine", "status 400", "The query was: sum(up{}"];
    stands(&story, "app", "Frozen", "True", "MetricsUnavailable", &words).await?;
    well_goes_on(&story).await?;
    untouched_at_25(&story).await?;
    story.edit_canary("app", json!({"spec": {"analysis": {"metrics": broken("sum(up{}]")}}})).await?;
    story.condition("app", "Frozen", "True", "The query was: sum(up{}]").await?;
    untouched_at_25(&story).await?;
    story.edit_canary("app", json!({"spec": {"analysis": {"metrics": broken("vector(1)")}}})).await?;
    ends_well(&story).await
}

/// The answer `says` is a failed check: the weight stays, the counter increases, and a good answer lets the run
/// continue.
async fn failed_by(shared: &Shared, namespace: &str, says: Says, word: &str) -> anyhow::Result<()> {
    let server = Badprom::start(good()).await?;
    let story = measured_by(shared, namespace, &server.url()).await?;
    server.say(says);
    pace(&story).await?;
    stands(&story, "app", "Halted", "True", "ChecksFailed", &[word]).await?;
    let canary = story.canary_that("app", |c| failed_checks(c) >= 2).await?;
    ensure!(weight(&canary) == 25, "the weight moved: {:?}", canary.status);
    ensure!(story.weight("app").await? == Some(25));
    let status = canary.status.context("status")?;
    ensure!(!status.conditions.iter().any(|c| c.type_ == "Frozen"), "called frozen");
    server.say(good());
    ends_well(&story).await
}

async fn not_a_number_counts_as_a_failed_check(shared: &Shared) -> anyhow::Result<()> {
    let halt = "no values found for istio metric request-success-rate";
    Box::pin(failed_by(shared, "answer-nan", Says::Values(vec!["NaN"]), halt)).await
}

async fn no_series_count_as_a_failed_check(shared: &Shared) -> anyhow::Result<()> {
    let halt = "no values found for istio metric request-success-rate";
    Box::pin(failed_by(shared, "answer-empty", Says::Values(vec![]), halt)).await
}

async fn one_bad_series_of_many_counts_as_a_failed_check(shared: &Shared) -> anyhow::Result<()> {
    let values = vec!["100", "42.5", "100", "99.9"];
    Box::pin(failed_by(shared, "answer-many", Says::Values(values), "advancement success rate 42.50% < 99%"))
        .await
}

/// Answers of one Prometheus each, with the resulting message. The unit tests of the source cover all of them
/// (`src/source/tests`).
fn bad() -> Vec<(&'static str, Says, &'static str)> {
    let data = |data: &str| Says::Text(200, format!(r#"{{"status":"success","data":{data}}}"#));
    let sample = |value: &str| {
        data(&format!(r#"{{"resultType":"vector","result":[{{"metric":{{}},"value":{value}}}]}}"#))
    };
    let text = |text: &str| Says::Text(200, text.to_owned());
    vec![
        ("blank", sample(r#"[1,""]"#), "a value is an empty text"),
        ("bom", text("\u{feff}{}"), "it begins with a byte order mark"),
        ("deep", data(&"[".repeat(100_000)), "it is nested too deeply"),
        ("error", text(r#"{"status":"error","error":"x"}"#), "it calls itself an error"),
        ("huge", sample(r#"[1,"1e400"]"#), "a value is beyond what a number can be"),
        ("nothing", text(r#"{"status":"success"}"#), "it has no data"),
        ("range", data(r#"{"resultType":"matrix","result":[]}"#), "the query yields a range vector"),
        ("short", sample("[1]"), "a value is a time without a number"),
        (
            "text",
            data(r#"{"resultType":"string","result":[1,"5"]}"#),
            "it is a text, where numbers are wanted",
        ),
        ("warned", text(WARNED), "comes with warnings"),
        ("endless", Says::Values(vec!["+Inf"]), "success rate +Inf is not finite"),
        ("empty", Says::Values(vec![]), "is not receiving traffic"),
    ]
}

const WARNED: &str = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"100"]},"warnings":["a store is down"]}"#;

async fn f54_each_bad_answer_lets_nobody_through_and_is_told_from_the_others(
    shared: &Shared,
) -> anyhow::Result<()> {
    let story = story(shared, "answer-table").await?;
    let mut servers = Vec::new();
    for (name, ..) in bad() {
        let server = Badprom::start(good()).await?;
        let mut one = canary(name);
        one["spec"]["service"]["gateways"] = json!([]);
        one["spec"]["metricsServer"] = json!(server.url());
        one["spec"]["analysis"]["interval"] = json!("60m");
        one["spec"]["analysis"]["threshold"] = json!(1000);
        one["spec"]["progressDeadlineSeconds"] = json!(600);
        story.apply(vec![deployment(name, &format!("{name}:1"), 1), one]).await?;
        servers.push(server);
    }
    for (name, ..) in bad() {
        story.phase(name, Phase::Initialized).await.context(name)?;
        story.set_image(name, &format!("{name}:2")).await?;
    }
    for ((name, says, _), server) in bad().into_iter().zip(&servers) {
        story.canary_that(name, |c| weight(c) == 25).await.context(name)?;
        server.say(says);
        story.edit_canary(name, json!({"spec": {"analysis": {"interval": "1s"}}})).await?;
    }
    for (name, says, words) in bad() {
        // plausible answers of a server are judged, nonsense is not
        let judged = matches!(says, Says::Values(_));
        let (type_, reason) =
            if judged { ("Halted", "ChecksFailed") } else { ("Frozen", "MetricsUnavailable") };
        stands(&story, name, type_, "True", reason, &[words]).await.context(name)?;
    }
    for (server, (name, says, _)) in servers.iter().zip(bad()) {
        server.asked_more(2, PATIENCE).await.context(name)?;
        let now: Canary = story.api().get(name).await?;
        ensure!((weight(&now), story.weight(name).await?) == (25, Some(25)), "{name}: {:?}", now.status);
        let judged = matches!(says, Says::Values(_));
        ensure!((failed_checks(&now) > 0) == judged, "{name}: {:?}", now.status);
        server.say(good());
    }
    for (name, ..) in bad() {
        story.phase(name, Phase::Succeeded).await.context(name)?;
    }
    Ok(())
}
