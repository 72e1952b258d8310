//! Canaries and MetricTemplates as Flagger's documentation has them (`e2e/flagger`), before a real API server: each is accepted
//! with no field that its definition does not know. What becomes of them is played on the model.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};
use kube::{
    Api, ResourceExt as _,
    api::{ApiResource, DynamicObject, Patch, PatchParams, ValidationDirective},
    core::GroupVersionKind,
};
use serde_json::Value;
use serin_bed::story::Story;

use crate::{Family, Shared};

pub(crate) const STORIES: Family = &[crate::story!(canaries_of_flaggers_documentation_are_accepted)];

async fn canaries_of_flaggers_documentation_are_accepted(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "documented").await?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("flagger");
    let (mut tried, mut refused) = (0, Vec::new());
    for entry in fs::read_dir(&folder).context("listing e2e/flagger")? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let objects: Vec<Value> = serde_saphyr::from_multiple(&fs::read_to_string(&path)?)?;
        for mut object in objects.into_iter().filter(|o| o["apiVersion"] == "flagger.app/v1beta1") {
            object["metadata"]["namespace"] = Value::from(story.namespace.as_str());
            tried += 1;
            if let Err(why) = dry(&story, &object).await {
                refused.push(format!("{}: {why:#}", path.display()));
            }
        }
    }
    ensure!(tried > 20, "only {tried} objects in {}", folder.display());
    ensure!(refused.is_empty(), "{}", refused.join("\n"));
    Ok(())
}

/// The API server's verdict, without writing anything.
async fn dry(story: &Story<'_>, object: &Value) -> anyhow::Result<()> {
    let given: DynamicObject = serde_json::from_value(object.clone())?;
    let kind = object["kind"].as_str().context("an object without a kind")?;
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("flagger.app", "v1beta1", kind));
    let api: Api<DynamicObject> = Api::namespaced_with(story.client.clone(), &story.namespace, &resource);
    let params = PatchParams {
        dry_run: true,
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply("documented")
    };
    api.patch(&given.name_any(), &params, &Patch::Apply(object)).await?;
    Ok(())
}
