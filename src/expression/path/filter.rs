//! One comparison of a value in each element of a list, or a test whether it exists.

use serde_json::Value;

use super::step::{Comparison, Filter, Key, place};

impl Filter {
    /// The cost of one evaluation.
    pub(super) fn size(&self) -> usize {
        self.of.len() + 1
    }

    /// Whether it selects this element.
    ///
    /// # Errors
    /// It only tests whether a place of a list exists that does not: kubectl then selects the element, RFC 9535 does not.
    pub(super) fn takes(&self, item: &Value) -> Result<bool, String> {
        let mut found = Some(item);
        for key in &self.of {
            found = found.and_then(|at| match (key, at) {
                (Key::Name(name), Value::Object(map)) => map.get(name),
                (Key::Place(at), Value::Array(items)) => place(*at, items.len()).and_then(|at| items.get(at)),
                _ => None,
            });
            if found.is_none() {
                if let (Key::Place(at), None) = (key, &self.compares) {
                    return Err(format!(
                        "a filter asks for [{at}], which is not there: compare it with a value"
                    ));
                }
                break;
            }
        }
        let Some((comparison, wanted)) = &self.compares else { return Ok(found.is_some()) };
        let ordered = found.and_then(|found| order(found, wanted));
        Ok(match comparison {
            Comparison::Equal => same(found, wanted),
            Comparison::Unequal => !same(found, wanted),
            Comparison::Less => ordered.is_some_and(std::cmp::Ordering::is_lt),
            Comparison::AtMost => ordered.is_some_and(std::cmp::Ordering::is_le),
            Comparison::More => ordered.is_some_and(std::cmp::Ordering::is_gt),
            Comparison::AtLeast => ordered.is_some_and(std::cmp::Ordering::is_ge),
        })
    }
}

fn same(found: Option<&Value>, wanted: &Value) -> bool {
    match (found, wanted) {
        (Some(Value::Number(a)), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Some(found), wanted) => found == wanted,
        (None, _) => false,
    }
}

/// Only two numbers, or two texts, can be less or more than each other.
fn order(found: &Value, wanted: &Value) -> Option<std::cmp::Ordering> {
    match (found, wanted) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
