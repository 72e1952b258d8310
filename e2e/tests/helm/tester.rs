//! The load tester's chart: installs its rendered objects, and runs the program with the arguments, the account and the
//! rights from the chart. Then it executes the webhooks of Flagger's documentation. The bed's kubelet only simulates
//! pods, so the program runs next to them.

use std::fs;

use anyhow::{Context as _, ensure};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::ConfigMap};
use kube::Api;
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{GATEWAY, loadtester::LoadTester, story::by_traffic};

use crate::{
    Family, Shared,
    app::App,
    tool::{Program, Way, root},
};

pub(crate) const STORIES: Family = &[crate::story!(the_charts_load_tester_runs_what_documents_ask_for)];

const NAMESPACE: &str = "tester";

/// The values that the load tester's page requires for tasks of type `helm`.
fn values() -> Value {
    let rule =
        |resource: &str, verbs: &[&str]| json!({"apiGroups": [""], "resources": [resource], "verbs": verbs});
    json!({
        "allowCommands": ["helm"],
        // here, requests through its Service come from loopback
        "gates": {"changes": "anyone"},
        "rbac": {"create": true, "rules": [
            rule("secrets", &["get", "list", "update"]),
            rule("pods", &["get", "list", "watch", "create", "patch", "delete"]),
        ]},
    })
}

/// The load tester's arguments from the chart's Deployment.
async fn installed(shared: &Shared) -> anyhow::Result<Vec<String>> {
    let helm = Program::new(&shared.bed, "helm4").await?;
    let (chart, file) = (root().join("charts/loadtester"), shared.bed.dir().join("tester.json"));
    fs::write(&file, values().to_string())?;
    let (chart, file) = (chart.display().to_string(), file.display().to_string());
    let install =
        ["install", "flagger-loadtester", &chart, "--namespace", NAMESPACE, "--values", &file, "--wait"];
    helm.run(&install).await?;
    let api: Api<Deployment> = Api::namespaced(shared.bed.admin(), NAMESPACE);
    let found = serde_json::to_value(api.get("flagger-loadtester").await?)?;
    let pod = &found["spec"]["template"]["spec"];
    ensure!(pod["serviceAccountName"] == "flagger-loadtester", "{pod}");
    let all = pod["containers"][0]["args"].as_array().context("no arguments")?;
    let own = |argument: &&str| !argument.starts_with("--port=");
    Ok(all.iter().filter_map(Value::as_str).filter(own).map(str::to_owned).collect())
}

async fn the_charts_load_tester_runs_what_documents_ask_for(shared: &Shared) -> anyhow::Result<()> {
    let app = App::new(shared, NAMESPACE, Way::Helm4).await?;
    shared.bed.scripted().reset(NAMESPACE, "app").await?;
    let tester = LoadTester::start_as(&shared.bed, NAMESPACE, installed(shared).await?).await?;
    tester.offer("helm", Program::new(&shared.bed, "helm4").await?.path())?;

    let (host, url) = (app.story.host("app"), "http://flagger-loadtester.tester/");
    app.canary(|canary| {
        by_traffic(canary);
        let analysis = &mut canary["spec"]["analysis"];
        // windows fail until the load shows in the metrics
        analysis["threshold"] = json!(30);
        analysis["webhooks"] = json!([
            {"name": "gate", "type": "confirm-rollout", "url": format!("{url}gate/check")},
            {"name": "acceptance-test", "type": "pre-rollout", "url": url, "timeout": "30s", "metadata": {
                "type": "bash", "cmd": format!("curl -sd 'test' -H 'Host: {host}' http://{GATEWAY}/token | grep 1"),
            }},
            {"name": "smoke-test", "type": "pre-rollout", "url": url, "timeout": "3m", "metadata": {
                "type": "helmv3", "cmd": "test app --namespace tester",
            }},
            {"name": "load-test", "url": url, "timeout": "5s", "metadata": {
                "type": "cmd", "cmd": format!("hey -z 1m -q 10 -c 5 -host {host} http://{GATEWAY}/"), "logCmdOutput": "true",
            }},
        ]);
    })?;
    let test = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "app-test", "annotations": {
            "helm.sh/hook": "test", "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
        }},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "test", "image": "test:1"}]},
    });
    fs::write(app.chart.join("templates/test.yaml"), test.to_string())?;
    app.initialised("tag=app:1").await?;

    app.release("tag=app:2").await?;
    app.story.phase("app", Phase::Waiting).await?;
    let canary = json!({"name": "app", "namespace": NAMESPACE});
    let opened = tester.post("/gate/open", &canary).await?;
    ensure!(opened.0 == 202, "the gate is answered with {opened:?}");
    app.story.phase("app", Phase::Succeeded).await.with_context(|| tester.logs().unwrap_or_default())?;
    ensure!(app.image("app-primary").await? == "app:2");
    let kept: ConfigMap = app.story.api().get("serin-loadtester-gates").await?;
    ensure!(kept.data.is_some_and(|gates| gates.contains_key("app.tester")), "the gate was not kept");
    let metrics = tester.post("/metrics", &json!({})).await?.1;
    for kind in ["bash", "helm"] {
        let line = format!("serin_loadtester_commands_total{{kind=\"{kind}\",outcome=\"succeeded\"}} 1");
        ensure!(metrics.contains(&line), "{line} is not in\n{metrics}");
    }
    tester.stop().await
}
