//! Paths into JSON: what JSONPath of RFC 9535 and of kubectl have in common, and the field paths of the downward API.
//!
//! Names, indexes, slices, lists of both, wildcards, one comparison as a filter, and one descent. A step is applied to
//! the values of the previous step, so no path to them is kept; the numbers of visited and found values are limited.

mod filter;
mod parse;
mod step;

use serde_json::Value;

use self::step::{Filter, Selector, Step, place};

/// Highest number of visited values.
const MOST_STEPS: usize = 100_000;
/// Highest number of found values.
const MOST_VALUES: usize = 100;

/// A path that can be followed.
#[derive(Clone, Debug, PartialEq)]
pub struct Path(Vec<Step>);

impl Path {
    /// Parses a path such as `$.data.value` or `{.items[0].value}`.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse::parse(text).map(Self)
    }

    /// Parses a path to a field of an object, such as `metadata.labels['team']`.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn field(text: &str) -> Result<Self, String> {
        let plain = text.trim();
        let begins = plain.starts_with(['$', '.', '[', '{']);
        let path = Self::parse(&if begins { plain.to_owned() } else { format!("$.{plain}") })?;
        if path.0.contains(&Step::Descend) {
            return Err(".. leads to many fields: name each one on the way".into());
        }
        Ok(path)
    }

    /// All values that it selects.
    ///
    /// # Errors
    /// There are too many, or a step cannot be applied to a value.
    pub fn find<'v>(&self, root: &'v Value) -> Result<Vec<&'v Value>, String> {
        let mut steps = Steps(MOST_STEPS);
        let mut at = vec![root];
        for step in &self.0 {
            let mut next = Vec::new();
            match step {
                Step::Descend => {
                    for value in at {
                        below(value, &mut next, &mut steps)?;
                    }
                }
                Step::Select(selectors) => {
                    if selectors.contains(&Selector::All { bracketed: true }) {
                        wholly_read(&at)?;
                    }
                    for value in at {
                        for selector in selectors {
                            select(selector, value, &mut next, &mut steps)?;
                        }
                    }
                }
            }
            at = next;
        }
        if at.len() > MOST_VALUES {
            return Err(format!("it leads to more than {MOST_VALUES} values"));
        }
        Ok(at)
    }
}

/// For `[*]` kubectl leaves out what comes after an empty list (client-go v0.37.0): the same path would have two meanings.
fn wholly_read(lists: &[&Value]) -> Result<(), String> {
    let counts = lists.iter().filter_map(|list| list.as_array()).map(Vec::len);
    if counts.skip_while(|count| *count > 0).any(|count| count > 0) {
        return Err("[*] leads into several lists, and one of them is empty: name the list, as in [0]".into());
    }
    Ok(())
}

struct Steps(usize);

impl Steps {
    fn take(&mut self, count: usize) -> Result<(), String> {
        let left = self.0.checked_sub(count);
        self.0 = left.ok_or_else(|| format!("it looks at more than {MOST_STEPS} values"))?;
        Ok(())
    }
}

/// A value and all values below it, without recursion, because an answer may be nested deeply.
fn below<'v>(value: &'v Value, found: &mut Vec<&'v Value>, steps: &mut Steps) -> Result<(), String> {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        steps.take(1)?;
        match value {
            Value::Array(items) => open.extend(items.iter().rev()),
            Value::Object(map) => open.extend(map.values().rev()),
            _ => continue,
        }
        found.push(value);
    }
    Ok(())
}

fn select<'v>(
    selector: &Selector,
    value: &'v Value,
    found: &mut Vec<&'v Value>,
    steps: &mut Steps,
) -> Result<(), String> {
    match (selector, value) {
        (Selector::Name(name), Value::Object(map)) => {
            steps.take(1)?;
            found.extend(map.get(name));
        }
        (Selector::Place(at), Value::Array(items)) => {
            steps.take(1)?;
            found.extend(place(*at, items.len()).and_then(|at| items.get(at)));
        }
        (Selector::Slice { from, to, by }, Value::Array(items)) => {
            let bound =
                |at: i64| if at < 0 { at.saturating_add_unsigned(items.len() as u64).max(0) } else { at };
            let bound = |at: i64| usize::try_from(bound(at)).unwrap_or(usize::MAX).min(items.len());
            let (from, to) = (from.map_or(0, bound), to.map_or(items.len(), bound));
            let part = items.get(from..to).unwrap_or_default();
            steps.take(part.len())?;
            found.extend(part.iter().step_by(*by));
        }
        (Selector::All { .. }, Value::Array(items)) => {
            steps.take(items.len())?;
            found.extend(items);
        }
        (Selector::All { .. }, Value::Object(map)) => {
            steps.take(map.len())?;
            found.extend(map.values());
        }
        (Selector::All { .. }, Value::String(_)) => {
            return Err("* leads to a text, which has no entries".into());
        }
        (Selector::Filter(filter), Value::Array(items)) => {
            steps.take(items.len() * filter.size())?;
            filtered(filter, items.iter(), found)?;
        }
        (Selector::Filter(filter), Value::Object(map)) => {
            steps.take(map.len() * filter.size())?;
            filtered(filter, map.values(), found)?;
        }
        _ => steps.take(1)?,
    }
    Ok(())
}

fn filtered<'v>(
    filter: &Filter,
    items: impl Iterator<Item = &'v Value>,
    found: &mut Vec<&'v Value>,
) -> Result<(), String> {
    for item in items {
        if filter.takes(item)? {
            found.push(item);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
