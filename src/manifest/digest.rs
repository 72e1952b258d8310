//! Checksums of JSON: the same for the same content, whatever the order of its members.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Lower-case hex SHA-256 of a text: 64 digits.
pub(super) fn of_text(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes()))
}

/// The same for the canonical JSON of a value: members in byte order of their keys, without `null` members and white
/// space.
pub(crate) fn of(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    of_text(&text)
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().filter(|(_, v)| !v.is_null()).collect();
            out.push('{');
            for (i, (key, value)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn canonical_json_is_json(text in "\\PC{0,12}", n in any::<i64>()) {
            let value = json!({"k": text, "n": n, "l": [text, {}]});
            let mut text = String::new();
            write_canonical(&value, &mut text);
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }
}
