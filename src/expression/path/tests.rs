use serde_json::{Value, json};

use super::*;

fn document() -> Value {
    json!({
        "data": {"value": 1.5, "error-rate": 0.2, "1st": 7, "app.kubernetes.io/name": "x", "deep": {"value": 2}},
        "items": [{"name": "a", "v": 1}, {"name": "b", "v": 2}, {"name": "c", "v": 3}],
        "text": "abc",
    })
}

fn found(path: &str) -> Vec<Value> {
    let document = document();
    Path::parse(path)
        .unwrap_or_else(|why| panic!("{path}: {why}"))
        .find(&document)
        .unwrap()
        .into_iter()
        .cloned()
        .collect()
}

#[test]
fn paths_lead_to_values() {
    let cases: [(&str, Value); 22] = [
        ("$.data.value", json!([1.5])),
        ("{.data.value}", json!([1.5])),
        ("{$.data.error-rate}", json!([0.2])),
        ("{$.data['app\\.kubernetes\\.io/name']}", json!(["x"])),
        ("$.data['app.kubernetes.io/name']", json!(["x"])),
        ("{.data.app\\.kubernetes\\.io/name}", json!(["x"])),
        ("{$.data.1st}", json!([7])),
        ("$['items'][0]['v']", json!([1])),
        ("{.items[-1].v}", json!([3])),
        ("{.items[*].v}", json!([1, 2, 3])),
        ("$.items[0:2].v", json!([1, 2])),
        ("$.items[::2].v", json!([1, 3])),
        ("$.items[-2:].v", json!([2, 3])),
        ("$.items[0,2].v", json!([1, 3])),
        ("$.data['value', \"1st\"]", json!([1.5, 7])),
        ("{.items[?(@.name=='b')].v}", json!([2])),
        ("$.items[?@.v >= 2].name", json!(["b", "c"])),
        ("$.items[?(@.nope)].v", json!([])),
        ("$..value", json!([1.5, 2])),
        ("$.nope.value", json!([])),
        ("$.items[7].v", json!([])),
        ("$.text.value", json!([])),
    ];
    for (path, wanted) in cases {
        assert_eq!(Value::Array(found(path)), wanted, "{path}");
    }
    assert_eq!(found("$"), [document()]);
}

#[test]
fn l1_kubectls_forms_are_taken_and_others_are_told_in_words() {
    for path in
        ["{.data.value}", "{$.data.error-rate}", "{$.data['app\\.kubernetes\\.io/name']}", "{$.data.1st}"]
    {
        assert_eq!(found(path).len(), 1, "{path}");
    }
    assert_eq!(Path::parse("{[0].v}").unwrap().find(&json!([{"v": 4}])), Ok(vec![&json!(4)]));
    for (path, words) in [
        ("data.value", "begin with $"),
        ("{.data.value", "not closed"),
        ("{.a}{.b}", "cannot stand there"),
        ("{range .items[*]}{.v}{end}", "begin with $"),
        ("$.a b", "cannot stand there"),
        ("$.a[", "ends too early"),
        ("$.a['b", "not closed by '"),
        ("$.a[?(@.b == c)]", "put quotes around a text"),
        ("$.a[?(@.b == 1 && @.c == 2)]", "one comparison"),
        ("$.a[?length(@.b) > 1]", "begins with @"),
        ("$..a..b", "one .. only"),
        ("$..*", "leads to everything"),
        ("{.a['b.c']}", "write a backslash"),
        ("$.a[01]", "no place in a list"),
        ("$.a[1:0:-1]", "at least 1"),
        ("$.a.length()", "cannot stand there"),
        ("$", ""),
        ("", "begin with $"),
    ] {
        match Path::parse(path) {
            Ok(_) => assert_eq!(path, "$"),
            Err(said) => assert!(said.contains(words) && !said.contains('\n'), "{path}: {said}"),
        }
    }
    assert!(Path::parse(&format!("$.{}", "a".repeat(600))).is_err());
}

#[test]
fn m6_a_field_path_never_searches_deep() {
    let object = json!({"metadata": {"labels": {"team-name": "blue"}}, "spec": {"template": {"metadata": {"labels": {"app": "p"}}}}});
    let read = |path: &str| Path::field(path).and_then(|path| path.find(&object).map(|found| found.len()));
    assert_eq!(read(".metadata.labels.app"), Ok(0));
    assert_eq!(read("{.metadata.labels.team-name}"), Ok(1));
    assert_eq!(read("metadata.labels.team-name"), Ok(1));
    assert_eq!(read("metadata.labels['team-name']"), Ok(1));
    assert_eq!(read("$.metadata.labels.team-name"), Ok(1));
    assert!(read("..labels.app").unwrap_err().contains("leads to many fields"));
    assert!(read("$..app").is_err());
}

#[test]
fn f4_a_path_takes_bounded_time_and_memory() {
    let wide = Value::Array(vec![json!({"value": 1}); 60_000]);
    for path in ["$[*].value", "$..value", "$[?(@.value == 1)].value", "$[0:60000]"] {
        let said = Path::parse(path).unwrap().find(&wide).unwrap_err();
        assert!(said.contains("more than"), "{path}: {said}");
    }
    let mut deep = json!(1);
    for _ in 0..2000 {
        deep = json!({ "a": deep });
    }
    let said = Path::parse("$..a").unwrap().find(&deep).unwrap_err();
    assert!(said.contains("more than 100 values"), "{said}");
    std::mem::forget(deep); // serde_json drops by recursion
}

#[test]
fn a_filter_for_a_place_that_is_not_there_is_refused() {
    let document = json!([{"v": 1, "t": ["a"]}, {"v": 2, "t": []}, {"v": 3}]);
    let find = |path: &str| Path::parse(path).unwrap().find(&document).map(|found| found.len());
    for path in ["$[?(@.t[0])].v", "$[?(@.t[1])].v", "$[?(@[0])].v", "$[?(@.v[0])].v"] {
        assert!(find(path).unwrap_err().contains("which is not there: compare it with a value"), "{path}");
    }
    assert_eq!(find("$[?(@.t)].v"), Ok(2));
    assert_eq!(find("$[?(@.t[0]=='a')].v"), Ok(1));
}

#[test]
fn a_quoted_name_that_begins_with_a_point_needs_a_backslash() {
    let document = json!({".v": 1, "a.b": 2, "c": {"v": 3}});
    let find = |path: &str| Path::parse(path).map(|path| path.find(&document).unwrap().len());
    for path in ["['.v','a']", "$['.v']", "{$['.v']}"] {
        let said = find(path).unwrap_err();
        assert!(said.ends_with("write a backslash before each point"), "{path}: {said}");
        assert_eq!(said.contains("in braces"), path.starts_with('{'), "{path}: {said}");
    }
    // without braces it would be read in this way
    assert!(find("{$['a.b']}").unwrap_err().ends_with("or leave out the braces"));
    assert_eq!(find("$['\\.v']"), Ok(1));
    assert_eq!(find("$['a.b']"), Ok(1));
}

#[test]
fn an_empty_list_among_several_is_refused() {
    let find = |document| Path::parse("$[*].d[*]").unwrap().find(&document).map(|found| found.len());
    assert!(find(json!([{"d": [1]}, {"d": []}, {"d": [2]}])).unwrap_err().contains("one of them is empty"));
    assert_eq!(find(json!([{"d": [1]}, {}, {"d": [2, 3]}, {"d": []}])), Ok(3));
    assert_eq!(find(json!([{"d": []}, {"d": []}])), Ok(0));
    let document = json!([{"d": []}, {"d": [2]}]);
    assert_eq!(Path::parse("$[*].d.*").unwrap().find(&document).map(|found| found.len()), Ok(1));
}
