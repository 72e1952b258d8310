//! Where seeds come from: the texts in the tests of a module, and the examples that are shipped.

use std::{fs, path::Path};

use serde_json::Value;

use super::Input;

/// Each text as an input of one part.
pub(crate) fn singly(texts: Vec<String>) -> Vec<Input> {
    texts.into_iter().map(|text| vec![text]).collect()
}

/// All texts in the code of a test, without those of tests that try bombs (`f1_`, `f3_` and `f4_`): these are to be found.
pub(crate) fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_bomb = false;
    let mut rest = code;
    while let Some(at) = rest.find(['"', '\'', '/', 'f']) {
        let before = rest[..at].chars().next_back();
        let (here, behind) = (&rest[at..], rest[..at].trim_end_matches('#').ends_with('r'));
        let hashes = rest[..at].chars().rev().take_while(|c| *c == '#').count();
        let (text, length) = if here.starts_with("//") {
            (None, here.find('\n').unwrap_or(here.len()))
        } else if let Some(name) =
            here.strip_prefix("fn ").filter(|_| before.is_none_or(|c| !c.is_alphanumeric()))
        {
            is_bomb = ["f1_", "f3_", "f4_"].iter().any(|bomb| name.starts_with(bomb));
            (None, 3)
        } else if here.starts_with('\'') {
            (None, character(here))
        } else if here.starts_with('"') && behind {
            let end = format!("\"{}", "#".repeat(hashes));
            let length = here[1..].find(&end).map_or(here.len() - 1, |to| to);
            (here.get(1..=length).map(str::to_owned), 1 + length + end.len())
        } else if here.starts_with('"') {
            quoted(here)
        } else {
            (None, 1)
        };
        found.extend(text.filter(|_| !is_bomb));
        rest = here.get(length..).unwrap_or_default();
    }
    found
}

/// How long a literal of a character is; of a lifetime its quote.
fn character(here: &str) -> usize {
    let closed = |from: usize| here.get(from..).and_then(|rest| rest.find('\'')).map(|to| from + to + 1);
    let second = here[1..].chars().next();
    match second {
        Some('\\') => closed(3).unwrap_or(1),
        Some(c) if here[1 + c.len_utf8()..].starts_with('\'') => 2 + c.len_utf8(),
        _ => 1,
    }
}

/// A text in quotes, and how long it is.
fn quoted(here: &str) -> (Option<String>, usize) {
    let mut text = String::new();
    let mut all = here.char_indices().skip(1);
    while let Some((at, c)) = all.next() {
        match c {
            '"' => return (Some(text), at + 1),
            '\\' => match all.next().map(|(_, c)| c) {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('0') => text.push('\u{0}'),
                Some('u') => {
                    let code: String =
                        all.by_ref().map(|(_, c)| c).skip(1).take_while(|c| *c != '}').collect();
                    text.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
                }
                // the line goes on
                Some('\n') => {
                    let indent = here[at + 2..].chars().take_while(|c| c.is_whitespace()).count();
                    for _ in 0..indent {
                        all.next();
                    }
                }
                Some(c) => text.push(c),
                None => {}
            },
            c => text.push(c),
        }
    }
    (None, here.len())
}

/// Every object of the examples of this kind.
pub(crate) fn examples(kind: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let all = files
        .into_iter()
        .flat_map(|file| serde_saphyr::from_multiple::<Value>(&fs::read_to_string(file).unwrap()).unwrap());
    all.filter(|object| object["kind"] == kind).collect()
}
