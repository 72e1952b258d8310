//! The operator's own chart over Flagger's objects, with Pod Security "restricted" if the values allow it: the change
//! in both directions, renderings that must fail, and the load tester's chart. The bed's kubelet simulates the pods.

use std::{collections::BTreeSet, fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, ensure};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Namespace, Pod},
};
use kube::{
    Api, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use serin_bed::{story::PATIENCE, wait};
use tokio::sync::oneshot;

use crate::{
    Family, Shared,
    tool::{Program, root},
};

pub(crate) const STORIES: Family = &[
    crate::story!(s2_13_installed_upgraded_and_uninstalled),
    crate::story!(flaggers_users_change_over_and_back),
    crate::story!(ch13_a_rolling_strategy_is_named_before_helm_4_fails),
    crate::story!(ch36_a_second_operator_is_refused),
];

const USERS: [&str; 3] = ["user-mesh", "user-ingress", "user-namespace"];

/// Kinds of the Prometheus Operator that charts need.
fn monitoring() -> Vec<Value> {
    let kinds = [
        ("ServiceMonitor", "servicemonitors"),
        ("PodMonitor", "podmonitors"),
        ("PrometheusRule", "prometheusrules"),
    ];
    let define = |(kind, plural): (&str, &str)| {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.monitoring.coreos.com")},
            "spec": {
                "group": "monitoring.coreos.com", "scope": "Namespaced",
                "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                }}}],
            },
        })
    };
    kinds.into_iter().map(define).collect()
}

async fn namespace(shared: &Shared, name: &str, restricted: bool) -> anyhow::Result<()> {
    shared.bed.namespace(name).await?;
    let api: Api<Namespace> = Api::all(shared.bed.admin());
    let level = if restricted { "restricted" } else { "privileged" };
    let label = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}});
    api.patch(name, &PatchParams::default(), &Patch::Merge(label)).await?;
    Ok(())
}

/// A chart with the same objects, names and selectors as Flagger's.
fn flaggers(shared: &Shared, strategy: &str) -> anyhow::Result<PathBuf> {
    let chart = shared.bed.dir().join(format!("flagger-{strategy}"));
    fs::create_dir_all(chart.join("templates"))?;
    fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: flagger\nversion: 1.44.0\n")?;
    let name = "{{ if contains \"flagger\" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-flagger{{ end }}";
    let labels =
        json!({"app.kubernetes.io/name": "flagger", "app.kubernetes.io/instance": "{{ .Release.Name }}"});
    let meta = json!({"name": name, "labels": labels});
    let objects = [
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta,
            "rules": [{"apiGroups": ["flagger.app"], "resources": ["canaries"], "verbs": ["get"]}],
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": meta,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "{{ .Release.Namespace }}"}],
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta,
            "spec": {
                "replicas": 1, "strategy": {"type": strategy}, "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels, "annotations": {"prometheus.io/port": "8080"}},
                    "spec": {
                        "serviceAccountName": name,
                        "securityContext": {
                            "runAsNonRoot": true, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"},
                        },
                        "containers": [{
                            "name": "flagger", "image": "ghcr.io/fluxcd/flagger:1.44.0",
                            "command": ["./flagger", "-log-level=info", "-metrics-server=http://prometheus:9090"],
                            "ports": [{"name": "http", "containerPort": 8080}],
                            "securityContext": {
                                "readOnlyRootFilesystem": true, "runAsUser": 10001, "allowPrivilegeEscalation": false,
                                "capabilities": {"drop": ["ALL"]},
                            },
                        }],
                    },
                },
            },
        }),
    ];
    let text: Vec<String> = objects.iter().map(ToString::to_string).collect();
    // expressions contain quotes
    let text = text.join("\n---\n").replace("\\\"flagger\\\"", "`flagger`");
    fs::write(chart.join("templates/all.yaml"), text)?;
    Ok(chart)
}

/// The images of the release with existing pods, checked repeatedly until it is stopped.
async fn images_at_once(pods: Api<Pod>, mut stop: oneshot::Receiver<()>) -> usize {
    let selected = ListParams::default().labels("app.kubernetes.io/name=flagger");
    let mut most = 0;
    while stop.try_recv().is_err() {
        if let Ok(all) = pods.list(&selected).await {
            let images =
                all.items.iter().filter_map(|pod| pod.spec.as_ref()?.containers.first()?.image.clone());
            most = most.max(images.collect::<BTreeSet<_>>().len());
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    most
}

/// Waits until the Deployment has rolled out this image in one container.
async fn runs(shared: &Shared, namespace: &str, name: &str, image: &str) -> anyhow::Result<()> {
    let api: Api<Deployment> = Api::namespaced(shared.bed.admin(), namespace);
    let done = async || {
        let found = serde_json::to_value(api.get(name).await.ok()?).ok()?;
        let containers = found["spec"]["template"]["spec"]["containers"].as_array()?.clone();
        let (status, generation) = (&found["status"], &found["metadata"]["generation"]);
        let rolled = status["observedGeneration"] == *generation && status["updatedReplicas"] == 1;
        let ready = status["readyReplicas"] == 1 && status["replicas"] == 1;
        (containers.len() == 1 && containers[0]["image"] == image && rolled && ready).then_some(())
    };
    wait::until(&format!("{name} to run {image}"), PATIENCE, done).await
}

async fn s2_13_installed_upgraded_and_uninstalled(shared: &Shared) -> anyhow::Result<()> {
    shared.bed.apply("default", monitoring()).await?;
    let chart = root().join("charts/serin").display().to_string();
    let tester = root().join("charts/loadtester").display().to_string();
    for program in ["helm3", "helm4"] {
        let helm = Program::new(&shared.bed, program).await?;
        let space = format!("install-{program}");
        namespace(shared, &space, true).await?;
        let all = "dashboard.enabled=true,dashboards.enabled=true,serviceMonitor.enabled=true,podMonitor.enabled=true,\
                   prometheusRule.enabled=true,podDisruptionBudget.enabled=true,prometheus.install=true,\
                   slack.url=https://hooks.example.com/x,uninstall.releaseCanaries=false";
        // the bed already has the definitions, from another manager than Helm
        let install = ["install", "ops", &chart, "--namespace", &space, "--skip-crds", "--set", all];
        helm.run(&install).await?;
        runs(shared, &space, "ops-serin", "serin:0.2.0").await?;
        runs(shared, &space, "ops-serin-prometheus", "docker.io/prom/prometheus:v3.5.0").await?;
        helm.run(&[
            "upgrade",
            "ops",
            &chart,
            "--namespace",
            &space,
            "--reuse-values",
            "--set",
            "logLevel=debug",
        ])
        .await?;
        helm.run(&["rollback", "ops", "--namespace", &space]).await?;
        runs(shared, &space, "ops-serin", "serin:0.2.0").await?;
        helm.run(&["install", "flagger-loadtester", &tester, "--namespace", &space]).await?;
        runs(shared, &space, "flagger-loadtester", "serin-loadtester:0.2.0").await?;
        for release in ["ops", "flagger-loadtester"] {
            helm.run(&["uninstall", release, "--namespace", &space]).await?;
        }
        let left: Api<Deployment> = Api::namespaced(shared.bed.admin(), &space);
        wait::gone(left, "ops-serin", PATIENCE).await?;
    }
    Ok(())
}

async fn flaggers_users_change_over_and_back(shared: &Shared) -> anyhow::Result<()> {
    shared.bed.apply("default", monitoring()).await?;
    shared.bed.namespace("monitoring").await?;
    let (from, to) = (flaggers(shared, "Recreate")?, root().join("charts/flagger"));
    let (from, to) = (from.display().to_string(), to.display().to_string());
    for program in ["helm3", "helm4"] {
        for user in USERS {
            let helm = Program::new(&shared.bed, program).await?;
            let space = format!("over-{program}-{user}");
            // one user turns off the security context
            namespace(shared, &space, user != "user-ingress").await?;
            let values = root().join(format!("e2e/tests/charts/{user}.yaml")).display().to_string();
            helm.run(&["install", "flagger", &from, "--namespace", &space]).await?;
            runs(shared, &space, "flagger", "ghcr.io/fluxcd/flagger:1.44.0").await?;

            let (stop, stopped) = oneshot::channel();
            let pods: Api<Pod> = Api::namespaced(shared.bed.admin(), &space);
            let watched = tokio::spawn(images_at_once(pods, stopped));
            helm.run(&["upgrade", "flagger", &to, "--namespace", &space, "--values", &values])
                .await
                .with_context(|| format!("{program}, {user}"))?;
            runs(shared, &space, "flagger", "serin:0.2.0").await?;
            helm.run(&["rollback", "flagger", "1", "--namespace", &space]).await?;
            runs(shared, &space, "flagger", "ghcr.io/fluxcd/flagger:1.44.0").await?;
            stop.send(()).ok();
            ensure!(watched.await? == 1, "{program}, {user}: two operators at once");
            helm.run(&["uninstall", "flagger", "--namespace", &space]).await?;
        }
    }
    Ok(())
}

async fn ch13_a_rolling_strategy_is_named_before_helm_4_fails(shared: &Shared) -> anyhow::Result<()> {
    let (from, to) = (flaggers(shared, "RollingUpdate")?, root().join("charts/flagger"));
    let (from, to) = (from.display().to_string(), to.display().to_string());
    for program in ["helm3", "helm4"] {
        let helm = Program::new(&shared.bed, program).await?;
        let space = format!("rolling-{program}");
        namespace(shared, &space, true).await?;
        helm.run(&["install", "flagger", &from, "--namespace", &space]).await?;
        let upgrade = ["upgrade", "flagger", &to, "--namespace", &space];
        if program == "helm4" {
            let refused = helm.run(&upgrade).await.err().context("Helm 4 went on")?.to_string();
            ensure!(refused.contains("patch deployment flagger -p"), "{refused}");
            let patch = r#"{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}"#;
            let kubectl = Program::new(&shared.bed, "kubectl").await?;
            kubectl.run(&["--namespace", &space, "patch", "deployment", "flagger", "-p", patch]).await?;
        }
        helm.run(&upgrade).await.context(program)?;
        runs(shared, &space, "flagger", "serin:0.2.0").await?;
        helm.run(&["uninstall", "flagger", "--namespace", &space]).await?;
    }
    Ok(())
}

async fn ch36_a_second_operator_is_refused(shared: &Shared) -> anyhow::Result<()> {
    let (from, to) = (flaggers(shared, "Recreate")?, root().join("charts/serin"));
    let (from, to) = (from.display().to_string(), to.display().to_string());
    for program in ["helm3", "helm4"] {
        let helm = Program::new(&shared.bed, program).await?;
        let space = format!("second-{program}");
        namespace(shared, &space, true).await?;
        helm.run(&["install", "mesh", &from, "--namespace", &space]).await?;
        let refused = helm.run(&["upgrade", "mesh", &to, "--namespace", &space]).await;
        let refused = refused.err().context("a second operator was started")?.to_string();
        ensure!(refused.contains("set nameOverride to flagger"), "{refused}");
        helm.run(&["upgrade", "mesh", &to, "--namespace", &space, "--set", "nameOverride=flagger"]).await?;
        runs(shared, &space, "mesh-flagger", "serin:0.2.0").await?;
        let all: Api<Deployment> = Api::namespaced(shared.bed.admin(), &space);
        let names: Vec<_> =
            all.list(&ListParams::default()).await?.iter().map(ResourceExt::name_any).collect();
        ensure!(names == ["mesh-flagger"], "{names:?}");
        helm.run(&["uninstall", "mesh", "--namespace", &space]).await?;
    }
    Ok(())
}
