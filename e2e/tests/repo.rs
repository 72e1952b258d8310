//! Checks the repository's own rules: layers, file sizes, and generated or mirrored files that must match their source.
//! Needs no cluster and no network.
#![allow(missing_docs, reason = "a test target has no callers")]

mod circles;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use serin::{
    cli::flags::{FLAGS, Flag, Use},
    telemetry::{CATALOG, Described},
};

/// Maximum length of a source file in lines, without tests.
const LONGEST: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("reading {path}"))
}

/// All Rust files below a folder, with relative paths.
fn sources(folder: &Path) -> Result<Vec<(String, String)>> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).with_context(|| format!("listing {}", dir.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push((path.strip_prefix(folder)?.display().to_string(), fs::read_to_string(&path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file contains only tests.
fn is_test(path: &str) -> bool {
    path.ends_with("tests.rs") || path.contains("tests/")
}

/// The part of a file above its tests.
fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\n").next().unwrap_or(text)
}

/// Module → position in the list of `src/lib.rs`.
fn layers(lib: &str) -> BTreeMap<String, usize> {
    let listed = lib
        .lines()
        .filter_map(|l| l.strip_prefix("//! "))
        .filter(|l| l.starts_with(|c: char| c.is_ascii_digit()));
    let names = listed.flat_map(|line| line.split("[`").skip(1).filter_map(|rest| rest.split('`').next()));
    names.enumerate().map(|(place, name)| (name.to_owned(), place)).collect()
}

/// Modules after a prefix in code: after `crate::`, `crate::a::X` and `use crate::{a::X, b}`.
fn used(text: &str, prefix: &str) -> Vec<String> {
    let code: Vec<_> = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let names = |rest: &str| match rest.strip_prefix('{') {
        Some(group) => heads(group),
        None => vec![head(rest)],
    };
    code.split(prefix).skip(1).flat_map(names).collect()
}

fn head(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// First words of the items of a group, after its opening brace.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut item, mut found) = (0, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(head(item.trim()));
                item.clear();
                if c == '}' {
                    break;
                }
            }
            _ if depth == 0 => item.push(c),
            _ => {}
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// The module that a line of lib.rs declares.
fn declared_module(line: &str) -> Option<&str> {
    line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';')
}

/// Files of `folder` that use a module below their own in the list of its `root` file.
fn misplaced(folder: &str, listed: &str, prefix: &str) -> Result<Vec<String>> {
    let text = read(&format!("{folder}/{listed}"))?;
    let layers = layers(&text);
    let declared: Vec<_> = text.lines().filter_map(declared_module).filter(|m| *m != "tests").collect();
    for module in &declared {
        ensure!(layers.contains_key(*module), "{module} is in no layer of {folder}/{listed}");
    }
    ensure!(layers.len() == declared.len(), "{folder}/{listed} lists modules that are not there");
    let mut wrong = Vec::new();
    for (path, text) in sources(&root().join(folder))? {
        let module = path.split(['/', '.']).next().unwrap_or_default();
        let Some(place) = layers.get(module).filter(|_| !is_test(&path)) else { continue };
        for name in used(without_tests(&text), prefix) {
            if name != module && layers.get(&name).is_some_and(|other| other > place) {
                wrong.push(format!("{folder}/{path} uses {name}, which stands below it"));
            }
        }
    }
    Ok(wrong)
}

#[test]
fn modules_use_only_what_stands_above_them() -> Result<()> {
    let mut wrong = misplaced("src", "lib.rs", "crate::")?;
    wrong.extend(misplaced("src/plan", "mod.rs", "plan::")?);
    wrong.extend(misplaced("plugin/src", "lib.rs", "crate::")?);
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Folders whose files must not import each other in a circle.
const WITHOUT_CIRCLES: [&str; 7] = [
    "src",
    "plugin/src",
    "e2e/bed/src",
    "e2e/dist/src",
    "e2e/invariants/src",
    "e2e/model/src",
    "e2e/tools/src",
];

#[test]
fn no_files_import_each_other_in_a_circle() -> Result<()> {
    let mut found = Vec::new();
    for folder in WITHOUT_CIRCLES {
        let mut all = sources(&root().join(folder))?;
        all.retain(|(path, _)| !is_test(path));
        for (_, text) in &mut all {
            // tests in their own files are declared among other modules
            let declared = text.replace("#[cfg(test)]\nmod tests;", "");
            *text = without_tests(&declared).to_owned();
        }
        found.extend(
            circles::circles(&all).into_iter().map(|circle| format!("{folder}: {}", circle.join(", "))),
        );
    }
    ensure!(found.is_empty(), "files that import each other:\n{}", found.join("\n"));
    Ok(())
}

#[test]
fn groups_and_paths_are_both_seen() {
    let text =
        "// crate::hidden::X\nuse crate::{a::{X, y::Z}, b};\nuse crate::c;\nfn f() { crate::d::g() }\n";
    assert_eq!(used(text, "crate::"), ["a", "b", "c", "d"]);
    let lib = "//! text [`no`]\n//! 1. [`names`], [`clock`]\n//! 2. [`api`]: pure\n";
    assert_eq!(layers(lib).into_keys().collect::<Vec<_>>(), ["api", "clock", "names"]);
}

#[test]
fn source_files_are_short_enough_to_read() -> Result<()> {
    let mut long = Vec::new();
    for folder in ["src", "plugin/src", "e2e/bed/src", "e2e/dist/src", "e2e/model/src", "e2e/tools/src"] {
        for (path, text) in sources(&root().join(folder))? {
            let lines = without_tests(&text).lines().count();
            if lines > LONGEST && !is_test(&path) {
                long.push(format!("{folder}/{path} has {lines} lines"));
            }
        }
    }
    ensure!(long.is_empty(), "split these, {LONGEST} lines are the limit:\n{}", long.join("\n"));
    Ok(())
}

#[test]
fn crds_follow_the_types() -> Result<()> {
    let all = serin::api::crd::all_crds();
    ensure!(!all.is_empty(), "there are no CRDs");
    for crd in &all {
        let path = format!("crd/{}.yaml", crd.spec.names.plural);
        ensure!(read(&path)? == serin::api::crd::to_yaml(crd), "{path} is out of date: run `make crd`");
        ensure!(
            read("crd/kustomization.yaml")?.contains(&format!("{}.yaml", crd.spec.names.plural)),
            "{path} is not installed"
        );
    }
    Ok(())
}

/// Name and cost of each part of the bed that is a program, from `e2e/parts/build.sh`.
fn parts(script: &str) -> Vec<(&str, &str)> {
    let table = script.split("\nTABLE='\n").nth(1).and_then(|rest| rest.split("\n'\n").next());
    let rows = table.unwrap_or_default().lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let programs = rows.filter(|row| !matches!(row[3], "files" | "tool"));
    programs.map(|row| (row[1], row[2])).collect()
}

#[test]
fn the_cost_of_every_part_is_documented() -> Result<()> {
    let (script, page) = (read("e2e/parts/build.sh")?, read("docs/cold-start.md")?);
    let parts = parts(&script);
    ensure!(!parts.is_empty(), "e2e/parts/build.sh has no table of parts");
    for (name, seconds) in parts {
        let row = format!("| {name} | {seconds} | ");
        ensure!(page.lines().any(|line| line.starts_with(&row)), "docs/cold-start.md lacks {row:?}");
    }
    Ok(())
}

#[test]
fn every_marked_difference_from_flagger_is_one_that_a_recording_shows() -> Result<()> {
    let (guide, code) = (read("docs/migrating-from-flagger.md")?, read("e2e/tests/stories/recordings.rs")?);
    let titles: Vec<&str> =
        code.split("title: \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let marked: Vec<&str> =
        guide.lines().filter_map(|line| line.split_once("● ")).map(|(_, text)| text).collect();
    let unshown = marked.iter().filter(|text| !titles.iter().any(|title| text.starts_with(title)));
    // the first one is the sentence that explains the mark
    let unshown: Vec<_> = unshown.filter(|text| !text.starts_with("were found by")).collect();
    ensure!(unshown.is_empty(), "no recording shows {unshown:#?}");
    let unmarked = titles.iter().filter(|title| !marked.iter().any(|text| text.starts_with(**title)));
    let unmarked: Vec<_> = unmarked.collect();
    ensure!(unmarked.is_empty(), "the guide does not mark {unmarked:#?}");
    Ok(())
}

/// The documents of a YAML text.
fn documents(text: &str) -> Result<Vec<Value>> {
    Ok(serde_saphyr::from_multiple(text)?)
}

#[test]
fn the_installation_holds_what_the_base_says() -> Result<()> {
    let installed = documents(&read("deploy/install.yaml")?)?;
    let base = documents(&read("deploy/kustomize/base/kustomization.yaml")?)?;
    let resources = base[0]["resources"].as_array().context("the base has no resources")?;
    for file in resources.iter().filter_map(Value::as_str).filter(|f| *f != "../../../crd") {
        for object in documents(&read(&format!("deploy/kustomize/base/{file}"))?)? {
            let same = |o: &&Value| {
                o["kind"] == object["kind"] && o["metadata"]["name"] == object["metadata"]["name"]
            };
            let found = installed.iter().find(same);
            let found =
                found.with_context(|| format!("deploy/install.yaml lacks {file}: run `make manifests`"))?;
            ensure!(
                found["rules"] == object["rules"],
                "the rules of {file} are out of date: run `make manifests`"
            );
        }
    }
    let crds = installed.iter().filter(|o| o["kind"] == "CustomResourceDefinition").count();
    ensure!(crds == serin::api::crd::all_crds().len(), "deploy/install.yaml has {crds} CRDs");
    Ok(())
}

#[test]
fn every_permission_says_why() -> Result<()> {
    let text = read("deploy/kustomize/base/clusterrole.yaml")?;
    let lines: Vec<_> = text.lines().collect();
    for pair in lines.windows(2).filter(|pair| pair[1].starts_with("  - apiGroups")) {
        ensure!(pair[0].trim_start().starts_with('#'), "no reason above {:?} in clusterrole.yaml", pair[1]);
    }
    Ok(())
}

/// A Canary that is deleted together with its target leaves nothing behind, with any router.
#[test]
fn ch4_what_the_operator_makes_it_may_remove() -> Result<()> {
    let role: Value = serde_saphyr::from_str(&read("deploy/kustomize/base/clusterrole.yaml")?)?;
    let has =
        |rule: &Value, verb: &str| rule["verbs"].as_array().is_some_and(|all| all.contains(&verb.into()));
    let rules = role["rules"].as_array().context("rules")?.iter();
    // Events expire by themselves
    let made = rules.filter(|rule| has(rule, "create") && rule["resources"][0] != "events");
    let stuck: Vec<_> = made.filter(|rule| !has(rule, "delete")).map(|rule| &rule["resources"]).collect();
    ensure!(stuck.is_empty(), "made and never removed: {stuck:?}");
    Ok(())
}

/// The row of a flag in `docs/reference/flags.md`.
fn row(flag: &Flag) -> String {
    let default = if flag.default.is_empty() { String::new() } else { format!("`{}`", flag.default) };
    let env = std::iter::once(flag.env()).chain(flag.flagger_env.map(String::from));
    let env: Vec<_> = env.map(|name| format!("`{name}`")).collect();
    let used = match flag.used {
        Use::Served | Use::Shared => "served".to_owned(),
        Use::Meaningless => "accepted, without meaning here".to_owned(),
        Use::Unserved { missed, .. } => format!("not served: {missed}"),
    };
    format!("| `--{}` | {default} | {} | {} | {used} |", flag.name, env.join(", "), flag.help)
}

#[test]
fn every_flag_is_documented() -> Result<()> {
    let page = read("docs/reference/flags.md")?;
    let missing: Vec<_> = FLAGS.iter().map(row).filter(|row| !page.lines().any(|l| l == row)).collect();
    ensure!(missing.is_empty(), "docs/reference/flags.md lacks these rows:\n{}", missing.join("\n"));
    let rows = page.lines().filter(|l| l.starts_with("| `--")).count();
    ensure!(rows == FLAGS.len(), "docs/reference/flags.md has rows of flags that are gone");
    Ok(())
}

#[test]
fn the_metrics_and_their_page_agree_both_ways() -> Result<()> {
    let page = read("docs/reference/metrics.md")?;
    let named = |row: &&str| row.starts_with("| `") && row.contains("` | ");
    let rows: BTreeSet<&str> = page.lines().filter(named).collect();
    let row = |one: &Described| {
        let labels = one.labels.join(", ");
        format!("| `{}` | {} | {labels}{}| ", one.name, one.kind, if labels.is_empty() { "" } else { " " })
    };
    let missing: Vec<String> =
        CATALOG.iter().map(row).filter(|begin| !rows.iter().any(|r| r.starts_with(begin))).collect();
    ensure!(missing.is_empty(), "docs/reference/metrics.md lacks these rows:\n{}", missing.join("\n"));
    let gone: Vec<&&str> =
        rows.iter().filter(|r| !CATALOG.iter().any(|one| r.starts_with(&row(one)))).collect();
    ensure!(gone.is_empty(), "docs/reference/metrics.md has rows of metrics that are gone:\n{gone:?}");
    Ok(())
}

/// References of the form `path.rs::item` in a page, or a path alone.
fn references(page: &str) -> Vec<(&str, Option<&str>)> {
    let quoted = page.split('`').skip(1).step_by(2);
    let sources = quoted.filter(|text| text.contains(".rs") && !text.contains([' ', '*', '<']));
    sources
        .map(|text| text.split_once("::").map_or((text, None), |(path, item)| (path, Some(item))))
        .collect()
}

#[test]
fn what_the_architecture_names_is_there() -> Result<()> {
    for (page, least) in [("docs/architecture.md", 15), ("CONTRIBUTING.md", 3)] {
        let text = read(page)?;
        let all = references(&text);
        ensure!(all.iter().filter(|(_, item)| item.is_some()).count() >= least, "{page}: {all:?}");
        let mut missing = Vec::new();
        for (path, item) in all {
            // a path without folders is relative to the text
            if path.contains('/') && !root().join(path).exists() {
                missing.push(path.to_owned());
            }
            let Some(item) = item.filter(|_| root().join(path).exists()) else { continue };
            if !defines(&read(path)?, item) {
                missing.push(format!("{path}::{item}"));
            }
        }
        ensure!(missing.is_empty(), "{page} names what is not there: {missing:?}");
    }
    Ok(())
}

fn defines(text: &str, item: &str) -> bool {
    let ends =
        |kind: &str| [" ", "(", "<", ":"].iter().any(|end| text.contains(&format!("{kind} {item}{end}")));
    ["fn", "const", "enum", "struct", "trait"].into_iter().any(ends)
}

/// The patches of all breakages.
fn breakages() -> Result<Vec<PathBuf>> {
    let mut patches = Vec::new();
    for entry in fs::read_dir(root().join("e2e/breakages"))? {
        patches.extend(Some(entry?.path()).filter(|path| path.extension().is_some_and(|e| e == "patch")));
    }
    patches.sort();
    Ok(patches)
}

#[test]
fn every_invariant_that_a_breakage_breaks_has_its_row() -> Result<()> {
    let page = read("e2e/README.md")?;
    let table = page.split("## Evidence for each invariant").nth(1).context("no table of invariants")?;
    let cells = |row: &str| row.split(" | ").map(|cell| cell.trim_matches(['|', ' ']).to_owned()).collect();
    let rows: Vec<Vec<String>> = table.lines().filter(|line| line.starts_with("| ")).map(cells).collect();
    let (mut lacking, mut named) = (Vec::new(), BTreeSet::new());
    for patch in breakages()? {
        let name = patch.file_stem().context("a patch has a name")?.to_string_lossy().into_owned();
        for line in fs::read_to_string(&patch)?.lines() {
            let Some((invariant, _)) = line.strip_prefix("Breaks ").and_then(|rest| rest.split_once(": "))
            else {
                continue;
            };
            let of = |cell: &str| cell.split([',', ';']).map(str::trim).any(|part| part == invariant);
            if !rows.iter().any(|row| row[1] == format!("`{name}`") && of(&row[0])) {
                lacking.push(format!("{invariant} of {name}"));
            }
            named.insert(name.clone());
        }
    }
    ensure!(lacking.is_empty(), "e2e/README.md lacks a row for {lacking:?}");
    let stray: Vec<_> = rows
        .iter()
        .skip(1)
        .map(|row| row[1].trim_matches('`'))
        .filter(|name| !named.contains(*name))
        .collect();
    ensure!(stray.is_empty(), "rows without a breakage that names an invariant: {stray:?}");
    let every = read("e2e/invariants/src/lib.rs")?;
    let every = every.lines().filter_map(|line| line.strip_prefix("//! | S")?.split(' ').next());
    for number in every.filter(|number| number.parse::<u8>().is_ok()) {
        let number = format!("S{number}");
        let proven =
            rows.iter().any(|row| row[0].split([' ', ',', ';', '.']).next() == Some(number.as_str()));
        ensure!(proven, "nothing breaks {number}");
    }
    Ok(())
}

#[test]
fn every_breakage_can_be_put_into_the_code() -> Result<()> {
    let patches = breakages()?;
    ensure!(patches.len() >= 8, "there are {} breakages", patches.len());
    // applies all of them to one copy, like run.sh
    let checked = Command::new("git").current_dir(root()).args(["apply", "--check"]).args(&patches).output();
    let checked = checked.context("running git")?;
    ensure!(
        checked.status.success(),
        "a breakage does not fit the code any more, or not beside the others: {}",
        String::from_utf8_lossy(&checked.stderr)
    );
    Ok(())
}
