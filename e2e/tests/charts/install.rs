//! Installation and removal: definitions, notes, rights, and equality of chart and kustomize base.

use std::{collections::BTreeMap, fs, process::Command};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{arguments, chart, deployment, find, helms, read, root, yaml};

#[test]
fn ch1_definitions_in_a_release_are_kept_when_they_leave_it() -> Result<()> {
    ensure!(yaml("charts/serin/values.yaml")?["crd"]["create"] == false, "the default may never change");
    for helm in helms()? {
        let objects = helm.render(&chart("flagger", "flagger").set(&["crd.create=true"]))?;
        let definitions: Vec<_> =
            objects.iter().filter(|o| o["kind"] == "CustomResourceDefinition").collect();
        ensure!(definitions.len() == 4);
        for crd in definitions {
            ensure!(crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep");
        }
    }
    Ok(())
}

#[test]
fn ch2_ch8_ch11_notes_name_the_commands_that_matter() -> Result<()> {
    for helm in helms()? {
        let path = root().join("charts/flagger").display().to_string();
        let notes = |set: &str| {
            let dry = ["install", "flagger", &path, "--dry-run=client", "--set", set];
            helm.run(&dry).map_err(|why| anyhow::anyhow!("Helm {}: {why}", helm.major))
        };
        // the parts' Helm 3 assumes Kubernetes 1.20
        if helm.major == 3 {
            continue;
        }
        let text = notes("image.repository=r.example.com/serin")?;
        for said in ["serin release-all", "kubectl get canaries --all-namespaces", "--skip-crds"] {
            ensure!(text.contains(said), "{said} is missing in {text}");
        }
        let text = notes("crd.create=true")?;
        ensure!(text.contains("on a first install add --skip-crds"), "{text}");
        let text = notes("kubeconfigQPS=5,threadiness=3,dashboard.enabled=true,x-common=1")?;
        for idle in ["kubeconfigQPS", "threadiness", "dashboard.enabled", "x-common"] {
            ensure!(text.contains(idle), "{idle} is missing in {text}");
        }
    }
    Ok(())
}

#[test]
fn ch2_canaries_are_released_before_an_uninstall_where_that_is_asked_for() -> Result<()> {
    for helm in helms()? {
        let hooks = |objects: &[Value]| {
            objects.iter().filter(|o| o["metadata"]["annotations"]["helm.sh/hook"] == "pre-delete").count()
        };
        ensure!(hooks(&helm.render(&chart("serin", "serin"))?) == 0, "by default nothing deletes Canaries");
        let objects = helm.render(&chart("serin", "serin").set(&["uninstall.releaseCanaries=true"]))?;
        ensure!(hooks(&objects) == 4, "{objects:?}");
        let job = find(&objects, "Job", "serin-release-all")?;
        let container = &job["spec"]["template"]["spec"]["containers"][0];
        ensure!(container["command"] == json!(["/serin", "release-all"]), "{container}");
        let labels = &job["spec"]["template"]["metadata"]["labels"];
        ensure!(labels["app.kubernetes.io/name"].is_null(), "the operator's Service would select it");
    }
    Ok(())
}

#[test]
fn ch12_templates_and_the_operator_do_not_both_own_definitions() -> Result<()> {
    for helm in helms()? {
        for (set, managed) in
            [("crd.manage=true", true), ("crd.create=true", false), ("crd.manage=false", false)]
        {
            let objects = helm.render(&chart("serin", "serin").set(&[set]))?;
            let flag = arguments(deployment(&objects, "serin")?.1).contains(&"--manage-crds");
            let rights = find(&objects, "ClusterRole", "serin")?.to_string().contains("canaryruns.serin.dev");
            ensure!(flag == managed && rights == managed, "{set}");
        }
    }
    Ok(())
}

/// Maximum size of a release, out of the 1 MiB that a Secret may have.
const LARGEST: usize = 300 * 1024;

#[test]
fn ch30_ch31_a_packaged_chart_is_whole_and_its_release_small() -> Result<()> {
    let dir = std::env::temp_dir().join(format!("serin-packages-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    for helm in helms()? {
        for name in ["serin", "flagger", "loadtester"] {
            let path = root().join("charts").join(name).display().to_string();
            helm.run(&["package", &path, "--destination", &dir.display().to_string()])
                .map_err(anyhow::Error::msg)?;
        }
        for entry in fs::read_dir(&dir)? {
            let package = entry?.path().display().to_string();
            let of =
                chart(&package, "flagger").set(&["dashboards.enabled=true", "prometheusRule.enabled=true"]);
            helm.template(&if package.contains("loadtester") { chart(&package, "x") } else { of })
                .map_err(anyhow::Error::msg)?;
            if helm.major == 4 && !package.contains("loadtester") {
                // the data that Helm stores: the release as JSON, compressed, in base64
                let stored = format!(
                    "'{}' install flagger '{package}' --dry-run=client -o json --set dashboards.enabled=true | gzip -9 | base64 -w0 | wc -c",
                    helm.program.display()
                );
                let out = Command::new("bash").args(["-o", "pipefail", "-c", &stored]).output()?;
                let size: usize = String::from_utf8(out.stdout)?.trim().parse()?;
                println!("{package}: a release of {size} bytes");
                ensure!((10_000..LARGEST).contains(&size), "a release of {size} bytes");
            }
        }
    }
    fs::remove_dir_all(dir)?;
    Ok(())
}

#[test]
fn chart_and_kustomize_base_say_the_same() -> Result<()> {
    for helm in helms()? {
        let objects = helm.render(&chart("serin", "serin").set(&["crd.manage=false"]))?;
        let rules = |role: &Value| role["rules"].clone();
        let base = yaml("deploy/kustomize/base/clusterrole.yaml")?;
        ensure!(rules(find(&objects, "ClusterRole", "serin")?) == rules(&base), "the rules");
        let base = yaml("deploy/kustomize/base/deployment.yaml")?;
        let (found, container) = deployment(&objects, "serin")?;
        for field in ["replicas", "strategy", "revisionHistoryLimit"] {
            ensure!(found["spec"][field] == base["spec"][field], "{field}");
        }
        let (pod, base) = (&found["spec"]["template"]["spec"], &base["spec"]["template"]["spec"]);
        for field in [
            "automountServiceAccountToken",
            "enableServiceLinks",
            "terminationGracePeriodSeconds",
            "securityContext",
        ] {
            ensure!(pod[field] == base[field], "{field}");
        }
        for field in ["ports", "livenessProbe", "readinessProbe", "resources", "securityContext", "name"] {
            ensure!(container[field] == base["containers"][0][field], "{field}");
        }
        let service = yaml("deploy/kustomize/base/service.yaml")?;
        ensure!(find(&objects, "Service", "serin")?["spec"]["ports"] == service["spec"]["ports"]);

        let base = yaml("deploy/loadtester/deployment.yaml")?;
        let objects = helm.render(&chart("loadtester", "flagger-loadtester"))?;
        let (found, container) = deployment(&objects, "flagger-loadtester")?;
        let (pod, base) = (&found["spec"]["template"]["spec"], &base["spec"]["template"]["spec"]);
        ensure!(pod["securityContext"] == base["securityContext"]);
        for field in ["ports", "livenessProbe", "readinessProbe", "securityContext", "name"] {
            ensure!(container[field] == base["containers"][0][field], "load tester: {field}");
        }
        let role = yaml("deploy/loadtester/role.yaml")?;
        ensure!(
            rules(find(&objects, "Role", "flagger-loadtester")?) == rules(&role),
            "load tester: the rules"
        );
    }
    Ok(())
}

#[test]
fn rights_can_be_narrowed() -> Result<()> {
    let of = |role: &Value| -> BTreeMap<String, usize> {
        let rules = role["rules"].as_array().into_iter().flatten();
        let groups = rules.filter_map(|rule| rule["apiGroups"][0].as_str());
        groups.fold(BTreeMap::new(), |mut all, group| {
            *all.entry(group.to_owned()).or_default() += 1;
            all
        })
    };
    for helm in helms()? {
        let objects = helm.render(&chart("serin", "serin").set(&["rbac.providers={istio,gatewayapi:v1}"]))?;
        let role = find(&objects, "ClusterRole", "serin")?;
        let groups = of(role);
        ensure!(
            groups.contains_key("networking.istio.io") && groups.contains_key("gateway.networking.k8s.io")
        );
        ensure!(!groups.contains_key("kuma.io") && groups.contains_key("apps"), "{groups:?}");
        // the rule for policies has the same group as the one for Ingresses
        let text = role.to_string();
        ensure!(text.contains("networkpolicies") && text.contains("poddisruptionbudgets"), "{text}");
        ensure!(!text.contains("ingresses"), "{text}");
        let why = helm.refusal(&chart("serin", "serin").set(&["rbac.providers={isto}"]))?;
        ensure!(why.contains("isto is no router: choose from"), "{why}");

        let objects = helm.render(&chart("serin", "serin").set(&[
            "rbac.namespaced=true",
            "namespace=test",
            "rbac.secrets=false",
        ]))?;
        let everywhere = of(find(&objects, "ClusterRole", "serin")?);
        let all: Vec<_> = everywhere.keys().map(String::as_str).collect();
        ensure!(all == ["apiextensions.k8s.io"], "{all:?}");
        let role = find(&objects, "Role", "serin")?;
        ensure!(role["metadata"]["namespace"] == "test" && !role.to_string().contains("secrets"));
        ensure!(of(role).contains_key("kuma.io") && !role.to_string().contains("trafficroutes"), "{role}");
        ensure!(arguments(deployment(&objects, "serin")?.1).contains(&"--enable-config-tracking=false"));

        // the groups of each router in the registry are in the table
        let template = read("charts/serin/templates/rbac.yaml")?;
        for router in serin::router::all() {
            for kind in router.kinds().iter().filter(|kind| !kind.built_in() || kind.plural == "ingresses") {
                ensure!(template.contains(&format!("\"{}\"", kind.group)), "{} is missing", kind.group);
            }
        }
    }
    Ok(())
}
