//! Reads an image archive like a container runtime: starting at its index, and verifying every digest.

use std::{collections::BTreeMap, fs, io::Read as _, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::archive::sha256;

/// How to run the image.
pub struct Unpacked {
    /// User and group.
    pub user: String,
    /// The working directory.
    pub folder: String,
    /// Program and arguments.
    pub command: Vec<String>,
}

struct Layout(BTreeMap<String, Vec<u8>>);

impl Layout {
    fn read(archive: &[u8]) -> Result<Self> {
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(archive).entries()? {
            let mut entry = entry?;
            if entry.header().entry_type().is_dir() {
                continue;
            }
            let path = entry.path()?.display().to_string();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            if let Some(digest) = path.strip_prefix("blobs/sha256/") {
                ensure!(sha256(&bytes) == digest, "{path} is not what its name says");
            }
            files.insert(path, bytes);
        }
        Ok(Self(files))
    }

    fn json(&self, path: &str) -> Result<Value> {
        let bytes = self.0.get(path).with_context(|| format!("the archive has no {path}"))?;
        serde_json::from_slice(bytes).with_context(|| format!("parsing {path}"))
    }

    /// The path of the blob for a descriptor.
    fn described(&self, descriptor: &Value) -> Result<String> {
        let digest = descriptor["digest"].as_str().context("a descriptor without a digest")?;
        let path = format!("blobs/{}", digest.replace(':', "/"));
        let blob = self.0.get(&path).with_context(|| format!("the archive has no {path}"))?;
        ensure!(
            descriptor["size"] == blob.len(),
            "{path} has {} bytes, not {}",
            blob.len(),
            descriptor["size"]
        );
        Ok(path)
    }
}

fn texts(value: &Value) -> impl Iterator<Item = String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned)
}

/// Unpacks the only image of an archive into `folder`, which is created.
pub fn unpack(archive: &[u8], folder: &Path) -> Result<Unpacked> {
    let layout = Layout::read(archive)?;
    ensure!(layout.json("oci-layout")?["imageLayoutVersion"] == "1.0.0", "oci-layout is of another version");
    let index = layout.json("index.json")?;
    let [entry] = index["manifests"].as_array().map_or(&[][..], Vec::as_slice) else {
        bail!("index.json does not name exactly one image")
    };
    let manifest = layout.json(&layout.described(entry)?)?;
    let config = layout.json(&layout.described(&manifest["config"])?)?;
    let layers = manifest["layers"].as_array().context("a manifest without layers")?;
    let contents: Vec<String> = texts(&config["rootfs"]["diff_ids"]).collect();
    ensure!(layers.len() == contents.len(), "{} layers, but {} diff_ids", layers.len(), contents.len());
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    for (layer, digest) in layers.iter().zip(contents) {
        let path = layout.described(layer)?;
        let mut bytes = Vec::new();
        GzDecoder::new(layout.0[&path].as_slice()).read_to_end(&mut bytes)?;
        ensure!(digest == format!("sha256:{}", sha256(&bytes)), "{path} does not hold what its diff_id says");
        tar::Archive::new(bytes.as_slice()).unpack(folder).with_context(|| format!("unpacking {path}"))?;
    }
    let config = &config["config"];
    Ok(Unpacked {
        user: config["User"].as_str().context("the image names no user")?.to_owned(),
        folder: config["WorkingDir"].as_str().unwrap_or("/").to_owned(),
        command: texts(&config["Entrypoint"]).chain(texts(&config["Cmd"])).collect(),
    })
}
