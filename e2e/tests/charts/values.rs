//! Surprising behaviour of Helm's values and templates.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{Chart, USERS, arguments, chart, copied, deployment, find, helms, read, root, yaml};

#[test]
fn ch14_a_variable_of_the_user_takes_the_place_of_the_charts() -> Result<()> {
    for helm in helms()? {
        let objects = helm.render(&chart("flagger", "flagger").file(USERS[2]))?;
        let env = &deployment(&objects, "flagger")?.1["env"];
        let named: Vec<_> = env.as_array().into_iter().flatten().map(|e| e["name"].as_str()).collect();
        ensure!(named == [Some("EVENT_WEBHOOK_URL"), Some("SLACK_URL")], "{env}");
        ensure!(env[1]["valueFrom"]["secretKeyRef"]["name"] == "slack", "{env}");
    }
    Ok(())
}

/// The URL or the token may come by `env`.
#[test]
fn the_name_in_slack_does_not_depend_on_where_the_url_comes_from() -> Result<()> {
    for helm in helms()? {
        for (values, wanted) in [
            (&["slack.user=deploy-bot"][..], Some("--slack-user=deploy-bot")),
            (
                &["slack.user=deploy-bot", "slack.url=https://hooks.example.com/x"],
                Some("--slack-user=deploy-bot"),
            ),
            (&["slack.user=deploy-bot", "existingSecret=urls"], Some("--slack-user=deploy-bot")),
            (
                &["slack.user=deploy-bot", "env[0].name=SLACK_TOKEN", "env[0].value=x"],
                Some("--slack-user=deploy-bot"),
            ),
            (&["slack.url=https://hooks.example.com/x"], None),
            (&["slack.user=null", "slack.url=https://hooks.example.com/x"], None),
        ] {
            let objects = helm.render(&chart("flagger", "flagger").set(values))?;
            let flags = arguments(deployment(&objects, "flagger")?.1);
            let user = flags.into_iter().find(|flag| flag.starts_with("--slack-user"));
            ensure!(user == wanted, "{values:?}: {user:?}");
        }
    }
    Ok(())
}

#[test]
fn ch15_ch16_no_empty_pull_secret_and_no_port_twice() -> Result<()> {
    for helm in helms()? {
        for of in [chart("serin", "x"), chart("flagger", "x").file(USERS[1]), chart("loadtester", "x")] {
            for object in helm.render(&of)? {
                ensure!(object["spec"]["template"]["spec"]["imagePullSecrets"].is_null());
                let ports = object["spec"]["ports"].as_array().map_or(0, Vec::len);
                ensure!(object["kind"] != "Service" || ports == 1);
            }
        }
    }
    Ok(())
}

#[test]
fn ch17_the_secret_of_urls_is_written_as_data() -> Result<()> {
    for helm in helms()? {
        let objects = helm.render(&chart("flagger", "flagger").file(USERS[2]))?;
        let secret = find(&objects, "Secret", "flagger-urls")?;
        ensure!(
            secret["stringData"].is_null() && secret["data"].as_object().is_some_and(|d| d.len() == 2),
            "{secret}"
        );
        let annotations = &deployment(&objects, "flagger")?.0["spec"]["template"]["metadata"]["annotations"];
        ensure!(annotations["checksum/urls"].is_string());
        let own = helm.render(&chart("flagger", "flagger").file(USERS[2]).set(&["existingSecret=mine"]))?;
        ensure!(find(&own, "Secret", "flagger-urls").is_err());
    }
    Ok(())
}

#[test]
fn ch18_large_numbers_stay_numbers_and_a_tag_is_no_number() -> Result<()> {
    let file = std::env::temp_dir().join(format!("serin-chart-{}.yaml", std::process::id()));
    fs::write(
        &file,
        "podSecurityContext: {runAsUser: 1000680000}\nsecurityContext: {context: {runAsUser: 1000680000}}\n\
         terminationGracePeriodSeconds: 1000000\nnetworkPolicy: {ports: [15020]}\n",
    )?;
    let path = file.display().to_string();
    for helm in helms()? {
        let text = helm.template(&chart("serin", "serin").file(&path)).map_err(anyhow::Error::msg)?;
        ensure!(!text.contains("e+0"), "an exponent");
        ensure!(
            text.matches("runAsUser: 1000680000").count() == 2
                || text.matches("runAsUser: 1.00068e+09").count() == 0
        );
        let objects = helm.render(&chart("serin", "serin").file(&path))?;
        let pod = &deployment(&objects, "serin")?.0["spec"]["template"]["spec"];
        ensure!(pod["terminationGracePeriodSeconds"] == 1_000_000, "{pod}");
        ensure!(pod["securityContext"]["runAsUser"] == 1_000_680_000, "{pod}");
        for name in ["serin", "loadtester"] {
            let why = helm.refusal(&chart(name, "x").set(&["image.tag=144"]))?;
            ensure!(why.contains("image.tag is the number 144: quote it"), "{why}");
        }
    }
    fs::remove_file(file)?;
    Ok(())
}

#[test]
fn f6_f7_f13_f25_f27_what_bounds_namespaces_stands_among_the_flags() -> Result<()> {
    let file = std::env::temp_dir().join(format!("serin-bounds-{}.yaml", std::process::id()));
    fs::write(
        &file,
        "strict: true\nallowedHosts: ['*.{namespace}.svc']\nallowedRouteHosts: ['*.{namespace}.test', shared.test]\n\
         allowedGateways: [infra/public]\ncloudIdentityNamespaces: [ops]\n\
         adoptionNeedsConsent: true\nallowedMetadataDomains: [example.com]\n",
    )?;
    let path = file.display().to_string();
    for helm in helms()? {
        let objects = helm.render(&chart("serin", "serin").file(&path))?;
        let flags = arguments(deployment(&objects, "serin")?.1);
        for flag in [
            "--strict=true",
            "--allowed-hosts=*.{namespace}.svc",
            "--allowed-route-hosts=*.{namespace}.test,shared.test",
            "--allowed-gateways=infra/public",
            "--cloud-identity-namespaces=ops",
            "--adoption-needs-consent=true",
            "--allowed-metadata-domains=example.com",
        ] {
            ensure!(flags.contains(&flag), "{flag} is missing in {flags:?}");
        }
        let objects = helm.render(&chart("serin", "serin"))?;
        let flags = arguments(deployment(&objects, "serin")?.1).join(" ");
        ensure!(
            ["strict", "allowed-", "cloud-identity", "adoption"].iter().all(|flag| !flags.contains(flag)),
            "{flags}"
        );
    }
    fs::remove_file(file)?;
    Ok(())
}

/// All maps of a JSON value.
fn maps<'a>(value: &'a Value, found: &mut Vec<&'a serde_json::Map<String, Value>>) {
    match value {
        Value::Object(map) => {
            found.push(map);
            map.values().for_each(|value| maps(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| maps(item, found)),
        _ => {}
    }
}

#[test]
fn ch19_schemas_ask_for_nothing_that_helm_checks_otherwise_than_meant() -> Result<()> {
    for name in ["serin", "flagger", "loadtester"] {
        let schema: Value = serde_json::from_str(&read(&format!("charts/{name}/values.schema.json"))?)?;
        ensure!(schema["$schema"] == "http://json-schema.org/draft-07/schema#");
        ensure!(schema["properties"]["global"].is_object());
        let mut all = Vec::new();
        maps(&schema, &mut all);
        for key in ["format", "additionalProperties", "$ref", "default"] {
            ensure!(!all.iter().any(|map| map.get(key).is_some_and(|v| !v.is_object())), "{name}: {key}");
        }
        let values = yaml(&format!("charts/{name}/values.yaml"))?;
        known(&values, &schema, name)?;
    }
    for helm in helms()? {
        let why = helm.refusal(&chart("serin", "x").set(&["podLabels=x"]))?;
        ensure!(why.contains("podLabels"), "{why}");
        for text in ["true", "false"] {
            let string = ["--set-string".to_owned(), format!("leaderElection.enabled={text}")];
            helm.render(&Chart { arguments: string.into(), ..chart("flagger", "flagger") })?;
        }
    }
    Ok(())
}

/// Checks that the schema contains each default, and that no default is null.
fn known(values: &Value, schema: &Value, path: &str) -> Result<()> {
    for (key, value) in values.as_object().into_iter().flatten() {
        let Some(of) = schema["properties"].get(key) else {
            ensure!(schema.get("properties").is_none(), "{path}.{key} is not in the schema");
            continue;
        };
        ensure!(!value.is_null(), "{path}.{key} is null");
        known(value, of, &format!("{path}.{key}"))?;
    }
    Ok(())
}

#[test]
fn ch20_null_missing_and_empty_read_the_same() -> Result<()> {
    let dir = std::env::temp_dir().join(format!("serin-parent-{}", std::process::id()));
    fs::create_dir_all(dir.join("charts"))?;
    copied("serin", &dir.join("charts"))?;
    fs::write(dir.join("Chart.yaml"), "apiVersion: v2\nname: parent\nversion: 1.0.0\n")?;
    fs::write(
        dir.join("values.yaml"),
        "serin:\n  slack: null\n  rbac: null\n  podAnnotations: null\n  securityContext:\n    context: null\nglobal: {x: 1}\n",
    )?;
    for helm in helms()? {
        // testing each value separately would take long: tests them together, and separately those with dependencies
        let all = "image=null,slack=null,rbac=null,serviceAccount=null,podAnnotations=null,securityContext=null,\
                   resources=null,prometheus=null,crd=null,leaderElection=null,affinity=null,env=null,extraObjects=null,\
                   configTracking=null,controlplane=null";
        for nulls in [all, "networkPolicy=null,dashboards=null,prometheusRule=null,podSecurityContext=null"] {
            helm.render(&chart("flagger", "x").set(&[nulls])).with_context(|| nulls.to_owned())?;
        }
        let all = "image=null,cmd=null,gates=null,rbac=null,istio=null,service=null,podSecurityContext=null,global=null";
        helm.render(&chart("loadtester", "x").set(&[all]))?;
        let parent = dir.display().to_string();
        deployment(&helm.render(&chart(&parent, "x"))?, "x-serin")?;
    }
    fs::remove_dir_all(dir)?;
    Ok(())
}

/// All template files of a chart.
fn templates(name: &str) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join("charts").join(name).join("templates"))? {
        let path = entry?.path();
        found.push((path.display().to_string(), fs::read_to_string(&path)?));
    }
    Ok(found)
}

#[test]
fn ch22_nothing_depends_on_what_helm_takes_the_cluster_for() -> Result<()> {
    for (path, text) in templates("serin")?.into_iter().chain(templates("loadtester")?) {
        ensure!(!text.contains("APIVersions") && !text.contains("KubeVersion"), "{path}");
        for (_, looked_up) in text.match_indices("lookup \"").map(|(at, _)| text.split_at(at)) {
            ensure!(looked_up.starts_with("lookup \"apps/v1\" \"Deployment\""), "{path}");
        }
        ensure!(!text.contains("PodSecurityPolicy"), "{path}");
    }
    Ok(())
}

/// Helm writes 0.0 as 0, which is the same number for the API server.
fn as_floats(value: &mut Value) {
    match value {
        Value::Number(number) => *value = json!(number.as_f64()),
        Value::Object(map) => map.values_mut().for_each(as_floats),
        Value::Array(items) => items.iter_mut().for_each(as_floats),
        _ => {}
    }
}

#[test]
fn ch29_braces_in_definitions_and_extra_objects_stay() -> Result<()> {
    let file = std::env::temp_dir().join(format!("serin-extra-{}.yaml", std::process::id()));
    fs::write(
        &file,
        "extraObjects:\n  - apiVersion: flagger.app/v1beta1\n    kind: MetricTemplate\n    metadata: {name: t}\n    spec: {query: 'x{n=\"{{ namespace }}\"}'}\n  - |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: '{{ .Release.Name }}-x'}\n",
    )?;
    for helm in helms()? {
        let objects = helm
            .render(&chart("serin", "serin").set(&["crd.create=true"]).file(&file.display().to_string()))?;
        for plural in ["canaries", "metrictemplates", "alertproviders", "canaryruns"] {
            let shipped = yaml(&format!("crd/{plural}.yaml"))?;
            let name = shipped["metadata"]["name"].as_str().context("a name")?;
            let mut rendered = find(&objects, "CustomResourceDefinition", name)?["spec"].clone();
            let mut meant = shipped["spec"].clone();
            as_floats(&mut rendered);
            as_floats(&mut meant);
            ensure!(rendered == meant, "{plural}");
        }
        let template = find(&objects, "MetricTemplate", "t")?;
        ensure!(template["spec"]["query"] == "x{n=\"{{ namespace }}\"}", "{template}");
        find(&objects, "ConfigMap", "serin-x")?;
    }
    fs::remove_file(file)?;
    Ok(())
}

#[test]
fn ch38_flags_are_quoted_and_not_folded() -> Result<()> {
    let long = format!("cluster-{}", "x ".repeat(60));
    for helm in helms()? {
        let text = helm
            .template(&chart("serin", "x").set(&[&format!("clusterName={long}")]))
            .map_err(anyhow::Error::msg)?;
        ensure!(text.contains(&format!("- \"--cluster-name={long}\"")), "folded");
    }
    Ok(())
}

#[test]
fn ch29_boards_and_rules_are_as_they_are_shipped() -> Result<()> {
    let shipped = yaml("deploy/monitoring/rules.yaml")?;
    for helm in helms()? {
        let on =
            ["prometheusRule.enabled=true", "prometheusRule.labels.release=kps", "dashboards.enabled=true"];
        let objects = helm.render(&chart("serin", "serin").set(&on))?;
        let rule = find(&objects, "PrometheusRule", "serin")?;
        let (mut rendered, mut meant) = (rule["spec"]["groups"].clone(), shipped["groups"].clone());
        as_floats(&mut rendered);
        as_floats(&mut meant);
        ensure!(rendered == meant && meant.to_string().contains("{{ $labels"), "{rendered}");
        ensure!(rule["metadata"]["labels"]["release"] == "kps");
        for entry in fs::read_dir(root().join("grafana-dashboards"))? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let file = path.file_name().and_then(|name| name.to_str()).context("a name")?;
            let name = format!("serin-{}", file.trim_end_matches(".json"));
            let board = find(&objects, "ConfigMap", &name)?;
            ensure!(board["metadata"]["labels"]["grafana_dashboard"] == "1", "{name}");
            let text = board["data"][file].as_str().context("the board")?;
            ensure!(text.trim() == fs::read_to_string(&path)?.trim(), "{name} is another");
        }
        let first = shipped["groups"][0]["rules"][0]["alert"].as_str().context("an alert")?;
        let objects = helm.render(
            &chart("serin", "serin").set(&[on[0], &format!("prometheusRule.disabled={{{first}}}")]),
        )?;
        ensure!(
            !find(&objects, "PrometheusRule", "serin")?.to_string().contains(first),
            "{first} is still there"
        );
    }
    Ok(())
}

#[test]
fn one_source_has_two_names() -> Result<()> {
    for shared in ["values.yaml", "values.schema.json", "templates", "files", ".helmignore"] {
        let link = fs::read_link(root().join("charts/flagger").join(shared))?;
        ensure!(link == Path::new("../serin").join(shared), "{shared}");
    }
    let (serin, flagger) = (yaml("charts/serin/Chart.yaml")?, yaml("charts/flagger/Chart.yaml")?);
    ensure!(serin["appVersion"] == flagger["appVersion"] && serin["appVersion"] == env!("CARGO_PKG_VERSION"));
    Ok(())
}
