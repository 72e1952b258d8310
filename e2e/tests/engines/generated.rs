//! Generated cases.

use crate::{conditions::both, grammar, original::Case, paths};

/// Pseudorandom numbers, the same for each seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % most
    }

    pub(crate) fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

type Engine = (&'static str, fn(&mut Random) -> Vec<Case>);

pub(crate) const ENGINES: [Engine; 11] = [
    ("templates", template),
    ("conditions", condition),
    ("paths", path),
    ("whole templates", grammar::template),
    ("whole conditions", grammar::condition),
    ("whole paths", grammar::path),
    ("fields", field),
    ("queries", query),
    ("windows", window),
    ("durations", |random| vec![small(random, "duration", &["s", "m", "h", "ms", "us", "ns", "d", ""])]),
    ("quantities", |random| {
        vec![small(random, "quantity", &["", "m", "k", "M", "Ki", "Gi", "n", "e3", "E", "e-2"])]
    }),
];

fn template(random: &mut Random) -> Vec<Case> {
    let mut text = String::new();
    for _ in 0..=random.below(4) {
        match random.below(6) {
            0 => text.push_str(random.of(&["sum(x) / ", " ", "\n", "{", "}}", "é"])),
            1 => {
                let (open, close) = [
                    ("{{ if ", "{{ end }}"),
                    ("{{ with ", "{{ else }}n{{ end }}"),
                    ("{{ range ", "{{ end }}"),
                ][random.below(3)];
                text.push_str(&format!("{open}{} }}}}{{{{ . }}}}{close}", pipe(random, 2)));
            }
            2 => text.push_str(&format!("{{{{ $v := {} }}}}{{{{ $v }}}}", pipe(random, 2))),
            3 => text.push_str(random.of(&[
                "{{ end }}",
                "{{ else }}",
                "{{/* c */}}",
                "{{- target -}}",
                "{{ $v }}",
                "{{",
            ])),
            _ => text.push_str(&format!("{{{{ {} }}}}", pipe(random, 3))),
        }
    }
    let variables = [("env".to_owned(), "prod".to_owned()), ("n".to_owned(), "5".to_owned())].into();
    vec![Case { engine: "template", text, variables, ..Case::default() }]
}

fn pipe(random: &mut Random, depth: usize) -> String {
    let mut text = command(random, depth);
    while random.below(4) == 0 {
        text = format!("{text} | {}", command(random, depth.saturating_sub(1)));
    }
    text
}

fn command(random: &mut Random, depth: usize) -> String {
    let functions = [
        "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice", "print", "println",
        "html", "js", "urlquery", "printf",
    ];
    if depth == 0 || random.below(3) == 0 {
        return atom(random);
    }
    let mut text = random.of(&functions).to_owned();
    if text == "printf" {
        let flags = random.of(&["", "5", "-8", "08", "+", "#", " ", ".2", "7.1", "[2]", "*"]);
        let verb =
            random.of(&["v", "d", "s", "q", "x", "X", "o", "b", "c", "t", "T", "e", "f", "g", "U", "%"]);
        text.push_str(&format!(" \"%{flags}{verb}|%v\""));
    }
    for _ in 0..random.below(4) {
        let argument =
            if random.below(3) == 0 { format!("({})", pipe(random, depth - 1)) } else { atom(random) };
        text.push_str(&format!(" {argument}"));
    }
    text
}

fn atom(random: &mut Random) -> String {
    match random.below(4) {
        0 => random.below(300).to_string(),
        1 => {
            format!("{}.{}{}", random.below(40), random.below(1000), random.of(&["", "", "e3", "e-6", "e8"]))
        }
        _ => random
            .of(&[
                "target",
                "namespace",
                "variables",
                "variables.env",
                "variables.nope",
                "\"\"",
                "\"a b\"",
                "\"<&'>\"",
                "`é`",
                "'a'",
                "true",
                "false",
                "nil",
                ".",
                "-7",
                "\"env\"",
                "\"5\"",
                "args.team",
                "\"%d\"",
            ])
            .to_owned(),
    }
}

fn condition(random: &mut Random) -> Vec<Case> {
    let text = truth(random, 3);
    let mut values = Vec::new();
    for _ in 0..=random.below(3) {
        let choices = [0.0, 0.5, 1.0, 2.0, 0.95, -1.0, 100.0, f64::NAN];
        values.push(choices[random.below(choices.len())]);
    }
    let primary = vec![[0.0, 0.5, 1.0][random.below(3)]];
    one_series(random, &text, &values, &primary)
}

/// A case for each engine, of one of the series.
pub(crate) fn one_series(random: &mut Random, text: &str, values: &[f64], primary: &[f64]) -> Vec<Case> {
    let all = both(text, values, primary, false);
    let turn = 2 * random.below(all.len() / 2);
    all[turn..turn + 2].to_vec()
}

fn truth(random: &mut Random, depth: usize) -> String {
    let depth = depth.saturating_sub(1);
    match random.below(if depth == 0 { 3 } else { 8 }) {
        3 => format!("({}) {} ({})", truth(random, depth), random.of(&["&&", "||"]), truth(random, depth)),
        4 => format!("!({})", truth(random, depth)),
        5 => format!("{} {} {}", truth(random, depth), random.of(&["&&", "||"]), truth(random, depth)),
        6 => format!(
            "result.{}(x, x {} {})",
            random.of(&["all", "exists", "exists_one"]),
            sign(random),
            number(random, depth)
        ),
        7 => format!("{}(result[0])", random.of(&["isNaN", "isInf"])),
        _ => format!("{} {} {}", number(random, depth), sign(random), number(random, depth)),
    }
}

fn sign(random: &mut Random) -> &'static str {
    random.of(&["<", "<=", ">", ">=", "==", "!="])
}

fn number(random: &mut Random, depth: usize) -> String {
    let depth = depth.saturating_sub(1);
    match random.below(if depth == 0 { 4 } else { 8 }) {
        0 | 1 => "result[0]".into(),
        2 => random.of(&["0", "1", "2", "0.5", "0.95", "1.0", "'a'", "true"]).into(),
        3 => format!("{}(result)", random.of(&["len", "max", "min", "sum", "mean"])),
        4 => format!(
            "({} {} {})",
            number(random, depth),
            random.of(&["+", "-", "*", "/"]),
            number(random, depth)
        ),
        5 => format!(
            "{} {} {}",
            number(random, depth),
            random.of(&["+", "-", "*", "/"]),
            number(random, depth)
        ),
        6 => random.of(&["primary[0]", "result[1]", "-result[0]", "result[-1]", "canary[0]"]).into(),
        _ => format!("len(result.filter(x, x {} {}))", sign(random), number(random, depth)),
    }
}

fn path(random: &mut Random) -> Vec<Case> {
    let mut text = String::new();
    for _ in 0..=random.below(4) {
        text.push_str(random.of(&[
            ".data",
            ".items",
            ".numbers",
            ".deep",
            ".value",
            ".v",
            ".name",
            ".list",
            ".labels",
            ".team",
            "[0]",
            "[1]",
            "[-1]",
            "[*]",
            ".*",
            "[0:2]",
            "[1:]",
            "[0,1]",
            "['value']",
            "['a b']",
            "['name','v']",
            "[?(@.v>1)]",
            "[?(@.name=='a')]",
            "[?(@.on)]",
            "..",
            "..v",
            "..name",
            ".nope",
            "[7]",
            ".1st",
            ".error-rate",
            " ",
            "x",
        ]));
    }
    let text = match random.below(3) {
        0 => format!("{{{text}}}"),
        1 => format!("{{${text}}}"),
        _ => format!("${text}"),
    };
    vec![paths::case(text)]
}

fn field(random: &mut Random) -> Vec<Case> {
    let mut text = random.of(&[".", "", "{.", "$.", "{$."]).to_owned();
    text.push_str(random.of(&["metadata", "spec", "status"]));
    for _ in 0..=random.below(4) {
        text.push_str(random.of(&[
            ".labels",
            ".annotations",
            ".name",
            ".template",
            ".metadata",
            ".team",
            ".app",
            ".nope",
            "['team']",
            "['app\\.kubernetes\\.io/name']",
            ".app\\.kubernetes\\.io/name",
            ".app-name",
            ".1st",
            "[0]",
            ".containers",
            "[1]",
            "[*]",
            ".*",
            "[-1]",
            ".image",
            "..",
            " ",
        ]));
    }
    if text.starts_with('{') && random.below(9) > 0 {
        text.push('}');
    }
    vec![Case { engine: "field", text, document: OBJECT.to_owned(), ..Case::default() }]
}

pub(crate) const OBJECT: &str = r#"{"metadata": {"name": "podinfo", "labels": {"team": "blue", "app-name": "x",
    "app.kubernetes.io/name": "shop"}, "annotations": {"1st": "a", "app": "b"}},
    "spec": {"template": {"metadata": {"labels": {"app": "p", "team": "red"}}, "nope": null},
    "containers": [{"name": "a", "image": "a:1"}, {"name": "b"}]}, "status": "ready"}"#;

fn query(random: &mut Random) -> Vec<Case> {
    let mut text = String::new();
    for _ in 0..=random.below(6) {
        text.push_str(random.of(&[
            "sum(a)",
            " / ",
            "sum by (code) (rate(b{x=\"#  no\"}[1m]))",
            " # comment\n",
            "\n",
            "  ",
            "#",
            "\t",
            " + ",
            "b{x='a\\'b  c'}",
            "b{x=`\n`}",
            "(",
            ")",
            "1",
            " or vector(0)",
            "\r\n",
            "é",
        ]));
    }
    vec![Case { engine: "promql", text, ..Case::default() }]
}

fn window(random: &mut Random) -> Vec<Case> {
    let document = random.of(&["prometheus", "prometheus", "graphite", "influxdb", "web"]).to_owned();
    let mut text = String::new();
    for _ in 0..=random.below(4) {
        let number = [random.below(3), random.below(100), random.below(400_000_000)][random.below(3)];
        text.push_str(&number.to_string());
        text.push_str(
            random.of(&["s", "m", "ms", "h", "d", "w", "y", "s", "m", "min", "minutes", "", ".5m", " "]),
        );
    }
    vec![Case { engine: "window", text, document, ..Case::default() }]
}

fn small(random: &mut Random, engine: &'static str, units: &[&str]) -> Case {
    let mut text = random.of(&["", "", "", "-", "+"]).to_owned();
    for _ in 0..=random.below(2) {
        text.push_str(&random.below(5000).to_string());
        if random.below(2) == 0 {
            text.push_str(&format!(".{}", random.below(1_000_000)));
        }
        text.push_str(random.of(units));
    }
    Case { engine, text, ..Case::default() }
}
