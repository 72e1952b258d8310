//! Templates as Go's `text/template` renders them, with the functions of a query and without data. What Go allows but
//! no query needs is refused, never rendered differently; steps and bytes of the result are limited.

mod escape;
mod fault;
mod float;
mod functions;
mod lex;
mod literal;
mod parse;
mod printer;
mod printf;
mod run;
mod tree;
mod value;

use std::collections::BTreeMap;

pub(crate) use self::{escape::url, float::general};
use self::{
    functions::known,
    value::{Secrecy, Value},
};

/// Longest text of a template, in bytes.
pub const LONGEST: usize = 16 * 1024;

/// The results of a template's functions, by name: a text, or a map of texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Functions<'f> {
    /// Functions that return a text.
    pub texts: BTreeMap<&'f str, &'f str>,
    /// Functions that return a map of texts.
    pub maps: BTreeMap<&'f str, &'f BTreeMap<String, String>>,
    /// Placeholders for values that are not known here. They can be printed and passed to `urlquery`, and nothing else.
    pub marks: Vec<&'f str>,
}

/// Names of functions that a query's template may call in addition to Go's.
const OWN: [&str; 9] =
    ["name", "namespace", "target", "service", "ingress", "route", "interval", "variables", "args"];

/// Renders a template.
///
/// # Errors
/// What is wrong with it, with line and column.
pub fn render(text: &str, functions: &Functions<'_>) -> Result<String, String> {
    if text.len() > LONGEST {
        return Err(format!("it has more than {LONGEST} bytes"));
    }
    let value = |text: &str| {
        let secrecy = if functions.marks.contains(&text) { Secrecy::Marked } else { Secrecy::Open };
        Value::Text(text.into(), secrecy)
    };
    let texts = functions.texts.iter().map(|(name, text)| (*name, value(text)));
    let maps = functions.maps.iter().map(|(name, entries)| {
        (*name, run::map(entries.iter().map(|(key, text)| (key.clone(), value(text)))))
    });
    let given = texts.chain(maps).collect();
    let parsed = parse::parse(text, |name| known(name) || OWN.contains(&name));
    parsed.and_then(|parsed| run::run(&parsed, &given)).map_err(|fault| fault.shown(text))
}
