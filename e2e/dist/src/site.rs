//! The source of the documentation site: `docs/`, and the other files in the repository that its pages link to, so that
//! the site is complete in any location. Afterwards the links of the built site are checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::links::{anchors, leaves, relative, replaced, resolved};

/// The line of the summary that the list of decisions replaces.
const DECISIONS: &str = "<!-- decisions -->";

/// The path of a repository file in the site.
fn place(path: &str) -> String {
    if path == "README.md" {
        return "introduction.md".to_owned();
    }
    let place = path.strip_prefix("docs/").map_or_else(|| format!("repository/{path}"), str::to_owned);
    // mdBook renames the page, but not the links to it
    match place.strip_suffix("/README.md") {
        Some(folder) => format!("{folder}/index.md"),
        None => place,
    }
}

/// All files below a folder, by their path from `root`, in order.
pub fn files(root: &Path, folder: &str) -> Result<Vec<String>> {
    let entries = fs::read_dir(root.join(folder)).with_context(|| format!("listing {folder}"))?;
    let mut all = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_str().context("a name that is no text")?.to_owned();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if root.join(&path).is_dir() {
            all.extend(files(root, &path)?);
        } else {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}

/// Whether a path has this file ending.
pub fn is(path: &str, ending: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == ending)
}

/// A page that lists a folder. mdBook copies it unchanged.
fn listing(folder: &str, all: &[String]) -> String {
    let rows = all.iter().map(|path| {
        let name = &path[folder.len() + 1..];
        format!("<li><a href=\"{name}\">{name}</a></li>\n")
    });
    let rows = rows.collect::<Vec<_>>().concat();
    format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{folder}</title>\n<h1>{folder}</h1>\n<ul>\n{rows}</ul>\n"
    )
}

/// The summary with a chapter for each decision.
fn with_decisions(summary: &str, root: &Path) -> Result<String> {
    let mut chapters = String::new();
    for path in files(root, "docs/design")?.into_iter().filter(|path| !path.ends_with("/README.md")) {
        let text = fs::read_to_string(root.join(&path))?;
        let title = text.lines().next().and_then(|line| line.strip_prefix("# "));
        let title = title.with_context(|| format!("{path} does not begin with its title"))?;
        chapters += &format!("  - [{}]({})\n", title.replace(['[', ']'], ""), place(&path));
    }
    ensure!(summary.contains(DECISIONS), "docs/SUMMARY.md has no line {DECISIONS}");
    Ok(summary.replace(&format!("{DECISIONS}\n"), &chapters))
}

/// Writes the source for mdBook to `out` after emptying it. Returns the number of files.
pub fn assemble(root: &Path, out: &Path) -> Result<usize> {
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("removing {}", out.display()))?;
    }
    let mut open = files(root, "docs")?;
    let mut written: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    while let Some(path) = open.pop() {
        let at = place(&path);
        if written.contains_key(&at) {
            continue;
        }
        let bytes = fs::read(root.join(&path)).with_context(|| format!("reading {path}"))?;
        if !is(&path, "md") {
            written.insert(at, bytes);
            continue;
        }
        let text = String::from_utf8(bytes).with_context(|| format!("{path} is no text"))?;
        let mut text = replaced(&text, |target| {
            if leaves(target) || target.starts_with('#') {
                return Ok(target.to_owned());
            }
            let (file, anchor) = target.split_once('#').map_or((target, None), |(file, a)| (file, Some(a)));
            let to = resolved(&path, file)
                .with_context(|| format!("{path} links out of the repository: {target}"))?;
            let mut to_place = place(&to);
            if root.join(&to).is_dir() {
                let all = files(root, &to)?;
                to_place = format!("{to_place}/index.html");
                written.insert(to_place.clone(), listing(&to, &all).into_bytes());
                open.extend(all);
            } else if root.join(&to).exists() {
                open.push(to);
            } else {
                bail!("{path} links to {target}, which is not there");
            }
            let anchor = anchor.map(|a| format!("#{a}")).unwrap_or_default();
            Ok(format!("{}{anchor}", relative(&at, &to_place)))
        })?;
        if path == "docs/SUMMARY.md" {
            text = with_decisions(&text, root)?;
        }
        written.insert(at, text.into_bytes());
    }
    for (path, bytes) in &written {
        let path = out.join(path);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(written.len())
}

/// Broken links in the repository's pages.
pub fn broken_in_source(root: &Path, pages: &[String]) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for page in pages {
        let text = fs::read_to_string(root.join(page)).with_context(|| format!("reading {page}"))?;
        for target in crate::links::targets(&text).into_iter().filter(|target| !leaves(target)) {
            let (file, anchor) =
                target.split_once('#').map_or((target.as_str(), None), |(f, a)| (f, Some(a)));
            let to = if file.is_empty() { Some(page.clone()) } else { resolved(page, file) };
            let Some(to) = to.filter(|to| root.join(to).exists()) else {
                broken.push(format!("{page}: {target} is not there"));
                continue;
            };
            let Some(anchor) = anchor.filter(|_| is(&to, "md")) else { continue };
            if !anchors(&fs::read_to_string(root.join(&to))?).contains(anchor) {
                broken.push(format!("{page}: {target}: {to} has no such heading"));
            }
        }
    }
    Ok(broken)
}

/// The values of an attribute in a page.
fn attributes<'a>(page: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(&*format!(" {name}=\""))
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect::<Vec<_>>()
        .into_iter()
}

/// Broken links in a built site.
pub fn broken_in_site(site: &Path) -> Result<Vec<String>> {
    let pages: Vec<String> = files(site, "")?.into_iter().filter(|path| is(path, "html")).collect();
    ensure!(!pages.is_empty(), "{} has no pages", site.display());
    let mut texts = BTreeMap::new();
    for page in pages {
        texts.insert(page.clone(), fs::read_to_string(site.join(&page))?);
    }
    let ids: BTreeMap<&str, BTreeSet<&str>> =
        texts.iter().map(|(page, text)| (page.as_str(), attributes(text, "id").collect())).collect();
    let mut broken = BTreeSet::new();
    for (page, text) in &texts {
        // this page is served in any folder, so its links start at the root
        if page == "404.html" {
            continue;
        }
        for target in attributes(text, "href").chain(attributes(text, "src")).filter(|target| !leaves(target))
        {
            let (file, anchor) = target.split_once('#').map_or((target, ""), |(file, anchor)| (file, anchor));
            let to = if file.is_empty() { Some(page.clone()) } else { resolved(page, file) };
            let Some(to) = to.filter(|to| site.join(to).exists()) else {
                broken.insert(format!("{page}: {target} is not there"));
                continue;
            };
            if !anchor.is_empty() && !ids.get(to.as_str()).is_some_and(|all| all.contains(anchor)) {
                broken.insert(format!("{page}: {target}: no such place in {to}"));
            }
        }
    }
    Ok(broken.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with files. Dropping it deletes the folder.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let folder = Self(std::env::temp_dir().join(format!("serin-dist-{name}-{}", std::process::id())));
            for (path, text) in files {
                let path = folder.0.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            folder
        }

        fn read(&self, path: &str) -> String {
            fs::read_to_string(self.0.join(path)).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn what_pages_link_to_elsewhere_comes_with_them() {
        let repository = Folder::new(
            "source",
            &[
                ("README.md", "# Serin\n[a](docs/a.md#x)\n"),
                ("CONTRIBUTING.md", "# Contributing\n[code](src/lib.rs)\n"),
                ("src/lib.rs", "code"),
                ("charts/serin/values.yaml", "values"),
                ("docs/SUMMARY.md", "- [Serin](../README.md)\n- [A](a.md)\n<!-- decisions -->\n"),
                ("docs/a.md", "# A\n[charts](../charts) [c](../CONTRIBUTING.md) [d](design/README.md#x)\n"),
                ("docs/design/README.md", "# Decisions\n"),
                ("docs/design/0001-d.md", "# A decision\n[up](../a.md)\n"),
            ],
        );
        let site = Folder::new("assembled", &[("left-over.md", "")]);
        assemble(&repository.0, &site.0).unwrap();
        assert_eq!(site.read("introduction.md"), "# Serin\n[a](a.md#x)\n");
        let links =
            "[charts](repository/charts/index.html) [c](repository/CONTRIBUTING.md) [d](design/index.md#x)";
        assert_eq!(site.read("a.md"), format!("# A\n{links}\n"));
        let summary = "- [Serin](introduction.md)\n- [A](a.md)\n  - [A decision](design/0001-d.md)\n";
        assert_eq!(site.read("SUMMARY.md"), summary);
        assert_eq!(site.read("repository/src/lib.rs"), "code");
        assert!(site.read("repository/charts/index.html").contains("href=\"serin/values.yaml\""));
        assert!(!site.0.join("left-over.md").exists());
    }

    #[test]
    fn a_link_to_a_file_or_heading_that_is_not_there_is_named() {
        let pages = [("docs/a.md", "# A\n[x](b.md) [y](c.md#d) [z](#a)\n"), ("docs/c.md", "# C\n")];
        let repository = Folder::new("broken", &pages);
        let broken = broken_in_source(&repository.0, &["docs/a.md".to_owned()]).unwrap();
        assert_eq!(broken.len(), 2, "{broken:?}");
        assert!(broken[0].contains("b.md is not there") && broken[1].contains("c.md#d"), "{broken:?}");
    }

    #[test]
    fn a_link_of_the_site_that_leads_nowhere_is_named() {
        let page = "<a href=\"b.html#here\"></a><a href=\"b.html#gone\"></a><img src=\"c.png\"><a href=\"https://x/\"></a>";
        let site = Folder::new("html", &[("a.html", page), ("b.html", "<h1 id=\"here\"></h1>")]);
        let broken = broken_in_site(&site.0).unwrap();
        assert_eq!(broken, ["a.html: b.html#gone: no such place in b.html", "a.html: c.png is not there"]);
    }
}
