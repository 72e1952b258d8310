//! PURE. One object of the API server, from its text. However deeply it is nested, its name can be read, and nothing
//! overflows: parts that are too deep are skipped without being decoded.

use std::{cell::RefCell, fmt};

use k8s_openapi::api::coordination::v1::Lease;
use kube::core::PartialObjectMeta;
use serde::{
    Deserialize,
    de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::snapshot::Key;

/// Deepest nesting of an object that is decoded. Less than the 128 levels at which `serde_json` stops, because parts of
/// an object are stored, and decoded again, within others.
const DEPTH: usize = 100;
/// Longest text of an object that is decoded completely: longer than an API server accepts.
const BYTES: usize = 4 << 20;
/// Of a longer one only the names are decoded.
const DEPTH_OF_NAMES: usize = 3;

/// An object, as far as it can be decoded.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// Namespace and name.
    pub(crate) key: Key,
    /// Its resourceVersion.
    pub(crate) version: String,
    /// Its content, without parts that are nested too deeply.
    pub(crate) content: Value,
    /// Why parts are missing.
    pub(crate) lacking: Option<String>,
}

#[derive(Default, Deserialize)]
struct Named {
    #[serde(default)]
    metadata: Names,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Names {
    namespace: String,
    name: String,
    resource_version: String,
}

impl Object {
    /// Reads it. Nothing that users may write into an object makes this fail.
    pub(crate) fn of(text: &str) -> Self {
        // other fields are skipped, and their depth does not matter
        let named: Named = serde_json::from_str(text).unwrap_or_default();
        let Names { namespace, name, resource_version } = named.metadata;
        let long = text.len() > BYTES;
        let cut = RefCell::default();
        let seed = Within { room: if long { DEPTH_OF_NAMES } else { DEPTH }, at: At::Root, cut: &cut };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let (content, lacking) = match seed.deserialize(&mut deserializer) {
            Ok(content) if long => {
                let why = format!("it has {} bytes, more than the {BYTES} that are taken", text.len());
                (content, Some(format!("{why}: make it smaller")))
            }
            Ok(content) if !content.is_object() => (Value::Null, Some("it is no JSON object".into())),
            Ok(content) => (content, cut.into_inner().map(|path| too_deep(&path))),
            Err(error) => (Value::Null, Some(error.to_string())),
        };
        Self { key: (namespace, name), version: resource_version, content, lacking }
    }

    /// The resourceVersion as a number.
    pub(crate) fn number(&self) -> u64 {
        self.version.parse().unwrap_or(0)
    }
}

/// `path`: from the inside out.
fn too_deep(path: &[String]) -> String {
    let field: Vec<&str> = path.iter().rev().take(4).map(String::as_str).collect();
    format!("{} is nested in more than {DEPTH} levels: make it flatter or remove it", field.join("."))
}

/// The decoded form of an object.
pub(crate) trait Decoded: Sized + Send + 'static {
    /// The content as this type.
    fn of(content: Value) -> Result<Self, String>;
}

impl Decoded for Value {
    fn of(content: Value) -> Result<Self, String> {
        Ok(content)
    }
}

impl Decoded for Lease {
    fn of(content: Value) -> Result<Self, String> {
        typed(content)
    }
}

impl<K: Send + 'static> Decoded for PartialObjectMeta<K> {
    fn of(content: Value) -> Result<Self, String> {
        typed(content)
    }
}

/// managedFields are not read from these, and may have forms that do not decode.
fn typed<T: DeserializeOwned>(mut content: Value) -> Result<T, String> {
    if let Some(metadata) = content.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    serde_json::from_value(content).map_err(|error| error.to_string())
}

/// The relevant position of a value in an object.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Root,
    Metadata,
    /// In a list of managed fields, which may be as deep as the object; the parts that are read are not.
    Writers,
    Elsewhere,
}

impl At {
    fn below(self, key: &str) -> Self {
        match (self, key) {
            (Self::Root, "metadata") => Self::Metadata,
            (Self::Metadata, "managedFields") | (Self::Writers, _) => Self::Writers,
            _ => Self::Elsewhere,
        }
    }
}

/// A value, decoded down to this many levels.
#[derive(Clone, Copy)]
struct Within<'a> {
    room: usize,
    at: At,
    /// Path of the first value that was skipped, from the inside out.
    cut: &'a RefCell<Option<Vec<String>>>,
}

impl Within<'_> {
    fn below(self, key: &str) -> Self {
        Self { room: self.room.saturating_sub(1), at: self.at.below(key), cut: self.cut }
    }

    /// The value under `key` has been read: if something was skipped in it for the first time, adds the key to the
    /// path.
    fn passed(self, was_cut: bool, key: &str) {
        if !was_cut && let Some(path) = &mut *self.cut.borrow_mut() {
            path.push(key.to_owned());
        }
    }

    fn is_cut(self) -> bool {
        self.cut.borrow().is_some()
    }

    fn skipped(self) {
        if self.at != At::Writers {
            self.cut.borrow_mut().get_or_insert_default();
        }
    }
}

impl<'de> DeserializeSeed<'de> for Within<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        if self.room == 0 {
            while seq.next_element::<IgnoredAny>()?.is_some() {
                self.skipped();
            }
            return Ok(items.into());
        }
        loop {
            let was_cut = self.is_cut();
            let key = items.len().to_string();
            let Some(item) = seq.next_element_seed(self.below(&key))? else { return Ok(items.into()) };
            items.push(item);
            self.passed(was_cut, &key);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        if self.room == 0 {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                self.skipped();
            }
            return Ok(members.into());
        }
        while let Some(key) = map.next_key::<String>()? {
            let was_cut = self.is_cut();
            let value = map.next_value_seed(self.below(&key))?;
            self.passed(was_cut, &key);
            members.insert(key, value);
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// An object whose `spec.deep` has this many levels.
    fn nested(levels: usize) -> String {
        let (open, close) = ("{\"a\":".repeat(levels), "}".repeat(levels));
        format!(
            r#"{{"spec": {{"first": 1, "deep": {open}1{close}, "last": 2}}, "metadata": {{"name": "x", "namespace": "n", "resourceVersion": "7"}}}}"#
        )
    }

    #[test]
    fn f1_what_is_nested_too_deeply_is_skipped_and_named() {
        for levels in [99, 200, 9000, 100_000] {
            let object = Object::of(&nested(levels));
            assert_eq!((object.key.clone(), object.number()), (("n".into(), "x".into()), 7));
            assert_eq!(
                object.lacking.as_deref(),
                Some("spec.deep.a.a is nested in more than 100 levels: make it flatter or remove it"),
                "{levels}"
            );
            assert_eq!([&object.content["spec"]["first"], &object.content["spec"]["last"]], [1, 2]);
            let again = serde_json::from_str::<Value>(&json!([[[object.content]]]).to_string());
            assert!(again.is_ok(), "what is left is decoded again within other objects");
        }
        let object = Object::of(&nested(98));
        assert_eq!(object.lacking, None);
        assert_eq!(object.content, serde_json::from_str::<Value>(&nested(98)).unwrap());
    }

    #[test]
    fn f1_who_wrote_which_field_may_be_as_deep_as_it_is_and_of_any_time() {
        let (open, close) = ("{\"f:a\":".repeat(500), "}".repeat(500));
        let text = format!(
            r#"{{"metadata": {{"name": "x", "managedFields": [{{"time": "9999-12-31T23:59:59Z", "manager": "m", "fieldsV1": {open}{{}}{close}}}]}}}}"#
        );
        let object = Object::of(&text);
        assert_eq!(object.lacking, None);
        assert_eq!(object.content["metadata"]["managedFields"][0]["manager"], "m");
        let lease = <Lease as Decoded>::of(object.content.clone()).unwrap();
        assert_eq!(lease.metadata.name.as_deref(), Some("x"));
        let metadata = <PartialObjectMeta<Lease> as Decoded>::of(object.content).unwrap();
        assert_eq!(metadata.metadata.name.as_deref(), Some("x"));
    }

    #[test]
    fn f1_of_an_object_that_is_too_large_only_what_it_is_called_by_is_read() {
        let long = "x".repeat(BYTES);
        let object = Object::of(
            &json!({"metadata": {"name": "x", "labels": {"a": "b"}}, "spec": {"a": {"b": {"c": long}}}})
                .to_string(),
        );
        assert!(
            object
                .lacking
                .is_some_and(|why| why.ends_with("more than the 4194304 that are taken: make it smaller"))
        );
        assert_eq!(
            object.content,
            json!({"metadata": {"name": "x", "labels": {"a": "b"}}, "spec": {"a": {"b": {}}}})
        );
    }

    #[test]
    fn f1_what_is_no_object_does_not_decode() {
        for text in ["6", "null", "[]", "\"x\"", "true"] {
            let object = Object::of(text);
            assert_eq!(
                (object.lacking.as_deref(), &object.content),
                (Some("it is no JSON object"), &Value::Null),
                "{text}"
            );
            let content: Value = serde_json::from_str(text).unwrap();
            assert!(<Lease as Decoded>::of(content).is_err(), "{text}");
        }
    }

    #[test]
    fn f1_a_type_that_does_not_fit_is_an_error_of_this_object() {
        let content = json!({"metadata": {"name": "x"}, "spec": {"leaseDurationSeconds": "ten"}});
        assert!(<Lease as Decoded>::of(content).unwrap_err().contains("ten"));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e9..1e9).prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("\\PC{0,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn f1_what_is_not_too_deep_is_decoded_as_it_is(value in value()) {
            let text = json!({"metadata": {"name": "x"}, "spec": value}).to_string();
            let object = Object::of(&text);
            prop_assert_eq!(object.lacking, None);
            prop_assert_eq!(object.content, serde_json::from_str::<Value>(&text).unwrap());
        }
    }
}
