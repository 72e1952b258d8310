//! Templates with nested blocks, definitions, variables and pipelines.

use super::damaged;
use crate::{generated::Random, original::Case, templates};

pub(crate) fn template(random: &mut Random) -> Vec<Case> {
    let text = body(random, 3);
    let text = damaged(random, text, &PIECES);
    vec![templates::case(text)]
}

const PIECES: [&str; 24] = [
    "{{",
    "}}",
    "{{-",
    "-}}",
    "{{- ",
    " -}}",
    " ",
    "\n",
    "|",
    "(",
    ")",
    "$",
    ".",
    ",",
    ":=",
    "=",
    "\"",
    "'",
    "`",
    "{{ end }}",
    "{{ else }}",
    "/*",
    "*/",
    "-",
];

fn body(random: &mut Random, depth: usize) -> String {
    (0..=random.below(3)).map(|_| node(random, depth)).collect()
}

fn left(random: &mut Random) -> &'static str {
    random.of(&["{{ ", "{{ ", "{{", "{{- ", "{{\n", "{{\t"])
}

fn right(random: &mut Random) -> &'static str {
    random.of(&[" }}", " }}", "}}", " -}}", "\n}}"])
}

fn action(random: &mut Random, inner: &str) -> String {
    format!("{}{inner}{}", left(random), right(random))
}

fn node(random: &mut Random, depth: usize) -> String {
    if depth == 0 || random.below(3) == 0 {
        return random
            .of(&[
                "sum(x) / ",
                " ",
                "\n",
                "  \n ",
                "{",
                "}",
                "a=\"b\"",
                "# c\n",
                "é",
                "{{/* c */}}",
                "{{- /* c\n */ -}}",
            ])
            .to_owned();
    }
    let depth = depth - 1;
    match random.below(10) {
        0..=2 => {
            let piped = pipe(random, depth);
            action(random, &piped)
        }
        3 | 4 => branches(random, depth),
        5 => rounds(random, depth),
        6 => definition(random, depth),
        7 => {
            let held = body(random, depth);
            let with = pipe(random, depth);
            format!("{}{held}{{{{ $ }}}}{{{{ end }}}}", action(random, &format!("block \"b\" {with}")))
        }
        8 => variable(random, depth),
        _ => random
            .of(&[
                "{{ break }}",
                "{{ continue }}",
                "{{ end }}",
                "{{ else }}",
                "{{ template \"q\" }}",
                "{{ template \"q\" . }}",
                "{{ $x }}",
                "{{ $.env }}",
                "{{ .env }}",
                "{{ . }}",
                "{{ $ }}",
                "{{ nil }}",
                "{{ }}",
                "{{- -}}",
            ])
            .to_owned(),
    }
}

/// `if` or `with`, with any number of further branches.
fn branches(random: &mut Random, depth: usize) -> String {
    let word = random.of(&["if", "with", "if", "with", "range"]);
    let head = declared(random, word, depth);
    let mut text = action(random, &format!("{word} {head}"));
    text.push_str(&inside(random, word, depth));
    for _ in 0..random.below(3) {
        let next = random.of(&["if", "with"]);
        let head = declared(random, next, depth);
        text.push_str(&action(random, &format!("else {next} {head}")));
        text.push_str(&inside(random, word, depth));
    }
    if random.below(2) == 0 {
        text.push_str(&action(random, "else"));
        text.push_str(&inside(random, word, depth));
    }
    text.push_str(&action(random, "end"));
    text
}

fn rounds(random: &mut Random, depth: usize) -> String {
    let over = random.of(&["variables", "3", "args", "0", "$v", "(len target)", "index target 1", "."]);
    let names = random.of(&["", "$i := ", "$k, $v := ", "$v = ", "$k, $v = ", "$i, $_ := "]);
    let open = action(random, &format!("range {names}{over}"));
    let otherwise = if random.below(3) == 0 { "{{ else }}none" } else { "" };
    let held = inside(random, "range", depth);
    format!(
        "{{{{ $v := 2 }}}}{{{{ $k := `k` }}}}{open}{held}{otherwise}{{{{ end }}}}{{{{ $k }}}}{{{{ $v }}}}"
    )
}

fn definition(random: &mut Random, depth: usize) -> String {
    let name = random.of(&["\"q\"", "`q`", "\"r s\"", "\"\""]);
    let held = body(random, depth);
    let called = pipe(random, depth);
    let define = action(random, &format!("define {name}"));
    format!("{define}{held}{{{{ . }}}}{{{{ end }}}}{{{{ template {name} {called} }}}}")
}

fn variable(random: &mut Random, depth: usize) -> String {
    let piped = pipe(random, depth);
    let open = action(random, &format!("$x := {piped}"));
    let again = pipe(random, depth);
    let held =
        random.of(&["{{ if true }}{{ $x = 1 }}{{ end }}", "{{ if true }}{{ $x := 1 }}{{ $x }}{{ end }}", ""]);
    format!("{open}{held}{{{{ $x }}}}{{{{ print $x {again} }}}}")
}

fn inside(random: &mut Random, word: &str, depth: usize) -> String {
    let mut text = body(random, depth);
    if word == "range" && random.below(2) == 0 {
        text.push_str(random.of(&[
            "{{ break }}",
            "{{ if eq . 1 }}{{ continue }}{{ end }}",
            "{{ . }};",
            "{{ if . }}{{ break }}{{ end }}",
        ]));
    } else if random.below(2) == 0 {
        text.push_str(random.of(&["{{ . }}", "{{ $ }}", "{{ .env }}", "{{ $x }}"]));
    }
    text
}

fn declared(random: &mut Random, word: &str, depth: usize) -> String {
    let names =
        random.of(&["", "", "", "$x := ", "$x = ", if word == "range" { "$i, $x := " } else { "$y := " }]);
    format!("{names}{}", pipe(random, depth))
}

fn pipe(random: &mut Random, depth: usize) -> String {
    let mut text = command(random, depth);
    while random.below(4) == 0 {
        let between = random.of(&[" | ", "|", "| ", "\n|\n"]);
        text = format!("{text}{between}{}", command(random, depth.saturating_sub(1)));
    }
    text
}

const FORMATS: [&str; 34] = [
    "%s",
    "%v",
    "%d",
    "%q",
    "%5s|",
    "%-5s|",
    "%05d",
    "%+d",
    "% d",
    "%x",
    "%X",
    "%#x",
    "%.2f",
    "%8.3f",
    "%-8.3f|",
    "%08.3f",
    "%e",
    "%g",
    "%.3g",
    "%t",
    "%T",
    "%c",
    "%U",
    "%#U",
    "%%",
    "%",
    "%!",
    "%[2]v",
    "%[2]*[1]v",
    "%*d",
    "%.*f",
    "%[1]v%[1]v",
    "%6.2f%%",
    "%[3]v",
];

fn command(random: &mut Random, depth: usize) -> String {
    if depth == 0 || random.below(3) == 0 {
        return atom(random, depth);
    }
    let function = random.of(&[
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
        "printf",
        "printf",
        "index variables",
        "index args",
        "eq target",
    ]);
    let mut text = function.to_owned();
    if function == "printf" {
        let all: String = (0..=random.below(2)).map(|_| random.of(&FORMATS)).collect();
        text.push_str(&format!(" \"{all}\""));
    }
    for _ in 0..random.below(4) {
        let argument = if random.below(3) == 0 {
            format!("({}){}", pipe(random, depth - 1), random.of(&["", "", "", ".env", ".x.y"]))
        } else {
            atom(random, depth)
        };
        text.push_str(random.of(&[" ", "  ", "\n"]));
        text.push_str(&argument);
    }
    text
}

fn atom(random: &mut Random, depth: usize) -> String {
    match random.below(8) {
        0 => random.below(300).to_string(),
        1 => format!(
            "{}.{}{}",
            random.below(40),
            random.below(1000),
            random.of(&["", "", "e3", "e-6", "e21", "E2"])
        ),
        2 if depth > 0 => format!("({})", pipe(random, depth - 1)),
        _ => random
            .of(&[
                "target",
                "namespace",
                "interval",
                "variables",
                "args",
                "variables.env",
                "variables.nope",
                "args.team",
                "(index variables \"app.kubernetes.io/name\")",
                "(index args \"nope\")",
                "\"\"",
                "\"a b\"",
                "\"<&'>+%/?=\"",
                "\"tab\\t\\\"q\\\"\"",
                "`é\\n`",
                "'a'",
                "'\\''",
                "true",
                "false",
                "nil",
                ".",
                "$",
                "-7",
                "+7",
                "0x1F",
                "010",
                "\"env\"",
                "\"5\"",
                "\"%d\"",
                "1e3",
                ".5",
                "$x",
            ])
            .to_owned(),
    }
}
