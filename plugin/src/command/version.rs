//! `version`: the version of this program, and of the definitions in the cluster.
#![allow(clippy::disallowed_types, reason = "one object of the cluster is read")]

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use serde_json::json;
use serin::{names, snapshot::CANARY};

use super::{args::VersionArgs, out::Out, values::Output};
use crate::{
    cluster::{Cluster, Login},
    failure::{Asked, Failure},
};

const OWN: &str = env!("CARGO_PKG_VERSION");

pub(super) async fn run(out: Out, login: &Login, args: &VersionArgs) -> Result<(), Failure> {
    let definitions = if args.client { None } else { Some(definitions(login).await) };
    if let Some(form @ (Output::Json | Output::Yaml)) = args.output {
        let of = definitions.as_ref().and_then(|read| read.as_ref().ok());
        return out.data(&json!({"client": OWN, "definitions": of}), form);
    }
    out.text(&format!("client       {OWN}\n"))?;
    match definitions {
        None => Ok(()),
        Some(Ok(version)) => {
            out.text(&format!("definitions  {version}\n"))?;
            if minor(&version) != minor(OWN) {
                out.say(
                    "client and definitions are of different versions: what one of them lacks does not work",
                );
            }
            Ok(())
        }
        Some(Err(failure)) => {
            out.say(&format!("definitions: {}", failure.text().trim_start_matches("error: ")));
            Ok(())
        }
    }
}

fn minor(version: &str) -> Vec<&str> {
    version.split('.').take(2).collect()
}

/// The version of the Canary definition.
async fn definitions(login: &Login) -> Result<String, Failure> {
    let cluster = Cluster::connect(login).await?;
    let api: Api<CustomResourceDefinition> = Api::all(cluster.client);
    let name = CANARY.crd();
    let resource = "customresourcedefinitions.apiextensions.k8s.io";
    let asked = Asked { verb: "get", resource, namespace: None, name: Some(&name) };
    let read = api.get(&name).await.map_err(|error| asked.failure(&error))?;
    let marks = read.metadata.annotations.unwrap_or_default();
    marks.get(names::ANNOTATION_VERSION).cloned().ok_or_else(|| {
        Failure::failed(format!(
            "{name} bears no version of Serin: it is Flagger's, or of a version before 0.1"
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// A manifest with a filled-in version, as in a release.
    fn manifest(name: &str) -> Value {
        let path = format!("{}/../deploy/krew/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let mut text = std::fs::read_to_string(path).unwrap();
        let sum = "0".repeat(64);
        for (variable, value) in [
            ("VERSION", "v0.1.0"),
            ("BASE_URL", "https://example.com/v0.1.0"),
            ("HOMEPAGE", "https://example.com"),
            ("SHA256_LINUX_AMD64", &sum),
            ("SHA256_LINUX_ARM64", &sum),
        ] {
            text = text.replace(&format!("${{{variable}}}"), value);
        }
        serde_saphyr::from_str(&text).unwrap()
    }

    #[test]
    fn krews_manifests_are_whole_and_alike() {
        let both = ["canary", "serin"].map(manifest);
        for (of, name) in both.iter().zip(["canary", "serin"]) {
            assert_eq!((&of["metadata"]["name"], &of["kind"]), (&name.into(), &"Plugin".into()));
            assert!(!of.to_string().contains("${"), "a variable that nothing fills in: {of}");
            let short = of["spec"]["shortDescription"].as_str().unwrap();
            assert!(short.len() <= 50 && !short.contains("kubectl"), "{short}");
            for platform in of["spec"]["platforms"].as_array().unwrap() {
                let labels = &platform["selector"]["matchLabels"];
                let end = format!(
                    "_{}_{}.tar.gz",
                    labels["os"].as_str().unwrap(),
                    labels["arch"].as_str().unwrap()
                );
                assert!(platform["uri"].as_str().unwrap().ends_with(&end), "{platform}");
                assert_eq!(platform["bin"], "kubectl-canary");
                let files = platform["files"].as_array().unwrap();
                assert!(files.iter().any(|file| file["from"] == "LICENSE"), "{platform}");
            }
        }
        assert_eq!(both[0]["spec"]["version"], both[1]["spec"]["version"]);
        assert_eq!(both[0]["spec"]["platforms"], both[1]["spec"]["platforms"]);
    }
}
