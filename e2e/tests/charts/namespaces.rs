//! The watched namespaces, and the rights in them.

use std::{collections::BTreeSet, fs, process::Command};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{Helm, arguments, chart, deployment, find, helms, read, root};

/// Group, resource, name (empty: any), verb.
pub(crate) type Right = (String, String, String, String);

/// The individual rights of a role.
pub(crate) fn rights(role: &Value) -> BTreeSet<Right> {
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let mut found = BTreeSet::new();
    for rule in role["rules"].as_array().into_iter().flatten() {
        let mut names = texts(&rule["resourceNames"]);
        if names.is_empty() {
            names.push(String::new());
        }
        for group in texts(&rule["apiGroups"]) {
            for (resource, name) in
                texts(&rule["resources"]).iter().flat_map(|r| names.iter().map(move |name| (r, name)))
            {
                found.extend(
                    texts(&rule["verbs"])
                        .into_iter()
                        .map(|verb| (group.clone(), resource.clone(), name.clone(), verb)),
                );
            }
        }
    }
    found
}

/// The rights of an account by scope: a namespace, or an empty text for all.
fn granted(objects: &[Value], account: &str) -> Result<BTreeSet<(String, Right)>> {
    let mut found = BTreeSet::new();
    let bindings = objects.iter().filter(|o| o["kind"] == "RoleBinding" || o["kind"] == "ClusterRoleBinding");
    for binding in bindings.filter(|b| b["subjects"][0]["name"] == account) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let place = text(&binding["metadata"]["namespace"]);
        let (kind, name) = (&binding["roleRef"]["kind"], &binding["roleRef"]["name"]);
        let same = |o: &&Value| {
            let here =
                kind == "ClusterRole" || o["metadata"]["namespace"] == binding["metadata"]["namespace"];
            o["kind"] == *kind && o["metadata"]["name"] == *name && here
        };
        let role = objects.iter().find(same).with_context(|| format!("{kind} {name} is missing"))?;
        found.extend(rights(role).into_iter().map(|right| (place.clone(), right)));
    }
    Ok(found)
}

/// Resources that cannot be granted in a namespace, and that are optional.
const CLUSTER_SCOPED: [&str; 3] = ["customresourcedefinitions", "namespaces", "trafficroutes"];

/// Checks that these rights cover each right of the ClusterRole in each namespace, and in the cluster only reading the
/// definitions.
fn fits(granted: &BTreeSet<(String, Right)>, namespaces: &[&str], lease: &str) -> Result<()> {
    let base: Value = serde_saphyr::from_str(&read("deploy/kustomize/base/clusterrole.yaml")?)?;
    let all = rights(&base);
    let everywhere: BTreeSet<_> = granted.iter().filter(|(place, _)| place.is_empty()).collect();
    let definitions = |(_, resource, _, verb): &Right| {
        resource == "customresourcedefinitions" && ["list", "watch"].contains(&verb.as_str())
    };
    ensure!(everywhere.len() == 2, "{everywhere:?}");
    ensure!(everywhere.iter().all(|(_, right)| definitions(right)), "{everywhere:?}");
    for right in all.iter().filter(|right| !CLUSTER_SCOPED.contains(&right.1.as_str())) {
        let places: &[&str] = if right.1 == "leases" { &[lease] } else { namespaces };
        for place in places {
            ensure!(granted.contains(&((*place).to_owned(), right.clone())), "{right:?} in {place}");
        }
    }
    let known: BTreeSet<_> = namespaces.iter().chain([&lease]).collect();
    let beyond = granted.iter().find(|(place, _)| !place.is_empty() && !known.contains(&place.as_str()));
    ensure!(beyond.is_none(), "{beyond:?}");
    Ok(())
}

#[test]
fn a_namespaced_install_has_roles_in_its_namespaces_and_reads_definitions() -> Result<()> {
    let namespaced = "rbac.namespaced=true";
    for helm in helms()? {
        let two = chart("serin", "serin").set(&[namespaced, "namespaces={shop,billing}"]);
        let objects = helm.render(&two)?;
        fits(&granted(&objects, "serin")?, &["billing", "shop"], "ops")?;
        let container = deployment(&objects, "serin")?.1;
        let flags = arguments(container);
        ensure!(
            flags.contains(&"--namespace=billing,shop") && !flags.contains(&"--manage-crds"),
            "{flags:?}"
        );

        let one = chart("serin", "serin").set(&[namespaced, "namespace=shop"]);
        fits(&granted(&helm.render(&one)?, "serin")?, &["shop"], "shop")?;

        let elected = helm.render(&two.clone().set(&["leaderElection.enabled=true"]))?;
        let lease = rights(find(&elected, "Role", "serin-leader-election")?);
        let verbs: Vec<_> = lease.iter().map(|(.., name, verb)| (name.as_str(), verb.as_str())).collect();
        let named = "flagger-leader-election";
        ensure!(verbs == [("", "create"), (named, "list"), (named, "patch"), (named, "watch")], "{verbs:?}");

        let istio = helm.render(&two.clone().set(&["rbac.providers={istio}", "rbac.secrets=false"]))?;
        let rights = granted(&istio, "serin")?;
        let has = |resource: &str| rights.iter().any(|(_, right)| right.1 == resource);
        ensure!(has("virtualservices") && !has("httproutes") && !has("secrets") && !has("configmaps"));
        let why = helm.refusal(&two.clone().set(&["rbac.aggregated=true"]))?;
        ensure!(why.contains("rbac.aggregated makes ClusterRoles"), "{why}");
        let why = helm.refusal(&chart("serin", "serin").set(&[namespaced]))?;
        ensure!(why.contains("rbac.namespaced needs `namespaces`"), "{why}");
    }
    Ok(())
}

#[test]
fn namespaces_are_given_by_one_of_three_values() -> Result<()> {
    let flags = |helm: &Helm, values: &[&str]| -> Result<Vec<String>> {
        let objects = helm.render(&chart("serin", "serin").set(values))?;
        let all = arguments(deployment(&objects, "serin")?.1);
        Ok(all.into_iter().filter(|flag| flag.starts_with("--namespace")).map(str::to_owned).collect())
    };
    for helm in helms()? {
        ensure!(flags(&helm, &[])?.is_empty());
        ensure!(flags(&helm, &["namespace=shop"])? == ["--namespace=shop"]);
        ensure!(flags(&helm, &["namespace=shop", "namespaces={b,a}"])? == ["--namespace=a,b,shop"]);
        let selector = r"namespaceSelector=env in (test\,prod)";
        ensure!(flags(&helm, &[selector])? == ["--namespace-selector=env in (test,prod)"]);
        for (values, word) in [
            (&["namespace=shop", selector][..], "exclude each other"),
            (&["namespaces=shop"], "namespaces"),
            (&["image.allowFlagger=true", "namespaces={a,b}"], "Flagger watches one namespace or all"),
            (&["rbac.namespaced=true", selector], "rbac.namespaced needs `namespaces`"),
        ] {
            let why = helm.refusal(&chart("serin", "serin").set(values))?;
            ensure!(why.contains(word), "{values:?}: {why}");
        }
    }
    Ok(())
}

/// It deletes Canaries: those in namespaces that are not watched stay.
#[test]
fn the_release_of_canaries_reaches_as_far_as_the_operator() -> Result<()> {
    let release = "uninstall.releaseCanaries=true";
    for helm in helms()? {
        for (values, flags) in [
            (&["namespaces={shop,billing}", "rbac.namespaced=true"][..], Some("--namespace=billing,shop")),
            (&["namespace=shop"], Some("--namespace=shop")),
            (&["namespaceSelector=team=shop"], Some("--namespace-selector=team=shop")),
            (&[], None),
        ] {
            let objects = helm.render(&chart("serin", "serin").set(&[release]).set(values))?;
            let job = find(&objects, "Job", "serin-release-all")?;
            let args = &job["spec"]["template"]["spec"]["containers"][0]["args"];
            ensure!(args[0].as_str() == flags && args[1].is_null(), "{values:?}: {args}");
            let rights = granted(&objects, "serin-release-all")?;
            let places: BTreeSet<_> = rights.iter().map(|(place, _)| place.as_str()).collect();
            let wanted = if values.len() == 2 { vec!["billing", "shop"] } else { vec![""] };
            ensure!(places == wanted.into_iter().collect(), "{values:?}: {places:?}");
            let lists = rights.iter().any(|(_, right)| right.1 == "namespaces");
            ensure!(lists == (flags == Some("--namespace-selector=team=shop")), "{values:?}");
        }
    }
    Ok(())
}

/// What `kubectl kustomize` makes of an overlay: its file, and for each of its folders a namespace with the resources
/// in it. None without kubectl.
fn built(overlay: &str, folders: &[(&str, &str)]) -> Result<Option<Vec<Value>>> {
    let parts = Command::new(root().join("e2e/parts/build.sh")).arg("--dir").output()?;
    let kubectl = format!("{}/kubectl", String::from_utf8(parts.stdout)?.trim());
    if !fs::exists(&kubectl)? {
        println!("skipped: no kubectl, `make parts` builds it");
        return Ok(None);
    }
    let dir = std::env::temp_dir().join(format!("serin-overlay-{}-{}", std::process::id(), folders.len()));
    let own = dir.join("deploy/kustomize/overlays/own");
    fs::create_dir_all(dir.join("deploy"))?;
    for (from, to) in [("deploy/kustomize", "deploy"), ("crd", "")] {
        let done = Command::new("cp").arg("-r").arg(root().join(from)).arg(dir.join(to)).status()?;
        ensure!(done.success(), "cp");
    }
    for (namespace, resources) in folders {
        fs::create_dir_all(own.join(namespace))?;
        let text = format!("namespace: {namespace}\nresources: [{resources}]\n");
        fs::write(own.join(namespace).join("kustomization.yaml"), text)?;
    }
    fs::write(own.join("kustomization.yaml"), overlay)?;
    let built = Command::new(kubectl).arg("kustomize").arg(&own).output()?;
    ensure!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    fs::remove_dir_all(&dir)?;
    Ok(Some(serde_saphyr::from_multiple(&String::from_utf8(built.stdout)?)?))
}

const OVERLAY: &str = r#"
resources: [../../base, shop, billing]
components: [../../components/namespaced]
patches:
  - target: {kind: Deployment, name: serin}
    patch: |-
      - {op: add, path: /spec/template/spec/containers/0/args/-, value: "--namespace=shop,billing"}
"#;

#[test]
fn the_namespaced_component_of_kustomize_grants_the_same() -> Result<()> {
    let rights = "../../../components/namespaced/rights";
    let Some(objects) = built(OVERLAY, &[("shop", rights), ("billing", rights)])? else { return Ok(()) };
    let granted = granted(&objects, "serin")?;
    // a ClusterRole that is bound in a namespace grants no cluster-scoped resources, and no Lease elsewhere
    let counts = |(place, right): &(String, Right)| {
        let dead = CLUSTER_SCOPED.contains(&right.1.as_str()) || right.1 == "leases";
        place.is_empty() || place == "serin-system" || !dead
    };
    let granted = granted.into_iter().filter(counts).collect();
    fits(&granted, &["billing", "shop"], "serin-system")?;
    ensure!(arguments(deployment(&objects, "serin")?.1).contains(&"--namespace=shop,billing"));
    Ok(())
}

const ELECTED: &str = r#"
resources: [../../base, shop]
components: [../../components/namespaced, ../../components/leader-election]
patches:
  - target: {kind: Deployment, name: serin}
    patch: |-
      - {op: add, path: /spec/template/spec/containers/0/args/-, value: "--namespace=shop"}
"#;

/// The Lease is in the only watched namespace.
#[test]
fn two_replicas_by_kustomize_may_write_the_lease_of_a_single_namespace() -> Result<()> {
    let rights = "../../../components/namespaced/rights, ../../../components/leader-election/rights";
    let Some(objects) = built(ELECTED, &[("shop", rights)])? else { return Ok(()) };
    let lease = granted(&objects, "serin")?
        .into_iter()
        .filter(|(place, right)| place == "shop" && right.1 == "leases");
    let verbs: Vec<_> = lease.map(|(_, (.., name, verb))| (name, verb)).collect();
    let named = |verb: &str| ("flagger-leader-election".to_owned(), verb.to_owned());
    let wanted = [(String::new(), "create".to_owned()), named("list"), named("patch"), named("watch")];
    ensure!(verbs == wanted, "{verbs:?}");
    let flags = arguments(deployment(&objects, "serin")?.1);
    ensure!(flags.contains(&"--enable-leader-election") && flags.contains(&"--namespace=shop"), "{flags:?}");
    Ok(())
}
