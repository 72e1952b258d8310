//! The bill of materials, in CycloneDX: every crate in the binaries, and the parts from the build machine.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// A part that is not a crate.
pub struct Other<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version on this machine.
    pub version: &'a str,
    /// Its licence, as an SPDX identifier.
    pub licence: &'a str,
}

/// The sources of the bill.
pub struct Sources<'a> {
    /// The version of this release.
    pub version: &'a str,
    /// Its time, in RFC 3339.
    pub time: &'a str,
    /// The output of `cargo tree --prefix depth --format '|{p}|{l}'`.
    pub tree: &'a str,
    /// `Cargo.lock`.
    pub lock: &'a str,
    /// Other parts that are linked in or copied.
    pub others: &'a [Other<'a>],
}

/// Name and version.
type Crate = (String, String);

/// The crates of the tree with their licences, and the dependencies of each.
#[derive(Default)]
struct Crates {
    licences: BTreeMap<Crate, String>,
    uses: BTreeMap<Crate, BTreeSet<Crate>>,
}

impl Crates {
    fn read(tree: &str) -> Result<Self> {
        let mut all = Self::default();
        // the path from the root to the current line
        let mut path: Vec<Crate> = Vec::new();
        for line in tree.lines().filter(|line| !line.is_empty()) {
            let mut fields = line.trim_end_matches(" (*)").split('|');
            let mut next = || fields.next().with_context(|| format!("cargo tree printed {line:?}"));
            let depth: usize = next()?.parse().with_context(|| format!("no depth in {line:?}"))?;
            let package = next()?;
            let licence = next()?;
            let (name, rest) = package.split_once(" v").with_context(|| format!("no version in {line:?}"))?;
            let one: Crate = (name.to_owned(), rest.split(' ').next().unwrap_or(rest).to_owned());
            path.truncate(depth);
            if let Some(user) = path.last() {
                all.uses.entry(user.clone()).or_default().insert(one.clone());
            }
            // older crates use `/` instead of OR
            all.licences.insert(one.clone(), licence.replace('/', " OR "));
            path.push(one);
        }
        Ok(all)
    }
}

/// The checksums of `Cargo.lock`.
fn checksums(lock: &str) -> BTreeMap<Crate, String> {
    let field = |block: &str, key: &str| {
        let start = format!("{key} = \"");
        block.lines().find_map(|line| Some(line.strip_prefix(&start)?.strip_suffix('"')?.to_owned()))
    };
    let blocks = lock.split("[[package]]\n").skip(1);
    blocks.filter_map(|b| Some(((field(b, "name")?, field(b, "version")?), field(b, "checksum")?))).collect()
}

fn reference((name, version): &Crate) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

/// The bill of materials of the binaries and the image.
pub fn bill(sources: &Sources) -> Result<Value> {
    let crates = Crates::read(sources.tree)?;
    let sums = checksums(sources.lock);
    let component = |one: &Crate| {
        let mut part = json!({
            "type": "library",
            "bom-ref": reference(one),
            "name": one.0,
            "version": one.1,
            "purl": reference(one),
            "licenses": [{ "expression": crates.licences[one] }],
        });
        // our own crates have none
        if let Some(sum) = sums.get(one) {
            part["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
        }
        part
    };
    let others = sources.others.iter().map(|other| {
        json!({
            "type": "library",
            "bom-ref": format!("pkg:generic/{}@{}", other.name, other.version),
            "name": other.name,
            "version": other.version,
            "licenses": [{ "expression": other.licence }],
        })
    });
    let uses = crates.uses.iter().map(|(one, all)| {
        json!({ "ref": reference(one), "dependsOn": all.iter().map(reference).collect::<Vec<_>>() })
    });
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": sources.time,
            "component": {
                "type": "application",
                "bom-ref": "serin",
                "name": "serin",
                "version": sources.version,
                "licenses": [{ "license": { "id": "Apache-2.0" } }],
            },
        },
        "components": crates.licences.keys().map(component).chain(others).collect::<Vec<_>>(),
        "dependencies": uses.collect::<Vec<_>>(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0|serin v0.2.0 (/somewhere)|Apache-2.0\n1|a v1.0.0|MIT/Apache-2.0\n2|b v2.0.0+x|MIT\n\
        1|b v2.0.0+x|MIT (*)\n\n0|serin-plugin v0.2.0 (/somewhere/plugin)|Apache-2.0\n1|serin v0.2.0 (/somewhere)|Apache-2.0 (*)\n";
    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"aa\"\n\n\
        [[package]]\nname = \"serin\"\nversion = \"0.2.0\"\n";

    fn made() -> Value {
        let others = [Other { name: "glibc", version: "2.36", licence: "LGPL-2.1-or-later" }];
        let time = "2026-11-29T00:00:00Z";
        bill(&Sources { version: "0.2.0", time, tree: TREE, lock: LOCK, others: &others }).unwrap()
    }

    #[test]
    fn every_part_is_listed_once_and_no_folder_of_the_machine() {
        let bill = made();
        let names: Vec<_> =
            bill["components"].as_array().unwrap().iter().map(|c| c["bom-ref"].as_str().unwrap()).collect();
        let ours = ["pkg:cargo/serin@0.2.0", "pkg:cargo/serin-plugin@0.2.0", "pkg:generic/glibc@2.36"];
        assert_eq!(names[..2], ["pkg:cargo/a@1.0.0", "pkg:cargo/b@2.0.0%2Bx"]);
        assert_eq!(names[2..], ours);
        assert!(!bill.to_string().contains("somewhere"));
    }

    #[test]
    fn licences_are_expressions_and_sums_are_those_of_the_lock_file() {
        let first = &made()["components"][0];
        assert_eq!(first["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(first["hashes"][0]["content"], "aa");
    }

    #[test]
    fn what_a_crate_uses_is_what_stands_below_it() {
        let bill = made();
        let of = |name: &str| {
            let all = bill["dependencies"].as_array().unwrap();
            all.iter().find(|one| one["ref"] == name).unwrap()["dependsOn"].clone()
        };
        assert_eq!(of("pkg:cargo/a@1.0.0"), json!(["pkg:cargo/b@2.0.0%2Bx"]));
        assert_eq!(of("pkg:cargo/serin@0.2.0"), json!(["pkg:cargo/a@1.0.0", "pkg:cargo/b@2.0.0%2Bx"]));
        assert_eq!(of("pkg:cargo/serin-plugin@0.2.0"), json!(["pkg:cargo/serin@0.2.0"]));
    }
}
