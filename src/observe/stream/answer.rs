//! PURE. Splits the API server's answers: lists into the texts of their items, and lines of a watch into events.
//! Objects are not decoded here, so that none can hide the others.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta;
use kube::core::Status;

/// One page of a list.
pub(crate) struct Page<'a> {
    /// The version of the cluster at which it was taken.
    pub(crate) version: String,
    /// Where the next page begins; none: this is the last page.
    pub(crate) next: Option<String>,
    /// The texts of the objects.
    pub(crate) items: Vec<&'a str>,
}

impl<'a> Page<'a> {
    /// None: this is not a list.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let members = members(text)?;
        let metadata: ListMeta = serde_json::from_str(member(&members, "metadata")?).ok()?;
        let items = match member(&members, "items") {
            None | Some("null") => vec![],
            Some(items) => elements(items)?,
        };
        Some(Self {
            version: metadata.resource_version.unwrap_or_default(),
            next: metadata.continue_.filter(|token| !token.is_empty()),
            items,
        })
    }
}

/// An event in a line of a watch.
pub(crate) enum Event<'a> {
    /// This object was created or changed.
    Changed(&'a str),
    /// It is gone.
    Gone(&'a str),
    /// Nothing has happened; the object has the current version.
    Bookmark(&'a str),
    /// The watch ends.
    Error(Box<Status>),
}

impl<'a> Event<'a> {
    /// None: this is not an event.
    pub(crate) fn of(line: &'a str) -> Option<Self> {
        let status = |text: &str| serde_json::from_str(text).ok().map(|status| Self::Error(Box::new(status)));
        let members = members(line)?;
        let Some(object) = member(&members, "object") else { return status(line) };
        match member(&members, "type")? {
            r#""ADDED""# | r#""MODIFIED""# => Some(Self::Changed(object)),
            r#""DELETED""# => Some(Self::Gone(object)),
            r#""BOOKMARK""# => Some(Self::Bookmark(object)),
            r#""ERROR""# => status(object),
            _ => None,
        }
    }
}

fn member<'a>(members: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    let found = members.iter().find(|(quoted, _)| quoted.trim_matches('"') == name);
    found.map(|(_, value)| *value)
}

/// The members of an object: their names as written, and the texts of their values.
fn members(text: &str) -> Option<Vec<(&str, &str)>> {
    let named = |cursor: &mut Cursor<'_>| cursor.take(b':');
    parts(text, [b'{', b'}'], |cursor| {
        let name = cursor.value()?;
        named(cursor)?;
        Some((name, cursor.value()?))
    })
}

/// The texts of the elements of a list.
fn elements(text: &str) -> Option<Vec<&str>> {
    parts(text, [b'[', b']'], Cursor::value)
}

fn parts<'a, T>(
    text: &'a str,
    [open, close]: [u8; 2],
    one: impl Fn(&mut Cursor<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.take(open)?;
    let mut found = Vec::new();
    if cursor.take(close).is_some() {
        return Some(found);
    }
    loop {
        found.push(one(&mut cursor)?);
        if cursor.take(b',').is_none() {
            return cursor.take(close).map(|()| found);
        }
    }
}

/// A position in a text. Only counts brackets: decoding a value shows whether it is valid.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn peek(&mut self) -> Option<u8> {
        while self.byte()?.is_ascii_whitespace() {
            self.at += 1;
        }
        self.byte()
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// The text of the value that begins here.
    fn value(&mut self) -> Option<&'a str> {
        self.peek()?;
        let (from, mut open) = (self.at, 0_usize);
        loop {
            let ended = match self.byte()? {
                b'"' => {
                    self.string()?;
                    true
                }
                b'{' | b'[' => {
                    open += 1;
                    false
                }
                b'}' | b']' | b',' | b':' if open == 0 => return self.since(from),
                b'}' | b']' => {
                    open -= 1;
                    true
                }
                _ => false,
            };
            self.at += 1;
            if ended && open == 0 {
                return self.since(from);
            }
        }
    }

    fn since(&self, from: usize) -> Option<&'a str> {
        self.text.get(from..self.at).map(str::trim_end)
    }

    /// Moves to the end of the string that begins here.
    fn string(&mut self) -> Option<()> {
        loop {
            self.at += 1;
            match self.byte()? {
                b'\\' => self.at += 1,
                b'"' => return Some(()),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn f1_a_list_is_taken_apart_whatever_its_items_are() {
        let (open, close) = ("[".repeat(9000), "]".repeat(9000));
        let odd = r#"{"a": "}],\"[{\\", "b": [1, -2.5e3, null, true]}"#;
        let text = format!(
            "{{\"kind\": \"List\", \"items\" : [ {odd}, {{\"deep\": {open}{close}}} ,{{}}, 7 ], \"metadata\": {{\"resourceVersion\": \"90\", \"continue\": \"on\"}}}}"
        );
        let page = Page::of(&text).unwrap();
        assert_eq!((page.version.as_str(), page.next.as_deref()), ("90", Some("on")));
        assert_eq!(page.items[0], odd);
        assert_eq!(page.items[1].len(), 18_000 + r#"{"deep": }"#.len());
        assert_eq!(page.items[2..], ["{}", "7"]);
    }

    #[test]
    fn f1_empty_lists_and_what_is_no_list() {
        for empty in [
            r#"{"metadata": {}, "items": []}"#,
            r#"{"metadata": {}, "items": null}"#,
            r#"{"metadata":{"continue":""}}"#,
        ] {
            let page = Page::of(empty).unwrap();
            assert!(page.items.is_empty() && page.next.is_none(), "{empty}");
        }
        for none in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"metadata": 7}"#,
            r#"{"metadata": {}, "items": [{}"#,
            r#"{"a": "b"#,
            r#"{"a"}"#,
        ] {
            assert!(Page::of(none).is_none(), "{none}");
        }
    }

    #[test]
    fn f1_the_parts_of_any_json_are_those_that_it_has() {
        let value = json!({"metadata": {}, "items": [{"a": ["\"", "\\", "{"]}, [], "é,]", -0.5]});
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let page = Page::of(&text).unwrap();
            let items: Vec<Value> =
                page.items.iter().map(|item| serde_json::from_str(item).unwrap()).collect();
            assert_eq!(json!(items), value["items"]);
        }
    }

    #[test]
    fn f1_lines_of_a_watch_are_events() {
        let word = |line: &str| match Event::of(line) {
            Some(Event::Changed(object)) => format!("changed {object}"),
            Some(Event::Gone(object)) => format!("gone {object}"),
            Some(Event::Bookmark(object)) => format!("bookmark {object}"),
            Some(Event::Error(status)) => format!("error {}", status.code),
            None => "none".into(),
        };
        assert_eq!(word(r#"{"type":"ADDED","object":{"a":1}}"#), r#"changed {"a":1}"#);
        assert_eq!(word(r#"{"object":{"a":"}"} , "type" : "MODIFIED"}"#), r#"changed {"a":"}"}"#);
        assert_eq!(word(r#"{"type":"DELETED","object":{}}"#), "gone {}");
        assert_eq!(word(r#"{"type":"BOOKMARK","object":{}}"#), "bookmark {}");
        let status = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old","reason":"Expired","code":410}"#;
        assert_eq!(word(&format!(r#"{{"type":"ERROR","object":{status}}}"#)), "error 410");
        assert_eq!(word(status), "error 410", "an answer that is no watch");
        for none in [r#"{"type":"OTHER","object":{}}"#, r#"{"type":"ADDED","obj"#, "", "x"] {
            assert_eq!(word(none), "none");
        }
    }
}
