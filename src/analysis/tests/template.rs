//! Templates of queries, compared with Go's results.

use crate::analysis::template::{Model, render};

fn model() -> Model {
    Model {
        namespace: "prod".into(),
        target: "podinfo".into(),
        interval: "1m".into(),
        args: [("team".to_owned(), "blue".to_owned()), ("id".to_owned(), "*****id*****".to_owned())].into(),
        variables: [("direction".to_owned(), "in".to_owned()), ("a-b".to_owned(), "c".to_owned())].into(),
        ..Model::default()
    }
}

fn rendered(cases: &[(&str, &str)]) {
    for (text, wanted) in cases {
        assert_eq!(render(text, &model()).as_deref(), Ok(*wanted), "{text}");
    }
}

fn refused(cases: &[(&str, &str)]) {
    for (text, words) in cases {
        let said = render(text, &model()).expect_err(text);
        assert!(said.contains(words) && said.starts_with("line "), "{text}: {said}");
    }
}

#[test]
fn templates_render_as_in_go() {
    rendered(&[
        (r#"x{ns="{{ namespace }}",w=~"{{ target }}"}[{{ interval }}]"#, r#"x{ns="prod",w=~"podinfo"}[1m]"#),
        ("{{ variables.direction }}", "in"),
        ("{{ args.team }}", "blue"),
        (r#"{{ index variables "a-b" }}"#, "c"),
        ("{{- namespace -}} x", "prodx"),
        (r#"{{ if eq namespace "prod" }}a{{ else }}b{{ end }}"#, "a"),
        (r#"{{ target | printf "%s-primary" }}"#, "podinfo-primary"),
        ("{{ $x := target }}{{ $x }}-{{ $x }}", "podinfo-podinfo"),
        (r#"{{ "{{" }} literal"#, "{{ literal"),
        ("up", "up"),
        ("a{{/* a comment */}}b{{- /* another */ -}} c", "abc"),
        ("{{ range $k, $v := variables }}{{ $k }}={{ $v }};{{ end }}", "a-b=c;direction=in;"),
        ("{{ range $i := 3 }}{{ if eq $i 1 }}{{ continue }}{{ end }}{{ $i }}{{ else }}none{{ end }}", "02"),
        ("{{ with variables.direction }}{{ . }}{{ end }}{{ with args.team | len }}{{ . }}{{ end }}", "in4"),
        (r#"{{ define "q" }}<{{ . }}>{{ end }}{{ template "q" target }}"#, "<podinfo>"),
        (r#"{{ if and (ne target "x") (not (eq namespace "test")) }}y{{ else if true }}z{{ end }}"#, "y"),
        (r#"{{ slice target 0 3 }}{{ index target 0 }}{{ len "é" }}"#, "pod1122"),
        (r#"{{ block "b" 1 }}{{ . }}{{ end }}{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}"#, "12"),
    ]);
}

#[test]
fn mistakes_are_errors() {
    refused(&[
        ("{{ .Namespace }}", "nothing has no field Namespace"),
        ("a\n {{ variables.missing }}", "line 2, column 5: there is no key missing"),
        ("{{ args.missing }}", "there is no key missing"),
        ("{{ nope }}", "function nope is not known"),
        ("{{ namespace", "is not closed"),
        ("{{ $x }}", "variable $x is not declared"),
        ("{{ $x = 1 }}{{ $y }}", "$y is not declared"),
        ("{{ if }}x{{ end }}", "missing value for if"),
        ("{{ target 1 }}", "takes no arguments"),
        ("{{ 1 | 2 }}", "only a function"),
        ("{{ variables.a-b }}", "use index"),
        ("{{ eq 1 1.0 }}", "cannot be compared"),
        ("{{ break }}", "outside of range"),
        ("{{ range target }}{{ end }}", "cannot go through a text"),
    ]);
}

#[test]
fn h1_what_stands_behind_an_unbalanced_block_is_never_cut_off() {
    refused(&[
        ("sum(rate(x[1m])){{ end }} / sum(rate(y[1m]))", "unexpected {{ end }}"),
        ("a{{ else }}b", "unexpected {{ else }}"),
        ("{{ if true }}x", "has no {{ end }}"),
        ("{{ range variables }}x{{ else }}y", "has no {{ end }}"),
        (r#"{{ define "q" }}x"#, "has no {{ end }}"),
        ("{{ if true }}a{{ else }}b{{ else }}c{{ end }}", "a second {{ else }}"),
        ("{{ if true }}a{{ end }}{{ end }}b", "unexpected {{ end }}"),
        ("sh -c \"k6 run x.js{{ end }} && ./check\"", "unexpected {{ end }}"),
        (r#"{{ if true }}{{ define "q" }}{{ end }}{{ end }}"#, "unexpected define"),
    ]);
}

#[test]
fn h2_an_optional_variable_read_by_index_is_empty() {
    rendered(&[
        (r#"{{ index variables "env" }}"#, ""),
        (r#"{{ if eq (index variables "env") "" }}a{{ else }}b{{ end }}"#, "a"),
        (r#"{{ if index variables "env" }}a{{ else }}b{{ end }}"#, "b"),
        (r#"{{ printf "%s" (index variables "env") }}"#, ""),
        (r#"{{ len (index args "env") }}{{ lt (index args "env") "a" }}"#, "0true"),
        (r#"{{ or (index variables "env") "prod" }}"#, "prod"),
    ]);
}

#[test]
fn l3_escaping_functions_take_any_number_of_arguments() {
    rendered(&[
        (r#"{{ urlquery target "." namespace }}"#, "podinfo.prod"),
        (r#"{{ html "<" target "\"" }}"#, "&lt;podinfo&#34;"),
        (r#"{{ js "'" target "=" }}"#, r"\'podinfo\u003D"),
        ("{{ index variables }}", "map[a-b:c direction:in]"),
        ("{{ namespace | }}", "prod"),
        (r#"{{ urlquery "a b&é" 1 2 }}"#, "a+b%26%C3%A91+2"),
    ]);
}

#[test]
fn l8_values_are_printed_as_in_go() {
    rendered(&[
        ("{{ 1000000.0 }} {{ 1e-5 }} {{ 0.1 }} {{ 100000.0 }} {{ 1e3 }}", "1e+06 1e-05 0.1 100000 1000"),
        (r#"{{ printf "%d" 1.5 }} {{ printf "%.2f" 5 }}"#, "%!d(float64=1.5) %!f(int=05)"),
        (r#"{{ printf "%T %T %T" 1 "a" variables }}"#, "int string map[string]string"),
        (
            r#"{{ printf "%#v %#v" "a" 1 }} {{ printf "%F" 1.5 }} {{ printf "%O" 8 }}"#,
            "\"a\" 1 1.500000 0o10",
        ),
        (
            r#"{{ printf "% x|%+q|%3c|%6.3d|%012s" "ab" "é" 65 7 "ab" }}"#,
            "61 62|\"\\u00e9\"|  A|   007|0000000000ab",
        ),
        (
            r#"{{ printf "%s %d %q" variables variables variables }}"#,
            concat!(
                "map[a-b:c direction:in] map[%!d(string=a-b):%!d(string=c) %!d(string=direction):%!d(string=in)] ",
                "map[\"a-b\":\"c\" \"direction\":\"in\"]"
            ),
        ),
        (
            r#"{{ printf "100%" }} {{ printf "%d" }} {{ printf "a" 1 }}"#,
            "100%!(NOVERB) %!d(MISSING) a%!(EXTRA int=1)",
        ),
        (
            r#"{{ printf "%[2]s %[1]s %*d %.3s %-5s|" "a" "b" 4 7 "abcdef" "x" }}"#,
            "b a %!(BADWIDTH)4 %!s(int=007) abcdef|",
        ),
        ("{{ . }} {{ print nil }} {{ print 1 2 \"a\" 3 true }}", "<no value> <nil> 1 2a3 true"),
    ]);
}

#[test]
fn m5_a_secret_is_placed_or_encoded_and_nothing_else() {
    rendered(&[
        ("?t={{ urlquery args.id }}", "?t=%2A%2A%2A%2A%2Aid%2A%2A%2A%2A%2A"),
        (r#"{{ print "a" args.id }}{{ printf "<%s>" args.id }}"#, "a*****id*****<*****id*****>"),
        ("{{ if args.id }}{{ args.id }}{{ end }}", "*****id*****"),
    ]);
    for text in [
        "{{ html args.id }}",
        "{{ len args.id }}",
        r#"{{ eq args.id "x" }}"#,
        r#"{{ printf "%q" args.id }}"#,
        r#"{{ printf "%.3s" args.id }}"#,
        "{{ slice args.id 1 }}",
        "{{ urlquery (urlquery args.id) }}",
        "{{ index args.id 0 }}",
        "{{ js (print args.id 1) }}",
    ] {
        refused(&[(text, "from a Secret")]);
    }
}

#[test]
fn f3_a_template_takes_bounded_memory_and_time() {
    let doubled = format!(r#"{{{{ $x := "0123456789" }}}}{}"#, "{{ $x = print $x $x }}".repeat(60));
    refused(&[
        (&doubled, "bytes"),
        (r#"{{ printf "%60000d" 1 }}"#, "more than"),
        (r#"{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}"#, "inside one another"),
        ("{{ range 1000000000 }}{{ end }}", "steps"),
        ("{{ range 10000 }}{{ range 10000 }}{{ end }}{{ end }}", "steps"),
        ("{{ range 100000 }}{{ target }}{{ end }}", "more than"),
        (&"{{ if true }}".repeat(1000), "inside one another"),
        (&format!("{{{{ {}1 }}}}", "(".repeat(1000)), "not closed"),
        (
            r#"{{ $x := printf "%30000d" 1 }}{{ range 1000 }}{{ $x = html $x }}{{ $x = slice $x 1 }}{{ end }}"#,
            "bytes",
        ),
    ]);
    assert!(render(&"x".repeat(16 * 1024 + 1), &model()).unwrap_err().contains("16384 bytes"));
}

#[test]
fn f3_what_is_said_of_a_template_is_one_short_line() {
    let long = "x".repeat(5000);
    for text in [
        format!("{{{{ -0{long} }}}}"),
        format!("{{{{ {long} }}}}"),
        format!("{{{{ variables.{long} }}}}"),
        "{{ `a\nb` \"c\u{1b}\" }}".into(),
    ] {
        let said = render(&text, &model()).unwrap_err();
        assert!(said.len() < 400 && !said.contains(char::is_control), "{said}");
    }
}
