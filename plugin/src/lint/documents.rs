//! The objects of a file: splits it into documents and unpacks Lists, with line numbers.

use serde_json::Value;

use super::source::Source;

/// An object and its location.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) file: String,
    /// The first line of its document, counted from 1.
    pub(super) line: usize,
    text: String,
    pub(super) object: Value,
}

impl Document {
    pub(super) fn title(&self) -> String {
        title(&self.object)
    }

    /// The line of the last field of the path at the start of a message, as far as it can be found.
    pub(super) fn line_of(&self, message: &str) -> usize {
        let path = message.split([' ', ':']).next().unwrap_or_default();
        let mut at = 0;
        for field in path.split('.').filter(|_| path.starts_with("spec")) {
            let name = field.split('[').next().unwrap_or_default();
            let here = self.text.lines().enumerate().skip(at);
            let found = here.into_iter().find(|(_, line)| {
                let key = line.trim_start().trim_start_matches("- ").trim_start_matches('"');
                key.strip_prefix(name).is_some_and(|rest| rest.trim_start_matches('"').starts_with(':'))
            });
            match found {
                Some((line, _)) => at = line,
                None => break,
            }
        }
        let first =
            self.text.lines().position(|line| !line.trim().is_empty() && !line.starts_with(['#', '-']));
        self.line + if at == 0 { first.unwrap_or(0) } else { at }
    }
}

/// Kind, name and namespace of an object, as findings show it.
pub fn title(object: &serde_json::Value) -> String {
    let text = |field: &str| object["metadata"][field].as_str().filter(|text| !text.is_empty());
    let (kind, name) = (object["kind"].as_str().unwrap_or_default(), text("name").unwrap_or("?"));
    text("namespace").map_or_else(|| format!("{kind} {name}"), |space| format!("{kind} {name}.{space}"))
}

/// All objects of a file.
///
/// # Errors
/// The file is not valid YAML. The text contains the position.
pub(super) fn read(source: &Source) -> Result<Vec<Document>, String> {
    let mut all = Vec::new();
    for (line, text) in split(&source.text) {
        let parsed = serde_saphyr::from_str::<Value>(&text);
        let object = parsed.map_err(|error| {
            let error = error.to_string();
            let error = error.lines().next().unwrap_or_default();
            format!("{}: the document from line {line} on cannot be read: {error}", source.name)
        })?;
        let of = |object: Value| Document { file: source.name.clone(), line, text: text.clone(), object };
        match object["items"]
            .as_array()
            .filter(|_| object["kind"].as_str().is_some_and(|k| k.ends_with("List")))
        {
            Some(items) => all.extend(items.iter().cloned().map(of)),
            None if object.is_object() => all.push(of(object)),
            None => {}
        }
    }
    Ok(all)
}

/// The documents of a text with their first lines. Empty documents are left out.
fn split(text: &str) -> Vec<(usize, String)> {
    let (mut all, mut begin, mut lines) = (Vec::new(), 1, Vec::new());
    let mut end = |begin: usize, lines: &mut Vec<&str>| {
        if lines.iter().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
            all.push((begin, lines.join("\n") + "\n"));
        }
        lines.clear();
    };
    for (i, line) in text.lines().enumerate() {
        let rest = line.strip_prefix("---");
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r']))
            || line.trim_end() == "..."
        {
            end(begin, &mut lines);
            begin = i + 2;
        } else {
            lines.push(line);
        }
    }
    end(begin, &mut lines);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_lists_are_taken_apart_with_their_lines() {
        let text = "# only a comment\n---\nkind: A\nmetadata: {name: a}\n--- # of a chart\n\nkind: List\nitems:\n- kind: B\n- kind: C\n---\n";
        let source = Source { name: "x.yaml".into(), text: text.into() };
        let all = read(&source).unwrap();
        let kinds: Vec<_> = all.iter().map(|d| (d.object["kind"].as_str().unwrap(), d.line)).collect();
        assert_eq!(kinds, [("A", 3), ("B", 6), ("C", 6)]);
        assert_eq!(all[0].title(), "A a");
    }

    #[test]
    fn what_is_no_yaml_is_named_with_its_place() {
        let source =
            Source { name: "x.yaml".into(), text: "kind: A\n---\nkind: {{ .Values.x }}: y\n".into() };
        let error = read(&source).unwrap_err();
        assert!(error.starts_with("x.yaml: the document from line 3 on cannot be read: "), "{error}");
    }
}
