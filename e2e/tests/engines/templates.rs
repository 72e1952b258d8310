//! Templates in published forms, and every function with every kind of misuse.

use crate::original::Case;

/// Queries from guides and charts, with a placeholder for the variable part.
const QUERIES: [&str; 14] = [
    r#"100 - sum(rate(istio_requests_total{reporter="destination",destination_workload_namespace="{{ namespace }}",destination_workload=~"{{ target }}",response_code!="404"}[{{ interval }}])) / @ * 100"#,
    r#"sum(rate(http_requests_total{ns="{{ namespace }}",app="{{ target }}-@"}[{{interval}}])) by (code)"#,
    r#"histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket{job="{{target}}",route="@"}[{{ interval }}])) by (le))"#,
    "fields @message | stats count(*) by bin({{ interval }}) | filter app = '@'",
    r#"from(bucket: "{{ namespace }}") |> range(start: -{{ interval }}) |> filter(fn: (r) => r._measurement == "@")"#,
    "target=summarize(apps.{{ namespace }}.{{ target }}.@, '1min', 'sum')&from=-{{ interval }}",
    "SELECT filter(ratio(max(timestamp), 1000), WHERE app = '{{ target }}' AND @ = 1) FROM Transaction",
    "avg:requests.error_rate{service:{{ service }},env:@}.rollup(60)",
    "{{- /* share of errors */ -}} sum(errors{name=\"{{ name }}\"}) / sum(all{x=\"@\"})",
    "{{ $ns := namespace }}{{ $t := target }}sum(x{ns=\"{{ $ns }}\",t=\"{{ $t }}\",v=\"@\"})",
    "{{ if eq namespace \"prod\" }}strict{{ else if eq namespace \"dev\" }}lax{{ else }}none{{ end }} @",
    "{{ with variables.env }}env=\"{{ . }}\"{{ else }}all{{ end }},@",
    "{{ range $k, $v := variables }}{{ $k }}=~\"{{ $v }}\",{{ end }}@",
    "nginx_ingress_controller_requests{ingress=\"{{ ingress }}\",route=\"{{ route }}\"}[{{ interval }}] # @",
];

/// The variable parts.
const VARIED: [&str; 18] = [
    "x",
    "{{ target }}",
    "{{ variables.env }}",
    "{{ variables.missing }}",
    "{{ index variables \"env\" }}",
    "{{ index variables \"missing\" }}",
    "{{ index variables \"app.kubernetes.io/name\" }}",
    "{{ args.team }}",
    "{{ target | printf \"%s-canary\" }}",
    "{{ printf \"%s.%s\" target namespace }}",
    "{{ urlquery target \" \" namespace }}",
    "{{ if index variables \"missing\" }}a{{ else }}b{{ end }}",
    "{{ end }}",
    "{{ else }}",
    "{{ if true }}",
    "{{ \"{{\" }}x{{ `}}` }}",
    "{{ or (index variables \"missing\") \"d\" }}",
    "{{ target",
];

const FUNCTIONS: [&str; 18] = [
    "and",
    "or",
    "not",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "len",
    "index",
    "slice",
    "print",
    "println",
    "html",
    "js",
    "urlquery",
    "printf \"%v|%s\"",
];

const ARGUMENTS: [&str; 14] = [
    "1",
    "-2",
    "1.5",
    "\"\"",
    "\"a<b&c='d' \\\"\\\\\"",
    "'x'",
    "true",
    "nil",
    "target",
    "variables",
    ".",
    "1e6",
    "(index variables \"env\")",
    "`é ü`",
];

const SECOND: [&str; 8] = ["0", "2", "1.5", "\"env\"", "false", "nil", "variables", "target"];

const VERBS: &str = "vdsqxXobOcUtTeEfFgG%zw";
const FLAGS: [&str; 20] = [
    "", "5", "-5", "05", "+", "#", " ", "x", ".2", "8.3", "-8.3", "08.3", "+.1", ".0", "#v", "[1]", "[2]",
    "*", ".*", "[1]*",
];

const BLOCKS: [&str; 64] = [
    "{{ range 100000 }}{{ end }}",
    "sum(rate(x[1m])){{ end }} / sum(rate(y[1m]))",
    "{{ if true }}x",
    "{{ define \"q\" }}x",
    "{{ define \"q\" }}<{{ . }}>{{ end }}{{ template \"q\" target }}{{ template \"q\" }}",
    "{{ define \"q\" }}{{ $ }}{{ end }}{{ template \"q\" 5 }}",
    "{{ define \"q\" }}a{{ end }}{{ define \"q\" }}b{{ end }}{{ template \"q\" }}",
    "{{ define \"q\" }}a{{ end }}{{ define \"q\" }} {{ end }}{{ template \"q\" }}",
    "{{ define \"q\" }} {{ end }}{{ define \"q\" }}b{{ end }}{{ template \"q\" }}",
    "{{ template \"nope\" }}",
    "{{ block \"b\" target }}[{{ . }}]{{ end }}{{ template \"b\" 2 }}",
    "{{ block \"b\" }}x{{ end }}",
    "{{ if true }}{{ define \"q\" }}{{ end }}{{ end }}",
    "{{ if true }}a{{ else }}b{{ else }}c{{ end }}",
    "{{ if false }}a{{ else if false }}b{{ else if true }}c{{ else }}d{{ end }}",
    "{{ if false }}a{{ else with target }}b{{ . }}{{ end }}",
    "{{ with false }}a{{ else with target }}b{{ . }}{{ else }}c{{ end }}",
    "{{ with false }}a{{ else if true }}b{{ end }}",
    "{{ range 3 }}{{ . }}{{ end }}",
    "{{ range $i := 3 }}{{ $i }},{{ end }}",
    "{{ range $i, $j := 3 }}{{ $i }}{{ end }}",
    "{{ range $i, $ }}{{ end }}",
    "{{ range 0 }}a{{ else }}b{{ end }}",
    "{{ range -1 }}a{{ else }}b{{ end }}",
    "{{ range variables }}{{ . }};{{ else }}none{{ end }}",
    "{{ range $v := variables }}{{ $v }};{{ end }}",
    "{{ range target }}{{ . }}{{ end }}",
    "{{ range nil }}{{ end }}",
    "{{ range . }}a{{ else }}b{{ end }}",
    "{{ range 'c' }}{{ if gt . 2 }}{{ break }}{{ end }}{{ . }}{{ end }}",
    "{{ range 5 }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ . }}{{ end }}",
    "{{ range 2 }}{{ range 3 }}{{ if . }}{{ break }}{{ end }}{{ . }}{{ end }};{{ end }}",
    "{{ break }}",
    "{{ range 1 }}{{ define \"x\" }}{{ break }}{{ end }}{{ end }}",
    "{{ range index target 0 }}.{{ break }}{{ end }}",
    "{{ $x := 1 }}{{ range 3 }}{{ $x = . }}{{ end }}{{ $x }}",
    "{{ $x := 1 }}{{ range 3 }}{{ $x := . }}{{ end }}{{ $x }}",
    "{{ $x := 1 }}{{ range $x = 3 }}{{ end }}{{ $x }}",
    "{{ $k := \"\" }}{{ $v := \"\" }}{{ range $k, $v = variables }}{{ end }}{{ $k }}{{ $v }}",
    "{{ if $x := target }}{{ $x }}{{ end }}{{ $x }}",
    "{{ if $x := target }}{{ $x }}{{ else }}{{ $x }}{{ end }}",
    "{{ if false }}{{ $y := 1 }}{{ else }}{{ $y }}{{ end }}",
    "{{ with $x := variables }}{{ $x.env }}{{ .env }}{{ end }}",
    "{{ $x = 1 }}",
    "{{ $x := 1 }}{{ $x = \"a\" }}{{ $x }}",
    "{{ ($y := 2) }}{{ $y }}",
    "{{ $x, $y := 1 }}",
    "{{ $ }}{{ $.x }}",
    "{{ . }}{{ .x }}",
    "{{ (variables).env }}{{ (index variables \"env\").x }}",
    "{{ variables.env.x }}",
    "{{ target.x }}",
    "{{ 1.x }}",
    "{{ nil }}",
    "{{ nil.x }}",
    "{{ true.x }}",
    "{{ namespace | }}",
    "{{ | namespace }}",
    "{{ 1 | 2 }}",
    "{{ target target }}",
    "{{ target | target }}",
    "{{ (target) 1 }}",
    "{{ variables \"env\" }}",
    "{{ }}",
];

const LEXICAL: [&str; 70] = [
    "{{3}}",
    "{{- 3 -}}",
    "{{ -3 }}",
    "{{-3}}",
    "{{- -3 -}}",
    "{{3 -}} x",
    "{{3-}}",
    "{{ 1_000 }}",
    "{{ 0x10 }}",
    "{{ 0b11 }}",
    "{{ 0o17 }}",
    "{{ 017 }}",
    "{{ 089 }}",
    "{{ 0x1p4 }}",
    "{{ 1i }}",
    "{{ 1+2i }}",
    "{{ +5 }}",
    "{{ -0 }}",
    "{{ -0.0 }}",
    "{{ .5 }}",
    "{{ 5. }}",
    "{{ 1e3 }}",
    "{{ 1e400 }}",
    "{{ 1e-7 }}",
    "{{ 123456789.0 }}",
    "{{ 9223372036854775807 }}",
    "{{ 9223372036854775808 }}",
    "{{ -9223372036854775808 }}",
    "{{ 1.5.5 }}",
    "{{ 5x }}",
    "{{ 'a' }}",
    "{{ '\\n' }}",
    "{{ '\\x41' }}",
    "{{ '\\'' }}",
    "{{ 'ab' }}",
    "{{ '' }}",
    "{{ 'é' }}",
    "{{ \"\\u00e9\\x41\\101\\t\" }}",
    "{{ \"\\xff\" }}",
    "{{ \"\\q\" }}",
    "{{ \"\\'\" }}",
    "{{ \"a\nb\" }}",
    "{{ `a\nb` }}",
    "{{ `a",
    "{{ \"a",
    "{{ 'a",
    "{{/* c */}}x",
    "a {{- /* c */ -}} b",
    "{{ /* c */ }}",
    "{{/* c }}",
    "{{/* c */ x}}",
    "{{- -}} x",
    "a {{ -}} b",
    "a{{-}}b",
    "a {{- target -}} b",
    "a\n\n{{- target }}\n\n{{ target -}}\n\nb",
    "{{ target}}{{target }}{{\ttarget\n}}",
    "{{ (target }}",
    "{{ target) }}",
    "{{ ((target)) }}",
    "{{ (  ) }}",
    "{{ target, }}",
    "{{ a;b }}",
    "{{ $é := 1 }}{{ $é }}",
    "{{ variables.a-b }}",
    "{{ len(target) }}",
    "{{ print(1)(2) }}",
    "{{ \"a\"\"b\" }}",
    "{{ if not(eq target \"x\") }}a{{ end }}",
    "}} {{ target }} }}",
];

pub(crate) fn case(text: String) -> Case {
    let variables = [("env", "prod"), ("app.kubernetes.io/name", "shop"), ("region", "eu-west-1")];
    let variables = variables.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    Case { engine: "template", text, variables, ..Case::default() }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all: Vec<String> = BLOCKS.iter().chain(&LEXICAL).map(|text| (*text).to_owned()).collect();
    for query in QUERIES {
        all.extend(VARIED.iter().map(|varied| query.replace('@', varied)));
    }
    for function in FUNCTIONS {
        all.push(format!("{{{{ {function} }}}}"));
        for first in ARGUMENTS {
            all.push(format!("{{{{ {function} {first} }}}}"));
            all.push(format!("{{{{ {first} | {function} }}}}"));
            all.extend(SECOND.iter().map(|second| format!("{{{{ {function} {first} {second} }}}}")));
        }
        all.push(format!("{{{{ {function} target 1 2 3 }}}}"));
        all.push(format!("{{{{ {function} target 1 3 }}}}"));
        all.push(format!("{{{{ {function} 1 1 target }}}}"));
    }
    for verb in VERBS.chars() {
        for flags in FLAGS {
            for value in ["42", "-1.25", "\"a é\\n\"", "true", "variables", "nil", "(index target 0)"] {
                let flags = if flags == "x" { "" } else { flags };
                all.push(format!("{{{{ printf \"<%{flags}{verb}>\" {value} }}}}"));
            }
            all.push(format!("{{{{ printf \"<%{flags}{verb}>\" 7 9 }}}}"));
        }
    }
    all.into_iter().map(case).collect()
}
