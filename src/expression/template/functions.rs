//! The functions that every Go template has.

use super::{
    escape, printf,
    value::{Budget, Secrecy, Value},
};

/// The text for a missing value.
pub(super) const NO_VALUE: &str = "<no value>";

type Function = fn(&[Value]) -> Result<Value, String>;

/// Name, minimum and maximum number of arguments, and function. `and` and `or` are decided where their arguments are
/// evaluated.
const ALL: &[(&str, usize, usize, Function)] = &[
    ("and", 1, MANY, |_| Ok(Value::Nil)),
    ("eq", 1, MANY, |v| equal(v).map(Value::Bool)),
    ("ge", 2, 2, |v| less(&v[0], &v[1]).map(|less| Value::Bool(!less))),
    ("gt", 2, 2, |v| at_most(v).map(|most| Value::Bool(!most))),
    ("html", 0, MANY, |v| escaped(v, escape::html)),
    ("index", 1, MANY, index),
    ("js", 0, MANY, |v| escape::js(&joined(v)?).map(Value::text)),
    ("le", 2, 2, |v| at_most(v).map(Value::Bool)),
    ("len", 1, 1, |v| length(&v[0])),
    ("lt", 2, 2, |v| less(&v[0], &v[1]).map(Value::Bool)),
    ("ne", 2, 2, |v| equal(v).map(|same| Value::Bool(!same))),
    ("not", 1, 1, |v| Ok(Value::Bool(!v[0].truth()))),
    ("or", 1, MANY, |_| Ok(Value::Nil)),
    ("print", 0, MANY, |v| printf::print(v).map(Value::text)),
    ("printf", 1, MANY, formatted),
    ("println", 0, MANY, |v| printf::println(v).map(Value::text)),
    ("slice", 1, MANY, slice),
    ("urlquery", 0, MANY, |v| escaped(v, escape::url)),
];
const MANY: usize = usize::MAX;

/// Functions whose arguments may contain the placeholder of a secret.
const PLACING: [&str; 4] = ["print", "println", "printf", "urlquery"];

/// Whether there is a function of this name.
pub(super) fn known(name: &str) -> bool {
    ALL.iter().any(|(known, ..)| *known == name)
}

/// The value that ends the evaluation of further arguments.
pub(super) fn stops_at(name: &str) -> Option<bool> {
    match name {
        "and" => Some(false),
        "or" => Some(true),
        _ => None,
    }
}

/// Whether it accepts this many arguments.
pub(super) fn takes(name: &str, count: usize) -> Result<(), String> {
    let Some((_, least, most, _)) = ALL.iter().find(|(known, ..)| *known == name) else {
        return Err(format!("function {name} is not known"));
    };
    if (*least..=*most).contains(&count) {
        return Ok(());
    }
    let wants = if least == most { format!("{least}") } else { format!("at least {least}") };
    Err(format!("{name} takes {wants} arguments, and is given {count}"))
}

/// Calls it, with an accepted number of arguments.
pub(super) fn call(name: &str, values: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let Some((.., function)) = ALL.iter().find(|(known, ..)| *known == name) else {
        return Err(format!("function {name} is not known"));
    };
    // an encoded one cannot be encoded again
    let all = || values.iter().map(Value::secrecy);
    let secrecy = all().find(|s| *s == Secrecy::Encoded).or_else(|| all().find(|s| *s != Secrecy::Open));
    let secrecy = secrecy.unwrap_or_default();
    if secrecy != Secrecy::Open && !(PLACING.contains(&name) || name == "index" || name == "not") {
        return Err(hidden(name));
    }
    budget.bytes(largest(name, values))?;
    let made = function(values)?;
    if let Value::Text(text, _) = &made {
        // widths and escapes make a text longer
        budget.bytes(text.len())?;
    }
    match made {
        Value::Text(text, _) if secrecy != Secrecy::Open && name != "index" => {
            if !whole(values, &text, name) || name == "urlquery" && secrecy == Secrecy::Encoded {
                return Err(hidden(name));
            }
            let secrecy = if name == "urlquery" { Secrecy::Encoded } else { secrecy };
            Ok(Value::Text(text, secrecy))
        }
        made => Ok(made),
    }
}

fn hidden(name: &str) -> String {
    format!(
        "{name} cannot be used with an argument from a Secret, whose value is not known here: place it as it is, or with urlquery"
    )
}

/// Every text with the placeholder of a secret is still contained in the result.
fn whole(values: &[Value], made: &str, name: &str) -> bool {
    values.iter().filter(|value| value.secrecy() != Secrecy::Open).all(|value| match value {
        Value::Text(text, _) if name == "urlquery" => made.contains(&escape::url(text)),
        // not in the form of `%q` or `%x`
        Value::Text(text, _) => made.contains(&**text) && !made.contains(&format!("\"{text}\"")),
        _ => false,
    })
}

/// Upper bound for the bytes of a function's result, before it is made. Widths are limited where formats are parsed.
fn largest(name: &str, values: &[Value]) -> usize {
    let each = |value: &Value| match value {
        Value::Text(text, _) => text.len(),
        Value::Map(map) => {
            let one = |(key, value): (&String, &Value)| match value {
                Value::Text(text, _) => key.len() + text.len() + 2,
                _ => key.len() + 2,
            };
            map.iter().map(one).sum::<usize>() + 5
        }
        _ => 24,
    };
    match name {
        "print" | "println" | "printf" | "html" | "js" | "urlquery" | "slice" => {
            values.iter().map(each).sum::<usize>() + values.len()
        }
        "eq" | "ne" | "lt" | "le" | "gt" | "ge" => values.iter().map(each).max().unwrap_or(0),
        _ => 0,
    }
}

/// All arguments as one text, as `print` would format them.
fn joined(values: &[Value]) -> Result<String, String> {
    let shown = |value: &Value| match value {
        Value::Nil => Value::text(NO_VALUE),
        value => value.clone(),
    };
    printf::print(&values.iter().map(shown).collect::<Vec<_>>())
}

fn escaped(values: &[Value], by: fn(&str) -> String) -> Result<Value, String> {
    joined(values).map(|text| Value::text(by(&text)))
}

fn formatted(values: &[Value]) -> Result<Value, String> {
    let Value::Text(format, Secrecy::Open) = &values[0] else {
        return Err(format!("the format of printf must be a text, not {}", values[0].named()));
    };
    printf::sprintf(format, &values[1..]).map(Value::text)
}

fn length(value: &Value) -> Result<Value, String> {
    let length = match value {
        Value::Text(text, _) => text.len(),
        Value::Map(map) => map.len(),
        other => return Err(format!("{} has no length", other.named())),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// An index into a text of this many bytes.
fn place(value: &Value, length: usize) -> Result<usize, String> {
    let at = match value {
        Value::Int(at) => usize::try_from(*at).ok(),
        Value::Byte(at) => Some(usize::from(*at)),
        other => return Err(format!("{} is no place in a text", other.named())),
    };
    at.filter(|at| *at <= length).ok_or_else(|| "the place is outside of the text".into())
}

fn index(values: &[Value]) -> Result<Value, String> {
    let mut item = values[0].clone();
    if item == Value::Nil {
        return Err("nothing has no entries".into());
    }
    for at in &values[1..] {
        item = match (&item, at) {
            (Value::Text(text, Secrecy::Open), at) => {
                let at = place(at, text.len())?;
                let byte = text.as_bytes().get(at).ok_or("the place is outside of the text")?;
                Value::Byte(*byte)
            }
            (Value::Text(..), _) => return Err(hidden("index")),
            // as in Go: a missing key is the empty text
            (Value::Map(map), Value::Text(key, Secrecy::Open)) => {
                map.get(&**key).cloned().unwrap_or_else(|| Value::text(""))
            }
            (Value::Map(_), other) => return Err(format!("{} is no key", other.named())),
            (other, _) => return Err(format!("{} has no entries", other.named())),
        };
    }
    Ok(item)
}

fn slice(values: &[Value]) -> Result<Value, String> {
    let Value::Text(text, _) = &values[0] else {
        return Err(format!("slice takes a text, not {}", values[0].named()));
    };
    if values.len() > 3 {
        return Err("slice takes a text and at most two places".into());
    }
    let at = |n: usize, instead| values.get(n).map_or(Ok(instead), |value| place(value, text.len()));
    let (from, to) = (at(1, 0)?, at(2, text.len())?);
    let part = text.get(from..to);
    part.map(Value::text).ok_or_else(|| {
        if from > to {
            format!("slice from {from} to {to} ends before it begins")
        } else {
            "slice cuts a character in two".into()
        }
    })
}

fn equal(values: &[Value]) -> Result<bool, String> {
    if values.len() < 2 {
        return Err("eq takes at least 2 arguments, and is given 1".into());
    }
    for other in &values[1..] {
        if same(&values[0], other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[allow(clippy::float_cmp, reason = "eq of two numbers asks for the same number")]
fn same(a: &Value, b: &Value) -> Result<bool, String> {
    Ok(match (a, b) {
        (Value::Map(_), _) | (_, Value::Map(_)) => return Err("a map cannot be compared".into()),
        (Value::Nil, Value::Nil) => true,
        (Value::Nil, _) | (_, Value::Nil) => false,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Text(a, _), Value::Text(b, _)) => a == b,
        _ => match (whole_number(a), whole_number(b)) {
            (Some(a), Some(b)) => a == b,
            _ => return Err(unlike(a, b)),
        },
    })
}

fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(n) => Some(*n),
        Value::Byte(n) => Some(i64::from(*n)),
        _ => None,
    }
}

fn unlike(a: &Value, b: &Value) -> String {
    let kind = |value: &Value| value.kind().unwrap_or("nil");
    format!("{} and {} cannot be compared", kind(a), kind(b))
}

fn less(a: &Value, b: &Value) -> Result<bool, String> {
    Ok(match (a, b) {
        (Value::Float(a), Value::Float(b)) => a < b,
        (Value::Text(a, _), Value::Text(b, _)) => a < b,
        _ => match (whole_number(a), whole_number(b)) {
            (Some(a), Some(b)) => a < b,
            _ => return Err(unlike(a, b)),
        },
    })
}

fn at_most(values: &[Value]) -> Result<bool, String> {
    Ok(less(&values[0], &values[1])? || same(&values[0], &values[1])?)
}
