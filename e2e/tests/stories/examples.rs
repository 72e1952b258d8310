//! Every object below `deploy/examples` is accepted by the API server, with no field that it does not know.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams, ValidationDirective},
    core::GroupVersionKind,
    discovery::{self, Scope},
};
use serde_json::Value;
use serin_e2e::story::Story;

use crate::{Family, Shared};

pub(crate) const STORIES: Family = &[crate::story!(are_accepted_as_they_are)];

async fn are_accepted_as_they_are(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "examples").await?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/examples");
    let mut seen = 0;
    for entry in fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let objects: Vec<Value> = serde_saphyr::from_multiple(&text)?;
        for object in objects {
            accepted(&story, &object).await.with_context(|| format!("{}: {object}", path.display()))?;
        }
        seen += 1;
    }
    ensure!(seen > 0, "no examples in {}", folder.display());
    Ok(())
}

/// Server-side apply as a dry run, unknown fields refused.
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
