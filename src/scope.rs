//! The namespaces that an operator works in, from its flags. Pure.

use std::collections::BTreeSet;

use kube::core::{Expression, Selector, SelectorExt as _};

/// The namespaces that an operator works in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All.
    #[default]
    All,
    /// These (`--namespace`).
    Named(BTreeSet<String>),
    /// Those whose labels match (`--namespace-selector`).
    Labelled(Selector),
}

impl Scope {
    /// A list such as `shop,billing`. An empty one means all namespaces.
    ///
    /// # Errors
    /// One of them is not a valid name of a namespace.
    pub fn named(list: &str) -> Result<Self, String> {
        let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names = names.map(|name| {
            let wrong = || format!("{name:?} is no name of a namespace: write a list such as shop,billing");
            dns_label(name).then(|| name.to_owned()).ok_or_else(wrong)
        });
        let names = names.collect::<Result<BTreeSet<_>, _>>()?;
        Ok(if names.is_empty() { Self::All } else { Self::Named(names) })
    }

    /// A label selector in the form of `kubectl -l`. An empty one means all namespaces.
    ///
    /// # Errors
    /// It cannot be parsed.
    pub fn labelled(selector: &str) -> Result<Self, String> {
        let requirements = requirements(selector).map(|text| {
            let wrong = || {
                format!(
                    "{text:?} is no requirement on a label: write one such as team=shop, env in (test,prod), team or !team"
                )
            };
            expression(text).ok_or_else(wrong)
        });
        let selector = requirements.collect::<Result<Selector, _>>()?;
        Ok(if selector.selects_all() { Self::All } else { Self::Labelled(selector) })
    }

    /// The only namespace, if there is a single one given by name.
    pub fn only(&self) -> Option<&str> {
        match self {
            Self::Named(names) if names.len() == 1 => names.first().map(String::as_str),
            _ => None,
        }
    }

    /// The namespaces, if they are given by name.
    pub fn names(&self) -> BTreeSet<String> {
        match self {
            Self::Named(names) => names.clone(),
            Self::All | Self::Labelled(_) => BTreeSet::new(),
        }
    }

    /// The namespace with these labels is among them.
    pub fn holds<'a>(&self, name: &str, labels: impl IntoIterator<Item = (&'a String, &'a String)>) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(name),
            Self::Labelled(selector) => {
                let labels = labels.into_iter().map(|(key, value)| (key.clone(), value.clone()));
                selector.matches(&labels.collect())
            }
        }
    }
}

/// The parts between commas that are not in parentheses.
fn requirements(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    let parts = text.split(move |c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

fn expression(text: &str) -> Option<Expression> {
    if let Some((head, list)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let mut words = head.split_whitespace();
        let (key, operator) = (label_key(words.next()?)?, words.next()?);
        let values = list.split(',').map(label_value).collect::<Option<BTreeSet<_>>>()?;
        return match (operator, words.next()) {
            ("in", None) => Some(Expression::In(key, values)),
            ("notin", None) => Some(Expression::NotIn(key, values)),
            _ => None,
        };
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Some(Expression::NotEqual(label_key(key)?, label_value(value)?));
    }
    if let Some((key, value)) = text.split_once('=') {
        let value = value.strip_prefix('=').unwrap_or(value);
        return Some(Expression::Equal(label_key(key)?, label_value(value)?));
    }
    match text.strip_prefix('!') {
        Some(key) => Some(Expression::DoesNotExist(label_key(key)?)),
        None => Some(Expression::Exists(label_key(text)?)),
    }
}

fn label_key(text: &str) -> Option<String> {
    let key = text.trim();
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let domain = prefix.is_none_or(|prefix| prefix.len() <= 253 && prefix.split('.').all(dns_label));
    (domain && !name.is_empty() && label_text(name)).then(|| key.to_owned())
}

fn label_value(text: &str) -> Option<String> {
    let value = text.trim();
    label_text(value).then(|| value.to_owned())
}

/// A valid name or value of a label, or empty.
fn label_text(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_alphanumeric();
    text.len() <= 63
        && text.chars().all(|c| ends(c) || matches!(c, '-' | '_' | '.'))
        && text.chars().next().is_none_or(ends)
        && text.chars().last().is_none_or(ends)
}

fn dns_label(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 63
        && text.chars().all(|c| ends(c) || c == '-')
        && text.starts_with(ends)
        && text.ends_with(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels: Vec<_> =
            labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let scope = Scope::labelled(selector).unwrap();
        scope.holds("any", labels.iter().map(|(key, value)| (key, value)))
    }

    #[test]
    fn a_list_of_namespaces_is_read_without_its_gaps() {
        assert_eq!(Scope::named("").unwrap(), Scope::All);
        assert_eq!(Scope::named(" shop").unwrap().only(), Some("shop"));
        let two = Scope::named("shop, billing,,shop").unwrap();
        assert_eq!((two.only(), two.names().len()), (None, 2));
        assert!(two.holds("billing", []) && !two.holds("other", []));
        for wrong in ["Shop", "-a", "a.b", "a/b", "*"] {
            assert!(Scope::named(wrong).unwrap_err().contains("shop,billing"), "{wrong}");
        }
    }

    #[test]
    fn a_selector_chooses_as_kubectl_does() {
        for (selector, chooses, passes_over) in [
            ("team=shop", ("team", "shop"), ("team", "ads")),
            ("team==shop", ("team", "shop"), ("other", "shop")),
            ("team!=shop", ("team", "ads"), ("team", "shop")),
            ("team in (shop, ads)", ("team", "ads"), ("team", "pay")),
            ("team notin (shop,ads)", ("team", "pay"), ("team", "ads")),
            ("a.example.com/team", ("a.example.com/team", ""), ("team", "")),
            ("!team", ("other", "x"), ("team", "x")),
            ("! team", ("other", "x"), ("team", "x")),
            ("team=", ("team", ""), ("team", "x")),
        ] {
            assert!(chosen(selector, &[chooses]), "{selector}");
            assert!(!chosen(selector, &[passes_over]), "{selector}");
        }
        let both = "team in (shop,ads),env!=test";
        assert!(chosen(both, &[("team", "ads"), ("env", "prod")]));
        assert!(!chosen(both, &[("team", "ads"), ("env", "test")]));
        // in the form for the API server
        let Scope::Labelled(read) = Scope::labelled("a in (y,x) , !b, c=d").unwrap() else { panic!("all") };
        assert_eq!(read.to_string(), "a in (x,y),!b,c=d");
        assert_eq!(Scope::labelled(" ").unwrap(), Scope::All);
    }

    #[test]
    fn a_selector_that_cannot_be_read_is_refused_with_the_form() {
        for wrong in
            ["team=a b", "=x", "team in a", "team of (a)", "team in (a", "a>5", "-a=b", "!", "A/b/c=d"]
        {
            let why = Scope::labelled(wrong).unwrap_err();
            assert!(why.contains("env in (test,prod)"), "{wrong}: {why}");
        }
    }
}
