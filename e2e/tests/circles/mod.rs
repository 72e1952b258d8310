//! Finds files of a crate that import each other in a circle, from their text.

use std::collections::{BTreeMap, BTreeSet};

/// Names of the parent modules and the item.
type Path = Vec<String>;

/// A module's file.
#[derive(Default)]
struct Module {
    file: String,
    /// Paths in its code, starting at the root of the crate.
    uses: Vec<Path>,
    /// Its imports, by local name.
    imports: BTreeMap<String, Path>,
}

/// The files that import each other in a circle, as one list per circle. `sources`: path and text of each file of a
/// crate, without tests.
pub(crate) fn circles(sources: &[(String, String)]) -> Vec<Vec<String>> {
    let names: BTreeSet<Path> = sources.iter().map(|(file, _)| module(file)).collect();
    let modules: BTreeMap<Path, Module> =
        sources.iter().map(|(file, text)| (module(file), Module::read(file, text, &names))).collect();
    let direct: BTreeMap<&Path, BTreeSet<Path>> = modules
        .iter()
        .map(|(name, module)| {
            let all = module.uses.iter().map(|path| resolved(path, &modules, 0));
            (name, all.filter(|to| to != name).collect())
        })
        .collect();
    let reach = |from: &Path| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = open.pop() {
            for to in direct.get(&next).into_iter().flatten() {
                if seen.insert(to.clone()) {
                    open.push(to.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&Path, BTreeSet<Path>> = modules.keys().map(|m| (m, reach(m))).collect();
    let mut found = BTreeSet::new();
    for (from, to) in &reached {
        let round = to.iter().filter(|other| reached.get(other).is_some_and(|back| back.contains(*from)));
        let round: Vec<String> = round.filter_map(|m| Some(modules.get(m)?.file.clone())).collect();
        if round.len() > 1 {
            found.insert(round);
        }
    }
    found.into_iter().collect()
}

/// `a/b.rs` and `a/b/mod.rs` contain the module `a::b`.
fn module(file: &str) -> Path {
    let path = file.trim_end_matches(".rs");
    let parts = path.split('/').filter(|part| !["mod", "lib", "main"].contains(part));
    parts.map(str::to_owned).collect()
}

/// The module whose file contains the item of a path. Follows re-exports.
fn resolved(path: &[String], modules: &BTreeMap<Path, Module>, depth: usize) -> Path {
    let mut at = path.len();
    while at > 0 && !modules.contains_key(&path[..at]) {
        at -= 1;
    }
    let (place, rest) = path.split_at(at);
    let import = rest.first().and_then(|name| modules.get(place)?.imports.get(name));
    match import.filter(|to| depth < 8 && to.as_slice() != path) {
        Some(to) => {
            let further: Path = to.iter().chain(&rest[1..]).cloned().collect();
            resolved(&further, modules, depth + 1)
        }
        None => place.to_vec(),
    }
}

impl Module {
    fn read(file: &str, text: &str, names: &BTreeSet<Path>) -> Self {
        let (here, tokens) = (module(file), tokens(text));
        let mut read = Self { file: file.to_owned(), ..Self::default() };
        let mut at = 0;
        while at < tokens.len() {
            let imports = tokens[at] == "use";
            let first = at + usize::from(imports);
            let starts = first == 0 || tokens[first - 1] != "::";
            let Some(base) = tokens.get(first).filter(|_| starts).and_then(|t| base(t, &here, names)) else {
                at += 1;
                continue;
            };
            if tokens.get(first + 1).is_none_or(|next| next != "::") {
                at += 1;
                continue;
            }
            let mut paths = Vec::new();
            let end = tree(&tokens, first + 1, &base, &mut paths);
            let exported = imports && at > 0 && ["pub", ")"].contains(&tokens[at - 1].as_str());
            for (name, path) in paths {
                let used = tokens[..at].iter().chain(&tokens[end..]).any(|token| *token == name);
                if !exported || used {
                    read.uses.push(path.clone());
                }
                if imports {
                    read.imports.insert(name, path);
                }
            }
            at = end.max(at + 1);
        }
        read
    }
}

/// The meaning of the first word of a path, if the path is in this crate.
fn base(word: &str, here: &[String], names: &BTreeSet<Path>) -> Option<Path> {
    let child: Path = here.iter().cloned().chain([word.to_owned()]).collect();
    match word {
        "crate" => Some(vec![]),
        "self" => Some(here.to_vec()),
        "super" => Some(here[..here.len().checked_sub(1)?].to_vec()),
        _ => names.contains(&child).then_some(child),
    }
}

/// Reads the tree of paths that continues at `at`, a `::` or the end of the path. Returns the end position.
fn tree(tokens: &[String], mut at: usize, base: &[String], out: &mut Vec<(String, Path)>) -> usize {
    let mut path = base.to_vec();
    while tokens.get(at).is_some_and(|t| t == "::") {
        let Some(next) = tokens.get(at + 1) else { break };
        at += 2;
        if next == "super" {
            path.pop();
        } else if next == "{" {
            while tokens.get(at).is_some_and(|t| t != "}") {
                let word = tokens[at].clone();
                if word == "," {
                    at += 1;
                } else if word == "self" {
                    at += 1;
                    at = named(tokens, at, path.clone(), out);
                } else {
                    let inner: Path = path.iter().cloned().chain([word]).collect();
                    at = tree(tokens, at + 1, &inner, out);
                }
            }
            return at + 1;
        } else if next.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            path.push(next.clone());
        } else {
            break;
        }
    }
    named(tokens, at, path, out)
}

/// Records a path under its last name, or the one after `as`.
fn named(tokens: &[String], at: usize, path: Path, out: &mut Vec<(String, Path)>) -> usize {
    let renamed = tokens.get(at).is_some_and(|t| t == "as");
    let name = if renamed { tokens.get(at + 1) } else { path.last() };
    out.extend(name.cloned().map(|name| (name, path)));
    at + if renamed { 2 } else { 0 }
}

/// Words and symbols of code, without comments, literals and doc comments. `::` is one symbol.
fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if c == '"' {
            literal(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else if rest.starts_with("::") {
            found.push("::".into());
            2
        } else if c.is_alphanumeric() || c == '_' {
            let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push(word.clone());
            word.len()
        } else {
            if !c.is_whitespace() {
                found.push(c.into());
            }
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    found
}

/// The length in bytes of a literal that starts here.
fn literal(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[test]
fn a_circle_is_seen_through_groups_children_and_exports() {
    let crate_of = |files: &[(&str, &str)]| -> Vec<(String, String)> {
        files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect()
    };
    let direct = crate_of(&[("a.rs", "use crate::{b::{self, B}, c};"), ("b.rs", "fn f() { super::a::g() }")]);
    assert_eq!(circles(&direct), [["a.rs", "b.rs"]]);
    let parent = [("a/mod.rs", "mod x; struct S; fn f() { x::g() }"), ("a/x.rs", "use super::S; fn g() {}")];
    assert_eq!(circles(&crate_of(&parent)), [["a/mod.rs", "a/x.rs"]]);
    let exports = [("lib.rs", "pub use a::A;"), ("a.rs", "use crate::b::B;"), ("b.rs", "use crate::A;")];
    assert_eq!(circles(&crate_of(&exports)), [["a.rs", "b.rs"]]);
    let exported =
        crate_of(&[("a/mod.rs", "mod x; mod y; pub use x::X;"), ("a/x.rs", ""), ("a/y.rs", "use super::X;")]);
    assert_eq!(circles(&exported), Vec::<Vec<String>>::new());
    let text =
        crate_of(&[("a.rs", "// crate::b\nconst A: &str = \"crate::b::c\";"), ("b.rs", "use crate::a;")]);
    assert_eq!(circles(&text), Vec::<Vec<String>>::new());
}
