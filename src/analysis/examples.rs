//! The MetricTemplates of `deploy/examples` match `docs/metrics.md`: each has a kind that is served and the fields that
//! the kind requires, and renders.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::{provider_kinds, template};
use crate::api::MetricTemplate;

const VARIABLES: [(&str, &str); 2] = [("reporter", "destination"), ("minutes", "5")];

#[test]
fn every_kind_of_server_has_an_example_that_can_be_asked() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples");
    let page = |name: &str| fs::read_to_string(folder.join("../../docs").join(name)).unwrap();
    let pages = page("metrics.md") + &page("metrics-cloud.md");
    let model = template::Model {
        name: "podinfo".into(),
        namespace: "shop".into(),
        target: "podinfo".into(),
        interval: "1m".into(),
        variables: VARIABLES.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        ..template::Model::default()
    };
    let mut kinds = BTreeSet::new();
    for file in fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("metric-template-") {
            continue;
        }
        assert!(pages.contains(&name), "docs/metrics.md and metrics-cloud.md do not name {name}");
        let all: Vec<Value> = serde_saphyr::from_multiple(&fs::read_to_string(&path).unwrap()).unwrap();
        let secrets: Vec<&Value> = all.iter().filter(|o| o["kind"] == "Secret").collect();
        for object in all.iter().filter(|o| o["kind"] == "MetricTemplate") {
            let spec = serde_json::from_value::<MetricTemplate>(object.clone()).unwrap().spec;
            if spec.provider.type_ == super::job::KIND {
                assert!(spec.job.is_some_and(|job| job.spec.to_string().contains("{{ service }}")), "{name}");
                continue;
            }
            let kind = provider_kinds::kind(&spec.provider.type_).unwrap();
            assert_eq!(provider_kinds::mistakes(&spec, kind), None, "{name}");
            let rendered = template::render(&spec.query, &model).unwrap();
            assert!(!rendered.contains("{{") && rendered.contains("podinfo"), "{name}: {rendered}");
            let secret = spec.provider.secret_ref.map(|s| s.name);
            assert!(secret.is_none_or(|s| secrets.iter().any(|o| o["metadata"]["name"] == s)), "{name}");
            kinds.insert(kind.name);
        }
    }
    let served: BTreeSet<&str> = provider_kinds::KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(kinds, served, "kinds without an example");
}
