//! The operator's container image as an archive in the OCI image layout, built without a container engine.
//!
//! The image is the same as from `deploy/Dockerfile`, but with its own base: the static binary, links with the names
//! that the command and the probes of a Flagger Deployment use, certificate authorities, an unprivileged user, and the
//! configuration of name resolution.

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Value, json};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use crate::archive::{PLAIN, PROGRAM, Tree, gzip, sha256};

/// User and group of the process, as in the Deployment.
pub const USER: &str = "65532:65532";
/// The path of the certificate authorities.
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

/// The inputs of an image.
pub struct Image<'a> {
    /// The static binary.
    pub binary: &'a [u8],
    /// The version, which is also the tag.
    pub version: &'a str,
    /// The architecture in Go's notation: `amd64`.
    pub architecture: &'a str,
    /// The commit, if it is known.
    pub revision: Option<&'a str>,
    /// Seconds since 1970: the time of the commit.
    pub time: u64,
}

struct Blob {
    media_type: &'static str,
    digest: String,
    bytes: Vec<u8>,
}

impl Blob {
    fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { media_type, digest: sha256(&bytes), bytes }
    }

    fn json(media_type: &'static str, value: &Value) -> Self {
        Self::new(media_type, value.to_string().into_bytes())
    }

    fn described(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": format!("sha256:{}", self.digest), "size": self.bytes.len() })
    }

    fn path(&self) -> String {
        format!("blobs/sha256/{}", self.digest)
    }
}

impl Image<'_> {
    /// The archive, readable by `skopeo`, `crane`, `podman load`, `docker load` and `ctr images import`.
    pub fn archive(&self) -> Result<Vec<u8>> {
        let files = self.files().tar(self.time)?;
        let layer = Blob::new("application/vnd.oci.image.layer.v1.tar+gzip", gzip(&files)?);
        let config = Blob::json("application/vnd.oci.image.config.v1+json", &self.config(&sha256(&files)));
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config.described(),
            "layers": [layer.described()],
            "annotations": self.labels(),
        });
        let manifest = Blob::json("application/vnd.oci.image.manifest.v1+json", &manifest);
        let mut entry = manifest.described();
        entry["platform"] = json!({ "architecture": self.architecture, "os": "linux" });
        entry["annotations"] = json!({
            "org.opencontainers.image.ref.name": self.version,
            "io.containerd.image.name": format!("docker.io/library/serin:{}", self.version),
        });
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [entry],
        });
        // for `docker load` before Docker 25, which does not support an index
        let docker = json!([{
            "Config": config.path(),
            "RepoTags": [format!("serin:{}", self.version)],
            "Layers": [layer.path()],
        }]);
        let mut tree = Tree::default()
            .file("oci-layout", PLAIN, json!({ "imageLayoutVersion": "1.0.0" }).to_string())
            .file("index.json", PLAIN, index.to_string())
            .file("manifest.json", PLAIN, docker.to_string());
        for blob in [layer, config, manifest] {
            tree = tree.file(&blob.path(), PLAIN, blob.bytes);
        }
        tree.tar(self.time)
    }

    fn files(&self) -> Tree {
        let passwd = "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n";
        Tree::default()
            .file("serin", PROGRAM, self.binary)
            .link("flagger", "serin")
            .link("usr/bin/wget", "../../serin")
            .file(AUTHORITIES, PLAIN, authorities())
            .file("etc/passwd", PLAIN, passwd)
            .file("etc/group", PLAIN, "root:x:0:\nnonroot:x:65532:\n")
            // without it glibc reads /etc/hosts, which contains the `hostAliases`, only if no name server answers
            .file("etc/nsswitch.conf", PLAIN, "hosts: files dns\n")
    }

    fn config(&self, layer: &str) -> Value {
        json!({
            "created": self.created(),
            "architecture": self.architecture,
            "os": "linux",
            "config": {
                "User": USER,
                "ExposedPorts": { "8080/tcp": {} },
                "Env": ["PATH=/usr/bin:/", format!("SSL_CERT_FILE=/{AUTHORITIES}")],
                "Entrypoint": ["/serin"],
                "Cmd": ["run"],
                "WorkingDir": "/",
                "Labels": self.labels(),
            },
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{layer}")] },
            "history": [{ "created": self.created(), "created_by": "make dist" }],
        })
    }

    fn labels(&self) -> Value {
        let mut labels = json!({
            "org.opencontainers.image.title": "serin",
            "org.opencontainers.image.description": "A canary operator for Kubernetes, drop-in for Flagger",
            "org.opencontainers.image.licenses": "Apache-2.0",
            "org.opencontainers.image.version": self.version,
            "org.opencontainers.image.created": self.created(),
        });
        if let Some(revision) = self.revision {
            labels["org.opencontainers.image.revision"] = revision.into();
        }
        labels
    }

    fn created(&self) -> String {
        i64::try_from(self.time)
            .ok()
            .and_then(|s| Timestamp::from_second(s).ok())
            .unwrap_or_default()
            .to_string()
    }
}

/// Mozilla's certificate authorities, in PEM format.
fn authorities() -> String {
    let mut text = String::new();
    for certificate in TLS_SERVER_ROOT_CERTS {
        text += "-----BEGIN CERTIFICATE-----\n";
        let encoded = STANDARD.encode(certificate);
        for line in encoded.as_bytes().chunks(64) {
            text += &String::from_utf8_lossy(line);
            text += "\n";
        }
        text += "-----END CERTIFICATE-----\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::unpack::unpack;

    const IMAGE: Image<'static> = Image {
        binary: b"binary",
        version: "0.2.0",
        architecture: "amd64",
        revision: Some("abc"),
        time: 1_700_000_000,
    };

    /// The archive with one entry changed.
    fn replaced(archive: &[u8], from: &str, to: &str) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let at = archive.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
        let mut changed = archive.to_vec();
        changed[at..at + from.len()].copy_from_slice(to.as_bytes());
        changed
    }

    #[test]
    fn the_archive_unpacks_to_what_a_flagger_deployment_calls() {
        let folder = std::env::temp_dir().join(format!("serin-dist-image-{}", std::process::id()));
        let unpacked = unpack(&IMAGE.archive().unwrap(), &folder).unwrap();
        let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
        let contents = ["serin", "flagger", "usr/bin/wget"].map(read);
        let authorities = read(AUTHORITIES);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(contents, ["binary"; 3]);
        assert!(authorities.matches("BEGIN CERTIFICATE").count() > 100);
        assert_eq!((unpacked.user.as_str(), unpacked.folder.as_str()), (USER, "/"));
        assert_eq!(unpacked.command, ["/serin", "run"]);
    }

    #[test]
    fn a_blob_that_was_changed_is_noticed() {
        let archive = IMAGE.archive().unwrap();
        let folder = std::env::temp_dir().join(format!("serin-dist-changed-{}", std::process::id()));
        let error =
            unpack(&replaced(&archive, "\"User\":\"65532:", "\"User\":\"00000:"), &folder).err().unwrap();
        assert!(error.to_string().contains("is not what its name says"), "{error:#}");
        assert!(!folder.exists());
    }

    #[test]
    fn the_time_of_the_commit_is_the_time_of_the_image() {
        let archive = IMAGE.archive().unwrap();
        assert_eq!(archive, IMAGE.archive().unwrap());
        let text = String::from_utf8_lossy(&archive);
        assert!(text.contains("\"created\":\"2023-11-14T22:13:20Z\""));
        assert_ne!(archive, Image { time: 1_700_000_001, ..IMAGE }.archive().unwrap());
    }
}
