//! Rendering with values that interact, and what the charts leave out.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{Helm, chart, deployment, find, helms, read};

/// Finds duplicate keys in rendered text. A parser that takes the last of two equal keys would not notice them.
fn twice<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.split("\n---\n").find(|document| {
        let mut seen: Vec<(usize, usize)> = vec![];
        document.lines().enumerate().any(|(number, line)| {
            let indent = line.len() - line.trim_start().len();
            if !line.trim_start().starts_with(&format!("{key}:")) {
                seen.retain(|(at, _)| indent >= *at || line.trim().is_empty());
                return false;
            }
            let again = seen.iter().any(|(at, _)| *at == indent);
            seen.push((indent, number));
            again
        })
    })
}

#[test]
fn labels_of_the_user_never_stand_twice_and_never_change_a_selector() -> Result<()> {
    for helm in helms()? {
        let values = [
            r"podLabels.app\.kubernetes\.io/name=mine",
            r"podLabels.app\.kubernetes\.io/version=mine",
            r"podLabels.app=mine",
            r"podLabels.team=42",
            r"podAnnotations.checksum/urls=mine",
            "slack.url=https://hooks.example.com/x",
        ];
        let own = [
            r"deploymentLabels.app\.kubernetes\.io/instance=mine",
            r"deploymentLabels.app\.kubernetes\.io/version=mine",
        ];
        let serin = chart("serin", "x").set(&values).set(&own);
        let text = helm.template(&serin).map_err(anyhow::Error::msg)?;
        for key in ["app.kubernetes.io/name", "app.kubernetes.io/version", "checksum/urls"] {
            ensure!(twice(&text, key).is_none(), "{key} twice:\n{text}");
        }
        let objects = helm.render(&serin)?;
        let found = deployment(&objects, "x-serin")?.0;
        let pods = &found["spec"]["template"]["metadata"];
        for (label, value) in found["spec"]["selector"]["matchLabels"].as_object().context("no selector")? {
            ensure!(pods["labels"][label] == *value, "{label}: {pods}");
        }
        ensure!(pods["labels"]["team"] == "42" && pods["labels"]["app.kubernetes.io/version"] == "mine");
        ensure!(pods["annotations"]["checksum/urls"] != "mine" && pods["labels"]["app"] == "mine");
        let labels = &found["metadata"]["labels"];
        ensure!(labels["app.kubernetes.io/instance"] == "x" && labels["app.kubernetes.io/version"] == "mine");

        let tester = chart("loadtester", "x").set(&values[..4]);
        let text = helm.template(&tester).map_err(anyhow::Error::msg)?;
        ensure!(twice(&text, "app.kubernetes.io/name").is_none() && twice(&text, "app").is_none(), "{text}");
        let objects = helm.render(&tester)?;
        let found = deployment(&objects, "x-loadtester")?.0;
        let label = &found["spec"]["selector"]["matchLabels"]["app"];
        ensure!(found["spec"]["template"]["metadata"]["labels"]["app"] == *label, "{found}");
    }
    Ok(())
}

#[test]
fn a_monitor_of_the_operator_does_not_select_the_prometheus_beside_it() -> Result<()> {
    for helm in helms()? {
        let values = ["prometheus.install=true", "serviceMonitor.enabled=true", "podMonitor.enabled=true"];
        let objects = helm.render(&chart("flagger", "flagger").set(&values))?;
        let selected = |monitor: &str, kind: &str, labels: &str| -> Result<Vec<String>> {
            let monitor = objects.iter().find(|o| o["kind"] == monitor).context("no monitor")?;
            let wanted = monitor["spec"]["selector"]["matchLabels"].as_object().context("no selector")?;
            let all = objects.iter().filter(|o| o["kind"] == kind).filter(|o| {
                let labels = o.pointer(labels);
                wanted.iter().all(|(label, value)| labels.is_some_and(|l| l[label] == *value))
            });
            Ok(all.map(|o| o["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect())
        };
        ensure!(selected("ServiceMonitor", "Service", "/metadata/labels")? == ["flagger"]);
        ensure!(selected("PodMonitor", "Deployment", "/spec/template/metadata/labels")? == ["flagger"]);
        let service = &find(&objects, "Service", "flagger-prometheus")?["spec"]["selector"];
        let pods = &deployment(&objects, "flagger-prometheus")?.0["spec"]["template"]["metadata"]["labels"];
        ensure!(service == pods, "{service} and {pods}");
    }
    Ok(())
}

fn image(helm: &Helm, name: &str, values: &[&str], of: &str) -> Result<Value> {
    let objects = helm.render(&chart(name, "x").set(values))?;
    Ok(deployment(&objects, of)?.1["image"].clone())
}

#[test]
fn the_registry_of_all_images_replaces_the_one_that_an_image_names() -> Result<()> {
    for helm in helms()? {
        let mirror = "global.imageRegistry=mirror.example.com:5000/all/";
        for (repository, wanted) in [
            ("", "mirror.example.com:5000/all/serin:0.2.0"),
            ("team/serin", "mirror.example.com:5000/all/team/serin:0.2.0"),
            ("registry.example.com/team/serin", "mirror.example.com:5000/all/team/serin:0.2.0"),
            ("localhost:5000/serin", "mirror.example.com:5000/all/serin:0.2.0"),
        ] {
            let repository = format!("image.repository={repository}");
            let found = image(&helm, "serin", &[mirror, &repository, "image.tag=0.2.0"], "x-serin")?;
            ensure!(found == wanted, "{repository}: {found}");
        }
        let found =
            image(&helm, "serin", &["image.repository=r.example.com/serin", "image.tag=0.2.0"], "x-serin")?;
        ensure!(found == "r.example.com/serin:0.2.0", "{found}");
        let values = [mirror, "prometheus.install=true"];
        let found = image(&helm, "serin", &values, "x-serin-prometheus")?;
        ensure!(
            found.as_str().is_some_and(|i| i.starts_with("mirror.example.com:5000/all/prom/prometheus:")),
            "{found}"
        );
        let values = [mirror, "image.repository=r.example.com/tester", "image.digest=sha256:ab"];
        let found = image(&helm, "loadtester", &values, "x-loadtester")?;
        ensure!(found == "mirror.example.com:5000/all/tester@sha256:ab", "{found}");
    }
    Ok(())
}

#[test]
fn boards_and_alerts_can_be_left_out_by_names_that_exist() -> Result<()> {
    for helm in helms()? {
        let all = ["dashboards.enabled=true", "prometheusRule.enabled=true"];
        let boards = |values: &[&str]| -> Result<Vec<String>> {
            let objects = helm.render(&chart("serin", "serin").set(&all).set(values))?;
            let maps = objects.iter().filter(|o| o["kind"] == "ConfigMap");
            Ok(maps.filter_map(|o| Some(o["metadata"]["name"].as_str()?.to_owned())).collect())
        };
        ensure!(boards(&[])?.len() == 5);
        let left = boards(&["dashboards.disabled={flagger-istio,flagger-envoy}"])?;
        ensure!(left == ["serin-fleet", "serin-operator", "serin-release"], "{left:?}");
        for (value, meant) in [
            ("dashboards.disabled={flagger}", "dashboards.disabled: there is no flagger: choose from"),
            (
                "prometheusRule.disabled={SerinGon}",
                "prometheusRule.disabled: there is no SerinGon: choose from",
            ),
        ] {
            let why = helm.refusal(&chart("serin", "serin").set(&all).set(&[value]))?;
            ensure!(why.contains(meant), "{why}");
        }
        helm.render(&chart("serin", "serin").set(&all).set(&["prometheusRule.disabled={SerinGone}"]))?;
    }
    Ok(())
}

#[test]
fn the_job_of_the_uninstallation_runs_where_the_operator_does_and_ends_in_time() -> Result<()> {
    for helm in helms()? {
        let values = [
            "uninstall.releaseCanaries=true",
            "nodeSelector.pool=system",
            "tolerations[0].key=system",
            "tolerations[0].operator=Exists",
            "priorityClassName=high",
            "prometheus.install=true",
        ];
        let objects = helm.render(&chart("serin", "serin").set(&values))?;
        let job = &find(&objects, "Job", "serin-release-all")?["spec"];
        ensure!(job["activeDeadlineSeconds"] == 300, "{job}");
        let pod = &job["template"]["spec"];
        ensure!(pod["priorityClassName"] == "high" && pod["enableServiceLinks"] == false, "{pod}");
        let operator = &deployment(&objects, "serin")?.0["spec"]["template"]["spec"];
        ensure!(pod["containers"][0]["resources"] == operator["containers"][0]["resources"], "{pod}");
        let prometheus = &deployment(&objects, "serin-prometheus")?.0["spec"]["template"]["spec"];
        for field in ["nodeSelector", "tolerations"] {
            ensure!(!operator[field].is_null(), "{field} is missing");
            ensure!(pod[field] == operator[field] && prometheus[field] == operator[field], "{field}: {pod}");
        }
        let longer = ["uninstall.releaseCanaries=true", "uninstall.timeoutSeconds=1800"];
        let objects = helm.render(&chart("serin", "serin").set(&longer))?;
        ensure!(find(&objects, "Job", "serin-release-all")?["spec"]["activeDeadlineSeconds"] == json!(1800));
    }
    Ok(())
}

/// `rbac.providers` selects rules by API group: each router must be listed with the groups of its kinds.
#[test]
fn rbac_knows_the_api_groups_of_every_router() -> Result<()> {
    let template = read("charts/serin/templates/rbac.yaml")?;
    let groups = template.lines().find(|line| line.contains("$groups := dict")).context("no $groups")?;
    for router in serin::router::all() {
        let name = router.name().split(':').next().unwrap_or_default();
        let listed =
            groups.split(&format!("\"{name}\" ")).nth(1).with_context(|| format!("{name} is missing"))?;
        let listed = listed.split(')').next().unwrap_or_default();
        for kind in router.all_kinds() {
            let builtin = kind.group.is_empty() || kind.group == "apps";
            ensure!(
                builtin || listed.contains(&format!("\"{}\"", kind.group)),
                "{name} lacks {} in {listed}",
                kind.group
            );
        }
    }
    Ok(())
}

/// Labels and annotations with values that are not strings, in any object: the API server refuses them.
fn not_strings(objects: &[Value]) -> Vec<String> {
    let mut found = vec![];
    for object in objects {
        let pods = &object["spec"]["template"]["metadata"];
        for meta in [&object["metadata"], pods, &object["spec"]["selector"]] {
            for field in ["labels", "annotations", "matchLabels"] {
                for (key, value) in meta[field].as_object().into_iter().flatten() {
                    if !value.is_string() {
                        found.push(format!(
                            "{} {}: {field} {key} is {value}",
                            object["kind"], object["metadata"]["name"]
                        ));
                    }
                }
            }
        }
    }
    found
}

#[test]
fn ch18_labels_and_annotations_are_strings_whatever_values_hold() -> Result<()> {
    let all = [
        "annotations.a=1",
        "deploymentLabels.a=true",
        "podLabels.a=1",
        "podAnnotations.a=true",
        "serviceAccount.annotations.a=1",
        "serviceMonitor.enabled=true",
        "serviceMonitor.labels.release=1",
        "serviceMonitor.annotations.a=true",
        "podMonitor.enabled=true",
        "podMonitor.additionalLabels.a=1",
        "podMonitor.annotations.a=1",
        "prometheusRule.enabled=true",
        "prometheusRule.labels.role=1",
        "prometheusRule.annotations.a=1",
        "dashboards.enabled=true",
        "dashboards.labels.grafana_dashboard=1",
        "dashboards.annotations.a=true",
        "prometheus.install=true",
        "linkerdAuthPolicy.create=true",
        "podDisruptionBudget.enabled=true",
        "uninstall.releaseCanaries=true",
        "crd.create=true",
    ];
    let tester = [
        "podLabels.a=1",
        "podAnnotations.a=true",
        "rbac.create=true",
        "rbac.serviceAccountAnnotations.a=1",
        "podMonitor.enabled=true",
        "podMonitor.additionalLabels.a=1",
        "networkPolicy.enabled=true",
        "podDisruptionBudget.enabled=true",
        "istio.enabled=true",
        "istio.gateway.enabled=true",
    ];
    for helm in helms()? {
        // the name of a release may look like a number
        for (name, values) in [("serin", &all[..]), ("flagger", &all[..]), ("loadtester", &tester[..])] {
            let objects = helm.render(&chart(name, "12345").set(values))?;
            let wrong = not_strings(&objects);
            ensure!(wrong.is_empty(), "{name}: {}", wrong.join("\n"));
        }
    }
    Ok(())
}

#[test]
fn ch18_a_time_without_a_unit_is_named_and_no_replicas_are_none() -> Result<()> {
    for helm in helms()? {
        let why = helm.refusal(&chart("serin", "x").set(&["settleTime=5"]))?;
        ensure!(why.contains("settleTime is the number 5: write 5s"), "{why}");
        let why = helm.refusal(&chart("loadtester", "x").set(&["cmd.timeout=30"]))?;
        ensure!(why.contains("cmd.timeout is the number 30: write 30s"), "{why}");
        let objects = helm.render(&chart("serin", "x").set(&["settleTime=0"]))?;
        let found = crate::arguments(deployment(&objects, "x-serin")?.1);
        ensure!(found.contains(&"--settle-time=0"), "{found:?}");
        for (value, replicas) in [("0", 0), ("1", 1), ("null", 1)] {
            let value = format!("leaderElection.replicaCount={value}");
            let objects = helm.render(&chart("flagger", "flagger").set(&[&value]))?;
            let found = &deployment(&objects, "flagger")?.0["spec"]["replicas"];
            ensure!(*found == replicas, "{value}: {found}");
        }
    }
    Ok(())
}

#[test]
fn several_replicas_are_elected_from_and_may_do_what_that_takes() -> Result<()> {
    for helm in helms()? {
        let of = chart("serin", "x").set(&["leaderElection.enabled=true", "leaderElection.replicaCount=2"]);
        let objects = helm.render(&of)?;
        let (found, container) = deployment(&objects, "x-serin")?;
        ensure!(found["spec"]["replicas"] == 2, "{}", found["spec"]);
        ensure!(found["spec"]["strategy"]["type"] == "RollingUpdate", "{}", found["spec"]["strategy"]);
        let arguments = crate::arguments(container);
        for flag in ["--enable-leader-election=true", "--lease-duration=60s"] {
            ensure!(arguments.contains(&flag), "{arguments:?}");
        }
        let kinds = |kind: &str| objects.iter().filter(|object| object["kind"] == kind).count();
        ensure!((kinds("Role"), kinds("RoleBinding"), kinds("PodDisruptionBudget")) == (1, 1, 1));
        let role = objects.iter().find(|object| object["kind"] == "Role").context("a Role")?;
        ensure!(role["metadata"]["namespace"] == role_namespace(&arguments), "{}", role["metadata"]);
        let alone = helm.render(&chart("serin", "x"))?;
        ensure!(deployment(&alone, "x-serin")?.0["spec"]["strategy"]["type"] == "Recreate");
    }
    Ok(())
}

/// The namespace of the operator's Lease.
fn role_namespace<'a>(arguments: &[&'a str]) -> &'a str {
    arguments.iter().find_map(|flag| flag.strip_prefix("--leader-election-namespace=")).unwrap_or_default()
}

#[test]
fn ch2_the_job_of_the_uninstallation_can_be_made_and_run() -> Result<()> {
    for helm in helms()? {
        let values = [
            "uninstall.releaseCanaries=true",
            "fullnameOverride=a-name-that-is-as-long-as-the-name-of-a-service-may-be-at-most-63",
        ];
        let objects = helm.render(&chart("serin", "x").set(&values))?;
        let job = objects.iter().find(|o| o["kind"] == "Job").context("no Job")?;
        let name = job["metadata"]["name"].as_str().unwrap_or_default();
        ensure!(name.len() <= 63 && name.ends_with("-release-all"), "{name}");
        // a proxy that is no native sidecar outlives the container, so the Job would never end
        let pod = &job["spec"]["template"]["metadata"];
        ensure!(pod["annotations"]["sidecar.istio.io/inject"] == "false", "{pod}");
        ensure!(pod["annotations"]["linkerd.io/inject"] == "disabled", "{pod}");
        ensure!(pod["labels"]["sidecar.istio.io/inject"] == "false", "{pod}");
        ensure!(pod["labels"]["kuma.io/sidecar-injection"] == "disabled", "{pod}");
        // Flagger's image does not have this command, so the uninstallation would fail before it starts
        let back = [
            "uninstall.releaseCanaries=true",
            "image.allowFlagger=true",
            "image.repository=ghcr.io/fluxcd/flagger",
        ];
        let objects = helm.render(&chart("flagger", "flagger").set(&back))?;
        ensure!(objects.iter().all(|o| o["kind"] != "Job"), "a Job for Flagger's image");
    }
    Ok(())
}
