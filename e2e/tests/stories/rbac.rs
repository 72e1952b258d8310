//! Rights: the operator needs exactly the rights of the shipped ClusterRole, and the shipped Deployment runs in a
//! namespace that enforces the restricted Pod Security Standard.

use std::{collections::BTreeSet, fmt::Debug, path::Path};

use anyhow::{Context, ensure};
use hyper::{Request, Response};
use jiff::Timestamp;
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Service};
use kube::{
    Api, Resource,
    api::{DeleteParams, Patch, PatchParams},
    client::Body,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use serin::{api::Phase, observe::optional};
use serin_bed::{
    Traffic, User,
    audit::{self, Audit},
    story::{PATIENCE, Story},
    wait,
};

use crate::{Family, Shared};

pub(crate) const STORIES: Family = &[
    crate::story!(the_cluster_role_is_exact),
    crate::story!(the_deployment_is_fit_for_restricted_namespaces),
];

/// Group, resource, name (empty: any), verb.
type Right = (String, String, String, String);

async fn the_cluster_role_is_exact(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "rbac").await?;
    let began = Timestamp::now();
    let lived = whole_life(shared, &story).await;

    let audit = Audit::of(&shared.bed, User::Operator)?;
    // other stories remove rights in their own namespaces
    let here = audit.only(|r| r.namespace == "rbac" || r.namespace.is_empty());
    let refused = here.only(|r| r.code == 403);
    ensure!(refused.count() == 0, "refused by the API server: {:?}", refused.requests());
    lived?;
    ensure!(
        here.between(began, Timestamp::MAX).count() > 40,
        "that is not the whole log: {:?}",
        here.by_kind()
    );

    let given = given()?;
    let used = |(group, resource, name, verb): &Right| {
        let fits = |r: &audit::Request| r.group == *group && r.resource == *resource && r.verb == *verb;
        audit.requests().iter().any(|r| fits(r) && (name.is_empty() || r.name == *name))
    };
    // this story uses only Istio. The stories in `sources` query metrics of other APIs
    let elsewhere = |(group, resource, ..): &&Right| {
        if ["external.metrics.k8s.io", "metrics.keptn.sh"].contains(&group.as_str()) {
            return true;
        }
        let mut others = optional().into_iter().filter(|kind| kind.group != "networking.istio.io");
        others.any(|kind| kind.group == group && kind.plural == resource)
    };
    // only copies that Flagger made lose their owner: the scenarios `config-taken-over-*` have some
    let of_flaggers = |(group, resource, _, verb): &&Right| {
        group.is_empty() && ["configmaps", "secrets"].contains(&resource.as_str()) && verb == "patch"
    };
    let known = |right: &&Right| elsewhere(right) || of_flaggers(right);
    let unused: Vec<_> = given.iter().filter(|right| !used(right) && !known(right)).collect();
    ensure!(unused.is_empty(), "rights that are never used: {unused:?}");
    let covered = |r: &audit::Request| {
        let all = [r.name.clone(), String::new()];
        all.into_iter()
            .any(|name| given.contains(&(r.group.clone(), r.resource.clone(), name, r.verb.clone())))
    };
    let uncovered = here.only(|r| !covered(r));
    ensure!(uncovered.count() == 0, "rights from elsewhere: {:?}", uncovered.requests());
    Ok(())
}

/// All the operator's work for a Canary: initialisation, a promoted and a rolled back run, repairs, deletion.
async fn whole_life(shared: &Shared, story: &Story<'_>) -> anyhow::Result<()> {
    // the record of the second run replaces the first one
    story.configured("app", |canary| canary["spec"]["analysis"]["history"] = json!(1)).await?;
    shared.bed.scripted().traffic("rbac", "app", Traffic::success(100.0, 50.0));
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;

    let host = |object: &kube::api::DynamicObject| object.data["spec"]["host"] != "drifted";
    let hosts = |object: &kube::api::DynamicObject| object.data["spec"]["hosts"] != json!(["drifted"]);
    let selector = |service: &Service| json!(service.spec)["selector"]["app"] == "app-primary";
    // the same repair twice: the second one increments the first one's Event
    for _ in 0..2 {
        drift(story.virtual_services(), "app", json!({"spec": {"hosts": ["drifted"]}}), hosts).await?;
    }
    drift(story.destination_rules(), "app-primary", json!({"spec": {"host": "drifted"}}), host).await?;
    drift(story.api(), "app", json!({"spec": {"selector": {"app": "drifted"}}}), selector).await?;
    let counted = async || {
        let events = story.events("app").await.ok()?;
        (events.iter().filter(|note| note.contains("VirtualService app was changed by")).count() > 1)
            .then_some(())
    };
    wait::until("an Event that counts two repairs", PATIENCE, counted).await?;

    shared.bed.scripted().reset("rbac", "app").await?;
    shared.bed.scripted().traffic("rbac", "app", Traffic::success(0.0, 50.0));
    story.set_image("app", "app:3").await?;
    story.phase("app", Phase::Failed).await?;
    story.delete_canary("app").await?;
    ensure!(story.replicas("app").await? == Some(2), "the target was not given back");
    removed(story).await?;
    scaled(story).await
}

/// A Canary that is deleted together with its target.
async fn removed(story: &Story<'_>) -> anyhow::Result<()> {
    story.initialised("gone", |_| {}).await?;
    let target: Api<Deployment> = story.api();
    target.delete("gone", &DeleteParams::default()).await?;
    story.delete_canary("gone").await?;
    wait::gone(story.virtual_services(), "gone", PATIENCE).await
}

/// Two Canaries with an autoscaler each: created, synchronised with the target's, deleted.
async fn scaled(story: &Story<'_>) -> anyhow::Result<()> {
    story.bed.apply_yaml(&story.namespace, include_str!("../../manifests/keda.yaml")).await?;
    let keda = json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "queue"},
        "spec": {"scaleTargetRef": {"name": "queue"}, "minReplicaCount": 1, "triggers": []},
    });
    let hpa = super::scalers::hpa("load", "load", (1, 4));
    for (app, scaler) in [("load", hpa), ("queue", keda)] {
        let reference = json!({"apiVersion": scaler["apiVersion"], "kind": scaler["kind"], "name": app});
        story.apply(vec![scaler]).await?;
        // with two pods the minimum is 2 until the primary exists, and then 1: a change with either kind
        story.initialised(app, |c| c["spec"]["autoscalerRef"] = reference).await?;
        story.event(app, "Initialization done!").await?;
        story.delete_canary(app).await?;
    }
    Ok(())
}

/// Changes an object without the operator, and waits until it is repaired.
async fn drift<K>(api: Api<K>, name: &str, patch: Value, mended: impl Fn(&K) -> bool) -> anyhow::Result<()>
where
    K: Resource + Clone + DeserializeOwned + Serialize + Debug + Send + 'static,
{
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.context("changing it by hand")?;
    wait::object(api, name, PATIENCE, mended).await.context("waiting for the repair")?;
    Ok(())
}

/// All individual rights of the shipped ClusterRole.
fn given() -> anyhow::Result<BTreeSet<Right>> {
    let role = shipped("ClusterRole")?;
    let mut rights = BTreeSet::new();
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    for rule in role["rules"].as_array().context("a ClusterRole without rules")? {
        let mut names = texts(&rule["resourceNames"]);
        if names.is_empty() {
            names.push(String::new());
        }
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for (name, verb) in
                    names.iter().flat_map(|n| texts(&rule["verbs"]).into_iter().map(move |v| (n, v)))
                {
                    rights.insert((group.clone(), resource.clone(), name.clone(), verb));
                }
            }
        }
    }
    ensure!(!rights.is_empty(), "a ClusterRole that allows nothing");
    Ok(rights)
}

/// The one object of this kind in `deploy/install.yaml`.
fn shipped(kind: &str) -> anyhow::Result<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/install.yaml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let all: Vec<Value> = serde_saphyr::from_multiple(&text).context("parsing the manifests")?;
    let mut of_kind = all.into_iter().filter(|object| object["kind"] == kind);
    let found = of_kind.next().with_context(|| format!("no {kind} in the manifests"))?;
    ensure!(of_kind.next().is_none(), "more than one {kind} in the manifests");
    Ok(found)
}

async fn the_deployment_is_fit_for_restricted_namespaces(shared: &Shared) -> anyhow::Result<()> {
    let namespace = "restricted";
    let label = |mode: &str| (format!("pod-security.kubernetes.io/{mode}"), json!("restricted"));
    let labels: serde_json::Map<_, _> = ["enforce", "warn"].map(label).into_iter().collect();
    let object =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}});
    shared.bed.apply(namespace, vec![object]).await?;

    let mut deployment = shipped("Deployment")?;
    deployment["metadata"]["namespace"] = json!(namespace);
    let template = deployment["spec"]["template"].clone();
    let pod = |template: &Value| {
        let metadata = json!({"name": "serin", "labels": template["metadata"]["labels"]});
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    };
    for (path, body) in [("apis/apps/v1", &deployment), ("api/v1", &pod(&template))] {
        let warnings =
            warnings(&dry_run(shared, path, namespace, body).await.context("the manifest as shipped")?);
        ensure!(warnings.is_empty(), "{} makes the API server warn: {warnings:?}", body["kind"]);
    }

    // the standard is really enforced here
    let mut lax = deployment;
    lax["spec"]["template"]["spec"]["securityContext"] = Value::Null;
    let warned = dry_run(shared, "apis/apps/v1", namespace, &lax).await?;
    ensure!(!warnings(&warned).is_empty(), "no warning though the pods may run as root");
    let refused = dry_run(shared, "api/v1", namespace, &pod(&lax["spec"]["template"])).await;
    ensure!(refused.is_err(), "a pod that may run as root is accepted");
    Ok(())
}

/// Creates it as a dry run.
async fn dry_run(
    shared: &Shared,
    path: &str,
    namespace: &str,
    body: &Value,
) -> anyhow::Result<Response<Body>> {
    let kind = body["kind"].as_str().context("an object without a kind")?.to_lowercase();
    let request = Request::post(format!("/{path}/namespaces/{namespace}/{kind}s?dryRun=All"))
        .header("content-type", "application/json")
        .body(Body::from(serde_json::to_vec(body)?))?;
    let response = shared.bed.admin().send(request).await?;
    let status = response.status();
    ensure!(status.is_success(), "creating a {kind}: the API server answers {status}");
    Ok(response)
}

fn warnings(response: &Response<Body>) -> Vec<String> {
    let all = response.headers().get_all("warning").iter();
    all.map(|warning| String::from_utf8_lossy(warning.as_bytes()).into_owned()).collect()
}
