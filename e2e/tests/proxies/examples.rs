//! The API server accepts every object in `deploy/examples` without unknown fields: this bed has the definitions of all
//! their kinds. For examples behind a proxy of this bed, the tests also run a release, with metrics from proxies and
//! pods.

use std::path::Path;

use anyhow::{Context, ensure};
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams, ValidationDirective},
    core::GroupVersionKind,
    discovery::{self, Scope},
};
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{
    examples::{self, CONTAINER, FIRST, NAME, hurried, objects, primary},
    load::Target,
    proxies::Door,
    story::Story,
};

use crate::{Family, Shared, clients::Clients, story};

pub(crate) const STORIES: Family = &[
    story!(are_accepted_as_they_are),
    story!(of_contour_is_released_to),
    story!(of_traefik_is_released_to),
    story!(of_a_gateway_is_released_to_by_contour),
    story!(of_a_gateway_is_released_to_by_istiod),
];

async fn are_accepted_as_they_are(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "examples").await?;
    story.bed.apply_yaml(&story.namespace, include_str!("../../manifests/knative.yaml")).await?;
    let files = examples::files()?;
    ensure!(!files.is_empty(), "no examples");
    for path in files {
        of_file(&story, &path).await.with_context(|| path.display().to_string())?;
    }
    Ok(())
}

async fn of_file(story: &Story<'_>, path: &Path) -> anyhow::Result<()> {
    let objects: Vec<Value> = serde_saphyr::from_multiple(&examples::read(path)?)?;
    for object in objects {
        accepted(story, &object).await.with_context(|| object.to_string())?;
    }
    Ok(())
}

/// Server-side apply as a dry run. Unknown fields are errors.
async fn accepted(story: &Story<'_>, object: &Value) -> anyhow::Result<()> {
    let field = |value: &Value| value.as_str().map(str::to_owned).context("a string is missing");
    let api_version = field(&object["apiVersion"])?;
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let kind = GroupVersionKind::gvk(group, version, &field(&object["kind"])?);
    let (resource, capabilities) = discovery::oneshot::pinned_kind(&story.client, &kind).await?;
    let api: Api<DynamicObject> = match capabilities.scope {
        Scope::Namespaced => Api::namespaced_with(story.client.clone(), &story.namespace, &resource),
        Scope::Cluster => Api::all_with(story.client.clone(), &resource),
    };
    let params = PatchParams {
        dry_run: true,
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply("examples")
    };
    api.patch(&field(&object["metadata"]["name"])?, &params, &Patch::Apply(object)).await?;
    Ok(())
}

/// Objects that an example requires from the user: an existing Gateway, and pods with counted requests.
fn on_this_bed(objects: &mut [Value], door: Door) {
    for object in objects {
        if object["kind"] == "Deployment" {
            object["spec"]["template"]["metadata"]["annotations"] =
                json!({"prometheus.io/scrape": "true", "prometheus.io/port": "9898"});
        }
        if !object["spec"]["service"]["gatewayRefs"].is_null() {
            object["spec"]["service"]["gatewayRefs"] = json!([door.gateway()]);
        }
    }
}

/// From the unchanged objects, with shorter windows, to the end of a good release and of the Canary. No request is
/// lost.
async fn released_to(shared: &Shared, name: &str, door: Door) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, &format!("example-{name}-{door:?}").to_lowercase()).await?;
    let host = story.host(NAME);
    let mut objects = objects(name, &host)?;
    on_this_bed(&mut objects, door);
    let canary = objects.iter().find(|object| object["kind"] == "Canary").context("no Canary")?;
    let mut fast = hurried(canary, "2s", "6s");
    // Prometheus has no data for the first windows
    fast["threshold"] = json!(10);
    story.apply(objects).await?;
    story.edit_canary(NAME, json!({"spec": {"analysis": fast}})).await?;
    story.phase(NAME, Phase::Initialized).await?;
    let users = Clients::begin_at(&Target::at(door.address(), &host), FIRST).await?;

    let [container, image] = CONTAINER;
    let image = format!("{image}:6.0.1");
    story.set_image_of(NAME, container, &image).await?;
    story.phase(NAME, Phase::Succeeded).await?;
    users.all("6.0.1").await?;
    let runs = &primary(&story).await?["containers"][0]["image"];
    ensure!(*runs == image, "the primary runs {runs}");
    users.whole("the release")?;
    story.delete_canary(NAME).await?;
    users.all("6.0.1").await?;
    users.whole("deletion")
}

async fn of_contour_is_released_to(shared: &Shared) -> anyhow::Result<()> {
    released_to(shared, "canary-contour", Door::Contour).await
}

async fn of_traefik_is_released_to(shared: &Shared) -> anyhow::Result<()> {
    released_to(shared, "canary-traefik", Door::Traefik).await
}

async fn of_a_gateway_is_released_to_by_contour(shared: &Shared) -> anyhow::Result<()> {
    released_to(shared, "canary-gatewayapi", Door::Contour).await
}

async fn of_a_gateway_is_released_to_by_istiod(shared: &Shared) -> anyhow::Result<()> {
    released_to(shared, "canary-gatewayapi", Door::Mesh).await
}
