//! `version`: of this program, and of the definitions in the cluster.
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

/// The version that the definition of Canaries bears.
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
