//! The load tester in use: Canaries like those of Flagger's users, with its Service in their webhooks, and gates.

use anyhow::ensure;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{GATEWAY, loadtester::LoadTester, story::Story};

use tokio::sync::Mutex;

use crate::{Family, Shared, flagger_user::the_objects_of_a_user_of_flagger_work_as_they_are, story};

pub(crate) const STORIES: Family = &[
    story!(a_release_lives_on_the_load_it_makes_and_gates_outlive_it),
    story!(the_objects_of_a_user_of_flagger_work_as_they_are),
];

/// Held by the story with the load tester: a bed has only one.
pub(crate) static ONE: Mutex<()> = Mutex::const_new(());

const GATES: &str = "serin-loadtester-gates";

async fn a_release_lives_on_the_load_it_makes_and_gates_outlive_it(shared: &Shared) -> anyhow::Result<()> {
    let _one = ONE.lock().await;
    let story = Story::new(&shared.bed, "loadtester").await?;
    let mut tester = LoadTester::start(&shared.bed, "loadtester").await?;
    gates_outlive_a_restart(&story, &mut tester).await?;
    programs_get_words_and_the_rights_of_the_load_tester(&tester).await?;
    a_release_lives_on_its_load(&story, &tester).await?;
    a_refused_command_holds_and_fails(&story).await?;
    tester.stop().await
}

async fn gates_outlive_a_restart(story: &Story<'_>, tester: &mut LoadTester) -> anyhow::Result<()> {
    let canary = json!({"name": "app", "namespace": "loadtester", "phase": "Progressing", "checksum": "1"});
    let other = json!({"name": "other", "namespace": "loadtester"});
    let maps: Api<ConfigMap> = story.api();
    let answers = async |path: &str, body, status: u16, text: &str| -> anyhow::Result<()> {
        let got = tester.post(path, body).await?;
        ensure!(got == (status, text.to_owned()), "{path} answers {got:?}");
        Ok(())
    };
    answers("/gate/check", &canary, 403, "Forbidden").await?;
    answers("/gate/close", &canary, 202, "").await?;
    ensure!(maps.get_opt(GATES).await?.is_none(), "there is a ConfigMap before a gate was opened");
    answers("/gate/open", &canary, 202, "").await?;
    answers("/rollback/open", &canary, 202, "").await?;
    answers("/gate/open", &other, 202, "").await?;
    answers("/gate/close", &other, 202, "").await?;

    tester.restart().await?;
    let answers = async |path: &str, body, status: u16, text: &str| -> anyhow::Result<()> {
        let got = tester.post(path, body).await?;
        ensure!(got == (status, text.to_owned()), "{path} answers {got:?} after the restart");
        Ok(())
    };
    answers("/gate/check", &canary, 200, "Approved").await?;
    answers("/rollback/check", &canary, 200, "Approved").await?;
    answers("/gate/check", &other, 403, "Forbidden").await?;
    let kept = maps.get(GATES).await?.data.unwrap_or_default();
    ensure!(kept.keys().eq(["app.loadtester", "rollback.app.loadtester"]), "{kept:?} is kept");
    answers("/gate/close", &canary, 202, "").await?;
    answers("/gate/check", &canary, 403, "Forbidden").await
}

/// `kubectl` is allowed here, `helm` is not.
async fn programs_get_words_and_the_rights_of_the_load_tester(tester: &LoadTester) -> anyhow::Result<()> {
    let task = async |metadata: Value| {
        let payload = json!({"name": "app", "namespace": "loadtester", "phase": "", "metadata": metadata});
        tester.post("/", &payload).await
    };
    let named = format!("get configmap {GATES} -o jsonpath={{.metadata.name}}");
    let (status, text) = task(json!({"type": "kubectl", "cmd": named, "returnCmdOutput": "true"})).await?;
    ensure!((status, text.as_str()) == (200, GATES), "kubectl is answered with {status} {text:?}");
    let (status, text) = task(json!({"type": "kubectl", "cmd": "get configmap others"})).await?;
    let said = ["command get configmap others failed: ", "is forbidden", "exit status 1"];
    ensure!(status == 500 && said.iter().all(|part| text.contains(part)), "{status} {text:?}");
    for kind in ["helm", "helmv3"] {
        let (status, text) = task(json!({"type": kind, "cmd": "test app"})).await?;
        ensure!(status == 403 && text.starts_with("helm is not one of the commands"), "{status} {text:?}");
    }
    let metrics = tester.post("/metrics", &json!({})).await?.1;
    for outcome in ["succeeded", "failed"] {
        let line = format!("serin_loadtester_commands_total{{kind=\"kubectl\",outcome=\"{outcome}\"}} 1");
        ensure!(metrics.contains(&line), "{line} is not in\n{metrics}");
    }
    Ok(())
}

/// Only the load tester sends requests: without it a window has no values, and the release fails.
async fn a_release_lives_on_its_load(story: &Story<'_>, tester: &LoadTester) -> anyhow::Result<()> {
    let address = format!("http://{GATEWAY}");
    let load = format!(
        "curl -s --no-progress-meter -o /dev/null --rate 50/s -H 'Host: {}' '{address}/?n=[1-3000]'",
        story.host("app")
    );
    let check = format!("curl -s -H 'Host: {}' {address}/ | grep -c .", story.host("app"));
    let url = "http://flagger-loadtester.loadtester/";
    story
        .initialised("app", |canary| {
            let analysis = &mut canary["spec"]["analysis"];
            // windows fail until the load shows in the metrics
            analysis["threshold"] = json!(30);
            analysis["webhooks"] = json!([
                {"name": "gates", "type": "pre-rollout", "url": url, "timeout": "30s",
                 "metadata": {"type": "kubectl", "cmd": format!("get configmap {GATES}")}},
                {"name": "acceptance-test", "type": "rollout", "url": url, "timeout": "30s",
                 "metadata": {"type": "bash", "cmd": check}},
                {"name": "load-test", "url": url, "timeout": "5s",
                 "metadata": {"type": "cmd", "cmd": load, "logCmdOutput": "true"}},
            ]);
        })
        .await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    story.target("app").serving("2", serin_bed::story::PATIENCE).await?;
    let metrics = tester.post("/metrics", &json!({})).await?.1;
    let checks = "serin_loadtester_commands_total{kind=\"bash\",outcome=\"succeeded\"}";
    ensure!(metrics.contains(checks), "no check was made:\n{metrics}");
    let started = tester.logs()?.matches("command skipped, it is running: curl").count();
    ensure!(started > 0, "the load was never asked for twice, or it ran twice");
    Ok(())
}

async fn a_refused_command_holds_and_fails(story: &Story<'_>) -> anyhow::Result<()> {
    let url = "http://flagger-loadtester.loadtester/";
    let hook = json!([{"name": "load", "url": url, "metadata": {"cmd": "nc -l 80 & hey http://app"}}]);
    let analysis = json!({"threshold": 2, "webhooks": hook});
    story.edit_canary("app", json!({"spec": {"analysis": analysis}})).await?;
    story.set_image("app", "app:3").await?;
    story.phase("app", Phase::Failed).await?;
    story.event("app", "external check load failed & is for a shell").await
}
