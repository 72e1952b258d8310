//! Properties that users of Flagger's chart rely on: names, selectors, values.

use std::{collections::BTreeSet, fs};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{Helm, USERS, arguments, chart, copied, deployment, find, helms, names};

#[test]
fn names_and_selectors_are_those_of_flaggers_chart() -> Result<()> {
    for helm in helms()? {
        for (of, full, name) in [
            (chart("flagger", "flagger"), "flagger", "flagger"),
            (chart("serin", "flagger"), "flagger", "flagger"),
            (chart("flagger", "mesh"), "mesh-flagger", "flagger"),
            (chart("serin", "my-flagger"), "my-flagger", "flagger"),
            (chart("serin", "mesh").set(&["nameOverride=flagger"]), "mesh-flagger", "flagger"),
            (chart("serin", "serin"), "serin", "serin"),
            (chart("serin", "x"), "x-serin", "serin"),
            (chart("serin", "x").set(&["fullnameOverride=other"]), "other", "serin"),
        ] {
            let objects = helm.render(&of)?;
            let expected = [
                format!("ClusterRole/{full}"),
                format!("ClusterRoleBinding/{full}"),
                format!("Deployment/{full}"),
                format!("Service/{full}"),
                format!("ServiceAccount/{full}"),
            ];
            ensure!(names(&objects) == expected.into(), "{}: {:?}", of.release, names(&objects));
            let (found, container) = deployment(&objects, full)?;
            let labels = json!({"app.kubernetes.io/name": name, "app.kubernetes.io/instance": of.release});
            ensure!(found["spec"]["selector"]["matchLabels"] == labels, "{found}");
            ensure!(
                found["spec"]["strategy"] == json!({"type": "Recreate"}) && found["spec"]["replicas"] == 1
            );
            ensure!(container["command"] == json!(["/serin", "run"]));
            let role = &find(&objects, "ClusterRoleBinding", full)?["roleRef"]["name"];
            ensure!(role == full, "bound to {role}");
        }
    }
    Ok(())
}

/// Helm and Argo CD refuse an object that another release has.
#[test]
fn two_releases_in_a_namespace_share_only_what_two_of_flaggers_share() -> Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |helm: &Helm, release: &str, values: &[&str]| -> Result<BTreeSet<String>> {
        let own = format!("namespace={release}");
        let elected = ["leaderElection.enabled=true", "leaderElection.replicaCount=2", &own];
        let objects = helm.render(&chart("flagger", release).set(&elected).set(values))?;
        let place =
            |o: &Value| format!("{}/{}", text(&o["metadata"]["namespace"]), text(&o["metadata"]["name"]));
        Ok(objects.iter().map(|o| format!("{} {}", text(&o["kind"]), place(o))).collect())
    };
    let shared = |helm: &Helm, values: &[&str]| -> Result<Vec<String>> {
        let (one, other) = (of(helm, "flagger-istio", values)?, of(helm, "flagger-nginx", values)?);
        Ok(one.intersection(&other).cloned().collect())
    };
    for helm in helms()? {
        ensure!(shared(&helm, &[])?.is_empty(), "{:?}", shared(&helm, &[])?);
        // the names under which users of Flagger's chart find these
        let monitored = shared(&helm, &["serviceMonitor.enabled=true", "podDisruptionBudget.enabled=true"])?;
        ensure!(
            monitored
                == ["PodDisruptionBudget ops/flagger", "Service ops/flagger", "ServiceMonitor ops/flagger"],
            "{monitored:?}"
        );
    }
    Ok(())
}

/// A mesh with strict mTLS answers only pods with a proxy: without one, calls of webhooks fail.
#[test]
fn the_pod_gets_the_sidecars_that_flaggers_gets() -> Result<()> {
    let own = json!({
        "prometheus.io/scrape": "true", "prometheus.io/port": "8080", "linkerd.io/inject": "enabled"
    });
    for helm in helms()? {
        for name in ["flagger", "serin"] {
            let objects = helm.render(&chart(name, "flagger"))?;
            let annotations =
                &deployment(&objects, "flagger")?.0["spec"]["template"]["metadata"]["annotations"];
            ensure!(*annotations == own, "{annotations}");
            let policy = find(&objects, "NetworkPolicy", "flagger")?.to_string();
            for port in [15020, 15090] {
                ensure!(policy.contains(&format!("\"port\":{port}")), "{port} is missing in {policy}");
            }
        }
        for no in
            [r"podLabels.sidecar\.istio\.io/inject=false", r"podAnnotations.sidecar\.istio\.io/inject=false"]
        {
            let objects = helm.render(&chart("serin", "x").set(&[no]))?;
            ensure!(!find(&objects, "NetworkPolicy", "x-serin")?.to_string().contains("15020"), "{no}");
        }
    }
    Ok(())
}

#[test]
fn values_of_flaggers_users_render_unchanged() -> Result<()> {
    for helm in helms()? {
        for user in USERS {
            for name in ["flagger", "serin"] {
                let objects = helm.render(&chart(name, "flagger").file(user))?;
                deployment(&objects, "flagger").with_context(|| user.to_owned())?;
            }
        }
        let objects = helm.render(&chart("flagger", "flagger").file(USERS[0]))?;
        let (found, container) = deployment(&objects, "flagger")?;
        let term = &found["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
            [0]["podAffinityTerm"]["labelSelector"];
        ensure!(term["matchLabels"]["app.kubernetes.io/name"] == "flagger", "{term}");
        ensure!(!container.to_string().contains("hooks.slack"), "the URL is readable in the Pod");
        let monitor = find(&objects, "PodMonitor", "flagger")?;
        ensure!(
            monitor["metadata"]["namespace"] == "monitoring"
                && monitor["metadata"]["labels"]["release"] == "kube-prometheus-stack"
        );

        let objects = helm.render(&chart("flagger", "flagger").file(USERS[1]))?;
        let (found, container) = deployment(&objects, "flagger")?;
        ensure!(arguments(container).contains(&"--metrics-server=http://flagger-prometheus:9090"));
        ensure!(found["spec"]["template"]["spec"]["priorityClassName"] == "system-cluster-critical");
        ensure!(
            container["securityContext"].is_null()
                && found["spec"]["template"]["spec"]["securityContext"].is_null()
        );
        let (found, _) = deployment(&objects, "flagger-prometheus")?;
        ensure!(found["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] == "flagger-prometheus");

        let objects = helm.render(&chart("flagger", "flagger").file(USERS[2]))?;
        let (found, container) = deployment(&objects, "flagger")?;
        let flags = arguments(container);
        for flag in [
            "--namespace=test",
            "--selector-labels=app,app.kubernetes.io/name",
            "--enable-config-tracking=false",
            "--kubeconfig-service-mesh=/tmp/controlplane/kubeconfig",
            "--no-cross-namespace-refs=true",
            "--slack-proxy-url=http://proxy.example.com:3128",
        ] {
            ensure!(flags.contains(&flag), "{flag} is missing in {flags:?}");
        }
        ensure!(found["spec"]["template"]["metadata"]["labels"]["team"] == "42");
    }
    Ok(())
}

#[test]
fn an_image_of_flagger_is_refused_with_what_to_delete() -> Result<()> {
    for helm in helms()? {
        for (values, meant) in [
            (
                "image.repository=ghcr.io/fluxcd/flagger",
                "image.repository names Flagger (ghcr.io/fluxcd/flagger): delete it",
            ),
            ("image.tag=1.32.0", "image.tag names Flagger (1.32.0): delete it"),
        ] {
            let why = helm.refusal(&chart("flagger", "flagger").set(&[values]))?;
            ensure!(why.contains(meant), "{why}");
            helm.render(&chart("flagger", "flagger").set(&[values, "image.allowFlagger=true"]))?;
        }
        let why = helm.refusal(
            &chart("loadtester", "x").set(&["image.repository=ghcr.io/fluxcd/flagger-loadtester"]),
        )?;
        ensure!(why.contains("names Flagger's load tester"), "{why}");
        let objects = helm.render(
            &chart("flagger", "flagger").set(&["image.repository=r.example.com/serin", "image.tag=1.2.3"]),
        )?;
        ensure!(deployment(&objects, "flagger")?.1["image"] == "r.example.com/serin:1.2.3");
        let mirrored =
            chart("serin", "x").set(&["global.imageRegistry=mirror.example.com", "image.digest=sha256:ab"]);
        ensure!(
            deployment(&helm.render(&mirrored)?, "x-serin")?.1["image"]
                == "mirror.example.com/serin@sha256:ab"
        );
    }
    Ok(())
}

#[test]
fn a_misspelt_value_is_refused_with_the_name_that_was_meant() -> Result<()> {
    for helm in helms()? {
        for (name, value, meant) in [
            (
                "flagger",
                "metricServer=x",
                "metricServer is no value of this chart: did you mean metricsServer?",
            ),
            ("flagger", "mesh-provider=x", "did you mean meshProvider?"),
            (
                "flagger",
                "image.repositry=x",
                "image.repositry is no value of this chart: did you mean image.repository?",
            ),
            ("flagger", "leaderElection.replicacount=1", "did you mean leaderElection.replicaCount?"),
            (
                "flagger",
                "controlplane.kubeconfig.secretname=x",
                "did you mean controlplane.kubeconfig.secretName?",
            ),
            ("serin", "slack.webhook=x", "slack.webhook is no value of this chart: slack has channel, proxy"),
            ("serin", "replicas=2", ""),
            ("loadtester", "cmd.timout=1h", "did you mean cmd.timeout?"),
            ("loadtester", "replicaCounts=1", "did you mean replicaCount?"),
        ] {
            let of = chart(name, "x").set(&[value]);
            if meant.is_empty() {
                helm.render(&of)?;
            } else {
                let why = helm.refusal(&of)?;
                ensure!(why.contains(meant), "{value}: {why}");
            }
        }
        let why = helm.refusal(&chart("serin", "x").set(&["leaderElection.replicaCount=2"]))?;
        ensure!(why.contains("set leaderElection.enabled to true"), "{why}");
    }
    Ok(())
}

#[test]
fn ch9_a_container_that_may_have_been_flaggers_is_called_flagger() -> Result<()> {
    for helm in helms()? {
        for (of, full, container) in [
            (chart("flagger", "x"), "x-flagger", "flagger"),
            (chart("flagger", "x").set(&["nameOverride=mesh"]), "x-mesh", "flagger"),
            (chart("serin", "flagger"), "flagger", "flagger"),
            (chart("serin", "x").set(&["nameOverride=mesh"]), "x-mesh", "flagger"),
            (chart("serin", "serin"), "serin", "serin"),
        ] {
            let objects = helm.render(&of)?;
            ensure!(deployment(&objects, full)?.1["name"] == container, "{}", of.release);
        }
    }
    Ok(())
}

#[test]
fn ch21_values_of_flagger_alone_render() -> Result<()> {
    let dir = std::env::temp_dir().join(format!("serin-reused-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    let paths = ["flagger", "loadtester"].map(|name| copied(name, &dir));
    for helm in helms()? {
        for path in &paths {
            let path = path.as_ref().map_err(|e| anyhow::anyhow!("{e:#}"))?;
            // as with --reuse-values: the chart's own values are not used
            fs::write(path.join("values.yaml"), "")?;
            let path = path.display().to_string();
            helm.render(&chart(&path, "flagger"))?;
            if path.ends_with("flagger") {
                for user in USERS {
                    let objects = helm.render(&chart(&path, "flagger").file(user))?;
                    let (found, _) = deployment(&objects, "flagger")?;
                    ensure!(found["spec"]["strategy"]["type"] == "Recreate", "{user}");
                }
            }
        }
    }
    fs::remove_dir_all(dir)?;
    Ok(())
}

#[test]
fn s2_13_installs_of_users_render() -> Result<()> {
    for helm in helms()? {
        // the form of the commands in guides, and of Terraform's helm_release
        helm.render(&chart("serin", "argo-rollouts").set(&["dashboard.enabled=true"]))?;
        helm.render(
            &chart("serin", "serin").set(&["dashboards.enabled=true", "dashboards.kind=GrafanaDashboard"]),
        )?;
        helm.render(
            &chart("serin", "serin").set(&["prometheusRule.enabled=true", "serviceMonitor.enabled=true"]),
        )?;
        helm.render(&chart("flagger", "flagger").set(&[
            "crd.create=false",
            "meshProvider=istio",
            "metricsServer=http://prometheus:9090",
        ]))?;
    }
    Ok(())
}
