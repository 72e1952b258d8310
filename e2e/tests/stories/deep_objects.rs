//! Objects with deeper nesting than can be decoded, which any user with write access to MetricTemplates can store:
//! existing at the operator's start, and created while it runs. They affect only the Canaries that refer to them.

use anyhow::{Context, ensure};
use kube::{
    Api, Resource,
    api::{DeleteParams, PostParams},
    core::Request,
};
use serde_json::{Value, json};
use serin::api::MetricTemplate;
use serin_bed::{
    operator::Operator,
    story::{PATIENCE, Story},
    wait,
};

use crate::{
    Family, Shared,
    bad_common::{accepted, refused, story, well_goes_on},
};

pub(crate) const ALONE: Family =
    &[crate::story!(f1_objects_of_any_depth_hold_up_only_the_canaries_that_refer_to_them)];

/// Stores a MetricTemplate with a Job of this nesting depth.
async fn store(shared: &Shared, story: &Story<'_>, name: &str, levels: usize) -> anyhow::Result<()> {
    let (open, close) = ("{\"a\":".repeat(levels), "}".repeat(levels));
    let text = format!(
        r#"{{"apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate", "metadata": {{"name": "{name}"}},
            "spec": {{"provider": {{"type": "job"}}, "job": {{"spec": {open}1{close}}}}}}}"#
    );
    let path = MetricTemplate::url_path(&(), Some(&story.namespace));
    let request = Request::new(path).create(&PostParams::default(), text.into_bytes())?;
    let stored = shared.bed.admin().request_text(request).await;
    stored.map(drop).with_context(|| format!("store {levels} levels"))
}

/// This many MetricTemplates are counted as undecodable.
async fn counted(operator: &Operator, number: usize) -> anyhow::Result<()> {
    let line = format!("serin_undecodable_objects{{kind=\"MetricTemplate\"}} {number}");
    let said = async || operator.metrics().await.ok()?.lines().any(|known| known == line).then_some(());
    wait::until(&line, PATIENCE, said).await
}

async fn f1_objects_of_any_depth_hold_up_only_the_canaries_that_refer_to_them(
    shared: &Shared,
) -> anyhow::Result<()> {
    let story = story(shared, "deep-objects").await?;
    store(shared, &story, "deep-200", 200).await?;
    store(shared, &story, "deep-9000", 9000).await?;

    // the restarted operator lists them
    shared.operator.lock().await.kill9().await?;
    let mut operator = Operator::start(&shared.bed, &["--namespace=deep-objects"], &[])?;
    operator.ready(PATIENCE).await?;
    counted(&operator, 2).await?;
    for name in ["deep-200", "deep-9000"] {
        ensure!(operator.logs()?.contains(name), "the log does not name {name}");
    }
    let metric = json!([{"name": "mine", "templateRef": {"name": "deep-200"}, "thresholdRange": {"max": 1}}]);
    let refer = |canary: &mut Value| canary["spec"]["analysis"]["metrics"] = metric;
    story.initialised("app", refer).await?;
    refused(&story, "app", "TemplateInvalid", &["MetricTemplate deep-objects/deep-200 does not decode"])
        .await?;
    well_goes_on(&story).await?;

    // an open watch also continues after another one
    store(shared, &story, "deep-300", 300).await?;
    counted(&operator, 3).await?;
    let templates: Api<MetricTemplate> = story.api();
    for name in ["deep-200", "deep-300", "deep-9000"] {
        // the answer contains the deleted object
        templates.delete(name, &DeleteParams::default()).await.map(drop).or_else(undecodable)?;
    }
    counted(&operator, 0).await?;
    let fine = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate", "metadata": {"name": "deep-200"},
        "spec": {"provider": {"type": "prometheus", "address": shared.bed.prometheus_url()}, "query": "vector(1)"},
    });
    story.apply(vec![fine]).await?;
    accepted(&story, "app").await
}

fn undecodable(error: kube::Error) -> anyhow::Result<()> {
    match error {
        kube::Error::SerdeError(_) => Ok(()),
        other => Err(other.into()),
    }
}
