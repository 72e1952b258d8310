//! The charts, rendered by real Helm: names and selectors of Flagger's, what Helm does that is easy to guess wrong (the ids
//! `ch…`), and that chart and kustomize base say the same. Helm 4 is a part that CI has, Helm 3 one of `make nightly`.
#![allow(missing_docs, reason = "a test target has no callers")]
#![allow(clippy::print_stdout, reason = "what was skipped and measured is told")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

#[path = "charts/rendered.rs"]
mod rendered;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("reading {path}"))
}

fn yaml(path: &str) -> Result<Value> {
    serde_saphyr::from_str(&read(path)?).with_context(|| format!("parsing {path}"))
}

/// A Helm of the parts.
struct Helm {
    major: u8,
    program: PathBuf,
}

/// What a rendering is made of.
#[derive(Clone)]
struct Chart<'a> {
    name: &'a str,
    release: &'a str,
    arguments: Vec<String>,
}

fn chart<'a>(name: &'a str, release: &'a str) -> Chart<'a> {
    Chart { name, release, arguments: vec![] }
}

impl Chart<'_> {
    fn set(mut self, values: &[&str]) -> Self {
        self.arguments.extend(values.iter().flat_map(|value| ["--set".to_owned(), (*value).to_owned()]));
        self
    }

    fn file(mut self, path: &str) -> Self {
        let path = if path.starts_with('/') { path.into() } else { root().join(path).display().to_string() };
        self.arguments.extend(["--values".to_owned(), path]);
        self
    }
}

/// The Helms that there are; one that is missing is skipped, with a word on what builds it.
fn helms() -> Result<Vec<Helm>> {
    let dir = Command::new(root().join("e2e/parts/build.sh")).arg("--dir").output()?;
    let dir = PathBuf::from(String::from_utf8(dir.stdout)?.trim());
    let all = [3, 4].map(|major| Helm { major, program: dir.join(format!("helm{major}")) });
    let there: Vec<Helm> = all.into_iter().filter(|helm| helm.program.exists()).collect();
    if there.is_empty() {
        println!("skipped: no Helm, `e2e/parts/build.sh helm` builds it");
    }
    Ok(there)
}

impl Helm {
    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let out = Command::new(&self.program).args(arguments).output().map_err(|e| e.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if out.status.success() { Ok(text(&out.stdout)) } else { Err(text(&out.stderr)) }
    }

    fn template(&self, of: &Chart<'_>) -> Result<String, String> {
        let path = if of.name.starts_with('/') {
            of.name.to_owned()
        } else {
            root().join("charts").join(of.name).display().to_string()
        };
        let mut arguments =
            vec!["template", of.release, &path, "--namespace", "ops", "--kube-version", "1.36.0"];
        arguments.extend(of.arguments.iter().map(String::as_str));
        self.run(&arguments)
    }

    fn render(&self, of: &Chart<'_>) -> Result<Vec<Value>> {
        let text = self.template(of).map_err(|why| anyhow::anyhow!("Helm {}: {why}", self.major))?;
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text)?;
        Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
    }

    /// What it says of values that it refuses.
    fn refusal(&self, of: &Chart<'_>) -> Result<String> {
        match self.template(of) {
            Ok(_) => bail!("Helm {} rendered {:?}", self.major, of.arguments),
            Err(why) => Ok(why),
        }
    }
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> Result<&'a Value> {
    let found = objects.iter().find(|o| o["kind"] == kind && o["metadata"]["name"] == name);
    found.with_context(|| format!("no {kind} {name}"))
}

fn deployment<'a>(objects: &'a [Value], name: &str) -> Result<(&'a Value, &'a Value)> {
    let found = find(objects, "Deployment", name)?;
    Ok((found, &found["spec"]["template"]["spec"]["containers"][0]))
}

fn arguments(container: &Value) -> Vec<&str> {
    container["args"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Names by kind, the kinds that only Serin's chart has left out.
fn names(objects: &[Value]) -> BTreeSet<String> {
    let own = ["NetworkPolicy"];
    let all = objects.iter().filter(|o| !own.contains(&o["kind"].as_str().unwrap_or_default()));
    let named = all.map(|o| {
        format!(
            "{}/{}",
            o["kind"].as_str().unwrap_or_default(),
            o["metadata"]["name"].as_str().unwrap_or_default()
        )
    });
    named.filter(|name| !name.ends_with("-view") && !name.ends_with("-operate")).collect()
}

const USERS: [&str; 3] = [
    "e2e/tests/charts/user-mesh.yaml",
    "e2e/tests/charts/user-ingress.yaml",
    "e2e/tests/charts/user-namespace.yaml",
];

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
                format!("Service/{name}"),
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
        ensure!(why.contains("set it to 1"), "{why}");
    }
    Ok(())
}

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
fn ch2_ch8_ch11_notes_name_the_commands_that_matter() -> Result<()> {
    for helm in helms()? {
        let path = root().join("charts/flagger").display().to_string();
        let notes = |set: &str| {
            let dry = ["install", "flagger", &path, "--dry-run=client", "--set", set];
            helm.run(&dry).map_err(|why| anyhow::anyhow!("Helm {}: {why}", helm.major))
        };
        // Helm 3 of the parts takes itself for Kubernetes 1.20
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

/// Each default is a value that the schema knows, and none is null.
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

/// A copy of a chart, links followed, in a folder of its own.
fn copied(name: &str, into: &Path) -> Result<PathBuf> {
    let to = into.join(name);
    let done = Command::new("cp").arg("-rL").arg(root().join("charts").join(name)).arg(&to).status()?;
    ensure!(done.success(), "cp");
    Ok(to)
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
        // each alone would take a while: together, and those that others are read beside
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

#[test]
fn ch21_values_of_flagger_alone_render() -> Result<()> {
    let dir = std::env::temp_dir().join(format!("serin-reused-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    let paths = ["flagger", "loadtester"].map(|name| copied(name, &dir));
    for helm in helms()? {
        for path in &paths {
            let path = path.as_ref().map_err(|e| anyhow::anyhow!("{e:#}"))?;
            // as with --reuse-values: the chart's own values are not read
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

/// All files of a chart's templates.
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

/// Helm writes 0.0 as 0, which the API server reads as the same number.
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

/// Largest release, of the 1 MiB that a Secret may have.
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
                // what Helm stores: the release as JSON, compressed, in base64
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
        let groups = of(find(&objects, "ClusterRole", "serin")?);
        ensure!(
            groups.contains_key("networking.istio.io") && groups.contains_key("gateway.networking.k8s.io")
        );
        ensure!(!groups.contains_key("kuma.io") && groups.contains_key("apps"), "{groups:?}");
        let why = helm.refusal(&chart("serin", "serin").set(&["rbac.providers={isto}"]))?;
        ensure!(why.contains("isto is no router: choose from"), "{why}");

        let objects = helm.render(&chart("serin", "serin").set(&[
            "rbac.namespaced=true",
            "namespace=test",
            "rbac.secrets=false",
        ]))?;
        let everywhere = of(find(&objects, "ClusterRole", "serin")?);
        let all: Vec<_> = everywhere.keys().map(String::as_str).collect();
        ensure!(all == ["", "apiextensions.k8s.io", "kuma.io"], "{all:?}");
        let role = find(&objects, "Role", "serin")?;
        ensure!(role["metadata"]["namespace"] == "test" && !role.to_string().contains("secrets"));
        ensure!(of(role).contains_key("kuma.io") && !role.to_string().contains("trafficroutes"), "{role}");
        ensure!(arguments(deployment(&objects, "serin")?.1).contains(&"--enable-config-tracking=false"));

        // each router of the registry has its groups in the table
        let template = read("charts/serin/templates/rbac.yaml")?;
        for router in serin::router::all() {
            for kind in router.kinds().iter().filter(|kind| !kind.built_in() || kind.plural == "ingresses") {
                ensure!(template.contains(&format!("\"{}\"", kind.group)), "{} is missing", kind.group);
            }
        }
    }
    Ok(())
}

#[test]
fn s2_13_installs_of_users_render() -> Result<()> {
    for helm in helms()? {
        // the shape of the commands in guides, and of Terraform's helm_release
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
