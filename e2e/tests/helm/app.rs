//! An application's chart: a Deployment and its Canary, with `tag` and `replicas` as values.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{
    Traffic,
    story::{PATIENCE, Story, canary, deployment},
    wait,
};

use crate::{Shared, tool::Way};

pub(crate) struct App<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) story: Story<'a>,
    pub(crate) chart: PathBuf,
    way: Way,
}

impl<'a> App<'a> {
    /// Creates the chart in its own folder, and good metrics for its releases. Installs nothing.
    pub(crate) async fn new(shared: &'a Shared, namespace: &str, way: Way) -> anyhow::Result<Self> {
        let story = Story::new(&shared.bed, namespace).await?;
        let mut target = deployment("app", "TAG", 2);
        target["spec"]["replicas"] = json!("REPLICAS");
        let mut of = canary("app");
        of["spec"]["service"]["hosts"] = json!([story.host("app")]);
        let target =
            serde_json::to_string_pretty(&target)?.replace("\"TAG\"", "{{ .Values.tag | quote }}").replace(
                "\"replicas\": \"REPLICAS\",",
                "{{ with .Values.replicas }}\"replicas\": {{ . }},{{ end }}",
            );
        let chart = shared.bed.dir().join(format!("chart-{namespace}"));
        fs::create_dir_all(chart.join("templates"))?;
        fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: app\nversion: 1.0.0\n")?;
        fs::write(chart.join("templates/app.yaml"), format!("{target}\n---\n{of}\n"))?;
        shared.bed.gateway(namespace, &[&story.host("app")]).await?;
        shared.bed.scripted().traffic(namespace, "app", Traffic::success(100.0, 50.0));
        Ok(Self { shared, story, chart, way })
    }

    /// Makes the Canary change with each release, as the page on waiting recommends.
    pub(crate) fn names_its_release(&self) -> anyhow::Result<()> {
        let path = self.chart.join("templates/app.yaml");
        let named = r#""release":"{{ .Release.Revision }}","targetRef""#;
        Ok(fs::write(&path, fs::read_to_string(&path)?.replace("\"targetRef\"", named))?)
    }

    /// Changes the Canary of the chart.
    pub(crate) fn canary(&self, edit: impl FnOnce(&mut Value)) -> anyhow::Result<()> {
        let path = self.chart.join("templates/app.yaml");
        let text = fs::read_to_string(&path)?;
        let (target, canary) = text.split_once("\n---\n").context("two objects")?;
        let mut canary = serde_json::from_str(canary)?;
        edit(&mut canary);
        Ok(fs::write(&path, format!("{target}\n---\n{canary}\n"))?)
    }

    /// Releases these values. It must not fail with any way of applying.
    pub(crate) async fn release(&self, values: &str) -> anyhow::Result<()> {
        self.release_with(values, &[]).await
    }

    /// The same with additional arguments for Helm.
    pub(crate) async fn release_with(&self, values: &str, more: &[&str]) -> anyhow::Result<()> {
        self.way.release(&self.shared.bed, &self.story.namespace, &self.chart, values, more).await
    }

    /// Installs it, and waits until it is initialised and idle.
    pub(crate) async fn initialised(&self, values: &str) -> anyhow::Result<()> {
        self.release(values).await?;
        self.story.phase("app", Phase::Initialized).await?;
        self.rests().await.map(drop)
    }

    /// Waits until the target is scaled to zero. Returns how long that took.
    pub(crate) async fn rests(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let empty = async || (self.story.replicas("app").await.ok()? == Some(0)).then_some(());
        wait::until("the target to be empty", PATIENCE, empty).await?;
        Ok(began.elapsed())
    }

    pub(crate) async fn primary_has(&self, replicas: i32) -> anyhow::Result<()> {
        let has = async || (self.story.replicas("app-primary").await.ok()? == Some(replicas)).then_some(());
        wait::until(&format!("the primary to have {replicas}"), PATIENCE, has).await
    }

    /// The image of a Deployment.
    pub(crate) async fn image(&self, name: &str) -> anyhow::Result<String> {
        let api: kube::Api<k8s_openapi::api::apps::v1::Deployment> = self.story.api();
        let found = serde_json::to_value(api.get(name).await?)?;
        let image = &found["spec"]["template"]["spec"]["containers"][0]["image"];
        ensure!(image.is_string(), "{name} has no image");
        Ok(image.as_str().unwrap_or_default().to_owned())
    }
}
